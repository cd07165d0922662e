"""Histories: recording events, and reading them a page at a time.

- Ids are places, counted from 1, so they are dense; timestamps have milliseconds and never fall.
- Members without a value are left out, as in recorded answers.
- An event that would pass the event limit is not recorded. Instead the execution is marked as
  full, and before the call ends the event that reaches the limit terminates it. Until then nothing
  outside the engine sees the id that was returned for the missing event.
"""

from bisect import bisect_left
from functools import cache
from typing import Any

from garcon.local.engine.entities import Event, ExecutionRecord, Form
from garcon.local.engine.messages import Body
from garcon.local.engine.paging import page_size
from garcon.local.engine.world import World


def record(world: World, execution: ExecutionRecord, event_type: str, attributes: Body) -> int:
    """Add an event and return its id."""
    if len(execution.history) >= world.settings.event_limit - 1:
        execution.history_full = True
        world.full_executions.append(execution)
        return len(execution.history) + 1
    return record_last(world, execution, event_type, attributes)


def record_last(world: World, execution: ExecutionRecord, event_type: str, attributes: Body) -> int:
    """Add the event that closes an execution; there is always room for it."""
    form = _form(event_type, tuple(attributes))
    execution.history.append(Event(world.timestamp, form, tuple(attributes.values())))
    return len(execution.history)


@cache
def _form(event_type: str, members: tuple[str, ...]) -> Form:
    # Cached, so that all events of one form share it, however many they are.
    return Form(event_type, members)


@cache
def attributes_member(event_type: str) -> str:
    """The member that holds the attributes of events of this type."""
    return f"{event_type[0].lower()}{event_type[1:]}EventAttributes"


def wire(event_id: int, event: Event) -> Body:
    """The model's HistoryEvent."""
    return {
        "eventTimestamp": event.timestamp,
        "eventType": event.type,
        "eventId": event_id,
        attributes_member(event.type): event.attributes,
    }


def wire_all(execution: ExecutionRecord) -> list[Body]:
    """The complete history as on the wire."""
    return [wire(place, event) for place, event in enumerate(execution.history, start=1)]


def first_since(execution: ExecutionRecord, event_id: int) -> int:
    """The id of the earliest event with a timestamp not before that of `event_id`."""
    if event_id == 0:
        return 1
    history = execution.history
    since = history[event_id - 1].timestamp
    return bisect_left(history, since, key=lambda event: event.timestamp) + 1


def page(
    world: World, params: Body, execution: ExecutionRecord, ids: range, after: int | None
) -> tuple[list[Body], Any]:
    """Events with the given ids, in either order, and the position of the next page, if any.

    Args:
        world: for the largest page.
        params: the request; maximumPageSize and reverseOrder are read.
        execution: owner of the history.
        ids: the events of the complete listing, in ascending order.
        after: the last event of the page before, None for the first page.
    """
    if params.get("reverseOrder"):
        ids = ids[::-1]
    rest = ids if after is None else ids[ids.index(after) + 1 :]
    shown = rest[: page_size(world, params)]
    events = [wire(event_id, execution.history[event_id - 1]) for event_id in shown]
    return events, shown[-1] if len(shown) < len(rest) else None
