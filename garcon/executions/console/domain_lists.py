"""The task lists of a domain, found bit by bit: SWF has no call that lists them.

Rules:

1. A list is known as the default of a type, or by a task that waits in it for one of the latest
   open executions.
2. Each read fetches the defaults of some types, and counts some lists. SWF permits 6 calls a second
   of these operations, so a read makes ``STEP`` calls of each at most, and the next one continues.
   A type's defaults never change, and are fetched once.
3. The list that was counted longest ago is counted next.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from garcon.executions import parsing
from garcon.executions.calls import SwfCalls
from garcon.executions.pending import PendingKind, pending
from garcon.executions.recorded_history import Events, attributes
from garcon.executions.values import Status

STEP = 3
"""Calls of each operation in one read: at 2 a second it takes some seconds."""

TYPES_KEPT = 300.0
"""Seconds until the types are listed again: a deploy may add some."""

_OF_TYPES = {
    PendingKind.ACTIVITY: ("list_activity_types", "describe_activity_type", "activityType"),
    PendingKind.DECISION: ("list_workflow_types", "describe_workflow_type", "workflowType"),
}

ListKey = tuple[PendingKind, str]
"""The kind of a task list's tasks, and its name."""


@dataclass(frozen=True, slots=True)
class _Type:
    kind: PendingKind
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class _Counted:
    at: float = float("-inf")
    backlog: int | None = None


class DomainLists:
    """The task lists of one domain, or of a flow in it.

    Args:
        flow: The flow; one without a name stands for its domain.
        sample: Histories of open executions.
        count: Counts the tasks that wait in a list.
        now: Source of time, in seconds.
    """

    def __init__(
        self,
        flow: Any,
        sample: Callable[[], Iterable[Events]],
        count: Callable[[PendingKind, str], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._flow = flow
        self._calls = SwfCalls(flow)
        self._sample = sample
        self._count = count
        self._now = now
        self._listed_at = float("-inf")
        self._types: list[_Type] = []
        self._defaults: dict[_Type, str] = {}
        self._counted: dict[ListKey, _Counted] = {}
        self._lock = threading.Lock()

    def read(self) -> dict[str, Any]:
        """The lists that are known now, after a step.

        Returns:
            ``lists``, each with ``kind``, ``name``, ``backlog`` (``None`` until it is counted) and
            ``since``: the time since which the oldest task of the sampled executions waits in it.
            ``known`` of ``types`` have been read. ``now`` is the server's time.

        Raises:
            RequestRefused: SWF refused a call.
        """
        with self._lock:
            self._read_types()
            lists = dict.fromkeys(self._default_lists()) | self._waiting()
            for kind in _OF_TYPES:
                self._count_some([key for key in lists if key[0] is kind])
            rows = [
                {
                    "kind": kind,
                    "name": name,
                    "backlog": self._counted.get((kind, name), _Counted()).backlog,
                    "since": since,
                }
                for (kind, name), since in lists.items()
            ]
            known = sum(each in self._defaults for each in self._types)
            return {"lists": rows, "known": known, "types": len(self._types), "now": time.time()}

    def _read_types(self) -> None:
        if self._now() - self._listed_at >= TYPES_KEPT:
            self._types = [each for kind in _OF_TYPES for each in self._listed(kind)]
            self._listed_at = self._now()
        for kind in _OF_TYPES:
            unread = (
                each for each in self._types if each.kind is kind and each not in self._defaults
            )
            for each in [one for _, one in zip(range(STEP), unread, strict=False)]:
                self._defaults[each] = self._default_list(each)

    def _listed(self, kind: PendingKind) -> list[_Type]:
        """The registered types, the first thousand."""
        operation, _, member = _OF_TYPES[kind]
        domain = self._flow.domain
        with self._calls.call(f"listing the types of {domain}") as swf:
            answer = getattr(swf, operation)(domain=domain, registrationStatus="REGISTERED")
            types = [each[member] for each in answer["typeInfos"]]
            found = [_Type(kind, each["name"], each["version"]) for each in types]
        return [each for each in found if self._is_of_flow(each)]

    def _is_of_flow(self, type_: _Type) -> bool:
        flow = getattr(self._flow, "name", None)
        if not flow:
            return True
        if type_.kind is PendingKind.DECISION:
            return type_.name == str(flow)
        return type_.name.startswith(f"{flow}_")

    def _default_list(self, type_: _Type) -> str:
        _, operation, member = _OF_TYPES[type_.kind]
        named = {member: {"name": type_.name, "version": type_.version}}
        with self._calls.call(f"reading the type {type_.name} of {self._flow.domain}") as swf:
            described = getattr(swf, operation)(domain=self._flow.domain, **named)
            return str(described["configuration"].get("defaultTaskList", {}).get("name", ""))

    def _default_lists(self) -> list[ListKey]:
        named = ((each.kind, self._defaults.get(each, "")) for each in self._types)
        return [key for key in named if key[1]]

    def _waiting(self) -> dict[ListKey, float | None]:
        oldest: dict[ListKey, float | None] = {}
        for events in self._sample():
            decided = attributes(events[0]).get("taskList", {}).get("name")
            if decided:
                oldest.setdefault((PendingKind.DECISION, decided))
            for key, since in waiting(events).items():
                oldest[key] = min(oldest.get(key) or since, since)
        return oldest

    def _count_some(self, keys: list[ListKey]) -> None:
        due = sorted(keys, key=lambda key: self._counted.get(key, _Counted()).at)
        for kind, name in due[:STEP]:
            self._counted[kind, name] = _Counted(self._now(), self._count(kind, name))


def waiting(events: Events) -> dict[ListKey, float]:
    """The task lists in which tasks of an execution wait, and since when the oldest one does."""
    lists: dict[ListKey, float] = {}
    if parsing.status(events[-1]) is Status.OPEN:
        for each in pending(events):
            if each.task_list and each.started is None:
                lists.setdefault((each.kind, each.task_list), each.since.timestamp())
    return lists
