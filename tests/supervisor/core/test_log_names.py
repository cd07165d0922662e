"""Texts that log lines and commands share."""

from __future__ import annotations

import pytest

from supervisor.core import log_names


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
    """Short durations have a decimal, long ones a larger unit."""
    assert log_names.duration(seconds) == text
