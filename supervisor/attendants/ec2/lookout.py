"""Looks at the metadata again and again; knows when to look next, and when to speak of trouble.

Rules of this file:

1. Who does not answer is not asked for the other items as well: the look is over. An item that is
   answered strangely is left out of the sight, and the others are looked at.
2. One line when trouble begins, one when it ends. Meanwhile looks go on, at rests that grow with
   jitter, and not far: a spot instance has two minutes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from supervisor import log
from supervisor.attendants.ec2.imds import NoAnswer, StrangeAnswer
from supervisor.attendants.ec2.notices import Item
from supervisor.messages import Instance

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from supervisor.attendants.ec2.imds import Imds
    from supervisor.attendants.ec2.notices import Sight

GROWTH = 1.5
MOST = 3.0
"""Looks are put off up to three times the interval: 15 of spot's 120 seconds."""


class Lookout:
    """One instance's.

    Args:
        imds: Where to look.
        interval: Seconds between two looks.
        dice: For the jitter.
    """

    def __init__(self, imds: Imds, interval: float, dice: Random) -> None:
        self.instance: Instance | None = None
        self.region = ""
        self._imds = imds
        self._interval = interval
        self._dice = dice
        self._failed = 0  # looks in a row
        self._since = 0.0

    def look(self, now: float) -> Sight:
        """What is there now; a look that fails brings nothing, or less."""
        sight: dict[Item, str | None] = {}
        try:
            strange = self._look(sight)
        except NoAnswer as error:
            strange = str(error)
        if strange:
            self._trouble(strange, now)
        else:
            self._fine(now)
        return sight

    def rest(self) -> float:
        """Seconds until the next look."""
        if not self._failed:
            return self._interval
        grown = min(GROWTH ** min(self._failed, 16), MOST)
        return self._interval * grown * self._dice.uniform(0.5, 1.0)

    def _look(self, sight: dict[Item, str | None]) -> str:
        """Fill the sight; returns the first strange answer."""
        strange = ""
        steps: list[Callable[[], None]] = [partial(self._see, sight, item) for item in Item]
        for step in (self._introduce, *steps):
            try:
                step()
            except StrangeAnswer as error:
                strange = strange or str(error)
        return strange

    def _see(self, sight: dict[Item, str | None], item: Item) -> None:
        sight[item] = self._imds.get(item)

    def _introduce(self) -> None:
        """Learn once which instance this is."""
        if self.instance is None:
            get = self._imds.get
            self.region = get("meta-data/placement/region") or ""
            self.instance = Instance(
                id=get("meta-data/instance-id") or "",
                zone=get("meta-data/placement/availability-zone") or "",
                life_cycle=get("meta-data/instance-life-cycle") or "",
            )

    def _trouble(self, why: str, now: float) -> None:
        if not self._failed:
            self._since = now
            facts = {"facts": {"event": "metadata_silent"}}
            log.LOGGER.warning(
                "%s. No notice is seen until it does; trying again. (In a container the instance's"
                " metadata hop limit must be 2 or more.)",
                why,
                extra=facts,
            )
        self._failed += 1

    def _fine(self, now: float) -> None:
        if self._failed:
            facts = {"facts": {"event": "metadata_back"}}
            lasted = now - self._since
            log.LOGGER.warning("Instance metadata answer again, after %.1f s.", lasted, extra=facts)
        self._failed = 0
