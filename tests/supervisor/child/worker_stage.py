"""A worker on a stage: a fake SWF, and the real channel, crash record and spool.

A test writes the polls' answers as a script. An answer may be a function: the poll calls it, so
that something can happen to the worker meanwhile. After the script the worker is asked to leave.
Each moment at which the worker can be observed from outside is kept as a ``Moment``.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import msgspec

from garcon import activity, client, runner
from supervisor.child import worker
from supervisor.child.flow_loader import Flow
from supervisor.child.shutdown import Shutdown
from supervisor.child.worker_context import worker_context
from supervisor.ipc import channel, crash_record, messages
from supervisor.ipc.spool import SpooledTask
from supervisor.logs import log
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

WORKER = 7

LIMIT = 20.0
"""Seconds after which a wait has failed."""

POLL = "poll_for_activity_task"
DECISION_POLL = "poll_for_decision_task"

TASK = {
    "taskToken": "token",
    "activityId": "make-1",
    "startedEventId": 6,
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "activityType": {"name": "shop_make", "version": "1.0"},
    "input": '{"beans": 3}',
}
"""The answer of PollForActivityTask."""


@dataclass(frozen=True)
class Moment:
    """The outside view of the worker when something happens."""

    what: str  # a call of SWF, "task" in its code, "wait", or the class of a message being sent
    sent: tuple[Any, ...]  # messages that the supervisor has received
    title: str
    started: bool  # of the crash record, as the next two
    answer: Any
    waiting: int
    spooled: SpooledTask | None
    facts: dict[str, Any]


@dataclass
class Stage:
    """A worker with its surroundings.

    Attributes:
        load: The settings in the zygote's order.
        instance: The EC2 instance of the fork request.
        task: The code of the activity ``make``.
    """

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    load: dict[str, Any] = field(default_factory=dict)
    instance: messages.Instance | None = None
    task: Callable[[Any], Any] = lambda _activity: None
    role: messages.Role = messages.Role.ACTIVITY
    takes_over: int = 0  # a dead decider whose private list it takes over
    permits: int | None = None  # that a parked worker gets, then TERM; None: it needs none

    def __post_init__(self) -> None:
        self.moments: list[Moment] = []
        self.sent: list[Any] = []
        self.waits: list[float] = []
        self.meanwhile: dict[str, Callable[[], Any]] = {}  # what happens at the next such moment
        self.sticky_polls = 0
        self.sticky_script: list[Any] = []  # answers to polls of a decider's sticky list
        self.title = ""
        self.is_alone = False
        self.now = 1000.0  # seconds of the loop's clock, which waits move on
        self.supervisor, self.end = channel.pair()
        self.descriptor = crash_record.make()
        self.swf = _ScriptedSwf(self)
        self.monkeypatch.setattr(worker, "setproctitle", self._set_title)
        self.monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.monkeypatch.setattr(log, "process_facts", {})
        self.shutdown = _ObservedShutdown(self)

    def run(self, *script: Any) -> int:
        """The exit code of the worker after these answers to its polls."""
        poll = POLL if self.role is messages.Role.ACTIVITY else DECISION_POLL
        self.swf.prepare(poll, *script)
        settings = messages.LogSettings("info", "text", payloads=self.load.pop("payloads", False))
        load = messages.Load(
            *(1, "shop", None, None, messages.SwfEndpoint(), settings),
            supervisor_lock="lock",
            private_lists="pool",
            **{"spool": str(self.folder), **self.load},
        )
        served = self._flow()
        slot = messages.Slot(messages.TaskList(self._list_name, self.role), 2)
        serve = messages.Serve(slot, self.takes_over, needs_permit=self.permits is not None)
        fork = messages.Fork(WORKER, 1, serve, self.instance)
        with client.use(self.swf), self.shutdown:
            self.context = worker_context(served, load)
            loop = worker.TaskLoop(
                self.context,
                fork,
                serve,
                self.shutdown,
                crash_record.CrashRecord(self.descriptor),
            )
            code = loop.run()
        self.observe("end")
        return code

    @property
    def _list_name(self) -> str:
        return "shop_make" if self.role is messages.Role.ACTIVITY else "flow"

    def _flow(self) -> Flow:
        if self.role is messages.Role.DECIDER:
            return Flow(flow(self.swf, a=make("a")), "domain", "flow", "1.0", {})
        create = activity.create(self.swf, "domain", "shop")
        made = create(name="make", run=runner.Sync(self._run_task))
        return Flow(SimpleNamespace(), "domain", "shop", "1.0", {"shop_make": made})

    def _run_task(self, _context: Any, activity: Any) -> Any:
        self.observe("task")
        return self.task(activity)

    def _set_title(self, title: str) -> None:
        self.title = title

    # --- what may happen to the worker

    def ask_to_leave(self, answer: Any = None, *, seconds_ago: float = 0.0) -> Any:
        """SIGTERM arrives, or has arrived so long ago; returns an answer for the open poll."""
        # A sticky decider polls in threads; signals are handled in the main one.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        assert self.shutdown.has_request.wait(LIMIT)
        assert self.shutdown.requested_at is not None
        self.shutdown.requested_at -= seconds_ago
        return answer or {}

    def lose_supervisor(self, answer: Any = None) -> Any:
        """The supervisor dies; returns an answer for the poll that is open."""
        self.is_alone = True
        self.supervisor.close()
        return answer or {}

    def answer_parked(self) -> None:
        """Give the parked worker a permit, or ask it to leave when none is left."""
        if self.permits:
            self.permits -= 1
            self.supervisor.send(messages.PermitGranted())
        else:
            self.ask_to_leave()

    # --- what is seen of it

    def observe(self, what: str) -> None:
        """Keep this moment."""
        self._receive()
        left = crash_record.read(self.descriptor)
        moment = Moment(
            what=what,
            sent=tuple(self.sent),
            title=self.title,
            started=left.started,
            answer=msgspec.json.decode(left.answer, type=messages.Answer) if left.answer else None,
            waiting=len(left.waiting),
            spooled=self._spooled(),
            facts=dict(log.process_facts),
        )
        self.moments.append(moment)
        if action := self.meanwhile.pop(what, None):
            action()

    def at(self, what: str) -> Moment:
        """The only moment of this name."""
        (found,) = self.all(what)
        return found

    def all(self, what: str) -> list[Moment]:
        """The moments of this name."""
        return [moment for moment in self.moments if moment.what == what]

    def _receive(self) -> None:
        while not self.is_alone and select.select([self.supervisor], [], [], 0)[0]:
            self.sent.append(self.supervisor.receive())

    def _spooled(self) -> SpooledTask | None:
        files = [file for file in self.folder.iterdir() if not file.name.startswith(".")]
        if not files:
            return None
        (file,) = files
        return msgspec.json.decode(file.read_bytes(), type=SpooledTask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end.close()
        if not self.is_alone:
            self.supervisor.close()
        os.close(self.descriptor)


class _ScriptedSwf(FakeSwf):
    """Observes each call; a poll beyond the script asks the worker to leave."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def _call(self, operation: str, **request: Any) -> Any:
        self._stage.observe(operation)
        if operation == DECISION_POLL and request["taskList"]["name"] != "flow":
            self._stage.sticky_polls += 1
            return self._stage.sticky_script.pop(0) if self._stage.sticky_script else {}
        if operation in {POLL, DECISION_POLL} and not self._answers[operation]:
            return self._stage.ask_to_leave()
        answer = super()._call(operation, **request)
        return answer() if callable(answer) else answer


class _ObservedShutdown(Shutdown):
    """Observes each message before it is sent, and does not wait."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.end)
        self.has_request = threading.Event()
        self._stage = stage

    def request(self) -> None:
        super().request()
        self.has_request.set()

    def send(self, message: messages.ChannelMessage) -> None:
        self._stage.observe(type(message).__name__)
        super().send(message)
        is_parked = isinstance(message, messages.Done) and message.parked
        if is_parked or isinstance(message, messages.Parked):
            self._stage.answer_parked()

    def wait(self, seconds: float) -> bool:
        self._stage.waits.append(seconds)
        self._stage.now += seconds
        self._stage.observe("wait")
        return not self.requested
