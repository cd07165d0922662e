"""Texts of objects in log records, which cannot fail.

Tasks log objects of their own, and ``str`` of an object is code of its class. (``garcon`` has the
same function; neither package imports the other's.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def text_of(value: object) -> str:
    """``str`` of anything; the name of its type if that raises."""
    try:
        return str.__str__(str(value))  # a plain one: a subclass of ``str`` has methods of its own
    except BaseException:  # noqa: BLE001 - the user's code
        return type(value).__name__


def message(record: logging.LogRecord) -> str:
    """The record's message; without its arguments if these cannot be put into it."""
    try:
        return str.__str__(record.getMessage())
    except BaseException as error:  # noqa: BLE001 - the user's code
        return f"{text_of(record.msg)} (its arguments cannot be shown: {type(error).__name__})"
