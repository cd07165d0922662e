"""Post-mortems of workers, from the kernel's account of a death and from the crash record.

Rules of this file:

1. The kernel does not say who sent a SIGKILL. If the supervisor did not send it, and the count of
   the OOM killer's victims in its control group has grown (``own_events``), the OOM killer is held
   responsible. Each victim explains one death. Without a count the answer is "unknown".
2. An unreadable or invalid crash record counts as an empty one: the death is reported anyway.
3. The stacks are logged as well: the reader of the log wants them first.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from supervisor.ipc import crash_record
from supervisor.ipc.messages import Answer, PostMortem, Task
from supervisor.logs import log, redaction
from supervisor.logs.control_characters import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supervisor.parent.os_processes import DeadProcess
    from supervisor.parent.process_table import Child

LAST_LINES = 50
"""Lines of standard error that are reported for a dead worker: a traceback and what led to it. SWF
has room for some 300 short ones."""

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")

_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_tasks: msgspec.json.Decoder[Task] = msgspec.json.Decoder(Task)

T = TypeVar("T")


class OutOfMemory:
    """Counts the OOM killer's victims in this process's control group.

    Args:
        events: The group's file with the count; without the file or the count nothing is known.
    """

    def __init__(self, events: Path) -> None:
        self._events = events
        self._explained = self._count() or 0

    def explains(self) -> bool | None:
        """Whether there is a victim that explains no other death; ``None`` for unknown."""
        count = self._count()
        if count is None:
            return None
        new = count > self._explained
        self._explained += new
        return new

    def _count(self) -> int | None:
        try:
            lines = self._events.read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        counts = dict(line.split() for line in lines)
        return int(counts["oom_kill"]) if "oom_kill" in counts else None


def own_events() -> Path:
    """The file that counts victims in this process's control group (cgroups(7)).

    That is ``memory.events`` of cgroup v2, or ``memory.oom_control`` of v1 (since Linux 4.13). In a
    container the group's path may be the host's, and its file then is at the top of the mount.
    """
    candidates = [path for line in _own_groups() for path in _event_files(line)]
    return next(filter(Path.exists, candidates), CGROUPS / "memory.events")


def _own_groups() -> list[str]:
    try:
        return OWN_CGROUP.read_text(encoding="utf-8").splitlines()
    except OSError:  # no /proc, as in some chroots
        return []


def _event_files(line: str) -> Iterator[Path]:
    """Places of the count for one line of /proc/self/cgroup: ``number:controllers:/path``."""
    _, controllers, path = line.split(":", maxsplit=2)
    if not controllers:
        mount, name = CGROUPS, "memory.events"
    elif "memory" in controllers.split(","):
        mount, name = CGROUPS / "memory", "memory.oom_control"
    else:
        return
    yield mount / path.lstrip("/") / name
    yield mount / name


class PostMortemReader:
    """Examines dead workers; ``host`` is the name of their host, or EC2 instance."""

    def __init__(self, out_of_memory: OutOfMemory) -> None:
        self._out_of_memory = out_of_memory
        self.host = os.uname().nodename

    def examine(self, child: Child, dead: DeadProcess) -> PostMortem:
        """The post-mortem of a worker that was reaped."""
        record = _read(child)
        if record.stacks:
            _log_stacks(child, dead.pid, record.stacks)
        return PostMortem(
            core_dumped=dead.core_dumped,
            out_of_memory=self.is_out_of_memory(child, dead),
            peak_memory=dead.peak_memory,
            pid=dead.pid,
            started=record.started,
            answer=_decoded(child, _answers, record.answer),
            last_lines=tuple(redaction.text(plain(line)) for line in record.lines[-LAST_LINES:]),
            stacks=record.stacks,
            waiting=_known(_decoded(child, _tasks, task) for task in record.waiting),
            host=self.host,
        )

    def is_out_of_memory(self, child: Child, dead: DeadProcess) -> bool | None:
        """Whether the OOM killer ended a child that was reaped, of whatever kind (rule 1)."""
        is_unexplained = dead.status == -signal.SIGKILL and not child.killed
        return self._out_of_memory.explains() if is_unexplained else False


def _log_stacks(child: Child, pid: int, stacks: tuple[str, ...]) -> None:
    facts = {"event": "stacks", "worker": child.key, "pid": pid}
    text = "".join(f"\n  {line}" for line in stacks)
    log.LOGGER.warning("Stack traces of worker %s:%s", child.key, text, extra={"facts": facts})


def _read(child: Child) -> crash_record.CrashReport:
    try:
        return (
            crash_record.read(child.crash_record)
            if child.crash_record is not None
            else crash_record.CrashReport(started=True)
        )
    except OSError as error:
        log.LOGGER.error("The crash record of worker %s cannot be read: %s", child.key, error)
        return crash_record.CrashReport(started=True)


def _known(tasks: Iterable[Task | None]) -> tuple[Task, ...]:
    return tuple(each for each in tasks if each)


def _decoded(child: Child, decoder: msgspec.json.Decoder[T], text: bytes | None) -> T | None:
    try:
        return None if text is None else decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        log.LOGGER.error("The crash record of worker %s is invalid: %s", child.key, error)
        return None
