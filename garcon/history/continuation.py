"""Continuation: the input of a new run that goes on from an earlier one.

A run continues as new, or a closed one is redriven (``redriving``). The input of the new run holds
the first run's input and a shortened history: the id and result of each completed activity, and the
attempts of the others. ``event.History`` folds these events before those of the new run, so the
flow sees one execution.

Rules:

1. Carried events have numbers below 0, so none is mistaken for an event of the new run.
2. Only the first run's input is ever shown as the workflow's input.
3. The text is compressed, because ids repeat. Others may have written it, so its size is measured
   while it is decompressed.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from garcon import claims
from garcon.errors import GarconError
from garcon.history import build_notes
from garcon.history.event_types import member_of, timestamp_of
from garcon.history.reserved_timers import retry_timer_id
from garcon.payload import safe_json

Event = dict[str, Any]

CARRIED = "garcon.carried"

_ATTEMPTS = frozenset({"ActivityTaskFailed", "ActivityTaskTimedOut", "ActivityTaskCanceled"})
_TIMERS = frozenset({"TimerStarted", "TimerFired", "TimerCanceled"})
# Members of events that nothing reads once the activity is closed; some are large.
_DROPPED = frozenset(
    """
    decisionTaskCompletedEventId heartbeatTimeout input scheduleToCloseTimeout
    scheduleToStartTimeout startToCloseTimeout taskList taskPriority
    """.split()  # noqa: SIM905 - reads better without quotes
)
_REFERENCES = ("scheduledEventId", "startedEventId", "initiatedEventId")

Kept: TypeAlias = Event | Sequence[str | None]
"""An event, or a completed activity: its name, id and result."""

_Key = tuple[str, str]  # the activity's name and id


class NotCarried(GarconError, ValueError):
    """An input that looks like a continuation cannot be read."""


@dataclass(frozen=True)
class Carried:
    """The inheritance of a run from the one before.

    Attributes:
        input: The text of the first run's input.
        events: The shortened history, oldest first.
        redrive_of: The runs that were redriven, by their run ids, the oldest first; empty if it
            continues as new.
    """

    input: str | None
    events: list[Event]
    redrive_of: tuple[str, ...] = ()


def may_be_carried(text: str) -> bool:
    """Whether an input's text may be a continuation; a claim may stand for one."""
    return CARRIED in text or claims.CLAIM in text


def is_carried(value: Any) -> bool:
    """Whether an input, decoded from JSON, is one that ``carry`` made."""
    return isinstance(value, Mapping) and value.keys() == {CARRIED}


def carry(events: Iterable[Event], text: str | None, runs: Iterable[str] = ()) -> dict[str, str]:
    """The input of the next run.

    Args:
        events: The complete history of this run, preceded by the events that it inherited.
        text: The first run's input.
        runs: The run ids of the runs that this one is a redrive of, oldest first.
    """
    summary = _Summary(events)
    members = {"input": text, "done": summary.done, "attempts": summary.attempts}
    return _packed(members | ({"redrive_of": named} if (named := [*runs]) else {}))


def carry_kept(kept: Iterable[Kept], text: str | None, runs: Iterable[str]) -> dict[str, str]:
    """The input of a run that is a redrive.

    Args:
        kept: What it keeps of the runs before, oldest first.
        text: The first run's input.
        runs: The run ids of those runs, oldest first.
    """
    return _packed({"input": text, "kept": [*kept], "redrive_of": [*runs]})


def _packed(members: Mapping[str, Any]) -> dict[str, str]:
    packed = zlib.compress(json.dumps(members).encode(), 9)
    return {CARRIED: base64.b85encode(packed).decode()}


def unpack(value: Mapping[str, Any]) -> Carried:
    """The inheritance of a run whose input is ``value``.

    Raises:
        NotCarried: ``carry`` did not make it.
    """
    try:
        members = safe_json.loads(_decompressed(base64.b85decode(value[CARRIED])).decode())
        kept = members["kept"] if "kept" in members else members["done"] + members["attempts"]
        runs = tuple(map(str, members.get("redrive_of", ())))
        return Carried(members["input"], [*_unfolded(kept)], runs)
    except (ValueError, TypeError, KeyError, binascii.Error, zlib.error) as error:
        raise NotCarried(f"What it inherits from the run before is damaged: {error}.") from error


def _decompressed(packed: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    text = decompressor.decompress(packed, claims.LARGEST)
    if not decompressor.eof:
        raise ValueError(f"more than {claims.LARGEST:,} characters, or cut off")
    return text


def _unfolded(kept: Sequence[Kept]) -> Iterator[Event]:
    first = -sum(1 if isinstance(each, dict) else 2 for each in kept)
    now: dict[int, int] = {}
    for each in kept:
        if isinstance(each, dict):
            now[each["eventId"]] = first
            yield _moved(each, now)
            first += 1
        else:
            yield from _completed(first, each)
            first += 2


def _moved(old: Event, now: Mapping[int, int]) -> Event:
    """The event with its new number, and those of the events that it refers to."""
    attributes = _attributes(old)
    moved = {name: now[attributes[name]] for name in _REFERENCES if attributes.get(name) in now}
    event = _event(old["eventType"], now[old["eventId"]], attributes | moved)
    return {**event, "eventTimestamp": old["eventTimestamp"]}


def _completed(number: int, entry: Sequence[str | None]) -> Iterator[Event]:
    name, activity_id, result = entry
    named = {"activityId": activity_id, "activityType": {"name": name}}
    yield _event("ActivityTaskScheduled", number, named)
    ended = {"scheduledEventId": number, **({} if result is None else {"result": result})}
    yield _event("ActivityTaskCompleted", number + 1, ended)


class _Summary:
    """The activities of a run: results of the completed ones, attempts of the others."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._named: dict[int, _Key] = {}
        self._retry_timers: dict[str, _Key] = {}
        self._attempts: dict[_Key, list[Event]] = {}
        self._results: dict[_Key, str | None] = {}
        self._note: Event | None = None  # the latest answer with the note of a build
        for event in events:
            self._take(event, event["eventType"], _attributes(event))

    @property
    def done(self) -> list[tuple[str, str, str | None]]:
        """Name, id and result in the order of completion: later results win in the context."""
        return [(name, id_, result) for (name, id_), result in self._results.items()]

    @property
    def attempts(self) -> list[Event]:
        """The events of activities that have not completed, and the note of a build, in order."""
        events = [event for attempts in self._attempts.values() for event in attempts]
        events += [self._note] if self._note else []
        return [shortened(event) for event in sorted(events, key=lambda event: event["eventId"])]

    def _take(self, event: Event, kind: str, attributes: Mapping[str, Any]) -> None:
        if kind == "ActivityTaskScheduled":
            key = attributes["activityType"]["name"], attributes["activityId"]
            self._named[event["eventId"]] = key
            self._retry_timers[retry_timer_id(key[1])] = key
            self._attempts.setdefault(key, []).append(event)
        elif kind == "ActivityTaskCompleted":
            key = self._named[attributes["scheduledEventId"]]
            self._results.pop(key, None)
            self._results[key] = attributes.get("result")
            self._attempts.pop(key, None)
        elif kind == "DecisionTaskCompleted":
            if build_notes.may_be_note(attributes.get("executionContext")):
                self._note = event
        elif kind in _ATTEMPTS:
            self._attempts[self._named[attributes["scheduledEventId"]]].append(event)
        elif kind in _TIMERS and attributes["timerId"] in self._retry_timers:
            self._attempts.setdefault(self._retry_timers[attributes["timerId"]], []).append(event)


def shortened(event: Event) -> Event:
    """The event without the members that nothing reads once the thing has ended."""
    kept = {name: value for name, value in _attributes(event).items() if name not in _DROPPED}
    bare = _event(event["eventType"], event["eventId"], kept)
    return {**bare, "eventTimestamp": timestamp_of(event)}


def _event(kind: str, number: int, attributes: Mapping[str, Any]) -> Event:
    return {"eventId": number, "eventType": kind, member_of(kind): dict(attributes)}


def _attributes(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = event.get(member_of(event["eventType"]), {})
    return found
