"""Two supervisors that stand for two hosts, each with its spool; both may be killed at any time.

The log of one is read, that of the other is not: its pipe fills up and stays full.
"""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Self

import psutil

from tests.processes.harness import Supervisor, until

if TYPE_CHECKING:
    from pathlib import Path


class UnreadSupervisor(Supervisor):
    """A supervisor whose output is not read while it runs."""

    READS_OUTPUT = False


class Hosts:
    """The two, by the class of their supervisor; leaving the block ends both.

    Args:
        argv: The supervisors' options.
        spools: The folder of their spools.
        variables: Their environment.
    """

    def __init__(self, argv: tuple[str, ...], spools: Path, **variables: str) -> None:
        self._argv, self._spools, self._variables = argv, spools, variables
        self._running: dict[type[Supervisor], Supervisor] = {}
        self._killed: list[Supervisor] = []
        self._left_behind: list[psutil.Process] = []

    def __enter__(self) -> Self:
        for kind in (Supervisor, UnreadSupervisor):
            self._start(kind)
        self._running[Supervisor].ready()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self._running.values(), *self._killed):
            each.__exit__()

    def _start(self, kind: type[Supervisor]) -> None:
        spool = str(self._spools / kind.__name__)
        self._running[kind] = kind(*self._argv, "--spool", spool, **self._variables)

    def replace(self, kind: type[Supervisor]) -> None:
        """Kill a supervisor; another one continues at once with its spool."""
        self._left_behind += self._running[kind].below()
        self._running[kind].process.kill()
        self._running[kind].wait()
        self._killed.append(self._running[kind])
        self._start(kind)

    def titled(self, title: str) -> list[psutil.Process]:
        """The processes with this title, on both."""
        return [found for each in self._running.values() for found in each.titled(title)]

    def stop(self) -> None:
        """Ask both to leave; no process may remain, not even of the supervisors killed before."""
        for each in self._running.values():
            until(each.below, "a child")  # before its first child a new one has no signal handlers
            self._left_behind += each.below()
            each.signal(signal.SIGTERM)
        assert [each.wait() for each in self._running.values()] == [0, 0]
        until(lambda: not any(map(is_alive, self._left_behind)), "no process is left behind")


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie waits for its parent only."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
