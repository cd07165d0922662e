"""Half a history is not told from a whole one by its looks, but by its first event's number."""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon.errors import GarconError

Event = Mapping[str, Any]


class NotWhole(GarconError, ValueError):
    """A history lacks its beginning, so it does not tell what was asked."""


def from_the_first(events: Iterable[Event]) -> list[Event]:
    """These events, which must begin with event 1.

    Raises:
        NotWhole: They do not.
    """
    found = list(events)
    number = found[0].get("eventId", 1) if found else 1
    if number > 1:
        raise NotWhole(
            f"The history begins with event {number}, and what happened before is not known. "
            "Give all events in their order, from event 1; DeciderWorker.get_history reads them."
        )
    return found
