"""Chance that a turn of a list is spent on a count, so that a fleet stays within its budget. Pure.

Rules:

1. Every list has a turn once an interval. A host alone counts at each.
2. The hosts of a fleet share ``FLEET_RATE`` counts a second: each counts by chance, so that no
   two have to agree. Where that is less than one count an interval for each list, some list is
   counted by one of them on average.
3. The hosts that count in the same interval divide the answer among themselves (``counting``).
4. A refused count halves the chance; each accepted one takes back a tenth of the factor's first
   step. So a fleet that does not know its size finds the account's rate (AIMD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

FLEET_RATE = 1.0
"""Counts a second of all hosts together; an account has 6 for all of its flows, stacks and people
(SWF Developer Guide, quotas)."""

HIGHEST_FACTOR = 256.0
"""Bound of the factor: a host counts a list once in two hours, by intervals of 30 s."""

RELIEF = 0.1
"""The amount that an accepted count takes from the factor."""


@dataclass
class CountPace:
    """The chance of a count, for the lists of one host.

    Attributes:
        hosts: Hosts that count these lists, this one included.
        lists: Lists that each of them counts.
        interval: Seconds between two turns of one list.
        factor: What refusals divide the chance by; 1 or more.
    """

    hosts: int
    lists: int
    interval: float
    factor: float = 1.0

    @property
    def counting(self) -> float:
        """Hosts that count one list in the same interval, on average; at least 1."""
        return max(1.0, self.hosts * self._share)

    @property
    def _share(self) -> float:
        if self.hosts <= 1:
            return 1.0
        return min(1.0, FLEET_RATE * self.interval / (self.hosts * self.lists))

    def is_due(self, random: Random) -> bool:
        """Whether this turn is spent on a count."""
        return random.random() < self._share / self.factor

    def wait(self, random: Random) -> float:
        """Seconds to the turn of the next list, drawn so that hosts do not fall into step."""
        return self.interval / self.lists * random.uniform(0.5, 1.5)

    def note_accepted(self) -> None:
        """A count was answered."""
        self.factor = max(1.0, self.factor - RELIEF)

    def note_refused(self) -> None:
        """A count was refused: the account has no budget left."""
        self.factor = min(HIGHEST_FACTOR, self.factor * 2.0)
