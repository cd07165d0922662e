"""The events of a decision task that one does not have yet, whatever pages they come in.

Rules:

1. A page may come in either order and may begin earlier than asked for (SWF speaks of timestamps,
   and some endpoints ignore what was asked). So events are known by their numbers, not places.
2. Pages are fetched until the last event wanted is there, and no further.
3. Numbers are dense. If one is missing at the end, ``Gap``: nothing is decided on half a history.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from garcon.errors import GarconError

Event = dict[str, Any]
Page = Mapping[str, Any]


class Gap(GarconError):
    """SWF did not show all the events that it counts."""


def pages(first: Page, fetch: Callable[[str], Page]) -> Iterator[Page]:
    """This page and those that follow it, each fetched when it is asked for.

    Args:
        first: The first page.
        fetch: Gives the page of a token.
    """
    page = first
    yield page
    while token := page.get("nextPageToken"):
        page = fetch(token)
        yield page


def between(after: int, started: int, shown: Iterable[Page]) -> list[Event]:
    """The events after number ``after``, up to and with ``started``, in order.

    Args:
        after: The last event that is known; 0 for none.
        started: The DecisionTaskStarted event of the task.
        shown: Pages of the history.

    Raises:
        Gap: Some are in no page.
    """
    found: dict[int, Event] = {}
    for page in shown:
        for event in page.get("events") or ():
            if after < event["eventId"] <= started:
                found[event["eventId"]] = event
        if len(found) == started - after:
            return [found[number] for number in range(after + 1, started + 1)]
    raise Gap(f"SWF shows {len(found)} of the {started - after} events {after + 1} to {started}.")
