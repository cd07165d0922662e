"""Commands print within 80 columns, whatever the supervisor sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli.commands import formatting

if TYPE_CHECKING:
    import pytest

words = st.text("abc ", max_size=60)


@given(st.lists(st.tuples(words, st.integers(0, 10**6).map(str), words.map(lambda w: w[:20]))))
def test_a_table_fits_the_terminal(rows: list[tuple[str, str, str]]) -> None:
    """The flexible column is shortened, and every row has a line."""
    lines = formatting.table(("a name", "n", "state"), rows, flexible=0)
    assert len(lines) == len(rows) + 1
    assert max(len(each) for each in lines) <= formatting.WIDTH


def test_numbers_are_aligned_right_and_texts_left() -> None:
    """Both can be compared at a glance."""
    rows = [("x", "1", "up"), ("longer", "100", "down")]
    assert formatting.table(("list", "n", "state"), rows, flexible=0) == [
        "list      n  state",
        "x         1  up",
        "longer  100  down",
    ]


def test_long_sentences_are_wrapped_and_indented(capsys: pytest.CaptureFixture[str]) -> None:
    """A word is never broken: it may be an id that a user copies."""
    formatting.print_prose(
        f"08:00:00 INFO    {'word ' * 30}\n  why: {'x' * 90} end", indent=" " * 17
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(" " * 17 + "word")
    assert [each.strip() for each in lines if len(each) > formatting.WIDTH] == ["x" * 90]


def test_a_long_text_ends_in_an_ellipsis() -> None:
    """It has the width at most; a shorter text stays as it is."""
    assert formatting.shorten("x" * 100, 10) == "x" * 9 + "…"
    assert formatting.shorten("x" * 10, 10) == "x" * 10


def test_what_the_supervisor_sends_obeys_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are escaped; only the indented lines of a report are lines."""
    formatting.print_prose("Drained.\n  died  a\nforged\x1b[2J")
    formatting.print_lines(["killed by \x1b[31m\rSIGKILL"])
    assert capsys.readouterr().out.splitlines() == [
        "Drained.",
        r"  died  a\nforged\x1b[2J",
        r"killed by \x1b[31m\rSIGKILL",
    ]
