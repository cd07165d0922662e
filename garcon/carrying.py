"""What a run carries into the next when an execution continues as new before its history is full.

The next run gets, as its input, the first run's input and a shortened history: of each completed
activity its id and result, of each other one its tries. Whoever folds that run's events is shown
these before the new ones, so the flow sees one execution.

Rules:

1. Carried events have numbers below 0, so that none is taken for an event of this run.
2. The first run's input stays as it is; only it is ever shown as the workflow's input.
3. The text is compressed, since ids repeat. What comes is data that others may have written: it is
   measured while it is decompressed.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import claims, untrusted
from garcon.errors import GarconError
from garcon.eventtypes import member_of
from garcon.timers import rest_timer

Event = dict[str, Any]

CARRIED = "garcon.carried"

_TRIES = frozenset({"ActivityTaskFailed", "ActivityTaskTimedOut", "ActivityTaskCanceled"})
_TIMERS = frozenset({"TimerStarted", "TimerFired", "TimerCanceled"})
# Members of events that are of no use once their activity is closed, and may be large.
_DROPPED = frozenset(
    """
    decisionTaskCompletedEventId heartbeatTimeout input scheduleToCloseTimeout
    scheduleToStartTimeout startToCloseTimeout taskList taskPriority
    """.split()  # noqa: SIM905 - reads better without quotes
)
_REFERENCES = ("scheduledEventId", "startedEventId")

_Key = tuple[str, str]  # the activity's name and id


class NotCarried(GarconError, ValueError):
    """An input looks like a carried one and cannot be read."""


@dataclass(frozen=True)
class Carried:
    """What came with a run.

    Attributes:
        input: The text of the first run's input.
        events: The shortened history, oldest first.
    """

    input: str | None
    events: list[Event]


def may_be_carried(text: str) -> bool:
    """Whether the text of an input is worth a closer look; a claim may stand for anything."""
    return CARRIED in text or claims.CLAIM in text


def is_carried(value: Any) -> bool:
    """Whether an input, read from JSON, is one that ``carry`` made."""
    return isinstance(value, Mapping) and value.keys() == {CARRIED}


def carry(events: Iterable[Event], text: str | None) -> dict[str, str]:
    """The next run's input.

    Args:
        events: The whole history of this run, with the carried events before it.
        text: The first run's input.
    """
    story = _Story(events)
    told = {"input": text, "done": story.done, "tries": story.tries}
    packed = zlib.compress(json.dumps(told).encode(), 9)
    return {CARRIED: base64.b85encode(packed).decode()}


def unpack(value: Mapping[str, Any]) -> Carried:
    """What came with a run whose input is ``value``.

    Raises:
        NotCarried: It is not what ``carry`` makes.
    """
    try:
        told = untrusted.loads(_decompressed(base64.b85decode(value[CARRIED])).decode())
        return Carried(told["input"], [*_unfolded(told["done"], told["tries"])])
    except (ValueError, TypeError, KeyError, binascii.Error, zlib.error) as error:
        raise NotCarried(f"What the run before has carried over is damaged: {error}.") from error


def _decompressed(packed: bytes) -> bytes:
    machine = zlib.decompressobj()
    text = machine.decompress(packed, claims.LARGEST)
    if not machine.eof:
        raise ValueError(f"more than {claims.LARGEST:,} characters, or cut off")
    return text


def _unfolded(done: list[tuple[str, str, str | None]], tries: list[Event]) -> Iterator[Event]:
    numbers = iter(range(-2 * len(done) - len(tries), 0))
    for name, activity_id, result in done:
        number = next(numbers)
        named = {"activityId": activity_id, "activityType": {"name": name}}
        yield _event("ActivityTaskScheduled", number, named)
        ended = {"scheduledEventId": number, **({} if result is None else {"result": result})}
        yield _event("ActivityTaskCompleted", next(numbers), ended)
    now = {each["eventId"]: number for each, number in zip(tries, numbers, strict=True)}
    for each in tries:
        told = _attributes(each)
        moved = {name: now[told[name]] for name in _REFERENCES if told.get(name) in now}
        event = _event(each["eventType"], now[each["eventId"]], told | moved)
        yield {**event, "eventTimestamp": each["eventTimestamp"]}


class _Story:
    """What became of each activity; of what has completed the last result only."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._named: dict[int, _Key] = {}
        self._rests: dict[str, _Key] = {}
        self._tries: dict[_Key, list[Event]] = {}
        self._results: dict[_Key, str | None] = {}
        for event in events:
            self._take(event, event["eventType"], _attributes(event))

    @property
    def done(self) -> list[tuple[str, str, str | None]]:
        """Name, id and result, in the order of completion: later results win in the context."""
        return [(name, id_, result) for (name, id_), result in self._results.items()]

    @property
    def tries(self) -> list[Event]:
        """The events of those that have not completed, in order."""
        each = (event for events in self._tries.values() for event in events)
        return [_shortened(event) for event in sorted(each, key=lambda event: event["eventId"])]

    def _take(self, event: Event, kind: str, told: Mapping[str, Any]) -> None:
        if kind == "ActivityTaskScheduled":
            key = told["activityType"]["name"], told["activityId"]
            self._named[event["eventId"]] = key
            self._rests[rest_timer(key[1])] = key
            self._tries.setdefault(key, []).append(event)
        elif kind == "ActivityTaskCompleted":
            key = self._named[told["scheduledEventId"]]
            self._results.pop(key, None)
            self._results[key] = told.get("result")
            self._tries.pop(key, None)
        elif kind in _TRIES:
            self._tries[self._named[told["scheduledEventId"]]].append(event)
        elif kind in _TIMERS and told["timerId"] in self._rests:
            self._tries.setdefault(self._rests[told["timerId"]], []).append(event)


def _shortened(event: Event) -> Event:
    kept = {name: value for name, value in _attributes(event).items() if name not in _DROPPED}
    stamp = event.get("eventTimestamp", 0.0)
    at = stamp.timestamp() if hasattr(stamp, "timestamp") else stamp
    return {**_event(event["eventType"], event["eventId"], kept), "eventTimestamp": at}


def _event(kind: str, number: int, attributes: Mapping[str, Any]) -> Event:
    return {"eventId": number, "eventType": kind, member_of(kind): dict(attributes)}


def _attributes(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = event.get(member_of(event["eventType"]), {})
    return found
