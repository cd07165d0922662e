"""External activities, answered from outside: by the token of their task.

Rules:

1. SWF takes an answer by the token alone. Only the poller of the task has the token; no history
   shows it.
2. So an activity that is named by execution and id can be answered only before a worker has taken
   its task: the task is polled here. It is not polled while others wait in its list, because SWF
   hands out the oldest. If another comes all the same, it is given back as not started, which uses
   up no retry.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon import utils
from garcon.aws import limits
from garcon.executions import request
from garcon.executions.calls import SwfCalls
from garcon.executions.errors import NotAnswerable, NotFound, RequestRefused
from garcon.executions.pending import Pending, PendingKind
from garcon.executions.state_view import ExecutionView
from garcon.history.failure_reasons import NOT_STARTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_swf import SWFClient

MANUAL = "answered by hand"
"""The identity of the poller in the history."""


@dataclass(frozen=True, slots=True)
class ExternalTasks:
    """The tasks of a flow's domain.

    Attributes:
        flow: The flow.
        calls: Calls to SWF.
    """

    flow: Any
    calls: SwfCalls

    def complete(self, token: str, result: Any) -> None:
        """Complete a task; see ``Client.complete``."""
        text = request.encoded(result, "The result")
        with self._answering(token) as swf:
            swf.respond_activity_task_completed(taskToken=token, result=text)

    def fail(self, token: str, reason: str, details: str | None) -> None:
        """Fail a task; see ``Client.fail``."""
        members = {"details": limits.cut(details, limits.DETAILS)} if details else {}
        with self._answering(token) as swf:
            swf.respond_activity_task_failed(
                taskToken=token, reason=limits.reason(reason), **members
            )

    def heartbeat(self, token: str, details: str | None) -> bool:
        """Send a heartbeat; see ``Client.heartbeat``."""
        members = {"details": limits.cut(details, limits.HEARTBEAT_DETAILS)} if details else {}
        with self._answering(token) as swf:
            answer = swf.record_activity_task_heartbeat(taskToken=token, **members)
            return bool(answer["cancelRequested"])

    def take(self, state: ExecutionView, activity: str, flow: str) -> str:
        """Take the task of an activity; see ``Client.take``."""
        waiting = _waiting(state, activity, flow)
        members: Any = {
            "domain": self.flow.domain,
            "taskList": {"name": waiting.task_list},
            "identity": MANUAL,
        }
        polling = clients.polling(getattr(self.flow, "client", None))
        with self.calls.call(f"polling {waiting.task_list}"):
            task: Mapping[str, Any] = polling.poll_for_activity_task(**members)
        if not task.get("taskToken"):
            raise NotAnswerable(f"{waiting.id} was not handed out within a minute.")
        token = str(task["taskToken"])
        run = task["workflowExecution"]["runId"]
        if (run, task["activityId"]) != (state.execution.run_id, waiting.id):
            self.fail(token, f"{NOT_STARTED}: another task was wanted.", None)
            raise NotAnswerable(
                f"SWF handed out another task of {waiting.task_list}, which was given back."
            )
        return token

    @contextmanager
    def _answering(self, token: str) -> "Iterator[SWFClient]":
        try:
            with self.calls.call("answering a task") as swf:
                yield swf
        except RequestRefused as error:
            if utils.error_code(error.__cause__) != utils.UNKNOWN:
                raise
            raise NotFound(
                f"SWF has no open task with the token {token[:20]}…: it was answered, has timed "
                "out, or its execution has closed."
            ) from error


def _waiting(state: ExecutionView, activity: str, flow: str) -> Pending:
    """The activity whose task can be taken.

    Raises:
        NotAnswerable: There is none, or a worker has it, or others wait before it.
    """
    wanted = (activity, f"{flow}_{activity}")
    open_ones = [each for each in state.pending if each.kind is PendingKind.ACTIVITY]
    found = [each for each in open_ones if each.id in wanted] or [
        each for each in open_ones if each.id.startswith(wanted)
    ]
    if len(found) != 1:
        many = "Several open activities begin with" if found else "No open activity begins with"
        names = ", ".join(each.id for each in open_ones) or "none"
        raise NotAnswerable(f"{many} {activity!r}; there are: {names}.")
    (only,) = found
    if only.started:
        raise NotAnswerable(
            f"{only.id} was taken by {only.worker or 'a worker'}: only that has its token."
        )
    if (only.backlog or 0) > 1:
        raise NotAnswerable(
            f"{only.backlog} tasks wait in {only.task_list}, and SWF hands out the oldest: let its "
            "own program answer."
        )
    return only
