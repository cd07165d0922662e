"""Settings with a notation of their own are read as they are documented, and print so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.setting_types import HistorySource, MemorySize, PollBounds, PoolBounds, Surge

# --- memory sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 << 20),
        ("2GiB", 2 << 30),
        ("1.5 GiB", 3 << 29),
        ("2g", 2 << 30),
        ("64k", 64 << 10),
        ("1TiB", 1 << 40),
        ("1048576", 1 << 20),
        ("100B", 100),
    ],
)
def test_a_size_has_a_unit_or_is_bytes(text: str, size: int) -> None:
    """Units are powers of 1024, in either case, with a space or without."""
    assert MemorySize.parse(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "512MB", "-1MiB", "1e9", "5 apples", "0", "0GiB"])
def test_an_invalid_size_raises(text: str) -> None:
    """Text that is not a size, is zero, or has two meanings raises ``ValueError``."""
    with pytest.raises(ValueError, match="expected a size such as 512MiB"):
        MemorySize.parse(text)


@given(st.integers(1, 9999), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_a_size_is_printed_as_it_can_be_written(number: int, unit: str) -> None:
    """A printed size parses to the same within its four digits."""
    size = MemorySize.parse(f"{number}{unit}")
    assert MemorySize.parse(str(size)) == pytest.approx(size, rel=1e-3)
    assert isinstance(size, MemorySize)


# --- pool bounds ----------------------------------------------------------------------------------


def test_bounds_include_both_ends() -> None:
    """A size outside the bounds becomes the nearest within."""
    bounds = PoolBounds.parse(" 01..8 ")
    assert (bounds, bounds.least, bounds.most) == ("1..8", 1, 8)
    assert [bounds.clamp(size) for size in (0, 1, 5, 8, 9)] == [1, 1, 5, 8, 8]


@pytest.mark.parametrize("text", ["", "8", "8..1", "0..0", "-1..2", "1..", "1...2"])
def test_invalid_bounds_raise(text: str) -> None:
    """Bounds that no pool fits raise ``ValueError``."""
    with pytest.raises(ValueError, match=r"expected bounds such as 1\.\.8"):
        PoolBounds.parse(text)


@pytest.mark.parametrize("text", ["1..8", "3..3", "all"])
def test_bounds_of_polls_print_as_they_are_written(text: str) -> None:
    """``all`` takes the place of bounds."""
    assert str(PollBounds.parse(text)) == text
    assert PollBounds.parse(text).is_all == (text == "all")


@pytest.mark.parametrize("text", ["0..8", "8..1", "every", ""])
def test_a_list_without_a_poll_is_refused(text: str) -> None:
    """No task of it would ever be served; quiet is for that."""
    with pytest.raises(ValueError, match=r"expected bounds"):
        PollBounds.parse(text)


# --- surge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "slots", "beside"),
    [("4", 64, 4), ("4", 2, 4), ("100%", 64, 64), ("25%", 64, 16), ("25%", 65, 17), ("1%", 5, 1)],
)
def test_a_surge_is_a_number_or_a_share(text: str, slots: int, beside: int) -> None:
    """A share is of all slots, rounded up."""
    assert Surge.parse(text).of(slots) == beside


def test_a_share_of_no_slots_is_one() -> None:
    """A restart can always go on."""
    assert Surge.parse("50%").of(0) == 1


@pytest.mark.parametrize("text", ["", "0", "0%", "-1", "1.5", "half", "%", "5 %"])
def test_an_invalid_surge_raises(text: str) -> None:
    """A restart that may run no process beside the pool would never end."""
    with pytest.raises(ValueError, match="expected a number of processes such as 4"):
        Surge.parse(text)


# --- histories ------------------------------------------------------------------------------------


def test_histories_are_a_folder_or_the_latest() -> None:
    """A folder is any text but ``last:`` and a number."""
    assert HistorySource.parse("last:20").last == 20
    assert HistorySource.parse("tests/last").last is None
    assert HistorySource.parse("tests/last") == "tests/last"


@pytest.mark.parametrize("text", ["", "last:", "last:0", "last:-1", "last:many"])
def test_an_invalid_source_of_histories_raises(text: str) -> None:
    """A gate that replays no history is a mistake."""
    with pytest.raises(ValueError, match="expected open:N or last:N with N from 1"):
        HistorySource.parse(text)
