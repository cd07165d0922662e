"""JSON that others wrote: data, read as JSON and nothing else, and no deeper than anybody means it.

Who may start an execution or answer a task chooses these texts, so no text may harm its reader.
Nothing is imported, unpickled or evaluated for its sake. Depth is measured before a text is parsed:
a hundred thousand brackets fit where a thousand calls are all that Python allows, and what can just
be parsed may be too deep to be copied or written again.
"""

import json
import re
from typing import Any

from garcon.errors import GarconError

DEPTH = 100
"""Levels of lists and objects in each other: data for people has ten, and copying a level takes
Python up to three of its thousand calls."""

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class TooDeep(GarconError, ValueError):
    """A JSON text has more than a hundred levels."""


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        TooDeep: It has more than ``DEPTH`` levels.
        ValueError: It is no JSON.
    """
    if is_too_deep(text):
        raise TooDeep(f"it is nested more than {DEPTH} levels deep")
    return json.loads(text)


def is_too_deep(text: str) -> bool:
    """Whether a JSON text has more than ``DEPTH`` levels; brackets within strings do not count."""
    if text.count("[") + text.count("{") <= DEPTH:  # nearly always, and quick
        return False
    level = 0
    for each in _BRACKET.finditer(_STRING.sub("", text)):
        level += 1 if each[0] in "[{" else -1
        if level > DEPTH:
            return True
    return False
