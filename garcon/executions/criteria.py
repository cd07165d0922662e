"""Criteria of executions: one value for lists, counts, and the commands that act on many.

Rules:

1. Criteria of different kinds hold together. Of several values of one kind, any will do.
2. SWF takes one filter beside the time: the narrowest is sent, and the others are applied to its
   answer. So a rare tag costs little, and a prefix of ids as much as a list of everything.
3. SWF's lists have no reasons. A criterion for the reason costs one call for each execution that
   meets all others (GetWorkflowExecutionHistory, its last event).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from garcon.executions.errors import InputNotSendable
from garcon.executions.values import Status, Summary

CLOSED = frozenset(Status) - {Status.OPEN}

_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}  # seconds
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|min|h|d)")

KEYS = ("status", "type", "tag", "id", "reason", "since", "until")
"""The keys that ``parse`` takes before the ``=``."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """The executions to select; an empty set and ``None`` stand for any.

    Attributes:
        names: Names of the workflow type.
        statuses: Open, or how they closed.
        tags: Tags.
        ids: Beginnings of the workflow id.
        reasons: Parts of the reason with which they closed; upper and lower case are one.
        since: Earliest time of their start.
        until: Latest time of their start.
    """

    names: frozenset[str] = frozenset()
    statuses: frozenset[Status] = frozenset()
    tags: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, summary: Summary) -> bool:
        """Whether an execution meets all criteria but those of time and reason."""
        return (
            (not self.names or summary.name in self.names)
            and (not self.statuses or summary.status in self.statuses)
            and (not self.tags or not self.tags.isdisjoint(summary.tags))
            and (not self.ids or summary.execution.workflow_id.startswith(tuple(self.ids)))
        )

    def has_reason(self, reason: str | None) -> bool:
        """Whether an execution that closed with this reason meets the criterion for it."""
        text = (reason or "").casefold()
        return not self.reasons or any(each.casefold() in text for each in self.reasons)

    def of_statuses(self, statuses: frozenset[Status]) -> "Criteria":
        """The criteria with these statuses instead of their own."""
        return replace(self, statuses=statuses)

    @property
    def lists_open(self) -> bool:
        """Whether open executions can meet them."""
        may_be_open = not self.statuses or Status.OPEN in self.statuses
        return may_be_open and not self.reasons

    @property
    def lists_closed(self) -> bool:
        """Whether closed executions can meet them."""
        return not self.statuses or not self.statuses.isdisjoint(CLOSED)

    def open_filter(self) -> dict[str, Any]:
        """The one filter for lists of open executions."""
        return next(iter(self._sendable()), {})

    def closed_filter(self) -> dict[str, Any]:
        """The one filter for lists of closed executions."""
        return next(iter([*self._tag(), *self._close_status(), *self._sendable()]), {})

    @property
    def are_sendable(self) -> bool:
        """Whether SWF can apply all of them, so that it can count what meets them."""
        open_filters = len(self._sendable()) if self.lists_open else 0
        closed_filters = len(self._sendable() + self._close_status()) if self.lists_closed else 0
        closed_statuses = len(self.statuses & CLOSED)
        return (
            max(open_filters, closed_filters, len(self.names), len(self.tags)) <= 1
            and closed_statuses in {0, 1, len(CLOSED)}
            and not (self.ids or self.reasons)
        )

    def _tag(self) -> list[dict[str, Any]]:
        return [{"tagFilter": {"tag": each}} for each in self.tags] if len(self.tags) == 1 else []

    def _sendable(self) -> list[dict[str, Any]]:
        names = self.names if len(self.names) == 1 else ()
        return [*self._tag(), *({"typeFilter": {"name": name}} for name in names)]

    def _close_status(self) -> list[dict[str, Any]]:
        closed = self.statuses & CLOSED
        if len(closed) != 1:
            return []
        return [{"closeStatusFilter": {"status": str(status)}} for status in closed]


def parse(texts: Iterable[str], now: datetime) -> Criteria:
    """The criteria of texts such as ``status=failed``.

    Args:
        texts: KEY=VALUE each; the same key may come again.
        now: The time that spans such as ``3h`` count back from.

    Raises:
        InputNotSendable: A key or a value is unknown, or a time is given twice.
    """
    given: dict[str, list[str]] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in KEYS or not value:
            raise InputNotSendable(
                f"{text!r} is not a criterion: use KEY=VALUE with one of {', '.join(KEYS)}."
            )
        given.setdefault(key, []).append(value)
    statuses = [each for value in given.get("status", ()) for each in _statuses(value)]
    return Criteria(
        names=frozenset(given.get("type", ())),
        statuses=frozenset(statuses),
        tags=frozenset(given.get("tag", ())),
        ids=frozenset(given.get("id", ())),
        reasons=frozenset(given.get("reason", ())),
        since=_moment(given, "since", now),
        until=_moment(given, "until", now),
    )


def of_flow(criteria: Criteria, name: str | None) -> Criteria:
    """The criteria for a flow's own executions, if they name no type themselves."""
    return criteria if criteria.names or not name else replace(criteria, names=frozenset({name}))


def also(
    criteria: Criteria, status: Status | None, tag: str | None, since: datetime | None
) -> Criteria:
    """The criteria with these beside them, where they are not ``None``."""
    return replace(
        criteria,
        statuses=criteria.statuses if status is None else frozenset({Status(status)}),
        tags=criteria.tags if tag is None else frozenset({tag}),
        since=criteria.since if since is None else since,
    )


def texts(criteria: Criteria) -> list[str]:
    """The criteria as ``parse`` takes them."""
    times = {"since": criteria.since, "until": criteria.until}
    sets: Mapping[str, Iterable[str]] = {
        "status": criteria.statuses,
        "type": criteria.names,
        "tag": criteria.tags,
        "id": criteria.ids,
        "reason": criteria.reasons,
    }
    return [
        *(f"{key}={value}" for key, values in sets.items() for value in sorted(map(str, values))),
        *(f"{key}={time.isoformat()}" for key, time in times.items() if time),
    ]


def _statuses(value: str) -> frozenset[Status]:
    name = value.upper()
    if name == "CLOSED":
        return CLOSED
    if name not in Status.__members__:
        known = ", ".join([*Status, "CLOSED"])
        raise InputNotSendable(f"The status {value!r} is unknown: use one of {known}.")
    return frozenset({Status(name)})


def _moment(given: Mapping[str, list[str]], key: str, now: datetime) -> datetime | None:
    values = given.get(key, [])
    if len(values) > 1:
        raise InputNotSendable(f"{key} is given twice; only one time can count.")
    return moment(values[0], now) if values else None


def span_seconds(text: str) -> float | None:
    """The seconds of a span such as ``3h``; ``None`` if the text is not one."""
    span = _SPAN.fullmatch(text)
    return float(span[1]) * _UNITS[span[2]] if span else None


def moment(text: str, now: datetime) -> datetime:
    """A time: ISO 8601, UTC if it names no zone, or a span before now, such as ``3h``.

    Raises:
        InputNotSendable: It is neither, or before the epoch.
    """
    try:
        if seconds := span_seconds(text):
            found = now - timedelta(seconds=seconds)
        else:
            read = datetime.fromisoformat(text)
            found = read if read.tzinfo else read.replace(tzinfo=UTC)
        if found.timestamp() >= 0:
            return found
    except (ValueError, OverflowError):
        pass
    raise InputNotSendable(
        f"{text!r} is not a time: use ISO 8601, as in 2026-01-31T10:00, or a span before now, as "
        "in 90s, 10min, 3h or 2d."
    )
