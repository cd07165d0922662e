"""The figures that a flow's author writes: durations and numbers of retries.

A wrong one is refused where it is written, not in the decision that would carry it to SWF weeks
later.
"""

import math
import reprlib
from typing import Any

from garcon.errors import InvalidFlow
from garcon.retry import Retry


def check_seconds(value: Any, what: str) -> None:
    """Refuse what is no duration; ``None`` stands for one that was not given.

    Args:
        value: Seconds.
        what: Names it in the error, as in "The task cook: its timeout".

    Raises:
        InvalidFlow: It is no number, or not above 0.
    """
    if value is not None and not (_is_number(value) and 0 < value < math.inf):
        raise InvalidFlow(f"{what} has to be a number of seconds above 0, not {shown(value)}.")


def check_retry(value: Any, what: str) -> None:
    """Refuse what is neither a number of retries nor a ``Retry``.

    Raises:
        InvalidFlow: It is not.
    """
    if isinstance(value, Retry) or (_is_whole(value) and value >= 0):
        return
    raise InvalidFlow(f"{what} has to be 0, a whole number above, or a Retry, not {shown(value)}.")


def shown(value: Any) -> str:
    """A value in a sentence: short, whatever it is."""
    return reprlib.repr(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
