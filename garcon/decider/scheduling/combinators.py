"""Waiting for all of several states or for the first of them, and states that need no request."""

from collections.abc import Sequence
from typing import Any

from garcon.history.states import StateOutcome, Waitable


class KnownValue(Waitable):
    """A value that is there: a signal that came, a marker that is recorded.

    Args:
        what: Its name in sentences.
        result: The value.
        event_id: Number of the event that brought it; 0 if it has none.
    """

    def __init__(self, what: str, result: Any, event_id: int = 0) -> None:
        self._what = what
        self._result = result
        self._event_id = event_id

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return self._what

    @property
    def ready(self) -> bool:
        """Always true."""
        return True

    @property
    def result(self) -> Any:
        """The value."""
        return self._result

    @property
    def ended(self) -> int:
        """Number of the event that brought it."""
        return self._event_id


class MissingSignal(Waitable):
    """A signal that has not come; it does not keep the workflow from completing.

    Args:
        what: Its name in sentences.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return self._what

    @property
    def ready(self) -> bool:
        """Always false."""
        return False

    @property
    def blocks_completion(self) -> bool:
        """Always false: a flow that needs the signal waits for it."""
        return False


class Combination(Waitable):
    """Several states as one.

    Args:
        states: The states.
    """

    def __init__(self, states: Sequence[Waitable]) -> None:
        self.states = list(states)

    @property
    def what(self) -> str:
        """Their names in sentences."""
        return ", ".join(each.what for each in self.states) or "Nothing"

    @property
    def blocks_completion(self) -> bool:
        """Always false: each of the states keeps the workflow open by itself."""
        return False


class AllOf(Combination):
    """Ready when all states are; failed when one is."""

    @property
    def ready(self) -> bool:
        """Whether all have completed."""
        return all(each.ready for each in self.states)

    @property
    def failed(self) -> StateOutcome | None:
        """The outcome of the state that failed first."""
        failed = [each for each in self.states if each.failed]
        return min(failed, key=lambda each: each.ended).failed if failed else None

    @property
    def result(self) -> Any:
        """The results, in the order of the arguments."""
        self.wait()
        return [each.result for each in self.states]

    @property
    def ended(self) -> int:
        """Number of the event that made it ready."""
        return max((each.ended for each in self.states), default=0)


class AnyOf(Combination):
    """Ready when one state is; failed when all are."""

    @property
    def first(self) -> Waitable | None:
        """The state that was ready first in the history, so that it stays the first."""
        return min(
            (each for each in self.states if each.ready), key=lambda each: each.ended, default=None
        )

    @property
    def ready(self) -> bool:
        """Whether one has completed."""
        return self.first is not None

    @property
    def failed(self) -> StateOutcome | None:
        """The last outcome, if none completed."""
        if self.ready or not all(each.failed for each in self.states) or not self.states:
            return None
        return max(self.states, key=lambda each: each.ended).failed

    @property
    def result(self) -> Any:
        """The result of the first."""
        self.wait()
        return self.first.result if self.first else None

    @property
    def ended(self) -> int:
        """Number of the event that made it ready."""
        return self.first.ended if self.first else 0


def all_of(*states: Waitable) -> AllOf:
    """One state for all of these: ready when all are, failed when one is."""
    return AllOf(states)


def any_of(*states: Waitable) -> AnyOf:
    """One state for any of these: ready when one is; ``first`` is that one."""
    return AnyOf(states)
