"""Forked children of users' code: they never go on in the loop of their parent.

Rules:

1. A child that returns or raises where its parent goes on would answer SWF in the parent's name,
   and then poll. It ends here instead, with one log line.
2. It ends by ``os._exit``: exit handlers and open transactions belong to the parent.
3. Its exit code is that of a program: 0 if it returned, 1 if it raised, its own after ``sys.exit``.
"""

import contextlib
import logging
import os
import sys
from types import TracebackType
from typing import NoReturn

from garcon.user_code.text import text_of, type_name

_LOGGER = logging.getLogger("garcon")


class ParentOnly:
    """A block of users' code: a child that it forks ends where the block ends.

    Args:
        what: The code, for the log line.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._process = os.getpid()

    def __enter__(self) -> None:
        """Nothing: the process is known."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the child; errors of the parent are raised as ever."""
        if os.getpid() != self._process:
            end_child(self._what, error)


def end_child(what: str, error: BaseException | None = None) -> NoReturn:
    """End this forked child.

    Args:
        what: The code that forked it.
        error: What it raised, if it did not return.
    """
    try:
        if not isinstance(error, SystemExit):
            how = f"raised {type_name(error)}: {text_of(error)}" if error else "returned"
            _LOGGER.warning(
                "A process forked by %s %s. It ends here; its parent goes on. A forked process has "
                "to end by os._exit().",
                what,
                how,
            )
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # closed, full, or replaced by the child
                stream.flush()
    finally:
        os._exit(_exit_code(error))


def _exit_code(error: BaseException | None) -> int:
    if not isinstance(error, SystemExit):
        return int(error is not None)
    code = error.code
    return code & 0xFF if isinstance(code, int) else int(code is not None)
