"""JSON that others wrote, parsed safely.

Anyone who may start an execution or answer a task chooses these texts, so no text may harm its
reader. It is parsed as JSON and nothing else: never imported, unpickled or evaluated. Its depth is
measured first: SWF's 32,768 characters hold more brackets than Python allows nested calls, and a
value that can just be parsed may be too deep to be copied or encoded again.
"""

import json
import math
import re
from typing import Any

from garcon.errors import GarconError

DEPTH = 100
"""Levels of nested lists and objects: real data has about ten, and copying one level takes up to
three of Python's thousand nested calls."""

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class TooDeep(GarconError, ValueError):
    """A JSON text has more than ``DEPTH`` levels of nested lists and objects."""


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        TooDeep: It has more than ``DEPTH`` levels.
        ValueError: It is not JSON.
    """
    if is_too_deep(text):
        raise TooDeep(f"it is nested more than {DEPTH} levels deep")
    return json.loads(text)


def loads_strictly(text: str) -> Any:
    """The value of a JSON text whose numbers are finite: JSON has no others, Python reads some.

    Raises:
        TooDeep: It has more than ``DEPTH`` levels.
        ValueError: It is not JSON, or holds NaN, infinity or a number that only infinity can hold.
    """
    if is_too_deep(text):
        raise TooDeep(f"it is nested more than {DEPTH} levels deep")
    return _STRICT.decode(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def is_too_deep(text: str) -> bool:
    """Whether a JSON text has more than ``DEPTH`` levels; brackets within strings do not count."""
    if text.count("[") + text.count("{") <= DEPTH:  # nearly always true, and quick
        return False
    level = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        level += 1 if bracket[0] in "[{" else -1
        if level > DEPTH:
            return True
    return False
