"""What the history says of one activity instance, and what may follow from it.

Rules:

1. An instance may be scheduled when nothing was heard of it, or when its last try failed and a
   retry is left. A timeout is a failed try: SWF cannot tell a lost worker from a slow one.
2. A cancelled instance is not tried again, and a refusal to schedule that will not pass (an unknown
   type, no permission) is final: both end the workflow with a sentence.
3. A refusal that passes (too many open, scheduled too fast) holds the instance back until the timer
   set for it fired, see ``decider``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ACTIVITY_STANDBY, ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED, ACTIVITY_FAILED = 0, 1, 2, 3

PASSING_CAUSES = frozenset({"OPEN_ACTIVITIES_LIMIT_EXCEEDED", "ACTIVITY_CREATION_RATE_EXCEEDED"})

_UNSET: Any = object()


class ActivityInstanceNotReadyException(Exception):
    """The activity instance has not completed yet."""


class ActivityImpossible(Exception):
    """An activity will not complete: the workflow fails with this sentence.

    Attributes:
        details: What happened to it, for the workflow's failure details.
    """

    def __init__(self, sentence: str, details: str | None = None) -> None:
        super().__init__(sentence)
        self.details = details


class RetriesExhausted(ActivityImpossible):
    """The activity failed more often than it may."""


@dataclass(frozen=True)
class Refusal:
    """SWF did not schedule the instance (ScheduleActivityTaskFailed)."""

    cause: str

    @property
    def passing(self) -> bool:
        """Whether waiting may cure it."""
        return self.cause in PASSING_CAUSES


class ActivityState:
    """What became of one activity instance so far.

    Attributes:
        activity_id: Its id in the history.
        states: All its states, oldest first.
        failures: What was said at each failed try.
        refusal: Set while SWF's refusal to schedule it stands.
        refusals: How often in a row it was refused.
        canceled: Whether its last try was cancelled.
    """

    def __init__(self, activity_id: str) -> None:
        self.activity_id = activity_id
        self.states: list[int] = []
        self.failures: list[str] = []
        self.refusal: Refusal | None = None
        self.refusals = 0
        self.canceled = False
        self._result: Any = _UNSET

    def add_state(self, state: int) -> None:
        """Note the next state, one of the four constants."""
        self.states.append(state)

    def get_last_state(self) -> int:
        """The state now; ``ACTIVITY_STANDBY`` if nothing was heard of it."""
        return self.states[-1] if self.states else ACTIVITY_STANDBY

    @property
    def ready(self) -> bool:
        """Whether it has completed."""
        return self.get_last_state() == ACTIVITY_COMPLETED

    @property
    def result(self) -> Any:
        """What it returned; ``None`` if it completed without a result.

        Raises:
            ActivityInstanceNotReadyException: It has not completed.
        """
        if self._result is _UNSET:
            self.wait()
            return None
        return self._result

    def set_result(self, result: Any) -> None:
        """Note the result.

        Raises:
            ValueError: There is one already; an id has one result.
        """
        if self._result is not _UNSET:
            raise ValueError(f"The result of {self.activity_id} is already set.")
        self._result = result

    def wait(self) -> None:
        """Go on only if it has completed.

        Raises:
            ActivityInstanceNotReadyException: It has not; the decision ends here, quietly.
        """
        if not self.ready:
            raise ActivityInstanceNotReadyException(f"{self.activity_id} has not completed yet.")

    def begin(self) -> None:
        """It was scheduled, for the first time or again: earlier refusals and results are past."""
        self.add_state(ACTIVITY_SCHEDULED)
        self.refusal, self.refusals, self.canceled = None, 0, False
        self._result = _UNSET

    def complete(self, result: Any) -> None:
        """It completed; should the history say so twice, the later result counts."""
        self.add_state(ACTIVITY_COMPLETED)
        self._result = result

    def fail(self, why: str) -> None:
        """A try failed or timed out."""
        self.add_state(ACTIVITY_FAILED)
        self.failures.append(why)

    def cancel(self) -> None:
        """It was cancelled."""
        self.fail("cancelled")
        self.canceled = True

    def refuse(self, cause: str) -> None:
        """SWF did not schedule it."""
        self.refusal = Refusal(cause)
        self.refusals += 1


def count_activity_failures(states: Any) -> int:
    """How often an activity failed.

    Args:
        states: An ``ActivityState``, its list of states, or several of either (the values, if it
            is a dictionary).
    """
    if isinstance(states, ActivityState):
        return count_activity_failures(states.states)
    if isinstance(states, int):
        return int(states == ACTIVITY_FAILED)
    each: Iterable[Any] = states.values() if isinstance(states, Mapping) else states
    return sum(count_activity_failures(state) for state in each)


def may_schedule(state: ActivityState | None, retry: int) -> bool:
    """Whether the instance is to be scheduled now.

    Args:
        state: What is known of it, if anything.
        retry: How often it may be repeated.

    Raises:
        ActivityImpossible: It never will complete.
    """
    if state is None:
        return True
    if state.refusal:
        return _may_after_refusal(state.activity_id, state.refusal)
    if state.get_last_state() != ACTIVITY_FAILED:
        return state.get_last_state() == ACTIVITY_STANDBY
    if state.canceled:
        raise ActivityImpossible(f"The activity {state.activity_id} was cancelled.")
    if count_activity_failures(state) > retry:
        raise RetriesExhausted(
            "The activity failures has exceeded its retry limit.",
            f"{state.activity_id}: {'; '.join(state.failures)}",
        )
    return True


def _may_after_refusal(activity_id: str, refusal: Refusal) -> bool:
    if refusal.passing:
        return False
    raise ActivityImpossible(
        f"SWF does not schedule the activity {activity_id}: {refusal.cause}.",
        "Register the activity type (a decider does when it starts), undeprecate it, or permit it.",
    )
