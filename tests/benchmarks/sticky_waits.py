"""Waits of executions on the sticky lists of dead deciders, with and without take-over.

``python -m tests.benchmarks.sticky_waits [--executions 12] [--kills 6]``

The same load twice: executions of quick steps, whose deciders are killed one after the other, and
then their supervisor with all its processes. A wait is a decision task that timed out on a private
list, which costs its execution five seconds. Without take-over the replacement of a dead decider
polls a list of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
from typing import TYPE_CHECKING

from tests.processes import steps, swf
from tests.processes.harness import Supervisor, local_swf, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psutil

DECIDERS = 2

COMPLETED = "WorkflowExecutionCompleted"

WITHOUT = """
import sys
from supervisor.core.pools import slots
slots._list_to_take_over = lambda state, slot: 0
from supervisor.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""A supervisor whose deciders take over no list."""


class WithoutTakeOver(Supervisor):
    """A supervisor as ``WITHOUT``."""

    def command(self, *argv: str) -> list[str]:
        """The program instead of the module."""
        module = super().command(*argv)
        return [module[0], "-c", WITHOUT, *module[3:]]


def waits(kind: type[Supervisor], executions: int, kills: int) -> int:
    """Decision tasks that timed out on private lists."""
    with local_swf("--poll-seconds", "2", "--no-ghosts") as endpoint, _spool() as spool:
        served = ("--flow", "tests.processes.steps", "--endpoint-url", endpoint)
        deciding = ("--workers", "0", "--deciders", str(DECIDERS), "--spool", spool)
        with kind(*served, *deciding).ready():
            pass  # it registers the domain and the types
        with Supervisor(*served, "--deciders", "0", "--workers", "4").ready():
            started = _through_kills(kind, (*served, *deciding), endpoint, executions, kills)
            with kind(*served, *deciding).ready():
                while not all(each.kinds()[-1] == COMPLETED for each in started):
                    with contextlib.suppress(AssertionError):
                        _wait_for_progress(started)  # a lost poll response takes a minute
                        continue
                    _wait_for_progress(started)
        return sum(map(_timed_out, started))


def _spool() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _through_kills(
    kind: type[Supervisor], argv: Sequence[str], endpoint: str, executions: int, kills: int
) -> list[swf.Execution]:
    with kind(*argv, GARCON_MIN_UPTIME="0.1").ready() as pool:
        started = [swf.start(endpoint, steps, steps=30, pause=0.2) for _ in range(executions)]
        for _ in range(kills):
            _wait_for_progress(started)
            _deciders(pool)[0].kill()
            pool.wait_for("worker_died")
            until(lambda: len(_deciders(pool)) == DECIDERS, "the replacement")
        _wait_for_progress(started)
        below = pool.below()
        pool.signal(signal.SIGKILL)
        for each in below:
            each.kill()
        pool.wait()
    return started


def _wait_for_progress(started: list[swf.Execution]) -> None:
    """Wait until an execution has gone a step further."""
    done = sum(len(each.kinds()) for each in started)
    until(lambda: sum(len(each.kinds()) for each in started) > done, "progress")


def _deciders(pool: Supervisor) -> list[psutil.Process]:
    return pool.titled("garcon: decider steps")


def _timed_out(execution: swf.Execution) -> int:
    timeouts = (each for each in execution.history() if each["eventType"] == "DecisionTaskTimedOut")
    members = (each["decisionTaskTimedOutEventAttributes"] for each in timeouts)
    return sum(each["timeoutType"] == "SCHEDULE_TO_START" for each in members)


def main() -> None:
    """Print both numbers and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=12)
    parser.add_argument("--kills", type=int, default=6)
    options = parser.parse_args()
    without = waits(WithoutTakeOver, options.executions, options.kills)
    taken_over = waits(Supervisor, options.executions, options.kills)
    print(f"waits without take-over  {without}")
    print(f"waits with take-over     {taken_over}")
    print(f"ratio                    {taken_over / max(without, 1):.2f}")


if __name__ == "__main__":
    main()
