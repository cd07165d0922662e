"""A standard error stream whose last lines are kept: the worker's, for after its death.

What C code writes to the descriptor by itself passes it by; ``faulthandler`` covers the worst.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Tee:
    """Writes to the stream, and tells ``note`` what was written; all else is the stream's."""

    def __init__(self, stream: TextIO, note: Callable[[str], None]) -> None:
        self._stream = stream
        self._note = note

    def write(self, text: str) -> int:
        """Note it first: writing may block or fail."""
        self._note(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def install(note: Callable[[str], None]) -> None:
    """Let ``sys.stderr``, and the root logger's handlers that write to it, tell ``note``."""
    stream = sys.stderr
    tee = cast("TextIO", Tee(stream, note))
    for handler in logging.root.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream:
            handler.setStream(tee)
    sys.stderr = tee
