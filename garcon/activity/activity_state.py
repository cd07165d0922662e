"""The state of an activity instance in the history.

A failed, timed-out or cancelled attempt is an outcome. All outcomes are kept, because the next step
depends on how often and why the instance failed, see ``retry_step``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon.history.states import (
    ActivityInstanceNotReadyException,
    EndKind,
    Impossible,
    Refusable,
    Refusal,
    State,
    StateOutcome,
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
    """An activity will never complete; the workflow fails with this sentence."""


class RetriesExhausted(ActivityImpossible):
    """An activity failed more often, or for longer, than its ``retry`` allows."""


class ActivityState(Refusable):
    """The record of one activity instance in the history so far.

    Args:
        activity_id: Its id in the history.

    Attributes:
        activity_id: Its id in the history.
        states: All its states (the four constants), oldest first.
        outcomes: How each failed attempt ended.
        canceled: Whether its last attempt was cancelled.
        cancel_requested: Whether the decider asked to cancel it.
        given_up: The last outcome, if no attempt follows and the decider wants to see that instead
            of failing.
        uses: The instances that this state sums up, if a flow's own decider scheduled them.
        event_id: Number of the event that scheduled it last; 0 before.
        since: When it was first scheduled, in seconds since the epoch.
        retry_timer: The timer between a failed attempt and the next.
        control: What the decider noted when it scheduled the activity.
    """

    def __init__(self, activity_id: str) -> None:
        super().__init__()
        self.activity_id = activity_id
        self.states: list[int] = []
        self.outcomes: list[StateOutcome] = []
        self.canceled = False
        self.cancel_requested = False
        self.given_up: StateOutcome | None = None
        self.uses: list[ActivityState] = []
        self.event_id = 0
        self.since: float | None = None
        self.retry_timer: State | None = None
        self.control: str | None = None
        self._ended = 0
        self._result: Any = _UNSET

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return f"The activity {self.activity_id}"

    def add_state(self, state: int) -> None:
        """Append a state.

        Args:
            state: One of the four ``ACTIVITY_…`` constants.
        """
        self.states.append(state)

    def get_last_state(self) -> int:
        """The current state; ``ACTIVITY_STANDBY`` before it was scheduled."""
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
    def failed(self) -> StateOutcome | None:
        """The last outcome if it ended without completing and no attempt follows, else ``None``."""
        return self.given_up

    @property
    def failures(self) -> list[str]:
        """The reason of each failed attempt."""
        return [str(outcome) for outcome in self.outcomes]

    @property
    def ended(self) -> int:
        """Number of the event by which it ended; 0 before."""
        # Of an inherited event the number is below 0, so 0 must not win.
        return max((use.ended for use in self.uses if use.ended), default=self._ended)

    @property
    def blocks_completion(self) -> bool:
        """Whether the workflow cannot complete before it has ended or its end was requested."""
        return not (self.ready or self.failed or self.cancel_requested)

    @property
    def result(self) -> Any:
        """Its result, any JSON value; an empty dictionary if it completed without one.

        Raises:
            ActivityInstanceNotReadyException: It has not completed.
        """
        self.wait()
        return {} if self._result is _UNSET or self._result is None else self._result

    def set_result(self, result: Any) -> None:
        """Set the result.

        Raises:
            ValueError: It is set already: an activity id has one result.
        """
        if self._result is not _UNSET:
            raise ValueError(f"The result of {self.activity_id} is already set.")
        self._result = result

    def begin(self, event_id: int = 0, at: float = 0.0, control: str | None = None) -> None:
        """Take over that it was scheduled, for the first time or again.

        Earlier refusals and results no longer count.
        """
        self.add_state(ACTIVITY_SCHEDULED)
        self.event_id, self.control, self.retry_timer = event_id, control, None
        self.since = at if self.since is None else self.since
        self.refusal, self.refusals = None, 0
        self.canceled = self.cancel_requested = False
        self._result = _UNSET

    def complete(self, result: Any, event_id: int = 0) -> None:
        """Take over that it completed; of two completions the later counts."""
        self.add_state(ACTIVITY_COMPLETED)
        self._result, self._ended = result, event_id

    def end(self, outcome: StateOutcome) -> None:
        """Take over that an attempt ended without completing."""
        self.add_state(ACTIVITY_FAILED)
        self.outcomes.append(outcome)
        self.canceled = outcome.how is EndKind.CANCELED
        self._ended = outcome.event_id

    def fail(self, why: str) -> None:
        """Take over that an attempt failed."""
        self.end(StateOutcome(EndKind.FAILED, why))

    def cancel(self) -> None:
        """Take over that it was cancelled."""
        self.end(StateOutcome(EndKind.CANCELED))


def count_activity_failures(states: Any) -> int:
    """Number of failed attempts of an activity.

    Args:
        states: An ``ActivityState``, its list of states, or several of either (the values, if it
            is a dictionary).
    """
    if isinstance(states, ActivityState):
        return count_activity_failures(states.states)
    if isinstance(states, int):
        return int(states == ACTIVITY_FAILED)
    several: Iterable[Any] = states.values() if isinstance(states, Mapping) else states
    return sum(count_activity_failures(state) for state in several)
