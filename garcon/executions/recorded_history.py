"""Histories: read from SWF, and kept in files.

Rules:

1. An event has the members of SWF's HistoryEvent; events stand oldest first, ``eventTimestamp`` in
   seconds since the epoch. A file holds them as ``{"events": [...]}``, which is also what ``aws swf
   get-workflow-execution-history`` prints; its timestamps may be text, see ``moment``.
2. A file may come from anyone: it is checked to hold a complete history before it is used.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from garcon.executions.errors import NotAHistory
from garcon.executions.values import Execution
from garcon.history.event_types import member_of
from garcon.payload import safe_json

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

Event: TypeAlias = Mapping[str, Any]
Events: TypeAlias = list[dict[str, Any]]

PAGE = 1_000  # events; the most that SWF returns at once
FIRST = "WorkflowExecutionStarted"
LATEST = 253_402_300_800.0  # seconds since the epoch: the end of the year 9999, as of ``datetime``


def attributes(event: Event) -> Mapping[str, Any]:
    """The members of an event beside its type, number and time."""
    members: Mapping[str, Any] = event.get(member_of(event["eventType"]), {})
    return members


def moment(event: Event) -> float:
    """The time of an event, in seconds since the epoch; text without a zone counts as UTC.

    Raises:
        NotAHistory: Its timestamp is not a time.
    """
    timestamp = event.get("eventTimestamp")
    try:
        value = _parse_time(timestamp) if isinstance(timestamp, str) else timestamp
        seconds = value.timestamp() if isinstance(value, datetime) else float(value)  # type: ignore[arg-type]  # anything else raises
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds < LATEST:
        raise NotAHistory(f"Event {event.get('eventId')} has no time: {timestamp!r}.")
    return seconds


def _parse_time(text: str) -> datetime | float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return float(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def since(swf: "SWFClient", domain: str, execution: Execution, seen: int) -> Events:
    """The events of an execution after event number ``seen``, oldest first.

    Reads backwards from the newest event: first that one alone, so that a poll without news is one
    small call, then those between. A whole history is read at once: every call counts when the
    hosts of a fleet start together.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    if not seen:
        whole = _backwards(swf, domain, execution, PAGE)
        return [plain(event) for page in whole for event in page][::-1]
    newest = next(_backwards(swf, domain, execution, 1))
    missing = newest[0]["eventId"] - seen
    if missing <= 1:  # below 0 is possible: SWF may answer from an older copy
        return [plain(event) for event in newest if missing == 1]
    found: Events = []
    for page in _backwards(swf, domain, execution, missing):
        found += (plain(event) for event in page if event["eventId"] > seen)
        # By number, not by count: more events may have been added between the two calls.
        if page[-1]["eventId"] <= seen + 1:
            break
    return found[::-1]


def newest(swf: "SWFClient", domain: str, execution: Execution, count: int) -> Events:
    """The latest events of an execution, the latest first: one call.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    return [plain(event) for event in next(_backwards(swf, domain, execution, count))]


def _backwards(
    swf: "SWFClient", domain: str, execution: Execution, page: int
) -> Iterator[list[Any]]:
    """The events from the newest to the oldest, a page at a time."""
    pages = swf.get_paginator("get_workflow_execution_history").paginate(
        domain=domain,
        execution={"workflowId": execution.workflow_id, "runId": execution.run_id},
        reverseOrder=True,
        PaginationConfig={"PageSize": min(page, PAGE)},
    )
    return (_checked_page(answer["events"]) for answer in pages)


def _checked_page(events: list[Any]) -> list[Any]:
    """The events of a page, or ``ValueError``: another server than SWF may answer."""
    if not events or not all(map(_is_event, events)):
        raise ValueError("no events")
    return events


def plain(event: Event) -> dict[str, Any]:
    """The event with its time in seconds."""
    return {**event, "eventTimestamp": moment(event)}


def dumps(events: Iterable[Event]) -> str:
    """A history as the text of a file."""
    return json.dumps({"events": list(events)}, indent=1) + "\n"


def load(path: Path) -> Events:
    """The history in a file.

    Raises:
        NotAHistory: The file cannot be read, or does not hold a complete history.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise NotAHistory(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise NotAHistory(f"{path} is not UTF-8 text.") from error


def parse(text: str, name: str) -> Events:
    """The events in the text of a file; errors call it ``name``.

    Raises:
        NotAHistory: It does not hold a complete history, or an event's time is invalid.
    """
    try:
        document = safe_json.loads_strictly(text)
    except ValueError as error:
        raise NotAHistory(f"{name} is not JSON ({error}).") from error
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list) or not all(map(_is_event, events)):
        raise NotAHistory(f'{name} is not a history: it should be {{"events": [...]}}.')
    ordered = sorted(events, key=lambda event: int(event["eventId"]))
    numbers = [event["eventId"] for event in ordered]
    if numbers != list(range(1, len(numbers) + 1)) or not ordered:
        raise NotAHistory(f"{name} lacks events: a complete history has all, numbered from 1.")
    if ordered[0]["eventType"] != FIRST:
        raise NotAHistory(f"{name} does not begin with {FIRST}.")
    return [plain(event) for event in ordered]


def _is_event(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("eventId"), int)
        and isinstance(value.get("eventType"), str)
        and isinstance(attributes(value), dict)
    )


def execution(events: Iterable[Event]) -> Execution | None:
    """The execution of a history, if it has an activity of garcon: their inputs name it."""
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            values = _object(attributes(event).get("input"))
            ids = (values.get("execution.workflow_id"), values.get("execution.run_id"))
            if all(isinstance(each, str) for each in ids):
                return Execution(*map(str, ids))
    return None


def _object(text: Any) -> dict[str, Any]:
    try:
        value = safe_json.loads(text)
    except (AttributeError, TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
