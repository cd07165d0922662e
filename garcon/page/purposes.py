"""The purposes of generated activities: the values whose SHA-1 their ids end with. Pure.

An instance of a generator has the id ``{name}-{SHA-1 of its own values}``, and its input holds
these values among others. The members of the input with that SHA-1 are looked for: one, or two, or
those that differ from the input of another instance of the activity.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from garcon import utils
from garcon.payload import safe_json
from garcon.tracing import family_trace

_GENERATED = re.compile(r".*-([0-9a-f]{40})", re.DOTALL)

PAIRED = 24
"""Members of an input of which pairs are tried: 276 pairs, a millisecond."""

LARGEST = 4_000
"""Characters of an input that are compared: a digest of each pair of long values takes seconds."""

LONGEST = 80  # characters of a purpose: a label on the page


def of(events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The purposes that are found, by activity id: ``photo=cat.png``."""
    by_type: dict[str, dict[str, Mapping[str, Any]]] = {}
    for event in events:
        members = event.get("activityTaskScheduledEventAttributes")
        if members and _GENERATED.fullmatch(members["activityId"]):
            name = members["activityType"]["name"]
            by_type.setdefault(name, {})[members["activityId"]] = _object(members.get("input"))
    found = ((id_, _purpose(id_, own, ids)) for ids in by_type.values() for id_, own in ids.items())
    return {id_: purpose for id_, purpose in found if purpose}


def _purpose(id_: str, own: Mapping[str, Any], instances: Mapping[str, Mapping[str, Any]]) -> str:
    key = id_[-40:]
    other = next((each for name, each in instances.items() if name != id_), {})
    for names in _candidates(own, other):
        values = {name: own[name] for name in names}
        if utils.create_dictionary_key(values) == key:
            return _text(values)
    return ""


def _candidates(own: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    names = sorted(own)
    differing = [name for name in names if other.get(name) != own[name]]
    if differing:
        yield differing
    yield from ([name] for name in names)
    if len(names) <= PAIRED:
        yield from itertools.combinations(names, 2)


def _text(values: Mapping[str, Any]) -> str:
    text = ", ".join(f"{name.rpartition('.')[2]}={value}" for name, value in values.items())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _object(text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str) or len(text) > LARGEST:
        return {}
    try:
        value = safe_json.loads(text)
    except (AttributeError, TypeError, ValueError):
        return {}
    return family_trace.without(value) if isinstance(value, dict) else {}
