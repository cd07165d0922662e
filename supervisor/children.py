"""The shell's book of processes: who is behind which pid and which channel.

Rules of this file:

1. The core knows workers, generations and attendants by number and name; the kernel knows pids.
   Only here do the two meet.
2. A zygote and an attendant have a pid from the start, a worker when it has said ``Forked``. A
   signal for a worker that has not said it yet is kept until it has.
3. A child leaves the book when its death has been delivered, so nobody can signal a stranger.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.channel import Channel
    from supervisor.messages import CannotLoad


class Kind(enum.Enum):
    """What a child is to us."""

    ZYGOTE = "zygote"
    WORKER = "worker"
    ATTENDANT = "attendant"


@dataclass
class Child:
    """One process below us. ``key``: generation, worker number or attendant's name.

    ``will`` is the descriptor of a worker's will; ``working`` whether it has a task in hand,
    ``killed`` whether we have ended it ourselves, and ``stacks`` what was read of them last.
    """

    kind: Kind
    key: int | str
    channel: Channel
    pid: int | None = None
    will: int | None = None
    working: bool = False
    killed: bool = False
    last_words: CannotLoad | None = None
    stacks: tuple[str, ...] = ()
    waiting: list[Callable[[int], None]] = field(default_factory=list)

    def signal(self, send: Callable[[int], None]) -> None:
        """Send a signal, now or as soon as the pid is known."""
        if self.pid is None:
            self.waiting.append(send)
        else:
            send(self.pid)

    def born(self, pid: int) -> None:
        """The pid is known from now on."""
        self.pid = pid
        for send in self.waiting:
            send(pid)
        self.waiting.clear()


class Children:
    """All of them, by what they are, by pid and by channel descriptor."""

    def __init__(self) -> None:
        self._children: dict[tuple[Kind, int | str], Child] = {}
        self._by_descriptor: dict[int, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        return iter(list(self._children.values()))

    def __bool__(self) -> bool:
        return bool(self._children)

    def add(self, child: Child) -> Child:
        """Enter a child in the book."""
        self._children[child.kind, child.key] = child
        self._by_descriptor[child.channel.fileno()] = child
        return child

    def get(self, kind: Kind, key: int | str) -> Child | None:
        """The child of this kind and key, if it is alive as far as we know."""
        return self._children.get((kind, key))

    def by_pid(self, pid: int) -> Child | None:
        """The child behind a pid."""
        return next((each for each in self._children.values() if each.pid == pid), None)

    def by_descriptor(self, descriptor: int) -> Child | None:
        """The child whose channel this is."""
        return self._by_descriptor.get(descriptor)

    def remove(self, child: Child) -> None:
        """Strike a child out and close what we shared with it."""
        del self._children[child.kind, child.key]
        del self._by_descriptor[child.channel.fileno()]
        child.channel.close()
        if child.will is not None:
            os.close(child.will)
