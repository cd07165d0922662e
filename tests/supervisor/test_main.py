"""The outermost edge of the program: errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from supervisor import __main__
from supervisor.__main__ import main
from supervisor.cli import sources

if TYPE_CHECKING:
    import pytest


def test_an_internal_error_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is 70, with a traceback: a service manager does not take it for abandoned tasks."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sources, "read", fail)
    assert main(["--check"]) == 70
    assert "Internal error: the supervisor exits." in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_exit_code_holds_if_the_reader_has_closed_the_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that failed exits with its code, though its error cannot be written."""
    reader, writer = os.pipe()
    os.close(reader)

    def fail() -> int:
        sys.stdout.write("The deploy has failed.\n")
        return 1

    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert __main__._print_answer(fail) == 1
