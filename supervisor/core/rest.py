"""How long to wait before the next try.

1. The first end is followed by a new try at once: it says nothing about the next. What had lasted
   begins anew.
2. Every early end after another makes the rest longer by ``rest_factor``, up to ``rest_cap``.
3. Jitter takes up to half of it away. What died together (an outage of a thing all need) must not
   come back together; and the cap stays a promise, which it would not if jitter could add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from supervisor.settings import Settings

_LONG_AGO = 64
"""Early ends in a row beyond which the cap holds anyway: keeps the power a finite float."""


def rest(settings: Settings, early_ends: int, jitter: Random) -> float:
    """Seconds of rest after this many early ends in a row."""
    if early_ends == 0:
        return 0.0
    grown = settings.rest_initial * settings.rest_factor ** min(early_ends - 1, _LONG_AGO)
    return jittered(min(grown, settings.rest_cap), jitter)


def jittered(seconds: float, jitter: Random) -> float:
    """Between half of it and all of it."""
    return seconds * jitter.uniform(0.5, 1.0)
