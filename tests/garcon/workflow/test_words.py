"""Texts for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.workflow.words import cells, duration, fit, printable


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.00 s"),
        (0.004, "0.00 s"),
        (9.99, "9.99 s"),
        (10, "10.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3_600, "1 h"),
        (10_980, "3 h 3 min"),
        (187_200, "2 d 4 h"),
        (31_536_000, "365 d"),
    ],
)
def test_a_length_of_time_is_told_in_two_units_at_most(seconds: float, said: str) -> None:
    """Short ones with decimals."""
    assert duration(seconds) == said


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_fitted_text_has_the_width_asked_for(text: str, width: int) -> None:
    """Wide and combining characters are counted as terminals count them."""
    assert cells(fit(text, width)) == width


def test_columns_are_counted_as_terminals_do() -> None:
    """An accent takes none, a wide letter two."""
    assert [cells(each) for each in ("e\u0301", "日", "e", "")] == [1, 2, 1, 0]


def test_a_text_that_fits_is_left_whole() -> None:
    """Another ends in an ellipsis."""
    assert (fit("tea", 5), fit("teapot", 5), fit("日本語", 5)) == ("tea  ", "teap…", "日本…")


@given(st.text(max_size=60))
def test_a_printable_text_is_one_line_without_orders(text: str) -> None:
    """No escape, no line end, nothing that turns the direction of writing."""
    assert printable(text).isprintable()


def test_printable_keeps_what_people_wrote() -> None:
    """Letters of any script stay; line ends become spaces."""
    assert (
        printable("No\n  beans, señor + 豆\x1b[0m")
        == "No beans, señor + 豆\N{REPLACEMENT CHARACTER}[0m"
    )
