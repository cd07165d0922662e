"""The standard error stream is kept and still written."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING

from supervisor import tee

if TYPE_CHECKING:
    import pytest


def test_what_is_written_is_noted_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints, log lines of handlers set up before, and attributes reach the stream as ever."""
    stream, noted = io.StringIO(), list[str]()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(logging.root, "handlers", [handler])
    tee.install(noted.append)
    print("printed", file=sys.stderr)  # noqa: T201 - what is tested
    logging.getLogger("of a task").warning("logged")
    assert "".join(noted) == stream.getvalue() == "printed\nlogged\n"
    assert sys.stderr.isatty() is False
