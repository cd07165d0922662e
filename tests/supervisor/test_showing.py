"""How commands print: within 80 columns, whatever they are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.commands import showing

words = st.text("abc ", max_size=60)


@given(st.lists(st.tuples(words, st.integers(0, 10**6).map(str), words.map(lambda w: w[:20]))))
def test_a_table_fits_the_terminal(rows: list[tuple[str, str, str]]) -> None:
    """The flexible column gives way, and every row has a line."""
    lines = showing.table(("a name", "n", "state"), rows, flexible=0)
    assert len(lines) == len(rows) + 1
    assert max(len(each) for each in lines) <= showing.WIDTH


def test_numbers_stand_right_and_text_left() -> None:
    """So that both can be compared at a glance."""
    rows = [("x", "1", "up"), ("longer", "100", "down")]
    assert showing.table(("list", "n", "state"), rows, flexible=0) == [
        "list      n  state",
        "x         1  up",
        "longer  100  down",
    ]


def test_long_sentences_are_broken_and_indented(capsys: pytest.CaptureFixture[str]) -> None:
    """A word is never broken: it may be an id that somebody copies."""
    showing.prose(f"08:00:00 INFO    {'word ' * 30}\n  why: {'x' * 90} end", indent=" " * 17)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(" " * 17 + "word")
    assert [each.strip() for each in lines if len(each) > showing.WIDTH] == ["x" * 90]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (9000, "2.5 h"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """As fine as they matter."""
    assert showing.duration(seconds) == text


def test_what_is_too_long_says_so() -> None:
    """With an ellipsis within the width."""
    assert showing.short("x" * 100, 10) == "x" * 9 + "…"
    assert showing.short("x" * 10, 10) == "x" * 10
