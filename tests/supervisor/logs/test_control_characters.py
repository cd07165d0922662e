"""Control characters are made visible, and nothing else changes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.logs.control_characters import escape, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("abc\u202edef\u2066", r"abc\u202edef\u2066"),
        ("Grüße, 世界 👍", "Grüße, 世界 👍"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    """Line breaks, escape sequences and bidirectional controls become visible letters."""
    assert escape(text) == shown


@given(st.text())
def test_any_text_becomes_one_line_without_controls(text: str) -> None:
    """No character of the category Cc is left, and ``splitlines`` finds one line at most."""
    shown = escape(text)
    assert not [each for each in shown if unicodedata.category(each) == "Cc"]
    assert len(shown.splitlines()) <= 1


def test_a_line_of_a_terminal_loses_its_colours() -> None:
    """The last lines of a dead worker are shown without colours; other sequences are escaped."""
    assert (
        plain("\x1b[2m10:15:02\x1b[0m \x1b[1;31mERROR\x1b[0m x\x1b[2J")
        == r"10:15:02 ERROR x\x1b[2J"
    )
