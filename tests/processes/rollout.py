"""A fleet that is rolled out, host by host, through versions of a flow that do not fit each other.

Executions begin in the middle of each roll, so that hosts of two versions decide side by side, and
stay open to the end. In the middle of the next roll they go on to their second gate; in the middle
of each later one a signal brings each a decision task.
"""

from __future__ import annotations

import enum
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.processes.fleet import outline
from tests.processes.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.processes.fleet import Fleet
    from tests.processes.harness import Supervisor


class OldCode(enum.Enum):
    """The fate of the code of earlier versions."""

    KEPT = "kept"  # each host serves the earlier releases beside its own (``--releases``)
    RETIRED = "retired"  # one supervisor with ``--retired`` serves each, on hosts of their own
    GONE = "gone"


PATIENCE = 180.0
"""Seconds for the executions' own waits: 30 s on the list of a build, up to a minute each between
offers, and the machine's slowness."""


@dataclass(frozen=True)
class Size:
    """The size of a roll-out.

    Attributes:
        versions: Number of versions.
        hosts: Hosts that serve.
        executions: Executions that are begun in all.
        keepers: Hosts that keep old code, if any does.
        patience: Seconds until a state must be reached that the executions' own waits lead to.
    """

    versions: int
    hosts: int
    executions: int
    keepers: int
    patience: float = PATIENCE


@dataclass
class Rollout:
    """One fleet on its way; leaving the block ends its hosts.

    Attributes:
        on_step: Called with what has been done, a sentence.
        replaced: Seconds that each replacement of a host took.
    """

    fleet: Fleet
    size: Size
    on_step: Callable[[str], object] = lambda _: None
    replaced: list[float] = field(default_factory=list)
    _hosts: list[Supervisor] = field(default_factory=list)
    _retired: list[Supervisor] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for host in (*self._hosts, *self._retired):
                stack.push(host)

    def go_with_old_code(self, old_code: OldCode) -> None:
        """Roll out with old code that goes on serving: none gets stuck, and none is harmed."""
        self.roll_out(old_code)
        self.fleet.go()
        self.complete(*range(1, self.size.versions + 1))
        self.leave()
        self.fleet.ensure_whole()
        stuck = self.fleet.were_stuck()
        assert not stuck, "\n".join(
            outline(self.fleet.executions[each].history()) for each in stuck
        )
        assert self.fleet.errors == []

    def go_and_come_back(self, back: OldCode = OldCode.GONE) -> None:
        """Roll out without: those of earlier versions get stuck, and a roll-back completes them.

        Or, instead of the roll-back, their code is served as retired code, late.
        """
        self.roll_out(OldCode.GONE)
        self.fleet.go()
        self.complete(self.size.versions)
        self.ensure_stuck_and_listed()
        for version in reversed(range(1, self.size.versions)):
            if back is OldCode.RETIRED:
                self._retired.append(self.fleet.retired(version).ready())
                self.complete(version)
            else:
                self.roll_back(version)
        self.leave()
        self.fleet.ensure_whole()
        others = [each for each in self.fleet.errors if not each.startswith("Stuck: ")]
        assert others == []

    def roll_out(self, old_code: OldCode) -> None:
        """Replace the hosts one after the other by each version in turn."""
        share = self.size.executions // self.size.versions
        for version in range(1, self.size.versions + 1):
            if old_code is OldCode.RETIRED and version > 1:
                self._retired.append(self.fleet.retired(version - 1).ready())
            for number in range(self.size.hosts):
                older = self.size.versions - 1 if number < self.size.keepers else 0
                self._replace(number, version, older if old_code is OldCode.KEPT else None)
                if number == self.size.hosts // 2:
                    self.fleet.nudge()
                    self.fleet.go(gates=1)
                    self.fleet.start(share)
            self.on_step(f"v{version} is on all hosts; {self.fleet.open()} executions are open.")

    def roll_back(self, version: int) -> None:
        """Replace the hosts by an earlier version, and wait until its executions have completed."""
        for number in range(self.size.hosts):
            self._replace(number, version)
        self.complete(version)

    def complete(self, *versions: int) -> None:
        """Wait until the executions of these versions have completed."""
        executions = self.fleet.of(*versions)
        began = time.monotonic()
        until(
            lambda: self.fleet.have_completed(executions),
            f"executions of {versions} completed",
            self.size.patience,
        )
        seconds = time.monotonic() - began
        self.on_step(f"{len(executions)} of {versions} completed after {seconds:.0f} s.")

    def wait_stuck(self, *versions: int) -> None:
        """Wait until the executions of these versions are stuck."""
        executions = self.fleet.of(*versions)
        until(lambda: self.fleet.are_stuck(executions), f"{versions} are stuck", self.size.patience)
        self.on_step(f"{len(executions)} are stuck.")

    def ensure_stuck_and_listed(self) -> None:
        """Wait until all of the earlier versions are stuck; both commands know them, and no other.

        No execution that is open may belong to the last version, or have failed.
        """
        earlier = range(1, self.size.versions)
        self.wait_stuck(*earlier)
        stuck = self.fleet.listed("list", "--stuck", "--limit", "1000")["executions"]
        ids = {each["execution"]["workflow_id"] for each in stuck}
        assert ids == {each.workflow_id for each in self.fleet.of(*earlier)}
        assert {each["standstill"]["cause"] for each in stuck} == {"stuck"}
        lines = self.fleet.listed("builds", "--calls", "1000")["builds"]
        assert {each["build"]: each["stuck"] for each in lines} == {
            f"v{version}": len(self.fleet.of(version)) for version in earlier
        }

    def leave(self) -> None:
        """Let all hosts drain."""
        for host in (*self._hosts, *self._retired):
            self.fleet.drain(host)

    def _replace(self, number: int, version: int, older: int | None = None) -> None:
        """Start a new host, and then let the old one drain: the fleet is never smaller.

        Args:
            number: Of the host.
            version: Of the code that serves.
            older: Number of older releases to keep; ``None`` for code that is not in releases.
        """
        began = time.monotonic()
        if older is None:
            fresh = self.fleet.started(version, "off")
        else:
            fresh = self.fleet.keeping(version, older)
        fresh.ready()
        self._wait_for_old_code(fresh, min(older or 0, version - 1))
        if number == len(self._hosts):
            self._hosts.append(fresh)
            return
        leaving = self._hosts[number]
        self._hosts[number] = fresh
        with leaving:
            self.fleet.drain(leaving)
        self.replaced.append(time.monotonic() - began)

    @staticmethod
    def _wait_for_old_code(host: Supervisor, releases: int) -> None:
        """Wait until a host serves so many older releases, too: the old host may be the last."""
        seen = sum('"retired_serving"' in line for line in host.err.seen)
        for _ in range(releases - seen):
            host.wait_for("retired_serving")
