"""A console that serves over HTTP, and executions to look at: an album's photos are resized."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from garcon import utils
from garcon.executions import Client
from garcon.executions.console.call_pace import CallPace
from garcon.executions.console.closed_histories import ClosedHistories
from garcon.executions.console.console_actions import ConsoleActions
from garcon.executions.console.console_app import Subject, application
from garcon.executions.console.console_reads import ConsoleReads
from garcon.history.reserved_timers import retry_timer_id
from tests.garcon.local.conformance.account import DEFAULTS, Account, complete, decision
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from garcon.local import LocalSWF

KEY = "the-key-of-the-test"
PLACE = "https://swf.eu-west-1.amazonaws.com (eu-west-1)"


@contextlib.contextmanager
def served_console(
    swf: LocalSWF,
    file: Path,
    domain: str = "dom",
    *,
    allow_actions: bool = False,
    own_port: int | None = None,
) -> Iterator[str]:
    """The address of a console of a domain, served by a thread.

    Args:
        swf: The service.
        file: The file of closed histories.
        domain: The domain.
        allow_actions: Whether it makes changes.
        own_port: The port that it listens at, if the address is that of a tunnel to it.
    """
    own = swf.client()
    CallPace().install(own)
    flow = SimpleNamespace(domain=domain, client=own)
    reads = ConsoleReads(flow, ClosedHistories(file, "local", domain))
    actions = ConsoleActions(Client(flow)) if allow_actions else None
    app = application(Subject(domain, PLACE, ("--domain", domain), ""), reads, actions, KEY)

    async def at_own_port(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "server": ("127.0.0.1", own_port)}, receive, send)

    with served(lambda _: at_own_port if own_port else app) as address:
        yield f"http://{address}/?key={KEY}"


class Album:
    """Executions of a flow that resizes the photos of an album.

    Args:
        account: An account with the domain.
        advance: Lets so many seconds pass.
    """

    def __init__(self, account: Account, advance: Callable[[float], None]) -> None:
        self.account = account
        self._advance = advance
        self._workflow_id = ""
        account.register()
        for name in ("fetch", "resize", "publish"):
            type_ = {"name": f"album_{name}", "version": "1.0"}
            account.in_domain("register_activity_type", **type_, **DEFAULTS)
        account.in_domain(
            "register_workflow_type",
            name="album",
            version="1.0",
            defaultTaskStartToCloseTimeout="60",
            defaultExecutionStartToCloseTimeout="31536000",
            defaultChildPolicy="TERMINATE",
        )

    @classmethod
    def of(cls, swf: LocalSWF) -> Album:
        """Executions in the domain ``dom`` of a local SWF in this process."""
        return cls(Account(swf.client(), "dom"), swf.advance)

    def failed(self, workflow_id: str) -> str:
        """An execution that failed after two attempts at a photo; returns its run id."""
        run_id = self._begun(workflow_id)
        self._photos(("cat.png", "dog.png", "owl.png"))
        for reason in ("", "", "No space left on device"):
            self._work(2.5, reason)
        self._retry_later("owl.png", 20)
        self._advance(20)
        self._decide(self._photo("owl.png"))
        self._work(3, "No space left on device")
        details = "Traceback (most recent call last):\n  ...\nOSError: No space left on device"
        reason = "album_resize failed after 2 attempts: No space left on device"
        self._decide(decision("FailWorkflowExecution", reason=reason, details=details))
        return run_id

    def waiting(self, workflow_id: str) -> str:
        """An open execution with a retry to come, and a timer; returns its run id."""
        run_id = self._begun(workflow_id)
        self._photos(("cat.png", "owl.png"))
        self._work(2.5)
        self._work(1.5, "The disk is busy")
        timer = decision("StartTimer", timerId="patience", startToFireTimeout="86400")
        self._retry_later("owl.png", 600, timer, _scheduled("publish", "album_publish-1"))
        return run_id

    def completed(self, workflow_id: str) -> str:
        """One that completed; returns its run id."""
        run_id = self._begun(workflow_id)
        self._photos(("cat.png", "dog.png"))
        self._work(2.5)
        self._work(1.5)
        result = json.dumps({"page": f"https://example.org/{workflow_id}", "photos": 2})
        self._decide(complete(result=result))
        return run_id

    def _begun(self, workflow_id: str) -> str:
        self._workflow_id = workflow_id
        values = {"album": workflow_id, "photos": ["cat.png", "dog.png", "owl.png"]}
        run_id = self.account.start(
            workflow_id,
            workflowType={"name": "album", "version": "1.0"},
            input=json.dumps(values),
            taskList=self._list(),
        )
        self._advance(0.2)
        self._decide(_scheduled("fetch", "album_fetch-1"))
        self._work(1.2)
        return run_id

    def _decide(self, *decisions: Any) -> None:
        self.account.respond(self.account.decision_task(taskList=self._list()), *decisions)

    def _list(self) -> dict[str, str]:
        """A list of its own, so that the decision task that comes next is this execution's."""
        return {"name": f"decisions of {self._workflow_id}"}

    def _photos(self, names: tuple[str, ...]) -> None:
        self._decide(*(self._photo(each) for each in names))

    def _photo(self, name: str) -> Any:
        own = {"photo": name}
        values = {"size": 400, **own, "execution.workflow_id": self._workflow_id}
        return _scheduled("resize", self._photo_id(name), input=json.dumps(values))

    def _photo_id(self, name: str) -> str:
        return f"album_resize-{utils.create_dictionary_key({'photo': name})}"

    def _retry_later(self, name: str, seconds: int, *more: Any) -> None:
        timer = decision(
            "StartTimer",
            timerId=retry_timer_id(self._photo_id(name)),
            startToFireTimeout=str(seconds),
            control=json.dumps({"attempt": 2, "after": "No space left on device"}),
        )
        self._decide(timer, *more)

    def _work(self, seconds: float, reason: str = "") -> None:
        """One attempt at the next activity."""
        self._advance(0.4)
        task = self.account.activity_task(identity="i-0f3a:4711", taskList={"name": "photos"})
        token = task["taskToken"]
        self._advance(seconds)
        if reason:
            self.account.call("respond_activity_task_failed", taskToken=token, reason=reason)
        else:
            self.account.call("respond_activity_task_completed", taskToken=token, result="{}")


def _scheduled(name: str, activity_id: str, **attributes: Any) -> Any:
    type_ = {"name": f"album_{name}", "version": "1.0"}
    members = {"activityId": activity_id, "activityType": type_, **attributes}
    # No worker polls the list "publishing".
    task_list = {"name": "publishing" if name == "publish" else "photos"}
    return decision("ScheduleActivityTask", taskList=task_list, **members)
