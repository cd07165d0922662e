"""What a worker does with its task list: garcon's steps behind one pair of words, poll and perform.

A decision task and an activity task are served by the same loop; only here do they differ:

1. An activity's answer is given to the keeper before SWF hears it. A decision is not: to decide
   anew is cheap, and the history may have grown meanwhile.
2. An activity has one poll open. A sticky decider has two, one for each of its lists; it gives out
   one task at a time, and what the second brings waits here. So who leaves has still to ``leave``;
   and the keeper is told of the task at once, should this process not live to take it up.
3. A decider that leaves gives back each execution that it answers: its own list will have nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from garcon import activity, client, limits, payload, reasons
from garcon.errors import GarconError
from supervisor import log
from supervisor.flow import decider_worker
from supervisor.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    Result,
    Role,
    Staleness,
    Task,
    TaskList,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garcon import decider
    from supervisor.flow import Flow
    from supervisor.messages import Stickiness

_RESULTS: dict[type, Result] = {
    activity.Completed: Result.COMPLETED,
    activity.Failed: Result.FAILED,
    activity.Canceled: Result.CANCELED,
    activity.Gone: Result.GONE,
}


_STALE: dict[type, Staleness] = {
    activity.TaskGone: Staleness.GONE,
    activity.TaskCanceled: Staleness.CANCEL,
}


LATE = f"{reasons.UNBEGUN}: its worker was asked to leave before it began"
"""The reason with which a leaving worker hands a task back."""


class Keeper(Protocol):
    """Who is told of a task in hand what must not be lost."""

    def keep(self, answer: Answer) -> None:
        """This is what SWF is going to be told."""

    def let_go(self, why: Staleness) -> None:
        """SWF no longer wants the task."""

    def expect(self, place: int, task: Task) -> None:
        """This task came by the poll of this number, and waits; said in the poll's thread."""

    def take_up(self, place: int) -> None:
        """The task of this poll waits no more."""

    @property
    def leaves(self) -> bool:
        """Whether this process is on its way out."""


@dataclass(frozen=True)
class Work:
    """A task that SWF handed out, and how it is done and answered."""

    task: Task
    perform: Callable[[Keeper], Result]
    given: str | None = None  # an activity's input, in JSON
    hand_back: Callable[[Keeper], Result] | None = None  # None: it is done, whoever leaves


class Hands(Protocol):
    """One task list's polls."""

    def poll(self, identity: str) -> Work | None:
        """One long poll; None when SWF had nothing."""

    def leave(self, identity: str, asked: float) -> Iterator[Work]:
        """What the last polls bring, until all of them have ended; asked for seconds ago."""


def for_list(
    flow: Flow, task_list: TaskList, stickiness: Stickiness | None, keeper: Keeper
) -> Hands:
    """The hands that serve this task list; ``keeper`` hears of tasks that wait."""
    if task_list.role is Role.DECIDER:
        grace = stickiness.schedule_to_start if stickiness else 0.0
        return DeciderHands(decider_worker(flow, stickiness), keeper, grace)
    return ActivityHands(flow.activities[task_list.name])


class ActivityHands:
    """Serves one activity."""

    def __init__(self, served: activity.Activity) -> None:
        self._activity = served

    def poll(self, identity: str) -> Work | None:
        """PollForActivityTask, once: the loop rests by itself."""
        execution = self._activity.poll_once(identity)
        if execution is None:
            return None
        task = Task(
            token=execution.task_token or "",
            workflow_id=execution.workflow_id or "",
            run_id=execution.run_id or "",
            activity_id=execution.activity_id or "",
            timeout=execution.start_to_close,
        )
        return Work(
            task,
            lambda keeper: self._perform(execution, keeper),
            execution.input,
            lambda keeper: self._hand_back(execution, keeper),
        )

    def leave(self, identity: str, asked: float) -> Iterator[Work]:  # noqa: ARG002 - as others'
        """Nothing is open: its one poll is over when ``poll`` returns."""
        return iter(())

    def _hand_back(self, execution: activity.ActivityExecution, keeper: Keeper) -> Result:
        """Answer a task that is not to be begun here; a decider tries it again, free of charge."""
        outcome = activity.Failed(LATE)
        keeper.keep(Fail(LATE))
        if self._activity.respond(execution, outcome):
            return Result.HANDED_BACK
        return Result.GONE if execution.gone else Result.ABANDONED

    def _perform(self, execution: activity.ActivityExecution, keeper: Keeper) -> Result:
        execution.on_stale = lambda why: keeper.let_go(_STALE[why])
        outcome = self._activity.attempt(execution)
        if (answer := _answer(outcome)) is not None:
            keeper.keep(answer)
        if self._activity.respond(execution, outcome):
            return _RESULTS[type(outcome)]
        gone = execution.gone or isinstance(outcome, activity.Gone)
        return Result.GONE if gone else Result.ABANDONED


def _answer(outcome: activity.Outcome) -> Answer | None:
    """What SWF is going to be told; the texts are as garcon sends them."""
    match outcome:
        case activity.Completed(None):
            return Complete()
        case activity.Completed(result):
            return _complete(result)
        case activity.Failed(reason, details):
            return Fail(limits.reason(reason), details and limits.cut(details, limits.DETAILS))
        case activity.Canceled(details):
            return Cancel(details and limits.cut(details, limits.DETAILS))
        case _:
            return None


def _complete(result: Any) -> Answer | None:
    try:
        return Complete(payload.encode(result, "The result"))
    except client.ERRORS as error:  # its claim store: the answer itself will insist
        told = client.explain(error, "storing a result before SWF is told")
        log.LOGGER.warning("%s Until then it is in this process alone.", told.sentence)
        return None


class DeciderHands:
    """Serves the flow's decisions.

    A decision is failed where the decider raised, or contradicts its history: SWF is answered all
    the same, but the code is no good.
    """

    def __init__(self, served: decider.DeciderWorker, keeper: Keeper, grace: float = 0.0) -> None:
        self._decider = served
        self._grace = grace  # seconds for which who is to leave polls its own list again
        served.on_received = lambda poll: keeper.expect(self._place(poll), _decision(poll))
        self._troubled = False
        self._tell = served.on_exception
        served.on_exception = self._note

    def _note(self, worker: Any, error: Exception) -> None:
        self._troubled = True
        if self._tell:
            self._tell(worker, error)

    def poll(self, identity: str) -> Work | None:
        """PollForDecisionTask, once: the loop rests by itself."""
        poll = self._decider.poll_once(identity)
        return None if poll is None else self._work(poll)

    def leave(self, identity: str, asked: float) -> Iterator[Work]:
        """The tasks that came, or still come, by either list."""
        return map(self._work, self._decider.leave(identity, self._grace - asked))

    def _work(self, poll: Any) -> Work:
        return Work(_decision(poll), lambda keeper: self._perform(poll, keeper))

    def _place(self, poll: Any) -> int:
        return int(poll.request["taskList"]["name"] != self._decider.task_list)

    def _perform(self, poll: Any, keeper: Keeper) -> Result:
        keeper.take_up(self._place(poll))
        self._troubled = False
        try:
            decisions = self._decider.decide(poll)
            if keeper.leaves:
                self._decider.give_back()
            accepted = self._decider.respond(poll["taskToken"], decisions)
        except client.ERRORS as error:
            # SWF gives the task out again when it times out; the next poll is not in danger.
            told = client.explain(error, "answering a decision task", self._decider.client)
            log.LOGGER.error("%s", told.sentence)
            return Result.ABANDONED
        except GarconError as error:  # a claim store is silent, or SWF permits neither end nor wait
            log.LOGGER.error("%s", error)
            return Result.ABANDONED
        except Exception as error:  # noqa: BLE001 - around the user's decider, and garcon's faults
            # It costs this task its timeout: another process would only fall over the same.
            self._decider.report(error)
            return Result.ABANDONED
        if not accepted:
            return Result.GONE
        return Result.FAILED if self._troubled else Result.COMPLETED


def _decision(poll: Any) -> Task:
    return Task(
        token=poll["taskToken"],
        workflow_id=poll["workflowExecution"]["workflowId"],
        run_id=poll["workflowExecution"]["runId"],
    )
