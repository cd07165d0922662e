"""What is known of a dead worker: from the kernel's account of it, and from its will.

Rules of this file:

1. The kernel does not say who sent a SIGKILL. One that we did not send, at a time when the count of
   the OOM killer's victims in our control group (cgroup v2, ``memory.events``) has grown, was the
   OOM killer's, as far as anybody can tell. Each growth explains one death.
2. A will that cannot be read, or makes no sense, is as if there were none: the death is reported.
3. The stacks go into the log as well: they are what its reader wants to see first.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from supervisor import log, redaction, will
from supervisor.messages import Answer, PostMortem, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.children import Child
    from supervisor.kernel import Ended

LAST_LINES = 50
"""Lines of its standard error stream that are told of a dead worker: a traceback and what led to
it. SWF has room for some 300 short ones."""

CGROUPS = Path("/sys/fs/cgroup")

_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_tasks: msgspec.json.Decoder[Task] = msgspec.json.Decoder(Task)

T = TypeVar("T")


class OutOfMemory:
    """Counts the OOM killer's victims in this process's control group.

    Args:
        events: The group's ``memory.events``; a file that is not there counts nobody.
    """

    def __init__(self, events: Path) -> None:
        self._events = events
        self._explained = self._count()

    def explains(self) -> bool:
        """Whether there is a victim that no death has been explained with."""
        new = self._count() > self._explained
        self._explained += new
        return new

    def _count(self) -> int:
        try:
            lines = self._events.read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        counts = dict(line.split() for line in lines)
        return int(counts.get("oom_kill", 0))


def own_events() -> Path:
    """Where cgroup v2 counts for this process's group (cgroups(7), ``/proc/self/cgroup``)."""
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        if line.startswith("0::/"):
            return CGROUPS / line.removeprefix("0::/") / "memory.events"
    return CGROUPS / "memory.events"


class Coroner:
    """Examines the dead; ``host`` is where they lived, as people know it."""

    def __init__(self, out_of_memory: OutOfMemory) -> None:
        self._out_of_memory = out_of_memory
        self.host = os.uname().nodename

    def examine(self, child: Child, ended: Ended) -> PostMortem:
        """What is known of this worker."""
        left = _read(child)
        strange = ended.status == -signal.SIGKILL and not child.killed
        if left.stacks:
            _show(child, ended.pid, left.stacks)
        return PostMortem(
            core_dumped=ended.core_dumped,
            out_of_memory=strange and self._out_of_memory.explains(),
            peak_memory=ended.peak_memory,
            pid=ended.pid,
            begun=left.begun,
            answer=_decoded(child, _answers, left.answer),
            last_lines=tuple(redaction.text(each) for each in left.lines[-LAST_LINES:]),
            stacks=left.stacks,
            waiting=_known(_decoded(child, _tasks, each) for each in left.waiting),
            host=self.host,
        )


def _show(child: Child, pid: int, stacks: tuple[str, ...]) -> None:
    facts = {"event": "stacks", "worker": child.key, "pid": pid}
    text = "\n".join(stacks)
    log.LOGGER.warning("What worker %s was at:\n%s", child.key, text, extra={"facts": facts})


def _read(child: Child) -> will.Left:
    try:
        return will.read(child.will) if child.will is not None else will.Left(begun=True)
    except OSError as error:
        log.LOGGER.error("The will of worker %s cannot be read: %s", child.key, error)
        return will.Left(begun=True)


def _known(tasks: Iterable[Task | None]) -> tuple[Task, ...]:
    return tuple(each for each in tasks if each)


def _decoded(child: Child, decoder: msgspec.json.Decoder[T], text: bytes | None) -> T | None:
    try:
        return None if text is None else decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        log.LOGGER.error("The will of worker %s makes no sense: %s", child.key, error)
        return None
