"""Errors of the command line are readable, and obey no escape sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.cli.failure import fail

if TYPE_CHECKING:
    import pytest


def test_an_error_goes_to_standard_error_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback keeps its lines; a line break and ESC in a name are escaped."""
    assert fail("There is no module 'a\nb\x1b[2J'.\n  Traceback", 3) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        r"supervisor: There is no module 'a\nb\x1b[2J'.",
        "  Traceback",
    ]
