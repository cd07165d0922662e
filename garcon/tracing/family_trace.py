"""The trace of a family of runs, as histories carry it.

A *family* is a run, the runs that continue it, its children, and theirs. Its trace has the id that
is derived from its *root run*, the first run of the topmost ancestor.

Rules:

1. Two texts carry the id, in hexadecimal, and only of runs that are not their family's root: a note
   in the ``executionContext`` of an answer, for deciders; and a member of an activity's input, for
   its worker, to which SWF names no parent.
2. An input is extended as a text, a claim like any other: what a claim stands for may not depend on
   whether its decider traces. A comparison of inputs leaves the member out.
3. Tasks do not see the member, so it is not in a result either.
4. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from garcon.tracing import derived_ids
from garcon.tracing.seam import Run

KEY = "execution.trace"
"""The member of an activity's input."""

_NOTE = "trace"
_DIGITS = re.compile(r"(?!0+\Z)[0-9a-f]{32}")  # zero is the invalid id


def id_of(root: Run) -> str:
    """The id of the trace of a family, in hexadecimal."""
    return f"{derived_ids.trace_id(root):032x}"


def noted(context: str | None, trace: str) -> str:
    """An answer's ``executionContext`` with the note.

    Args:
        context: The context without it; ``None`` or empty for none.
        trace: The id.
    """
    return json.dumps({**json.loads(context or "{}"), _NOTE: trace})


def first_note(events: Iterable[Mapping[str, Any]]) -> str:
    """The id in the first answer that has a note; empty if none has.

    Args:
        events: Of a history, in any part and order.
    """
    for event in events:
        answer = event.get("decisionTaskCompletedEventAttributes") or {}
        if trace := _member(answer.get("executionContext"), _NOTE):
            return trace
    return ""


def extended(text: str, trace: str, most: int) -> str:
    """The text of an activity's input with the id.

    Args:
        text: JSON, or a claim for it. What is not an object stays as it is.
        trace: The id.
        most: Characters that SWF takes; a text that would be longer stays as it is.
    """
    value = _object(text)
    if value is None:
        return text
    separator = ", " if value else ""
    longer = f'{text.rstrip()[:-1]}{separator}"{KEY}": "{trace}"}}'
    return longer if len(longer) <= most else text


def of_input(text: str | None) -> str:
    """The id in the text of an activity's input; empty if it has none."""
    return _member(text, KEY)


def without(value: Any) -> Any:
    """A decoded input without the id."""
    if isinstance(value, Mapping) and KEY in value:
        return {name: member for name, member in value.items() if name != KEY}
    return value


def _member(text: str | None, name: str) -> str:
    if not isinstance(text, str) or f'"{name}"' not in text:
        return ""
    found = (_object(text) or {}).get(name)
    return found if isinstance(found, str) and _DIGITS.fullmatch(found) else ""


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
