"""What follows from an instance's state: schedule it, wait, rest first, or give up.

Rules:

1. An instance may be scheduled when nothing was heard of it, or when its last try failed and a
   retry is left. A timeout is a failed try: SWF cannot tell a lost worker from a slow one.
2. Not every failed try counts against ``retry``. The first 20 are free, and repeated at once, where
   the worker never began (Unbegun), and where it died (WorkerDied) or was cut short (Interrupted)
   with a task that was declared restartable: nobody else knows how much was done. Later ones count
   like any other, so that nothing is repeated for ever.
3. A task that is poison, a cancelled instance and a refusal that will not pass are final.
4. A rest is a timer of SWF. It is named after the instance, and the number of the try that follows
   is noted with it.
"""

import enum
from dataclasses import dataclass

from garcon.activity.states import (
    ACTIVITY_FAILED,
    ACTIVITY_STANDBY,
    ActivityImpossible,
    ActivityState,
    Refusal,
    RetriesExhausted,
    count_activity_failures,
)
from garcon.retry import Cause, Retry, cause_of, policy_of
from garcon.states import Impossible, Outcome

# Failed tries of an instance that cost nothing. A task of some hours on a fleet that is replaced
# several times a day ends within these; a worker that dies at every start is given up.
FREE_REPEATS = 20


class Step(enum.Enum):
    """What to do about an instance."""

    SCHEDULE = "schedule it now"
    WAIT = "it runs, has completed, or is waited for"


@dataclass(frozen=True)
class Rest:
    """Start a timer before the next try.

    Attributes:
        activity_id: Whose.
        seconds: How long.
        attempt: Number of the try that follows.
        why: How the last one ended.
    """

    activity_id: str
    seconds: float
    attempt: int
    why: str


def attempts(state: ActivityState | None) -> int:
    """How many tries have ended without completing."""
    return count_activity_failures(state) if state else 0


def next_step(
    state: ActivityState | None, retry: Retry, *, restartable: bool = False
) -> Step | Rest:
    """What to do about an instance.

    Args:
        state: What is known of it, if anything.
        retry: When it may be tried again.
        restartable: Whether a worker's death costs no retry.

    Raises:
        ActivityImpossible: It never will complete.
    """
    if state is None:
        return Step.SCHEDULE
    if state.refusal:
        return _refused(state.activity_id, state.refusal)
    if state.get_last_state() != ACTIVITY_FAILED:
        is_new = state.get_last_state() == ACTIVITY_STANDBY
        return Step.SCHEDULE if is_new else Step.WAIT
    if state.rest:
        return Step.WAIT if state.rest.open else Step.SCHEDULE
    return _after_failure(state, retry, restartable=restartable)


def may_schedule(
    state: ActivityState | None, retry: Retry | int, *, restartable: bool = False
) -> bool:
    """Whether the instance is to be scheduled now; the arguments are those of ``next_step``.

    Raises:
        ActivityImpossible: It never will complete.
    """
    return next_step(state, policy_of(retry), restartable=restartable) is Step.SCHEDULE


def is_free(outcome: Outcome, *, restartable: bool) -> bool:
    """Whether this end of a try costs no retry, as far as its cause says."""
    cause = cause_of(outcome)
    return cause is Cause.UNBEGUN or (
        restartable and cause in {Cause.WORKER_DIED, Cause.INTERRUPTED}
    )


def _after_failure(state: ActivityState, retry: Retry, *, restartable: bool) -> Step | Rest:
    free = sum(is_free(each, restartable=restartable) for each in state.outcomes)
    counted = attempts(state) - min(free, FREE_REPEATS)
    last = state.outcomes[-1] if state.outcomes else None
    for_free = last and is_free(last, restartable=restartable) and free <= FREE_REPEATS
    if last and not for_free:
        _ensure_another(state, last, retry)
    if counted > retry.maximum:
        raise RetriesExhausted("The activity failures has exceeded its retry limit.", _story(state))
    seconds = 0.0 if for_free or not last else retry.rest(counted, _seed(state, last))
    _ensure_in_time(state, seconds, retry)
    if not seconds:
        return Step.SCHEDULE
    return Rest(state.activity_id, seconds, attempts(state) + 1, str(last))


def _ensure_another(state: ActivityState, last: Outcome, retry: Retry) -> None:
    """Go on only if this failure allows another try at all."""
    if state.canceled:
        raise ActivityImpossible(f"{state.what} was cancelled.", _story(state))
    if cause_of(last) is Cause.POISON:
        raise ActivityImpossible(
            f"{state.what} kills its workers and is not tried again. {last}", _story(state)
        )
    if not retry.takes(last):
        raise ActivityImpossible(
            f"{state.what} is not tried again after this failure: {last}", _story(state)
        )


def _ensure_in_time(state: ActivityState, seconds: float, retry: Retry) -> None:
    if retry.deadline is None or not state.outcomes:
        return
    if state.outcomes[-1].at + seconds > (state.since or 0.0) + retry.deadline:
        raise RetriesExhausted(
            f"{state.what} has not completed within its deadline of {retry.deadline:g} s.",
            _story(state),
        )


def _seed(state: ActivityState, last: Outcome) -> str:
    return f"{state.activity_id} {attempts(state)} {round(last.at * 1000)}"


def _story(state: ActivityState) -> str:
    details = state.outcomes[-1].details if state.outcomes else None
    told = f"{state.activity_id}: {'; '.join(state.failures)}"
    return f"{told}\n\n{details}" if details else told


def _refused(activity_id: str, refusal: Refusal) -> Step:
    try:
        refusal.raise_for(f"the activity {activity_id}")
    except Impossible as error:
        raise ActivityImpossible(str(error), error.details) from None
    return Step.WAIT
