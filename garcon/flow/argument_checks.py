"""Checks of durations, priorities and numbers of retries in a flow.

They refuse a wrong one where the flow is imported, not in the decision that would send it to SWF
weeks later.
"""

import math
import reprlib
from collections.abc import Iterable
from typing import Any, SupportsIndex

from garcon.aws import limits
from garcon.errors import InvalidFlow
from garcon.retry import Retry
from garcon.user_code.text import repr_of


def check_seconds(value: Any, what: str) -> None:
    """Check a duration.

    Args:
        value: Seconds; ``None`` if it was not given.
        what: Its name in the error, such as "The task cook: timeout=".

    Raises:
        InvalidFlow: It is not a number above 0.
    """
    if value is not None and not (_is_number(value) and 0 < value < math.inf):
        raise InvalidFlow(f"{what} has to be a number of seconds above 0, not {shown(value)}.")


def seconds_given(value: Any, what: str) -> Any:
    """The seconds that a runner of the user's own gives: a number, or its text as documented.

    Args:
        value: The seconds; a mock of a user's test is returned as it is.
        what: Its name in the error, such as "The runner of the activity cook: timeout()".

    Raises:
        InvalidFlow: It is neither.
    """
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if number is None:
        raise InvalidFlow(f"{what} has to give a number of seconds, not {shown(value)}.")
    return number


def check_retry(value: Any, what: str) -> None:
    """Check a number of retries, or a ``Retry``.

    Args:
        value: The option ``retry`` of an activity.
        what: Its name in the error, such as "The activity cook: retry=".

    Raises:
        InvalidFlow: It is neither.
    """
    if isinstance(value, Retry) or (_is_whole_number(value) and value >= 0):
        return  # as in 1.1.1, 2.0 and True are numbers of retries, too
    raise InvalidFlow(f"{what} has to be a whole number from 0, or a Retry, not {shown(value)}.")


def check_priority(value: Any, what: str) -> None:
    """Check a priority.

    Args:
        value: The option ``priority`` of an activity; ``None`` if it was not given.
        what: Its name in the error, such as "The activity cook: priority=".

    Raises:
        InvalidFlow: SWF takes no such priority.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InvalidFlow(f"{what} has to be a whole number, not {shown(value)}.")
    if fault := limits.priority_fault(value.__index__()):
        raise InvalidFlow(f"{what} {shown(value)}: {fault}")


def check_tasks(given: Any, what: str) -> None:
    """Check what a task list gave.

    Args:
        given: Its tasks.
        what: Its name in the error, such as "The task list dishes".

    Raises:
        InvalidFlow: It is not several tasks.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidFlow(f"{what} gave {shown(given)}; a task list gives tasks.")


def check_task(fn: Any) -> None:
    """Check a task before it is called.

    Raises:
        InvalidFlow: It cannot be called.
    """
    if not callable(fn):
        raise InvalidFlow(f"A task is a function, and {shown(fn)} is not.")


def shown(value: Any) -> str:
    """A short text of any value, for sentences."""
    try:
        return reprlib.repr(value)
    except BaseException:  # noqa: BLE001 - the user's code
        return repr_of(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
