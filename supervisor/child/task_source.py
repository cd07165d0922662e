"""Task sources: garcon's steps for one task list, as polls and the work that they bring.

A decision task and an activity task are served by the same loop; only here do they differ:

1. An activity's answer goes to the recorder before it goes to SWF. A decision does not: deciding
   anew is cheap, and the history may have grown meanwhile.
2. An activity has one poll open. A sticky decider has two, one for each of its lists. It gives out
   one task at a time; the other poll's task waits here, and the recorder has it at once, in case
   this process dies first. So a worker that leaves has to ``drain`` its source.
3. A task that was handed out gets no answer here; the crash record says so before its token is
   known to anyone, so that the death of this process does not fail it.
4. What the user's code has changed of its process is put back before the answer: a limit of
   descriptors would keep the answer from SWF, and one of file sizes from the spool.
5. A decider that leaves resets the task list of each execution that it answers: its own sticky list
   will have no poller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from garcon import activity, client
from garcon.aws import limits
from garcon.errors import GarconError
from garcon.history import failure_reasons
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.text import text_of
from supervisor.child.flow_loader import decider_worker
from supervisor.ipc.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    HandOut,
    Result,
    Staleness,
    Task,
)
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garcon import decider
    from garcon.history.build_notes import BuildNote
    from garcon.payload.codec import EncodedPayload
    from supervisor.child.flow_loader import Flow

_RESULTS: dict[type, Result] = {
    activity.AttemptCompleted: Result.COMPLETED,
    activity.AttemptFailed: Result.FAILED,
    activity.AttemptCanceled: Result.CANCELED,
    activity.AttemptGone: Result.ALREADY_CLOSED,
}


_STALE: dict[type, Staleness] = {
    activity.TaskGone: Staleness.CLOSED,
    activity.TaskCanceled: Staleness.CANCEL,
}


RETURN_REASON = f"{failure_reasons.NOT_STARTED}: its worker was asked to leave before it started"
"""The failure reason of a task that a leaving worker returns to SWF."""


class TaskRecorder(Protocol):
    """Records what must not be lost of a task in progress."""

    def restore_process(self) -> None:
        """Put back what the user's code has changed of its process: the answer comes next."""

    def record_answer(self, answer: Answer) -> None:
        """Record the answer that is about to be sent to SWF."""

    def report_stale(self, why: Staleness) -> None:
        """Report that SWF no longer wants the task."""

    def record_waiting(self, place: int, task: Task) -> None:
        """Record the waiting task of poll number ``place``; called in the poll's thread."""

    def clear_waiting(self, place: int) -> None:
        """The task of poll number ``place`` is in progress and waits no longer."""

    def report_returned(self, build: str) -> None:
        """Report that an execution was returned to this build."""

    @property
    def is_leaving(self) -> bool:
        """Whether this worker was asked to leave."""


@dataclass(frozen=True)
class Work:
    """A task that SWF gave out, and how to execute and answer it.

    Attributes:
        task: Token and ids.
        perform: Executes the task and answers SWF.
        return_task: Returns the task to SWF unstarted.
        input: An activity's input, in JSON.
    """

    task: Task
    perform: Callable[[TaskRecorder], Result]
    return_task: Callable[[TaskRecorder], Result]
    input: str | None = None


class TaskSource(Protocol):
    """The polls of one task list."""

    def poll(self, identity: str) -> Work | None:
        """One long poll; ``None`` if SWF had no task."""

    def drain(self, identity: str, leaving_for: float) -> Iterator[Work]:
        """The work of the open polls, until all have ended.

        Args:
            identity: As for ``poll``.
            leaving_for: Seconds since the worker was asked to leave.
        """


def of_decider(
    flow: Flow,
    sticky: decider.Sticky | None,
    recorder: TaskRecorder,
    build: decider.Build | None = None,
) -> TaskSource:
    """The source of the flow's decisions; ``recorder`` gets the tasks that wait."""
    grace = sticky.schedule_to_start if sticky else 0.0
    return DecisionSource(decider_worker(flow, sticky, build), recorder, grace)


def of_activity(flow: Flow, task_list: str) -> TaskSource:
    """The source of one activity's task list."""
    return ActivitySource(flow.activities[task_list])


class ActivitySource:
    """Serves one activity."""

    def __init__(self, served: activity.Activity) -> None:
        self._activity = served

    def poll(self, identity: str) -> Work | None:
        """PollForActivityTask, one attempt: the worker's loop does the backoff."""
        execution = self._activity.poll_once(identity)
        if execution is None:
            return None
        task = Task(
            token=execution.task_token or "",
            workflow_id=execution.workflow_id or "",
            run_id=execution.run_id or "",
            activity_id=execution.activity_id or "",
            timeout=execution.start_to_close,
            activity_name=execution.activity_name or "",
            event_id=execution.started_event_id or 0,
            heartbeat=execution.heartbeat_timeout,
            trace=execution.trace,
        )
        return Work(
            task,
            lambda recorder: self._carry_out(execution, recorder),
            lambda recorder: self._return_task(execution, recorder),
            execution.input,
        )

    def drain(self, identity: str, leaving_for: float) -> Iterator[Work]:  # noqa: ARG002 - the protocol's
        """Nothing: the only poll has ended when ``poll`` returns."""
        return iter(())

    def _return_task(self, execution: activity.ActivityExecution, recorder: TaskRecorder) -> Result:
        """Fail the task with a reason for which deciders retry it without counting an attempt."""
        outcome = activity.AttemptFailed(RETURN_REASON)
        recorder.record_answer(Fail(RETURN_REASON))
        if self._activity.respond(execution, outcome):
            return Result.RETURNED
        return Result.ALREADY_CLOSED if execution.gone else Result.ABANDONED

    def _carry_out(self, execution: activity.ActivityExecution, recorder: TaskRecorder) -> Result:
        execution.on_stale = lambda why: recorder.report_stale(_STALE[why])
        execution.on_later = lambda: recorder.record_answer(HandOut())
        outcome = self._activity.attempt(execution)
        recorder.restore_process()
        if isinstance(outcome, activity.AttemptHandedOut):
            # So the whole heartbeat timeout is left for the process that sends the next one.
            execution.heartbeat_in_background()
            self._warn_of_another_place(execution)
            return Result.HANDED_OUT
        if (answer := _answer(outcome)) is not None:
            recorder.record_answer(answer)
        else:  # as soon as the claim store has the result
            execution.on_stored = lambda text: recorder.record_answer(Complete(text))
        if self._activity.respond(execution, outcome):
            return _RESULTS[type(outcome)]
        gone = execution.gone or isinstance(outcome, activity.AttemptGone)
        return Result.ALREADY_CLOSED if gone else Result.ABANDONED

    def _warn_of_another_place(self, execution: activity.ActivityExecution) -> None:
        """The sidecar does not import the flow, so it has no client that the flow makes."""
        own, theirs = client.where(self._activity.client), _place_of_process()
        if own and own != theirs:
            log.LOGGER.warning(
                "%s was handed out, but its heartbeats go to %s and not to %s, where the flow's own"
                " client calls. Give the supervisor --region or --endpoint-url.",
                execution.activity_id,
                theirs or "no region",
                own,
            )


def _place_of_process() -> str:
    """The place that the settings' clients call; empty if they have no region."""
    try:
        client.calling()
    except client.ERRORS:
        return ""
    return client.where()


def _answer(outcome: activity.AttemptOutcome) -> Answer | None:
    """The answer that SWF will get, its texts cut as garcon cuts them."""
    match outcome:
        case activity.AttemptCompleted(result):
            return _complete(result) if result else Complete()
        case activity.AttemptFailed(reason, details):
            return Fail(limits.reason(reason), details and limits.cut(details, limits.DETAILS))
        case activity.AttemptCanceled(details):
            return Cancel(details and limits.cut(details, limits.DETAILS))
        case _:
            return None


def _complete(result: EncodedPayload) -> Answer | None:
    try:
        return Complete(result.text)  # uploads a result that is too long for SWF, once for all
    except client.ERRORS as error:  # of the claim store; ``respond`` repeats the upload
        problem = client.explain(error, "storing a result in the claim store")
        log.LOGGER.warning(
            "%s Trying again; until it is stored, the death of this worker loses the result.",
            problem.sentence,
        )
        return None


class DecisionSource:
    """Serves the flow's decisions.

    A decision counts as failed if the decider raised, or differs from its history: SWF gets an
    answer all the same, but the code needs repair.
    """

    def __init__(
        self, served: decider.DeciderWorker, recorder: TaskRecorder, grace: float = 0.0
    ) -> None:
        self._decider = served
        self._grace = grace  # seconds for which a leaving decider goes on polling its sticky list
        served.on_received = lambda poll: recorder.record_waiting(
            self._place(poll), _decision_task(poll)
        )
        served.on_returned = self._note_returned
        self._has_failed = False
        self._returned: BuildNote | None = None
        self._on_exception = served.on_exception
        served.on_exception = self._note_failure

    def _note_failure(self, worker: Any, error: Exception) -> None:
        self._has_failed = True
        if self._on_exception:
            self._on_exception(worker, error)

    def _note_returned(self, note: BuildNote) -> None:
        self._returned = note

    def poll(self, identity: str) -> Work | None:
        """PollForDecisionTask, one attempt: the worker's loop does the backoff."""
        poll = self._decider.poll_once(identity)
        return None if poll is None else self._work(poll)

    def drain(self, identity: str, leaving_for: float) -> Iterator[Work]:
        """The tasks that wait, and those that the open polls of either list still bring."""
        return map(self._work, self._decider.leave(identity, self._grace - leaving_for))

    def _work(self, poll: Any) -> Work:
        return Work(
            _decision_task(poll),
            lambda recorder: self._carry_out(poll, recorder),
            lambda recorder: self._return_task(poll, recorder),
        )

    def _place(self, poll: Any) -> int:
        """0 for a task of the flow's list, 1 for one of the sticky list, 2 for its build's."""
        return self._decider.place_of(poll)

    def _return_task(self, poll: Any, recorder: TaskRecorder) -> Result:
        """Answer with the return timer: SWF gives the decision out again by the flow's own list."""
        recorder.clear_waiting(self._place(poll))
        try:
            accepted = self._decider.return_task(poll)
        except client.ERRORS as error:
            problem = client.explain(error, "returning a decision task", self._decider.client)
            log.LOGGER.error("%s", problem.sentence)
            return Result.ABANDONED
        return Result.RETURNED if accepted else Result.ALREADY_CLOSED

    def _decide(self, poll: Any, recorder: TaskRecorder) -> Any:
        try:
            return self._decider.decide(poll)
        finally:
            recorder.restore_process()

    def _carry_out(self, poll: Any, recorder: TaskRecorder) -> Result:
        recorder.clear_waiting(self._place(poll))
        self._has_failed, self._returned = False, None
        try:
            decisions = self._decide(poll, recorder)
            if recorder.is_leaving:
                self._decider.give_back()
            accepted = self._decider.respond(poll["taskToken"], decisions)
        except client.ERRORS as error:
            # SWF gives the task out again when it times out; the next poll is not affected.
            problem = client.explain(error, "answering a decision task", self._decider.client)
            log.LOGGER.error("%s", problem.sentence)
            return Result.ABANDONED
        except GarconError as error:  # no answer from the claim store, or no legal decision left
            log.LOGGER.error("%s", text_of(error))
            return Result.ABANDONED
        except ENDS_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001 - the user's decider, and garcon's faults
            # The task times out and is given out again. A crash would gain nothing: the next
            # process would meet the same error.
            self._decider.report(error)
            return Result.ABANDONED
        if not accepted:
            return Result.ALREADY_CLOSED
        return self._result(recorder)

    def _result(self, recorder: TaskRecorder) -> Result:
        if self._returned:
            recorder.report_returned(self._returned.build)
            return Result.STUCK if self._returned.is_stuck else Result.RETURNED
        return Result.FAILED if self._has_failed else Result.COMPLETED


def _decision_task(poll: Any) -> Task:
    return Task(
        token=poll["taskToken"],
        workflow_id=poll["workflowExecution"]["workflowId"],
        run_id=poll["workflowExecution"]["runId"],
    )
