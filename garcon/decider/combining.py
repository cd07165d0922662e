"""Waiting for all of several things, or for the first of them; and things that need no waiting."""

from collections.abc import Sequence
from typing import Any

from garcon.states import Outcome, Waitable


class Known(Waitable):
    """Something that is there: a signal that came, a marker that is recorded."""

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
        """It is."""
        return True

    @property
    def result(self) -> Any:
        """What it brought."""
        return self._result

    @property
    def ended(self) -> int:
        """Number of the event that brought it."""
        return self._event_id


class Awaited(Waitable):
    """A signal that has not come; it does not keep the workflow from completing."""

    def __init__(self, what: str) -> None:
        self._what = what

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return self._what

    @property
    def ready(self) -> bool:
        """It is not."""
        return False

    @property
    def holds(self) -> bool:
        """Who waits for it says so."""
        return False


class Combined(Waitable):
    """Several states as one.

    Attributes:
        states: These.
    """

    def __init__(self, states: Sequence[Waitable]) -> None:
        self.states = list(states)

    @property
    def what(self) -> str:
        """Their names in sentences."""
        return ", ".join(each.what for each in self.states) or "Nothing"

    @property
    def holds(self) -> bool:
        """Each of them holds for itself."""
        return False


class AllOf(Combined):
    """Ready when all are; failed when one is."""

    @property
    def ready(self) -> bool:
        """Whether all have completed."""
        return all(each.ready for each in self.states)

    @property
    def failed(self) -> Outcome | None:
        """The outcome of the one that failed first."""
        failed = [each for each in self.states if each.failed]
        return min(failed, key=lambda each: each.ended).failed if failed else None

    @property
    def result(self) -> Any:
        """Their results, in the order in which they were given."""
        self.wait()
        return [each.result for each in self.states]

    @property
    def ended(self) -> int:
        """Number of the event that made it ready."""
        return max((each.ended for each in self.states), default=0)


class AnyOf(Combined):
    """Ready when one is; failed when all are."""

    @property
    def first(self) -> Waitable | None:
        """The one that was ready first, by the history; so it stays the first."""
        return min(
            (each for each in self.states if each.ready), key=lambda each: each.ended, default=None
        )

    @property
    def ready(self) -> bool:
        """Whether one has completed."""
        return self.first is not None

    @property
    def failed(self) -> Outcome | None:
        """The last outcome, if none completed."""
        if self.ready or not all(each.failed for each in self.states) or not self.states:
            return None
        return max(self.states, key=lambda each: each.ended).failed

    @property
    def result(self) -> Any:
        """What the first one gave."""
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
    """One state for any of these: ready when one is; ``first`` says which."""
    return AnyOf(states)
