"""The screen of the tests obeys its control sequences as a terminal does."""

from __future__ import annotations

import pytest

from tests.supervisor.sidecars.vt100 import Screen


def screen(text: str) -> Screen:
    """A screen of four lines and five columns, after this text."""
    made = Screen(4, 5)
    made.feed(text)
    return made


def test_lines_scroll_off_the_top() -> None:
    """They stay in its history, and the text has all of them."""
    shown = screen("a\nb\nc\nd\ne")
    assert (shown.history, shown.rows) == (["a"], ["b", "c", "d", "e"])
    assert shown.text().split() == ["a", "b", "c", "d", "e"]


def test_a_full_row_goes_on_in_the_next_one() -> None:
    """The text joins both again; a line break right after a full row is one break."""
    shown = screen("abcdefg\n")
    assert shown.rows == ["abcde", "fg", "", ""]
    assert shown.text().startswith("abcdefg\n")
    assert screen("abcde\nf").rows == ["abcde", "f", "", ""]


def test_only_the_region_scrolls() -> None:
    """Rows below it stay; a new region puts the cursor home, and none means the whole screen."""
    shown = screen("\x1b[4;1Hlow\x1b[1;2ra\nb\nc")
    assert (shown.history, shown.rows, shown.region) == (["a"], ["b", "c", "", "low"], (0, 1))
    shown.feed("\x1b[rX")
    assert (shown.region, shown.rows[0]) == ((0, 3), "X")


def test_the_cursor_moves_and_returns() -> None:
    """To a row and column, up, to the row's begin, and back to where it was saved."""
    assert screen("\x1b[2;3Hx").rows == ["", "  x", "", ""]
    assert screen("a\nb\x1b[1Ac").rows == ["ac", "b", "", ""]
    assert screen("ab\rc").rows == ["cb", "", "", ""]
    assert screen("a\x1b7\x1b[3;1Hb\x1b8c").rows == ["ac", "", "b", ""]


def test_rows_are_erased() -> None:
    """One whole row, or all behind the cursor."""
    assert screen("abc\nd\x1b[1A\x1b[K").rows == ["", "d", "", ""]
    assert screen("abc\nde\nf\x1b[2;2H\x1b[J").rows == ["abc", "d", "", ""]


def test_colours_leave_no_mark_and_others_are_an_error() -> None:
    """A sequence that it does not know cannot be drawn wrongly in silence."""
    assert screen("\x1b[1;31mred\x1b[0m").rows[0] == "red"
    with pytest.raises(AssertionError, match="letter B"):
        screen("\x1b[2B")
