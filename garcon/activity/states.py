"""What the history says of one activity instance.

A try that failed, timed out or was cancelled is an outcome; all of them are kept, because what
follows depends on how often and why it failed, see ``retrying``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon.states import (
    ActivityInstanceNotReadyException,
    How,
    Impossible,
    Outcome,
    Refusal,
    State,
    Waitable,
)

__all__ = [
    "ActivityImpossible",
    "ActivityInstanceNotReadyException",
    "ActivityState",
    "Refusal",
    "RetriesExhausted",
    "count_activity_failures",
]

ACTIVITY_STANDBY, ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED, ACTIVITY_FAILED = 0, 1, 2, 3

_UNSET: Any = object()


class ActivityImpossible(Impossible):
    """An activity will not complete: the workflow fails with this sentence."""


class RetriesExhausted(ActivityImpossible):
    """The activity failed more often than it may."""


class ActivityState(Waitable):
    """What became of one activity instance so far.

    Attributes:
        activity_id: Its id in the history.
        states: All its states, oldest first.
        outcomes: How each failed try ended.
        refusal: Set while SWF's refusal to schedule it stands.
        refusals: How often in a row it was refused.
        canceled: Whether its last try was cancelled.
        cancel_requested: Whether the decider asked for that.
        given_up: Set when no further try follows and the flow wants to know rather than fail.
        uses: The instances that this state sums up, where a flow's own decider scheduled them.
        event_id: Number of the event that scheduled it last; 0 before.
        since: When it was scheduled first, in seconds since the epoch.
        rest: The timer between a failed try and the next.
        control: What the decider noted when it scheduled it.
    """

    def __init__(self, activity_id: str) -> None:
        self.activity_id = activity_id
        self.states: list[int] = []
        self.outcomes: list[Outcome] = []
        self.refusal: Refusal | None = None
        self.refusals = 0
        self.canceled = False
        self.cancel_requested = False
        self.given_up: Outcome | None = None
        self.uses: list[ActivityState] = []
        self.event_id = 0
        self.since: float | None = None
        self.rest: State | None = None
        self.control: str | None = None
        self._ended = 0
        self._result: Any = _UNSET

    @property
    def what(self) -> str:
        """Its id, for sentences."""
        return f"The activity {self.activity_id}"

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
    def open(self) -> bool:
        """Whether it is scheduled or started."""
        return self.get_last_state() == ACTIVITY_SCHEDULED

    @property
    def failed(self) -> Outcome | None:
        """How it ended, if it did not complete and no further try follows."""
        return self.given_up

    @property
    def failures(self) -> list[str]:
        """What was said at each failed try."""
        return [str(each) for each in self.outcomes]

    @property
    def ended(self) -> int:
        """Number of the event by which it ended."""
        return max([self._ended, *(each.ended for each in self.uses)])

    @property
    def holds(self) -> bool:
        """Whether the workflow cannot complete before; what the flow cancelled does not hold it."""
        return not (self.ready or self.failed or self.cancel_requested)

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

    def begin(self, event_id: int = 0, at: float = 0.0, control: str | None = None) -> None:
        """It was scheduled, for the first time or again: earlier refusals and results are past."""
        self.add_state(ACTIVITY_SCHEDULED)
        self.event_id, self.control, self.rest = event_id, control, None
        self.since = at if self.since is None else self.since
        self.refusal, self.refusals = None, 0
        self.canceled = self.cancel_requested = False
        self._result = _UNSET

    def complete(self, result: Any, event_id: int = 0) -> None:
        """It completed; should the history say so twice, the later result counts."""
        self.add_state(ACTIVITY_COMPLETED)
        self._result, self._ended = result, event_id

    def end(self, outcome: Outcome) -> None:
        """A try ended without completing."""
        self.add_state(ACTIVITY_FAILED)
        self.outcomes.append(outcome)
        self.canceled = outcome.how is How.CANCELED
        self._ended = outcome.event_id

    def fail(self, why: str) -> None:
        """A try failed."""
        self.end(Outcome(How.FAILED, why))

    def cancel(self) -> None:
        """It was cancelled."""
        self.end(Outcome(How.CANCELED))

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
