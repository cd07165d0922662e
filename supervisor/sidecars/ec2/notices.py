"""Notices of the instance's end: from metadata, as read over time, to log lines and drain orders.

Rules:

1. ``Metadata`` holds the items of one reading: their text, or ``None`` for a missing item. An item
   that could not be read is not in it, and what is known of it still holds.
2. Every notice is logged once: when it comes, when it changes, when it is withdrawn.
3. A drain is ordered once, and again when a nearer end is known. It is never taken back: workers
   have left, and a withdrawn notice may come again.
4. The drain has to end a margin before the instance does. In the margin the supervisor reports
   interrupted tasks to SWF. A notice too short for the margin leaves the tasks a quarter of its
   time, because reporting them is the safer gain.
5. An end in the past belongs to an earlier run of the instance (before a stop or reboot): it is
   logged only. So is a notice that cannot be read.

Sources: EC2 user guide, "Spot Instance interruption notices", "Rebalance recommendations",
"Scheduled events"; EC2 Auto Scaling user guide, "Retrieve the target lifecycle state".
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Item(enum.StrEnum):
    """A metadata item that is read; the value is its path below ``/latest/``."""

    SPOT = "meta-data/spot/instance-action"
    TARGET = "meta-data/autoscaling/target-lifecycle-state"
    REBALANCE = "meta-data/events/recommendations/rebalance"
    MAINTENANCE = "meta-data/events/maintenance/scheduled"


Metadata = Mapping[Item, str | None]

PAST_AFTER = {Item.SPOT: 600.0, Item.MAINTENANCE: 0.0}
"""Seconds after its time from which on a notice belongs to an earlier run of the instance. A spot
instance's two minutes may become more; a scheduled reboot may still be listed when it is over."""

TASKS_SHARE = 0.25
"""Share of a short notice's time that the tasks get."""

IN_SERVICE, TERMINATED, WARM = "InService", "Terminated", "Warmed:"

_STATE = re.compile(r"[A-Z][A-Za-z]*(:[A-Z][A-Za-z]*)?")

ENDING_EVENTS = ("instance-stop", "instance-reboot", "instance-retirement", "system-reboot")
"""Scheduled events that end all processes; ``system-maintenance`` only disturbs them."""


@dataclass(frozen=True)
class NoticePolicy:
    """The settings for notices; times in seconds."""

    margin: float
    maintenance_lead: float
    drain_on_rebalance: bool = False


@dataclass(frozen=True)
class Notice:
    """A notice of EC2 or of the auto scaling group.

    Attributes:
        item: The metadata item that has it.
        what: The notice in a few words.
        at: When the instance ends, in seconds since the epoch; ``None`` if the notice does not say.
        drains_at: When it becomes a reason to drain; ``None`` if it never does.
        key: The notice's id, where an item has several.
    """

    item: Item
    what: str
    at: float | None = None
    drains_at: float | None = None
    key: str = ""

    def is_past(self, now: float) -> bool:
        """Whether its time has passed and the instance still runs."""
        return self.at is not None and self.at + PAST_AFTER[self.item] < now


@dataclass(frozen=True)
class DrainOrder:
    """A drain, to be finished by ``by`` (seconds since the epoch) if the notice has a time."""

    why: str
    by: float | None = None


@dataclass(frozen=True)
class NoticeLine:
    """One line for the log."""

    level: Level
    event: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)


def is_target_state(text: str | None) -> bool:
    """Whether the text of ``Item.TARGET`` is a state at all, and not another server's page."""
    return text is not None and _STATE.fullmatch(text.strip()) is not None


def be_gone_by(at: float, margin: float, now: float) -> float:
    """Time at which the drain has to end for an instance that ends ``at``."""
    return max(at - margin, now + TASKS_SHARE * (at - now)) if at > now else at


class Notices:
    """The notices known so far, and what was reported of them."""

    def __init__(self, policy: NoticePolicy) -> None:
        self._policy = policy
        self._known: dict[tuple[Item, str], Notice] = {}
        self._unreadable: dict[Item, str] = {}  # their texts, as logged
        self._was_in_service = False
        self.is_warm: bool | None = None  # whether it is in a warm pool; None before it is known
        self._draining = False
        self._by = inf  # when the drain has to end, as last ordered

    def update(self, metadata: Metadata, now: float) -> list[DrainOrder | NoticeLine]:
        """The lines and orders due after a reading at ``now``, in seconds since the epoch."""
        due: list[DrainOrder | NoticeLine] = []
        if Item.TARGET in metadata and metadata[Item.TARGET] is None:
            self.is_warm = False  # in no group, or in one since before there were such states
        for item, text in metadata.items():
            due += self._read(item, text, now)
        for notice in self._known.values():
            if notice.drains_at is not None and notice.drains_at <= now:
                due += self._drain(notice, now)
        return due

    @property
    def is_leaving_group(self) -> bool:
        """Whether the group is taking this instance out of service."""
        target = self._known.get((Item.TARGET, ""))
        return target is not None and target.drains_at is not None

    # --- changes

    def _read(self, item: Item, text: str | None, now: float) -> Iterator[NoticeLine]:
        try:
            notices = [] if text is None else _READERS[item](self, text, now)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            yield from self._not_understood(item, str(text), error)
            return
        present = {(notice.item, notice.key): notice for notice in notices}
        for key, notice in present.items():
            if self._known.get(key) != notice:
                yield _line(notice, now)
        for key in [known for known in self._known if known[0] is item and known not in present]:
            yield self._withdrawn(self._known.pop(key))
        self._known.update(present)

    def _withdrawn(self, notice: Notice) -> NoticeLine:
        goes_on = " The drain goes on all the same." if self._draining else ""
        text = f"Notice withdrawn: {notice.what}.{goes_on}"
        return NoticeLine(
            Level.WARNING, "notice_withdrawn", text, {"notice": notice.item.name.lower()}
        )

    def _not_understood(self, item: Item, text: str, error: Exception) -> Iterator[NoticeLine]:
        if self._unreadable.get(item) != text:
            self._unreadable[item] = text
            why = f"({type(error).__name__}: {error})"
            line = f"Cannot read the instance metadata {item} {why}: {text[:200]!r}."
            yield NoticeLine(Level.WARNING, "notice_not_understood", line)

    # --- drains

    def _drain(self, notice: Notice, now: float) -> Iterator[DrainOrder]:
        by = inf if notice.at is None else be_gone_by(notice.at, self._policy.margin, now)
        if not notice.is_past(now) and (not self._draining or by < self._by):
            self._draining, self._by = True, by
            yield DrainOrder(notice.what, None if notice.at is None else by)

    # --- readers

    def _spot(self, text: str, _now: float) -> list[Notice]:
        notice = json.loads(text)
        at = _time(notice["time"])
        what = f"EC2 will {notice['action']} this spot instance at {_clock(at)}"
        return [Notice(Item.SPOT, what, at, drains_at=-inf)]

    def _rebalance(self, text: str, _now: float) -> list[Notice]:
        since = _clock(_time(json.loads(text)["noticeTime"]))
        what = f"EC2 recommends leaving this spot instance (rebalance recommendation, {since})"
        drains_at = -inf if self._policy.drain_on_rebalance else None
        return [Notice(Item.REBALANCE, what, drains_at=drains_at)]

    def _target(self, text: str, _now: float) -> list[Notice]:
        state = text.strip()
        if not is_target_state(state):
            raise ValueError("it is not a lifecycle state")
        self.is_warm = state.startswith(WARM) and not self._was_in_service
        if state == IN_SERVICE:
            self._was_in_service = True
            return []
        # A new instance of a warm pool is on its way in, not out.
        leaves = state == TERMINATED or (state.startswith(WARM) and self._was_in_service)
        what = f"the auto scaling group moves this instance to {state[:40]}"
        return [Notice(Item.TARGET, what, drains_at=-inf if leaves else None)]

    def _maintenance(self, text: str, _now: float) -> list[Notice]:
        events = [each for each in json.loads(text) if each.get("State", "active") == "active"]
        return [self._event(each) for each in events]

    def _event(self, event: dict[str, Any]) -> Notice:
        at = _time(event["NotBefore"])
        ends = event["Code"] in ENDING_EVENTS
        what = f"{event['Code']} is scheduled for {_clock(at)}"
        drains_at = at - self._policy.maintenance_lead if ends else None
        return Notice(Item.MAINTENANCE, what, at, drains_at, str(event.get("EventId", "")))


_READERS: dict[Item, Callable[[Notices, str, float], list[Notice]]] = {
    Item.SPOT: Notices._spot,  # noqa: SLF001 - a table of this file's own readers
    Item.TARGET: Notices._target,  # noqa: SLF001 - same
    Item.REBALANCE: Notices._rebalance,  # noqa: SLF001 - same
    Item.MAINTENANCE: Notices._maintenance,  # noqa: SLF001 - same
}


def _line(notice: Notice, now: float) -> NoticeLine:
    past = " It is past, and was for an earlier run of the instance." if notice.is_past(now) else ""
    facts = {"notice": notice.item.name.lower()}
    if notice.at is not None:
        facts["at"] = _clock(notice.at)
    level = Level.INFO if notice.drains_at is None else Level.WARNING
    return NoticeLine(level, "notice", f"Notice: {notice.what}.{past}", facts)


_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%d %b %Y %H:%M:%S GMT")
"""Formats of spot notices and recommendations, and of scheduled events; all are UTC."""


def _time(text: str) -> float:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a time")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
