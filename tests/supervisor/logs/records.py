"""Log records for the tests of this folder."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def record(
    message: str,
    *,
    logger: str = "supervisor",
    level: int = logging.INFO,
    error: BaseException | None = None,
    **facts: Any,
) -> logging.LogRecord:
    """A record of the first second of 1970, with these facts."""
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(logger, level, "x.py", 1, "%s", (message,), info)
    made.created, made.msecs, made.facts = 1.25, 250.0, facts
    return made


def raised(call: Callable[[], object]) -> BaseException:
    """The error that a call raises, with its traceback."""
    try:
        call()
    except BaseException:  # noqa: BLE001 - it is handed on
        error = sys.exception()
        assert error is not None
        return error
    raise AssertionError("nothing was raised")
