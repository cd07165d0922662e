"""What a restart may cost beside the pool, and which histories new code has to fit, as written."""

from __future__ import annotations

import pytest

from supervisor import histories, surges


@pytest.mark.parametrize(
    ("text", "seats", "beside"),
    [("4", 64, 4), ("4", 2, 4), ("100%", 64, 64), ("25%", 64, 16), ("25%", 65, 17), ("1%", 5, 1)],
)
def test_a_surge_is_a_number_or_a_share(text: str, seats: int, beside: int) -> None:
    """A share is of all seats, rounded up."""
    assert surges.parse(text).of(seats) == beside


def test_a_share_of_nothing_is_one() -> None:
    """A restart may always go on."""
    assert surges.parse("50%").of(0) == 1


@pytest.mark.parametrize("text", ["", "0", "0%", "-1", "1.5", "half", "%", "5 %"])
def test_no_surge_is_refused(text: str) -> None:
    """Nothing beside the pool would mean that a restart never ends."""
    with pytest.raises(ValueError, match="expected a number of processes such as 4"):
        surges.parse(text)


def test_histories_are_a_folder_or_the_latest() -> None:
    """A folder is any text but ``last:`` and a number."""
    assert histories.parse("last:20").last == 20
    assert histories.parse("tests/last").last is None
    assert histories.parse("tests/last") == "tests/last"


@pytest.mark.parametrize("text", ["", "last:", "last:0", "last:-1", "last:many"])
def test_no_histories_are_refused(text: str) -> None:
    """A gate that looks at nothing is a mistake."""
    with pytest.raises(ValueError, match="expected a folder of histories, or last:N"):
        histories.parse(text)
