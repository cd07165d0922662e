"""A task in hand: what the tasks get as ``activity``, and how SWF is answered.

Rules:

1. A heartbeat that fails for a passing reason does not fail the work: it is logged, and the next
   one follows. If SWF says that the task is gone, the work is told by ``TaskGone``.
2. A request to cancel comes in the answer to a heartbeat. It is kept in ``cancel_requested``, and
   logged once: a task that looks there can end in good order. One that does not look is told by
   ``TaskCanceled`` at its next heartbeat.
3. That SWF no longer wants the work is told to ``on_stale`` too, once: a task that catches
   everything, or never beats again, is then ended by whoever watches its process.
4. A throttled answer is tried five times, as documented. To insist beyond that is the matter of
   ``Activity.respond``.
5. Signs of life come from the work and, beside it, from another thread (``beating``). What either
   hears counts for both; a sign in the background repeats the details that the work gave last.
"""

import functools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon import limits, payload, runner, trouble
from garcon.errors import GarconError
from garcon.insist import CLOCK, Clock
from garcon.log import GarconLogger
from garcon.throttles import backed_off
from garcon.utils import UNKNOWN, error_code

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient


class TaskGone(GarconError):
    """SWF no longer knows the task in hand, and will not take its result."""


class TaskCanceled(GarconError):
    """The task stops because cancelling was requested; its text is the details that SWF is told.

    A heartbeat raises it when an earlier one brought the request; a task may raise it by itself.
    """


Stale = type[TaskGone] | type[TaskCanceled]
"""Why SWF no longer wants the work."""


def nobody(_why: Stale) -> None:
    """Nobody watches this process."""


class ActivityExecution(GarconLogger):
    """One task that SWF gave to this worker.

    Args:
        client: The client for the answers.
        activity_id: The instance's id in the history.
        task_token: What SWF knows the task by.
        context: The input, as JSON text.
        workflow_id: The execution's id.
        run_id: The id of the execution's run.
        activity_name: Name of the activity type.
        started_event_id: Number of the ActivityTaskStarted event.
        start_to_close: Seconds that the task may last, if known.
        heartbeat_timeout: Seconds between two signs of life, if known.
        received: When it was received, in monotonic seconds.
        clock: The time that throttled answers rest by.

    Attributes:
        cancel_requested: Whether SWF wants the work to end; as fresh as the last heartbeat.
        gone: Whether SWF no longer has the task.
        on_stale: Called once when SWF no longer wants the work, with the exception's class.
    """

    def __init__(
        self,
        client: "SWFClient | Any",
        activity_id: str | None,
        task_token: str | None,
        context: str | None,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_name: str | None = None,
        started_event_id: int | None = None,
        start_to_close: float | None = None,
        heartbeat_timeout: float | None = None,
        received: float | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self.client = client
        self.activity_id = activity_id
        self.task_token = task_token
        self.input = context
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.activity_name = activity_name
        self.started_event_id = started_event_id
        self.start_to_close = start_to_close
        self.heartbeat_timeout = heartbeat_timeout
        self.received = time.monotonic() if received is None else received
        self.clock = clock
        self.cancel_requested = False
        self.gone = False
        self.on_stale: Callable[[Stale], None] = nobody
        self._untold: set[Stale] = {TaskGone, TaskCanceled}
        self._details: str | None = None

    @functools.cached_property
    def context(self) -> dict[str, Any]:
        """The input.

        Raises:
            payload.NotReadable: It is not a JSON object.
        """
        return payload.decode_object(self.input, f"The input of {self.activity_id}")

    @property
    def time_left(self) -> float:
        """Seconds until the task times out, as far as is known; less than none if it has."""
        given = self.start_to_close or runner.DEFAULT_TASK_TIMEOUT
        return given - (time.monotonic() - self.received)

    def heartbeat(self, details: Any = None) -> None:
        """Tell SWF that the work goes on (RecordActivityTaskHeartbeat).

        Args:
            details: How far it is, up to 2,048 characters; they come back with a timeout.

        Raises:
            TaskGone: SWF no longer has the task.
            TaskCanceled: An earlier heartbeat brought the request to cancel it.
        """
        told_before = self.cancel_requested
        self._details = None if details is None else _said(details)
        try:
            self._show_life()
        except trouble.ERRORS as error:
            if not trouble.is_passing(error):
                raise
            self._warn(error)
        if told_before:
            raise TaskCanceled(f"Cancelling {self.activity_id} was requested.")

    def beat(self) -> bool:
        """A heartbeat from beside the work; what fails is logged, what SWF says is kept.

        Returns:
            Whether SWF still has the task.
        """
        try:
            self._show_life()
        except TaskGone as error:
            self.logger.warning("%s", error)
        except trouble.ERRORS as error:
            self._warn(error)
        return not self.gone

    @backed_off
    def fail(self, reason: Any = None, details: str | None = None) -> None:
        """Answer that the task failed (RespondActivityTaskFailed).

        Args:
            reason: Why; the first 255 characters are sent. An empty text says nothing.
            details: More, up to 32,768 characters.
        """
        said = {
            "reason": limits.reason(reason) if reason is not None and reason != "" else None,
            "details": details and limits.cut(details, limits.DETAILS),
        }
        self.client.respond_activity_task_failed(**self._signed(said))

    @backed_off
    def complete(self, context: Mapping[str, Any] | None = None) -> None:
        """Answer that the task is done (RespondActivityTaskCompleted).

        Args:
            context: The result.

        Raises:
            payload.TooLarge: It is longer than SWF takes.
            payload.NotSendable: JSON has no form for it.
        """
        result = None if context is None else payload.encode(context, self._result_name)
        self.client.respond_activity_task_completed(**self._signed({"result": result}))

    @backed_off
    def cancel(self, details: str | None = None) -> None:
        """Answer that the task stopped as requested (RespondActivityTaskCanceled)."""
        said = {"details": details and limits.cut(details, limits.DETAILS)}
        self.client.respond_activity_task_canceled(**self._signed(said))

    @property
    def _result_name(self) -> str:
        return f"The result of {self.activity_id}"

    def _signed(self, members: Mapping[str, Any]) -> dict[str, Any]:
        given = {key: value for key, value in members.items() if value is not None}
        return {"taskToken": self.task_token, **given}

    def _show_life(self) -> None:
        if self.gone:
            raise self._no_longer_there
        said = self._signed({"details": self._details})
        try:
            answer = self.client.record_activity_task_heartbeat(**said)
        except trouble.ERRORS as error:
            if error_code(error) != UNKNOWN:
                raise
            self.gone = True
            self._tell(TaskGone)
            raise self._no_longer_there from error
        self._note_cancel(answer)

    @property
    def _no_longer_there(self) -> TaskGone:
        return TaskGone(
            f"SWF no longer has the task {self.activity_id}: it timed out, was cancelled, or its "
            "execution closed."
        )

    def _warn(self, error: Exception) -> None:
        told = clients.explain(error, f"sending a heartbeat of {self.activity_id}", self.client)
        self.logger.warning(told.sentence)

    def _note_cancel(self, answer: Any) -> None:
        if isinstance(answer, Mapping) and answer.get("cancelRequested") is True:
            self.cancel_requested = True
            self._tell(TaskCanceled)

    def _tell(self, why: Stale) -> None:
        try:
            self._untold.remove(why)  # in one step: two threads may find out at once
        except KeyError:
            return
        if why is TaskCanceled:
            self.logger.info("Cancelling %s was requested.", self.activity_id)
        self.on_stale(why)


def _said(details: Any) -> str:
    return limits.cut(str(details), limits.HEARTBEAT_DETAILS)
