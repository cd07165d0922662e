"""The next step of an activity instance: schedule it, wait, wait before a retry, or give up.

Rules:

1. An instance may be scheduled when the history does not have it, or when its last attempt failed
   and a retry is left. A timeout is a failed attempt: SWF cannot tell a lost worker from a slow
   one.
2. Some failed attempts cost no retry. Up to 20 are free, and repeated at once: those where the
   worker had not begun the task (NotStarted) and, for an activity declared restartable, those where
   the worker died (WorkerDied) or was cut short (Interrupted). Later ones count like any other, so
   that nothing is repeated forever.
3. An attempt on a host that lacks what the task needs (HostUnable) never costs a retry. The next
   one waits, longer after each in a row: hosts that lack it must not pass the task around.
4. A poison task, a cancelled instance and a permanent refusal are final.
5. The wait before a retry is a timer of SWF, named after the instance.
"""

import enum
import itertools

import msgspec

from garcon.activity.activity_state import (
    ACTIVITY_FAILED,
    ACTIVITY_STANDBY,
    ActivityImpossible,
    ActivityState,
    Refusal,
    RetriesExhausted,
    count_activity_failures,
)
from garcon.history import returned_tasks
from garcon.history.states import Impossible, StateOutcome
from garcon.retry import Cause, Retry, cause_of, policy_of

FREE_REPEATS = 20
"""Failed attempts of an instance that cost no retry.

A task of some hours on a fleet that is replaced several times a day ends within these; a task whose
worker dies at every start is given up.
"""

EXHAUSTED = "The activity failures has exceeded its retry limit."
"""As documented; the reason of the failed workflow goes on with the activity and its last error."""


class Step(enum.Enum):
    """The next step of an instance."""

    SCHEDULE = "schedule it now"
    WAIT = "it is open, has completed, or waits for its retry"


class RetryDelay(msgspec.Struct, frozen=True):
    """Start a timer, and schedule the instance when it has fired.

    Attributes:
        activity_id: The instance's id.
        seconds: How long to wait.
        attempt: Number of the attempt that follows, from 1.
        why: How the last attempt ended.
    """

    activity_id: str
    seconds: float
    attempt: int
    why: str


def attempts(state: ActivityState | None) -> int:
    """Number of attempts that ended without completing."""
    return count_activity_failures(state) if state else 0


def next_step(
    state: ActivityState | None, retry: Retry, *, restartable: bool = False
) -> Step | RetryDelay:
    """The next step of an instance.

    Args:
        state: Its state in the history, if it has one.
        retry: When it may be retried.
        restartable: Whether the death of its worker costs no retry.

    Raises:
        ActivityImpossible: It will never complete.
    """
    if state is None:
        return Step.SCHEDULE
    if state.refusal:
        return _step_after_refusal(state.activity_id, state.refusal)
    if state.get_last_state() != ACTIVITY_FAILED:
        is_new = state.get_last_state() == ACTIVITY_STANDBY
        return Step.SCHEDULE if is_new else Step.WAIT
    if state.retry_timer:
        return Step.WAIT if state.retry_timer.open else Step.SCHEDULE
    return _step_after_failure(state, retry, restartable=restartable)


def may_schedule(
    state: ActivityState | None, retry: Retry | int, *, restartable: bool = False
) -> bool:
    """Whether the instance is to be scheduled now; the arguments are those of ``next_step``.

    Raises:
        ActivityImpossible: It will never complete.
    """
    return next_step(state, policy_of(retry), restartable=restartable) is Step.SCHEDULE


def is_free(outcome: StateOutcome, *, restartable: bool) -> bool:
    """Whether a failed attempt costs no retry, as far as its cause is concerned."""
    cause = cause_of(outcome)
    return cause is Cause.NOT_STARTED or (
        restartable and cause in {Cause.WORKER_DIED, Cause.INTERRUPTED}
    )


def _step_after_failure(
    state: ActivityState, retry: Retry, *, restartable: bool
) -> Step | RetryDelay:
    last = state.outcomes[-1] if state.outcomes else None
    if last and cause_of(last) is Cause.HOST_UNABLE and not state.canceled:
        return _step_of_unable_host(state, last, retry)
    free = sum(is_free(outcome, restartable=restartable) for outcome in state.outcomes)
    unable = sum(cause_of(outcome) is Cause.HOST_UNABLE for outcome in state.outcomes)
    counted = attempts(state) - min(free, FREE_REPEATS) - unable
    last_is_free = last and is_free(last, restartable=restartable) and free <= FREE_REPEATS
    if last and not last_is_free:
        _ensure_retryable(state, last, retry)
    if counted > retry.maximum:
        raise RetriesExhausted(f"{EXHAUSTED} {_summary(state)}", _failure_details(state))
    seconds = 0.0 if last_is_free or not last else retry.wait_before(counted, _seed(state, last))
    _ensure_in_time(state, seconds, retry)
    if not seconds:
        return Step.SCHEDULE
    return RetryDelay(state.activity_id, seconds, attempts(state) + 1, str(last))


def _step_of_unable_host(state: ActivityState, last: StateOutcome, retry: Retry) -> RetryDelay:
    in_a_row = itertools.takewhile(
        lambda outcome: cause_of(outcome) is Cause.HOST_UNABLE, reversed(state.outcomes)
    )
    seconds = returned_tasks.wait_after(len(list(in_a_row)))
    _ensure_in_time(state, seconds, retry)
    return RetryDelay(state.activity_id, seconds, attempts(state) + 1, str(last))


def _ensure_retryable(state: ActivityState, last: StateOutcome, retry: Retry) -> None:
    """Raise if the last failure is final, whatever is left of the retries."""
    if state.canceled:
        raise ActivityImpossible(f"{state.what} was cancelled.", _failure_details(state))
    if cause_of(last) is Cause.POISON:
        raise ActivityImpossible(
            f"{state.what} kills its workers and is not retried. {last}", _failure_details(state)
        )
    if cause_of(last) is Cause.NOT_SENDABLE:
        raise ActivityImpossible(
            f"{state.what} is not retried: its result cannot be sent. {last}",
            _failure_details(state),
        )
    if not retry.takes(last):
        raise ActivityImpossible(
            f"{state.what} is not retried after this failure: {last}", _failure_details(state)
        )


def _ensure_in_time(state: ActivityState, seconds: float, retry: Retry) -> None:
    if retry.deadline is None or not state.outcomes:
        return
    if state.outcomes[-1].at + seconds > (state.since or 0.0) + retry.deadline:
        raise RetriesExhausted(
            f"{state.what} has not completed within its deadline of {retry.deadline:g} s. "
            f"{_summary(state)}",
            _failure_details(state),
        )


def _seed(state: ActivityState, last: StateOutcome) -> str:
    return f"{state.activity_id} {attempts(state)} {round(last.at * 1000)}"


def _summary(state: ActivityState) -> str:
    """Which activity failed, how often, and why; SWF's reason has room for most of it."""
    number = attempts(state)
    times = "1 attempt" if number == 1 else f"{number} attempts"
    why = f": {state.outcomes[-1]}" if state.outcomes else ""
    return f"{state.activity_id} failed after {times}{why}"


def _failure_details(state: ActivityState) -> str:
    """All failed attempts, and the traceback of the last: for the failed workflow's details."""
    failures = f"{state.activity_id}: {'; '.join(state.failures)}"
    traceback = state.outcomes[-1].details if state.outcomes else None
    return f"{failures}\n\n{traceback}" if traceback else failures


def _step_after_refusal(activity_id: str, refusal: Refusal) -> Step:
    try:
        refusal.raise_for(f"the activity {activity_id}")
    except Impossible as error:
        raise ActivityImpossible(str(error), error.details) from None
    return Step.WAIT
