"""Sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.sizes import Size, parse


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
    assert parse(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "512MB", "-1MiB", "1e9", "5 apples", "0", "0GiB"])
def test_nonsense_is_refused(text: str) -> None:
    """What is no size, or none at all, or means two things, raises ValueError."""
    with pytest.raises(ValueError, match="expected a size such as 512MiB"):
        parse(text)


@given(st.integers(1, 9999), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_a_size_is_printed_as_it_can_be_written(number: int, unit: str) -> None:
    """What is printed parses to the same within its four digits."""
    size = parse(f"{number}{unit}")
    assert parse(str(size)) == pytest.approx(size, rel=1e-3)
    assert isinstance(size, Size)
