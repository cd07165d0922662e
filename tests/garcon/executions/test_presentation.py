"""Words, colours, labels and scale of a timeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions.presentation import (
    COLOURS,
    LEGEND,
    SHORTEST,
    Tone,
    cells,
    duration,
    fit,
    printable,
    tick_label,
    ticks,
    title,
    tone,
    wrap,
)
from garcon.executions.timeline import BarKind, BarState

KEY = "0123456789abcdef0123456789abcdef01234567"


def test_every_state_has_a_tone_with_a_colour_and_a_word() -> None:
    """No bar is without a colour, and no colour is missing in the legend."""
    tones = {tone(kind, state) for kind in BarKind for state in BarState}
    assert tones == set(Tone) == set(LEGEND)
    assert tones <= COLOURS.keys()


@pytest.mark.parametrize(
    ("kind", "label", "name"),
    [
        (BarKind.ACTIVITY, "coffee_grind-1", "grind-1"),
        (BarKind.ACTIVITY, f"coffee_grind-{KEY}", "grind-01234567…"),
        (BarKind.ACTIVITY, "tea_grind-1", "tea_grind-1"),
        (BarKind.DECISION, "", "decisions"),
        (BarKind.TIMER, "coffee_break", "timer coffee_break"),
        (BarKind.CLOSING, "", "closing"),
    ],
)
def test_a_label_is_short(kind: BarKind, label: str, name: str) -> None:
    """An activity has no flow name and a short key; anything else has its kind in front."""
    assert title(kind, label, "coffee") == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.004, "0.00 s"),
        (9.99, "9.99 s"),
        (9.996, "10.0 s"),
        (10, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3_599.7, "1 h"),
        (3_600, "1 h"),
        (10_980, "3 h 3 min"),
        (187_200, "2 d 4 h"),
        (31_536_000, "365 d"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    """It is rounded before it is split into units, so that no minute has sixty seconds."""
    assert duration(seconds) == text


@given(st.floats(0, 3e8), st.sampled_from([1, 5, 8]))
def test_a_scale_has_few_round_marks(seconds: float, most: int) -> None:
    """It has zero and at most so many marks more, evenly, within the scale."""
    found = ticks(seconds, most)
    assert found[0] == 0
    assert len(found) <= most + 1
    assert found[-1] <= max(seconds, SHORTEST) * (1 + 1e-9)
    assert len(found) > 2 or seconds < 0.003 or most < 5  # a thousandth is the smallest step


@pytest.mark.parametrize(
    ("seconds", "step", "label"),
    [
        (0.05, 0.01, "0.01 s"),
        (24.5, 5.0, "5 s"),
        (70, 10.0, "10 s"),
        (4000, 600.0, "10 min"),
        (1e6, 172_800.0, "2 d"),
    ],
)
def test_marks_stand_where_clocks_have_them(seconds: float, step: float, label: str) -> None:
    """Steps are round numbers of seconds, minutes, hours or days."""
    assert ticks(seconds, 8)[1] == pytest.approx(step)
    assert tick_label(step) == label


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_fitted_text_has_the_width_asked_for(text: str, width: int) -> None:
    """Wide and combining characters count as on terminals."""
    assert cells(fit(text, width)) == width


@given(st.text(max_size=200), st.integers(4, 80))
def test_no_wrapped_line_is_too_wide(text: str, width: int) -> None:
    """Wide characters count as on terminals."""
    assert all(cells(line) <= width for line in wrap(printable(text), width))


def test_columns_are_counted_as_on_terminals() -> None:
    """An accent takes no column, a wide letter two."""
    assert [cells(each) for each in ("e\u0301", "日", "e", "")] == [1, 2, 1, 0]


def test_only_a_long_text_is_cut() -> None:
    """A text that fits stays whole, any other ends in an ellipsis."""
    assert (fit("tea", 5), fit("teapot", 5), fit("日本語", 5)) == ("tea  ", "teap…", "日本…")


@given(st.text(max_size=60))
def test_a_printable_text_has_no_control_characters(text: str) -> None:
    """No escape, no end of line, nothing that reverses the direction of writing is left."""
    assert printable(text).isprintable()


def test_printable_keeps_letters_of_any_script() -> None:
    """Letters stay; ends of lines become spaces, control characters a sign for them."""
    assert (
        printable("No\n  beans, señor + 豆\x1b[0m")
        == "No beans, señor + 豆\N{REPLACEMENT CHARACTER}[0m"
    )
