"""The program's outermost edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import options
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
