"""A token bucket as a pure function.

A bucket holds at most `size` tokens, is full at first, gains `refill` tokens a second, and each
attempt takes one; an attempt that finds none takes nothing.
"""

from typing import NamedTuple


class Rate(NamedTuple):
    """A kind of bucket: tokens it holds, tokens it gains a second."""

    size: float
    refill: float


class Bucket(NamedTuple):
    """A bucket as it was left: tokens in it, at which second."""

    level: float
    at: float


def take(bucket: Bucket | None, rate: Rate, now: float) -> tuple[Bucket, bool]:
    """The bucket after an attempt to take one token, and whether it succeeded."""
    level = rate.size if bucket is None else bucket.level + (now - bucket.at) * rate.refill
    level = min(level, rate.size)
    return (Bucket(level - 1, now), True) if level >= 1 else (Bucket(level, now), False)
