"""A task in progress: the object that tasks receive as ``activity``, and the answers to SWF.

Rules:

1. A heartbeat that fails for a transient reason does not fail the work: it is logged, once a minute
   for each task list, and the next one follows (``heartbeat_pace``). botocore attempts it once. If
   SWF no longer has the task, the heartbeat raises ``TaskGone``, which names refused heartbeats if
   they are the reason.
2. A request to cancel comes in the response to a heartbeat. It is kept in ``cancel_requested`` and
   logged once, so a task that looks there can end in good order. For a task that does not look, the
   next heartbeat raises ``TaskCanceled``.
3. ``on_stale`` is called once when SWF no longer wants the work. A task that catches every
   exception, or sends no heartbeat, can then be ended by its supervisor.
4. A throttled answer is attempted five times, as documented; ``Activity.respond`` goes on after
   that.
5. Heartbeats come from the tasks and from a thread in the background (``heartbeat_thread``). A
   response to either counts for both. A background heartbeat repeats the last details of the tasks,
   because SWF shows those of the latest heartbeat only.
6. ``later`` hands the task out: another program has its token and answers. From then on only an
   exception of the tasks is answered here.
"""

import functools
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from garcon import claims, runner
from garcon import client as clients
from garcon.activity.attempt_outcome import AttemptCanceled, AttemptCompleted, AttemptFailed
from garcon.activity.heartbeat_pace import HeartbeatPace
from garcon.activity.shared_throttling import HOST, SharedThrottling
from garcon.aws import aws_errors, limits
from garcon.aws.retrying import CLOCK, Clock
from garcon.aws.single_attempt import single_attempt
from garcon.aws.throttles import retry_throttles
from garcon.errors import GarconError
from garcon.log import GarconLogger
from garcon.payload import codec
from garcon.payload.codec import EncodedPayload
from garcon.tracing import family_trace
from garcon.user_code.text import text_of
from garcon.utils import UNKNOWN, error_code

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient


class TaskGone(GarconError):
    """SWF no longer has the task, and does not accept its result."""


class TaskCanceled(GarconError):
    """The task stops because its cancellation was requested; the text becomes SWF's details.

    A heartbeat raises it if an earlier one brought the request; a task may raise it by itself.
    """


Stale = type[TaskGone] | type[TaskCanceled]
"""The reason why SWF no longer wants the work."""


def ignore_stale(_why: Stale) -> None:
    """Do nothing: no supervisor watches this process."""


class TaskHeartbeats(msgspec.Struct, frozen=True):
    """The times of a task's heartbeats, and what its host knows of SWF's throttling.

    Attributes:
        pace: The times.
        now: Gives the time of the pace.
        throttling: What the workers of the host share.
    """

    pace: HeartbeatPace
    now: Callable[[], float] = time.monotonic
    throttling: SharedThrottling = HOST

    @property
    def due(self) -> float:
        """Time at which the next heartbeat is due."""
        return self.pace.due(self.throttling.level(self.now()))

    def note_error(self, error: Exception) -> None:
        """A heartbeat failed."""
        if not aws_errors.is_transient(error):
            self.pace.note_failed(self.now(), aws_errors.reason(error))
            return
        self.pace.note_refused(self.now(), aws_errors.reason(error))
        if aws_errors.is_busy(error):
            self.throttling.note_throttled(self.now())


class ActivityExecution(GarconLogger):
    """One task of an activity, in progress in this worker; tasks receive it as ``activity``.

    Args:
        client: The client for answers and heartbeats.
        activity_id: The instance's id in the history.
        task_token: SWF's token for the task.
        context: The input, as JSON text or its bytes.
        workflow_id: The execution's workflow id.
        run_id: The execution's run id.
        activity_name: Name of the activity type.
        started_event_id: Number of the ActivityTaskStarted event.
        start_to_close: Seconds that the task may last, if known.
        heartbeat_timeout: Seconds between two heartbeats, if known.
        received: When it was received, in monotonic seconds.
        clock: The time by which retries of throttled answers wait.

    Attributes:
        cancel_requested: Whether SWF wants the work to end; as recent as the last heartbeat.
        gone: Whether SWF no longer has the task.
        on_stale: Called once when SWF no longer wants the work, with the exception's class.
        on_stored: Called with the text of a result before each attempt to send it: what is too long
            for SWF is in the claim store then.
        on_later: Called once, before the token is given to another program.
        is_handed_out: Whether it was.
        heartbeats: Their times, once the work has begun.
    """

    def __init__(
        self,
        client: "SWFClient | Any",
        activity_id: str | None,
        task_token: str | None,
        context: str | bytes | None,
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
        self.input = context.decode() if isinstance(context, bytes) else context
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
        self.on_stale: Callable[[Stale], None] = ignore_stale
        self.on_stored: Callable[[str | None], object] = lambda _text: None
        self.on_later: Callable[[], object] = lambda: None
        self.is_handed_out = False
        self.heartbeats: TaskHeartbeats | None = None
        self._unreported: set[Stale] = {TaskGone, TaskCanceled}
        self._details: str | None = None

    def __bool__(self) -> bool:
        """Whether there is a task: a poll that brought none gives an execution without a token."""
        return self.task_token is not None

    @functools.cached_property
    def context(self) -> dict[str, Any]:
        """The input.

        Raises:
            codec.NotReadable: It is not a JSON object.
        """
        values = codec.decode_object(self.input, f"The input of {self.activity_id}")
        values.pop(family_trace.KEY, None)  # for the worker: no task may return it
        return values

    @property
    def trace(self) -> str:
        """The id of the trace that the attempt belongs to; empty if it is that of its own run."""
        return family_trace.of_input(self.input)

    @property
    def time_left(self) -> float:
        """Seconds until the task times out, as far as is known; negative if it has."""
        allowed = self.start_to_close or runner.DEFAULT_TASK_TIMEOUT
        return allowed - (time.monotonic() - self.received)

    def unread_claim(self) -> claims.ClaimStoreUnavailable | None:
        """The fault in reading the input from the claim store; asked before the task begins."""
        try:
            with suppress(codec.NotReadable):  # the runner may not need it
                _ = self.context
        except claims.ClaimStoreUnavailable as error:
            return error
        return None

    def later(self) -> str:
        """Hand the task out: another program completes or fails it, with the token.

        What the tasks return is not sent then; an exception still fails the task. The worker is
        free for its next task, and sends this one's heartbeats until SWF no longer has it.

        Returns:
            The task token. It is a secret: with it, anyone whom SWF lets call can answer.
        """
        if not self.is_handed_out:
            self.on_later()
            self.is_handed_out = True
        return str(self.task_token)

    def heartbeat(self, details: Any = None) -> None:
        """Report that the work goes on (RecordActivityTaskHeartbeat).

        Args:
            details: Progress, up to 2,048 characters; a timeout of the task carries them.

        Raises:
            TaskGone: SWF no longer has the task.
            TaskCanceled: An earlier heartbeat brought the request to cancel it.
            botocore.exceptions.ClientError: SWF refused the heartbeat for good.
        """
        known_before = self.cancel_requested
        text = None if details is None else limits.cut(text_of(details), limits.HEARTBEAT_DETAILS)
        self._details = text
        try:
            self._send_heartbeat()
        except aws_errors.ERRORS as error:
            if not aws_errors.is_transient(error):
                raise
            self._log_failed_heartbeat(error)
        if known_before:
            raise TaskCanceled(f"Cancelling {self.activity_id} was requested.")

    def heartbeat_in_background(self) -> bool:
        """Send a heartbeat from another thread; its errors are logged.

        Returns:
            Whether SWF still has the task.
        """
        try:
            self._send_heartbeat()
        except TaskGone as error:
            level = logging.INFO if self.is_handed_out else logging.WARNING
            self.logger.log(level, "%s", error)
        except aws_errors.ERRORS as error:
            self._log_failed_heartbeat(error)
        return not self.gone

    @retry_throttles
    def fail(self, reason: Any = None, details: str | None = None) -> None:
        """Answer that the task failed (RespondActivityTaskFailed).

        Args:
            reason: An error or a text; the first 255 characters are sent. No reason if empty.
            details: More, up to 32,768 characters.
        """
        self.client.respond_activity_task_failed(
            **self._with_token(
                reason=limits.reason(reason) if reason is not None and reason != "" else None,
                details=details and limits.cut(details, limits.DETAILS),
            )
        )

    def complete(self, context: Mapping[str, Any] | EncodedPayload | None = None) -> None:
        """Answer that the task is done (RespondActivityTaskCompleted).

        Args:
            context: The result, as a dictionary or encoded already.

        Raises:
            codec.TooLarge: It is longer than SWF takes.
            codec.NotSendable: JSON has no form for it.
            claims.ClaimStoreUnavailable: The claim store does not take it just now.
        """
        if context is not None and not isinstance(context, EncodedPayload):
            context = codec.encoded(context, f"The result of {self.activity_id}")
        text = context.text if context else None
        self.on_stored(text)
        self._respond_completed(text)

    @retry_throttles
    def _respond_completed(self, result: str | None) -> None:
        self.client.respond_activity_task_completed(**self._with_token(result=result))

    @retry_throttles
    def cancel(self, details: str | None = None) -> None:
        """Answer that the task stopped as requested (RespondActivityTaskCanceled).

        Args:
            details: More, up to 32,768 characters.
        """
        text = details and limits.cut(details, limits.DETAILS)
        self.client.respond_activity_task_canceled(**self._with_token(details=text))

    def answer(self, outcome: AttemptCompleted | AttemptFailed | AttemptCanceled) -> None:
        """Send an outcome: ``complete``, ``fail`` or ``cancel``."""
        match outcome:
            case AttemptCompleted(result):
                self.complete(result)
            case AttemptFailed(reason, details):
                self.fail(reason, details)
            case AttemptCanceled(details):
                self.cancel(details)

    def _with_token(self, **members: str | None) -> dict[str, Any]:
        given = {name: value for name, value in members.items() if value is not None}
        return {"taskToken": self.task_token, **given}

    def _send_heartbeat(self) -> None:
        if self.gone:
            raise self._task_gone
        request = self._with_token(details=self._details)
        heartbeats = self.heartbeats
        sent_at = heartbeats.now() if heartbeats else 0.0
        try:
            with single_attempt(self.client):
                response = self.client.record_activity_task_heartbeat(**request)
        except aws_errors.ERRORS as error:
            if error_code(error) == UNKNOWN:
                self.gone = True
                self._report_stale(TaskGone)
                raise self._task_gone from error
            if heartbeats:
                heartbeats.note_error(error)
            raise
        if heartbeats:
            heartbeats.pace.note_accepted(sent_at)
        self._note_cancel(response)

    @property
    def _task_gone(self) -> TaskGone:
        done = "was answered, " if self.is_handed_out else ""
        why = self.loss_reason or f"it {done}timed out, was cancelled, or its execution closed"
        return TaskGone(f"SWF no longer has the task {self.activity_id}: {why}.")

    @property
    def loss_reason(self) -> str:
        """The refused heartbeats by which SWF has timed the task out, as a sentence; or empty."""
        heartbeats = self.heartbeats
        why = heartbeats.pace.explain_loss(heartbeats.now()) if heartbeats else ""
        return why and f"lost: {why}"

    def _log_failed_heartbeat(self, error: Exception) -> None:
        throttling = self.heartbeats.throttling if self.heartbeats else SharedThrottling()
        task_list = self.activity_name or str(self.activity_id)
        refused = throttling.claim_line(task_list, time.monotonic())
        if refused is None:
            return
        doing = f"sending a heartbeat of {self.activity_id}"
        explanation = clients.explain(error, doing, self.client)
        more = f" {refused} failed since the last such line." if refused > 1 else ""
        self.logger.warning("%s The task goes on.%s", explanation.sentence, more)

    def _note_cancel(self, response: Any) -> None:
        # A user's mock client returns mocks: every member of one is true.
        if isinstance(response, Mapping) and response.get("cancelRequested") is True:
            self.cancel_requested = True
            self._report_stale(TaskCanceled)

    def _report_stale(self, why: Stale) -> None:
        try:
            self._unreported.remove(why)  # in one step: two threads may find out at once
        except KeyError:
            return
        if why is TaskCanceled:
            self.logger.info("Cancelling %s was requested.", self.activity_id)
        self.on_stale(why)
