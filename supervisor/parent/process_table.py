"""The process table: the children behind pids and channels.

Rules of this file:

1. The core knows workers and generations by number and sidecars by name; the kernel knows pids.
   The table maps one to the other.
2. A zygote and a sidecar have a pid from the start, a worker once it has announced it with
   ``Forked``. A signal for a worker without a pid is sent as soon as the pid is known.
3. A child is removed when its death is settled. So no signal reaches a process that was given its
   pid later. What it has counted is kept.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.ipc import counter_table, crash_record
from supervisor.ipc.messages.tallies import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.ipc.channel import Channel
    from supervisor.ipc.messages import LoadFailed


class ProcessKind(enum.Enum):
    """The kind of a child process."""

    ZYGOTE = "zygote"
    WORKER = "worker"
    SIDECAR = "sidecar"


@dataclass
class Child:
    """One child process.

    Attributes:
        kind: Zygote, worker or sidecar.
        key: The generation's number, the worker's number, or the sidecar's name.
        channel: The supervisor's end.
        pid: ``None`` until a worker has announced it.
        crash_record: Descriptor of the crash record of a worker, or a sidecar.
        working: Whether a worker has a task.
        killed: Whether the supervisor has killed it.
        load_failure: A zygote's reason why it cannot load the flow.
        stacks: The stacks of a worker that were read last.
    """

    kind: ProcessKind
    key: int | str
    channel: Channel
    pid: int | None = None
    crash_record: int | None = None
    working: bool = False
    killed: bool = False
    load_failure: LoadFailed | None = None
    stacks: tuple[str, ...] = ()
    _unsent: list[Callable[[int], None]] = field(default_factory=list)

    def signal(self, send: Callable[[int], None]) -> None:
        """Send a signal, now or as soon as the pid is known."""
        if self.pid is None:
            self._unsent.append(send)
        else:
            send(self.pid)

    def kill(self, kill_group: Callable[[int], None]) -> None:
        """Kill it; its SIGKILL is then not taken for the OOM killer's."""
        self.killed = True
        self.signal(kill_group)

    def set_pid(self, pid: int) -> None:
        """The pid is known: send the signals that wait for it."""
        self.pid = pid
        for send in self._unsent:
            send(pid)
        self._unsent.clear()


class Children:
    """All children of the supervisor."""

    def __init__(self) -> None:
        self._children: dict[tuple[ProcessKind, int | str], Child] = {}
        self._by_descriptor: dict[int, Child] = {}
        self._ended: counter_table.Counters = {}  # counts of those that were removed

    def __iter__(self) -> Iterator[Child]:
        return iter(list(self._children.values()))  # a copy: children are removed meanwhile

    def __bool__(self) -> bool:
        return bool(self._children)

    def add(self, child: Child) -> None:
        """Enter a child in the table."""
        self._children[child.kind, child.key] = child
        self._by_descriptor[child.channel.fileno()] = child

    def get(self, kind: ProcessKind, key: int | str) -> Child | None:
        """The child of this kind and key, unless its death is settled."""
        return self._children.get((kind, key))

    def by_pid(self, pid: int) -> Child | None:
        """The child with this pid."""
        return next((child for child in self._children.values() if child.pid == pid), None)

    def by_descriptor(self, descriptor: int) -> Child | None:
        """The child whose channel has this descriptor."""
        return self._by_descriptor.get(descriptor)

    def remove(self, child: Child) -> None:
        """Remove a child, and close its channel and crash record."""
        del self._children[child.kind, child.key]
        # Before the channel is closed: afterwards its number may be that of another descriptor.
        del self._by_descriptor[child.channel.fileno()]
        child.channel.close()
        if child.crash_record is not None:
            counted = _counters(child.crash_record).items()
            lasting = {key: numbers for key, numbers in counted if key[0] != Row.SAMPLE}
            counter_table.add_up(self._ended, lasting)
            os.close(child.crash_record)

    def counters(self) -> counter_table.Counters:
        """The counts of all children, the dead included."""
        total = dict(self._ended)
        for child in self._children.values():
            if child.crash_record is not None:
                counter_table.add_up(total, _counters(child.crash_record))
        return total


def _counters(descriptor: int) -> counter_table.Counters:
    try:
        return crash_record.read_counters(descriptor)
    except OSError:
        return {}
