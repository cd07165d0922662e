"""Texts of users' objects: ``str``, ``repr`` and tracebacks that cannot fail.

The text of an object is code of its class, which may raise anything.
"""

import contextlib
import traceback
from typing import Any

_name_of_type: Any = type.__dict__["__name__"].__get__
"""The name of a type; a metaclass cannot override it."""


def text_of(value: object) -> str:
    """``str`` of anything; the name of its type if that raises."""
    try:
        return str.__str__(str(value))  # a plain one: a subclass of ``str`` has methods of its own
    except BaseException:  # noqa: BLE001 - the user's code
        return type_name(value)


def repr_of(value: object) -> str:
    """``repr`` of anything; the name of its type in angle brackets if that raises."""
    try:
        return str.__str__(repr(value))
    except BaseException:  # noqa: BLE001 - the user's code
        return f"<{type_name(value)}>"


def type_name(value: object) -> str:
    """The name of an object's type."""
    return str(_name_of_type(type(value)))


def loggable(error: BaseException) -> object:
    """The error itself as a log message; the name of its type if its text raises."""
    try:
        str(error)
    except BaseException:  # noqa: BLE001 - the user's code
        return type_name(error)
    return error


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception; without its causes if they cannot be written."""
    with contextlib.suppress(BaseException):  # notes, causes and attributes may be code too
        return "".join(traceback.format_exception(error))
    frames: Any = BaseException.__dict__["__traceback__"].__get__(error)
    head = "Traceback (most recent call last):\n"
    return f"{head}{''.join(traceback.format_tb(frames))}{type_name(error)}: {text_of(error)}\n"
