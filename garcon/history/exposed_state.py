"""The values that a decider exposes of an execution, as the history holds them.

They are a member of an answer's ``executionContext``, beside the notes of the library, so they cost
neither a call nor an event. SWF shows them in the answer's DecisionTaskCompleted event.

Rules:

1. Each run of a decider starts anew, so an answer has all that was exposed up to where the run
   ended. The latest answer that has any counts: those of returned tasks have none.
2. They are for people. What is too long, or no JSON, is replaced by a sentence, and never fails an
   execution.
3. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from garcon.payload import safe_json
from garcon.user_code.text import text_of

MOST = 16_000
"""Characters of JSON: half of an ``executionContext``, which has 32,768, for all notes together."""

_MEMBER = "state"


def merged(context: str | None, values: Mapping[str, Any]) -> str:
    """An answer's ``executionContext`` with the values that the decider exposes.

    Args:
        context: The context without them; ``None`` for none.
        values: The values by name; empty names nothing.
    """
    notes = json.loads(context or "{}")
    return json.dumps({**notes, _MEMBER: _sendable(values)})


def latest(events: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], dict[str, Any]] | None:
    """The latest answer that exposes something, and its values.

    Args:
        events: Of a history, the latest first.
    """
    for event in events:
        answer = event.get("decisionTaskCompletedEventAttributes") or {}
        if values := _read(answer.get("executionContext")):
            return event, values
    return None


def _sendable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them; the largest are replaced until all fit."""
    found = {str(name): _plain(value) for name, value in values.items()}
    sizes = {name: len(json.dumps({name: value})) for name, value in found.items()}
    for name in sorted(sizes, key=lambda each: sizes[each], reverse=True):
        if sum(sizes.values()) <= MOST:
            break
        found[name] = f"too long to show: {sizes[name]:,} characters"
        sizes[name] = len(json.dumps({name: found[name]}))
    return found if sum(sizes.values()) <= MOST else {"too many": len(found)}


def _plain(value: Any) -> Any:
    try:
        text = json.dumps(value, default=text_of, allow_nan=False)
        return safe_json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be shown: {text_of(error)}"


def _read(text: str | None) -> dict[str, Any]:
    if not text or f'"{_MEMBER}"' not in text:
        return {}
    try:
        found = safe_json.loads(text)
    except ValueError:
        return {}
    values = found.get(_MEMBER) if isinstance(found, dict) else None
    return values if isinstance(values, dict) else {}
