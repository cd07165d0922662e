"""The program's outermost edge."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from supervisor import __main__, options
from supervisor.__main__ import main

if TYPE_CHECKING:
    import pytest


def test_a_fault_of_our_own_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """70 with a traceback: no service manager takes it for work that was left behind."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(options, "read", fail)
    assert main(["--check"]) == 70
    assert "a fault of its own" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_failure_whose_reader_has_gone_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code tells it, though nobody reads the sentence."""
    reader, writer = os.pipe()
    os.close(reader)

    def refuse() -> int:
        sys.stdout.write("The deploy was given up.\n")
        return 1

    with os.fdopen(writer, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert __main__._answer(refuse) == 1
