"""What the instance's metadata say of its end: from what was seen, and when, to what is to be said.

1. A *sight* holds the items that a look has brought: their text, or None where there is none. What
   could not be looked at is not in it, and whatever was known of it still holds.
2. Every notice is told once: when it comes, when it changes, when it is gone again.
3. A drain is asked for once, and again when a nearer end is known. It does not turn back: workers
   have left, and a notice that is withdrawn may come again.
4. To be gone in time means a margin before the end, in which what is cut short is handed back. Of a
   notice that is too short for it the tasks get a quarter: handing back is the surer gain.
5. An end that is past is of an earlier life of the instance (a stop, a reboot): it is told, and
   nothing more. So is what makes no sense.

Sources: EC2 user guide, "Spot Instance interruption notices", "Rebalance recommendations",
"Scheduled events"; EC2 Auto Scaling user guide, "Retrieve the target lifecycle state".
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

from supervisor.messages import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Item(enum.StrEnum):
    """What is looked at; the value is its path below ``/latest/``."""

    SPOT = "meta-data/spot/instance-action"
    TARGET = "meta-data/autoscaling/target-lifecycle-state"
    REBALANCE = "meta-data/events/recommendations/rebalance"
    MAINTENANCE = "meta-data/events/maintenance/scheduled"


Sight = Mapping[Item, str | None]

OVER = {Item.SPOT: 600.0, Item.MAINTENANCE: 0.0}
"""Seconds after an end from which on it is of an earlier life. Spot's two minutes are a least; a
scheduled reboot may still be listed when it is over."""

SHARE = 0.25
"""Part of a short notice that the tasks get."""

IN_SERVICE, TERMINATED, WARM = "InService", "Terminated", "Warmed:"

ENDING = ("instance-stop", "instance-reboot", "instance-retirement", "system-reboot")
"""Scheduled events that end what runs; ``system-maintenance`` only disturbs it."""


@dataclass(frozen=True)
class Policy:
    """What the settings say; times in seconds."""

    margin: float
    maintenance_lead: float
    drain_on_rebalance: bool = False


@dataclass(frozen=True)
class Notice:
    """One thing that the instance is told.

    Attributes:
        item: Where it was seen.
        what: The notice in a few words.
        at: When the instance ends, in seconds since the epoch; None if that is not told.
        drains_at: From when on it is a reason to drain; None if it never is.
        key: Which one it is, where an item holds several.
    """

    item: Item
    what: str
    at: float | None = None
    drains_at: float | None = None
    key: str = ""

    def is_over(self, now: float) -> bool:
        """Whether its end is past, and we are still here."""
        return self.at is not None and self.at + OVER[self.item] < now


@dataclass(frozen=True)
class Drain:
    """Finish and be gone by ``by`` (seconds since the epoch), if that is told."""

    why: str
    by: float | None = None


@dataclass(frozen=True)
class Line:
    """One line for the log."""

    level: Level
    event: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)


def be_gone_by(at: float, margin: float, now: float) -> float:
    """When to be gone before an end."""
    return max(at - margin, now + SHARE * (at - now)) if at > now else at


class Notices:
    """What has been seen and said so far."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[Item, str], Notice] = {}
        self._strange: dict[Item, str] = {}
        self._served = False  # whether the group has had this instance in service
        self._draining = False
        self._by = inf  # when to be gone, as far as said

    def look(self, sight: Sight, now: float) -> list[Drain | Line]:
        """What is to be said after a look at ``now``, in seconds since the epoch."""
        said: list[Drain | Line] = []
        for item, text in sight.items():
            said += self._read(item, text, now)
        for notice in self._known.values():
            if notice.drains_at is not None and notice.drains_at <= now:
                said += self._drain(notice, now)
        return said

    @property
    def leaves_group(self) -> bool:
        """Whether the group has this instance on its way out."""
        target = self._known.get((Item.TARGET, ""))
        return target is not None and target.drains_at is not None

    # --- what has come, changed, gone

    def _read(self, item: Item, text: str | None, now: float) -> Iterator[Line]:
        try:
            found = [] if text is None else _READERS[item](self, text, now)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            yield from self._not_understood(item, str(text), error)
            return
        present = {(each.item, each.key): each for each in found}
        for key, notice in present.items():
            if self._known.get(key) != notice:
                yield _told(notice, now)
        for key in [each for each in self._known if each[0] is item and each not in present]:
            yield self._withdrawn(self._known.pop(key))
        self._known.update(present)

    def _withdrawn(self, notice: Notice) -> Line:
        goes_on = " The drain goes on: it does not turn back." if self._draining else ""
        text = f"Withdrawn: {notice.what}.{goes_on}"
        return Line(Level.WARNING, "notice_withdrawn", text, {"notice": notice.item.name.lower()})

    def _not_understood(self, item: Item, text: str, error: Exception) -> Iterator[Line]:
        if self._strange.get(item) != text:
            self._strange[item] = text
            what = f"{item} makes no sense ({type(error).__name__}: {error}): {text[:200]!r}."
            yield Line(Level.WARNING, "notice_not_understood", what)

    # --- what it is a reason for

    def _drain(self, notice: Notice, now: float) -> Iterator[Drain]:
        by = inf if notice.at is None else be_gone_by(notice.at, self._policy.margin, now)
        if not notice.is_over(now) and (not self._draining or by < self._by):
            self._draining, self._by = True, by
            yield Drain(notice.what, None if notice.at is None else by)

    # --- reading

    def _spot(self, text: str, _now: float) -> list[Notice]:
        told = json.loads(text)
        at = _time(told["time"])
        what = f"EC2 will {told['action']} this spot instance at {_clock(at)}"
        return [Notice(Item.SPOT, what, at, drains_at=-inf)]

    def _rebalance(self, text: str, _now: float) -> list[Notice]:
        since = _clock(_time(json.loads(text)["noticeTime"]))
        what = f"EC2 recommends to leave this spot instance (rebalance, {since})"
        drains_at = -inf if self._policy.drain_on_rebalance else None
        return [Notice(Item.REBALANCE, what, drains_at=drains_at)]

    def _target(self, text: str, _now: float) -> list[Notice]:
        state = text.strip()
        if state == IN_SERVICE:
            self._served = True
            return []
        # An instance that gets warm has never served: it is not on its way out.
        leaves = state == TERMINATED or (state.startswith(WARM) and self._served)
        what = f"the auto scaling group moves this instance to {state[:40]}"
        return [Notice(Item.TARGET, what, drains_at=-inf if leaves else None)]

    def _maintenance(self, text: str, _now: float) -> list[Notice]:
        events = [each for each in json.loads(text) if each.get("State", "active") == "active"]
        return [self._event(each) for each in events]

    def _event(self, told: dict[str, Any]) -> Notice:
        at = _time(told["NotBefore"])
        ends = told["Code"] in ENDING
        what = f"{told['Code']} is scheduled for {_clock(at)}"
        drains_at = at - self._policy.maintenance_lead if ends else None
        return Notice(Item.MAINTENANCE, what, at, drains_at, str(told.get("EventId", "")))


_READERS: dict[Item, Callable[[Notices, str, float], list[Notice]]] = {
    Item.SPOT: Notices._spot,  # noqa: SLF001 - the table of this file's own readers
    Item.TARGET: Notices._target,  # noqa: SLF001 - same
    Item.REBALANCE: Notices._rebalance,  # noqa: SLF001 - same
    Item.MAINTENANCE: Notices._maintenance,  # noqa: SLF001 - same
}


def _told(notice: Notice, now: float) -> Line:
    over = " That is past: it was of an earlier life." if notice.is_over(now) else ""
    facts = {"notice": notice.item.name.lower()}
    if notice.at is not None:
        facts["at"] = _clock(notice.at)
    level = Level.INFO if notice.drains_at is None else Level.WARNING
    return Line(level, "notice", f"Notice: {notice.what}.{over}", facts)


_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%d %b %Y %H:%M:%S GMT")
"""Spot's and the recommendation's, and the scheduled events'; all are UTC."""


def _time(text: str) -> float:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no time")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
