"""Histories: read from SWF, kept as files.

Rules:

1. Events have the members of the model's HistoryEvent, oldest first; ``eventTimestamp`` is seconds
   since the epoch. A file holds them as ``{"events": [...]}``, which is also what the AWS command
   line prints (``aws swf get-workflow-execution-history``); its timestamps may be text, which is
   read as ``moment`` does.
2. What is in a file was written by others: it is checked to be a whole history before it is used.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from garcon import untrusted
from garcon.eventtypes import member_of
from garcon.workflow.errors import NotAHistory
from garcon.workflow.values import Execution

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

Event: TypeAlias = Mapping[str, Any]
Events: TypeAlias = list[dict[str, Any]]

PAGE = 1_000  # events; the most that SWF gives at once
FIRST = "WorkflowExecutionStarted"


def attributes(event: Event) -> Mapping[str, Any]:
    """What an event says beside its type, number and time."""
    told: Mapping[str, Any] = event.get(member_of(event["eventType"]), {})
    return told


def moment(event: Event) -> float:
    """When an event happened, in seconds since the epoch.

    Raises:
        NotAHistory: Its timestamp is none.
    """
    told = event.get("eventTimestamp")
    try:
        if isinstance(told, str):
            told = _read(told)
        return told.timestamp() if isinstance(told, datetime) else float(told)  # type: ignore[arg-type]  # anything else raises
    except (TypeError, ValueError) as error:
        raise NotAHistory(f"Event {event.get('eventId')} has no time: {told!r}.") from error


def _read(text: str) -> datetime | float:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return float(text)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def since(swf: "SWFClient", domain: str, execution: Execution, seen: int) -> Events:
    """The events of an execution after event number ``seen``, oldest first.

    Reads backwards from the newest: one event to know whether there is news (a look is one small
    call), then those that are missing.

    Raises:
        botocore.exceptions.ClientError: SWF refused.
    """
    newest = next(_backwards(swf, domain, execution, 1))
    missing = newest[0]["eventId"] - seen
    if missing <= 1:  # less than none is possible, too: SWF may answer from an older copy
        return [plain(each) for each in newest if missing == 1]
    found: Events = []
    for page in _backwards(swf, domain, execution, missing):
        found += (plain(each) for each in page if each["eventId"] > seen)
        # By number and not by count: more may have happened between the calls.
        if page[-1]["eventId"] <= seen + 1:
            break
    return found[::-1]


def _backwards(
    swf: "SWFClient", domain: str, execution: Execution, page: int
) -> Iterator[list[Any]]:
    """The events from the newest on, a page at a time."""
    pages = swf.get_paginator("get_workflow_execution_history").paginate(
        domain=domain,
        execution={"workflowId": execution.workflow_id, "runId": execution.run_id},
        reverseOrder=True,
        PaginationConfig={"PageSize": min(page, PAGE)},
    )
    return (each["events"] for each in pages)


def plain(event: Event) -> dict[str, Any]:
    """An event with its time in seconds."""
    return {**event, "eventTimestamp": moment(event)}


def dumps(events: Iterable[Event]) -> str:
    """A history as the text of a file."""
    return json.dumps({"events": list(events)}, indent=1) + "\n"


def load(path: Path) -> Events:
    """A history that was kept.

    Raises:
        NotAHistory: The file cannot be read, or holds no whole history.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise NotAHistory(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise NotAHistory(f"{path} is no text in UTF-8.") from error


def parse(text: str, name: str) -> Events:
    """The events of a file's text; ``name`` names it in errors.

    Raises:
        NotAHistory: It holds no whole history, or an event's time is none.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAHistory(f"{name} is not JSON ({error}).") from error
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list) or not all(_is_event(each) for each in events):
        raise NotAHistory(f'{name} holds no history: it should be {{"events": [...]}}.')
    ordered = sorted(events, key=lambda each: int(each["eventId"]))
    numbers = [each["eventId"] for each in ordered]
    if numbers != list(range(1, len(numbers) + 1)) or not ordered:
        raise NotAHistory(f"{name} lacks events: it should hold all, numbered from 1.")
    if ordered[0]["eventType"] != FIRST:
        raise NotAHistory(f"{name} does not begin with {FIRST}.")
    return [
        plain(each) if isinstance(each.get("eventTimestamp"), str) else each for each in ordered
    ]


def _is_event(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and isinstance(told.get("eventId"), int)
        and isinstance(told.get("eventType"), str)
        and isinstance(attributes(told), dict)
    )


def execution(events: Iterable[Event]) -> Execution | None:
    """Which execution a history is of, as far as it tells: garcon's activities are told."""
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            told = _object(attributes(event).get("input"))
            ids = (told.get("execution.workflow_id"), told.get("execution.run_id"))
            if all(isinstance(each, str) for each in ids):
                return Execution(*map(str, ids))
    return None


def _object(text: Any) -> dict[str, Any]:
    try:
        value = untrusted.loads(text)
    except (AttributeError, TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
