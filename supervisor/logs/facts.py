"""Facts of log records: ``key=value`` in text, members in JSON.

Rules of this file:

1. Facts of the process stand on all its lines, and before those of the record.
2. Text leaves a fact out if the line shows it already: a text that stands in the sentence or in an
   earlier fact as a whole, a number beside its name (``generation 3``, ``3 workers``), a duration
   in seconds.
3. ``event`` and ``why`` are for programs: the sentence has them in words.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from supervisor.logs.control_characters import escape
from supervisor.logs.safe_text import text_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

process_facts: dict[str, Any] = {}
"""Facts of this process and of its task."""

_FOR_PROGRAMS = ("event", "why")

_ROUNDING = 0.06
"""Seconds by which a sentence that shows one decimal may differ from its fact."""


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """The facts of the process and of the record that have a value."""
    facts = {**process_facts, **getattr(record, "facts", {})}
    return {key: value for key, value in facts.items() if value not in (None, "")}


def shown_facts(sentence: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """``key=value`` for each fact that the line does not show already."""
    shown = sentence.lower()
    for key, value in facts.items():
        if key in _FOR_PROGRAMS or _is_shown(key, value, shown):
            continue
        yield f"{key}={_quoted(escape(text_of(value)))}"
        shown += f" {text_of(value).lower()}"


def _is_shown(key: str, value: Any, shown: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _is_number_shown(key, value, shown)
    return _stands_in(text_of(value).lower(), shown)


def _is_number_shown(key: str, value: float, shown: str) -> bool:
    if key == "seconds":
        found = re.findall(r"([\d.]*\d) s\b", shown)
        return any(abs(float(each) - value) < _ROUNDING for each in found)
    name = key.removesuffix("_id").replace("_", " ")
    pairs = (f"{name} {value}", f"{value} {name}", f"{value} {name}s")
    return any(_stands_in(each, shown) for each in pairs)


def _stands_in(text: str, whole: str) -> bool:
    """Whether a text is in another and does not end within a word there; without a regex: quick."""
    start = whole.find(text)
    while start >= 0:
        end = start + len(text)
        if not (_continues(whole[max(start - 1, 0) : start]) or _continues(whole[end : end + 1])):
            return True
        start = whole.find(text, start + 1)
    return False


def _continues(character: str) -> bool:
    return character.isalnum() or character in ("_", "-")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "') else text
