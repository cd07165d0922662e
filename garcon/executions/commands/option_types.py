"""Values of options and arguments, checked where they are read.

Each function takes the text and returns the value, or raises ``argparse.ArgumentTypeError`` with
what is wrong with it. No text may be empty: it mostly comes from a shell variable that is not set,
and must not change what a command acts on.
"""

import math
from argparse import ArgumentTypeError
from urllib.parse import urlsplit

from garcon.aws.limits import PRIORITIES
from garcon.executions.criteria import span_seconds


def text(value: str) -> str:
    """Any text but an empty one."""
    if not value:
        raise ArgumentTypeError("the value is empty; give one, or leave the option out")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ArgumentTypeError(f"{value[:80]!r} is not UTF-8 text") from error
    return value


def seconds(value: str) -> float:
    """A finite number of seconds above 0."""
    return _above_zero(value, "a number of seconds above 0")


def days(value: str) -> float:
    """A finite number of days above 0."""
    return _above_zero(value, "a number of days above 0")


def span(value: str) -> float:
    """A span of time such as ``90s`` or ``2h``, in seconds above 0."""
    found = span_seconds(value)
    if not found:
        raise ArgumentTypeError(f"{value!r} is not a span such as 90s, 10min, 3h or 2d")
    return found


def count(value: str) -> int:
    """A whole number from 1 on."""
    return _whole_number(value, 1, None, "a whole number from 1 on")


def port(value: str) -> int:
    """A TCP port; 0 stands for a free one."""
    return _whole_number(value, 0, 65_535, "a port from 0 to 65535")


def priority(value: str) -> int:
    """A priority that SWF takes."""
    least, most = PRIORITIES[0], PRIORITIES[-1]
    return _whole_number(value, least, most, f"a whole number from {least} to {most}")


def address(value: str) -> str:
    """An ``http`` or ``https`` address of a server."""
    try:
        parts = urlsplit(text(value))
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and parts.port != 0  # reading the port checks it
    except ValueError:
        is_address = False
    if not is_address:
        raise ArgumentTypeError(f"{value!r} is not an address such as http://127.0.0.1:8042")
    return value


def _above_zero(value: str, what: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"{value!r} is not {what}")
    return number


def _whole_number(value: str, least: int, most: int | None, what: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least or (most is not None and number > most):
        raise ArgumentTypeError(f"{value!r} is not {what}")
    return number
