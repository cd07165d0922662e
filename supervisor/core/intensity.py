"""When deaths are too many to be accidents.

A pure function from a list of times to a verdict, after Erlang/OTP's restart intensity: the times
are kept, so that no counter has to be reset at the right moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def recent(times: Iterable[float], now: float, period: float) -> list[float]:
    """The times that lie within the last ``period`` seconds."""
    return [each for each in times if each > now - period]


def too_many(times: Iterable[float], now: float, period: float, allowed: int) -> bool:
    """Whether more than ``allowed`` of the times lie within the last ``period`` seconds."""
    return len(recent(times, now, period)) > allowed
