"""Pages of SWF's answers, and the events that a decider still needs out of pages of a history.

Rules:

1. A page may come in either order and may begin earlier than requested: SWF selects by timestamp,
   and some endpoints ignore the request. So events are identified by number, not by position.
2. Pages are fetched until the last required event is there, and no further.
3. Event numbers have no gaps. If one is missing after the last page, ``HistoryGap`` is raised: no
   decision is made on a truncated history.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from garcon.errors import GarconError

Event = dict[str, Any]
Page = Mapping[str, Any]


class HistoryGap(GarconError):
    """SWF did not return all the events that it counts."""


def pages(first: Page, fetch: Callable[[str], Page]) -> Iterator[Page]:
    """A first page and those that follow, each fetched when it is asked for.

    Args:
        first: The first page.
        fetch: Returns the page of a token.
    """
    page = first
    yield page
    while token := page.get("nextPageToken"):
        page = fetch(token)
        yield page


def between(after: int, started: int, shown: Iterable[Page]) -> list[Event]:
    """The events after number ``after``, up to and including ``started``, in order.

    Args:
        after: Number of the last known event; 0 for none.
        started: Number of the task's DecisionTaskStarted event.
        shown: Pages of the history.

    Raises:
        HistoryGap: Some events are on none of the pages.
    """
    found: dict[int, Event] = {}
    for page in shown:
        for event in page.get("events") or ():
            if after < event["eventId"] <= started:
                found[event["eventId"]] = event
        if len(found) == started - after:
            return [found[number] for number in range(after + 1, started + 1)]
    raise HistoryGap(
        f"SWF returned {len(found)} of the {started - after} events {after + 1} to {started}."
    )
