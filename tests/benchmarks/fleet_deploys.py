"""A fleet that is rolled out through versions of a flow that do not fit each other: who is harmed?

    python -m tests.benchmarks.fleet_deploys [--full | --size V H E K]
        [--flow custom|requires ...] [--old-code kept|retired|gone ...]

The large form of ``tests/processes/test_fleet_deploys.py``: it asserts what the tests assert.

Real supervisors stand for the hosts, which are replaced one after the other, each by the next
version; the local SWF hands tasks to dead pollers, as SWF may. Executions begin in the middle of
each roll and stay open to the end. With old code kept (``--releases``, by some of the hosts), or
served as retired code on hosts of its own, none may get stuck. With old code gone, those of earlier
versions are stuck and listed, and the fleet is rolled back, version by version, until all have
completed. None may have failed, nothing may be done twice, and one version must have decided all of
an execution: the histories show it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks import measuring
from tests.processes import harness
from tests.processes.fleet import CUSTOM, REQUIRES, Fleet, notes
from tests.processes.harness import local_swf
from tests.processes.rollout import OldCode, Rollout, Size

FLOWS = {"custom": CUSTOM, "requires": REQUIRES}

FULL = Size(versions=10, hosts=6, executions=500, keepers=2, patience=900.0)

QUICK = Size(versions=3, hosts=3, executions=30, keepers=1, patience=300.0)

LIMIT = 180.0
"""Seconds after which one program of a fleet is given up: dozens of them share the machine."""

HEADS = [
    *("flow", "old code", "hosts replaced", "a replacement", "completed", "failed"),
    *("stuck on the way", "returns an execution", "waits an execution", "all"),
]


def measure(flow: str, old_code: OldCode, size: Size) -> list[str]:
    """The line of one roll-out."""
    began = time.monotonic()

    def show(step: str) -> None:
        print(
            f"{time.monotonic() - began:6.0f} s  {flow}, old code {old_code.value}: {step}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder, local_swf("--poll-seconds", "5") as url:
        fleet = Fleet(Path(folder), url, FLOWS[flow])
        with Rollout(fleet, size, show) as rollout:
            if old_code is OldCode.GONE:
                rollout.go_and_come_back()
            else:
                rollout.go_with_old_code(old_code)
        all_notes = [notes(each.history()) for each in fleet.executions.values()]
        stuck = len(fleet.were_stuck())
    executions = len(all_notes)
    returns = sum(each.returned and not each.is_stuck for found in all_notes for each in found)
    waits = sum(each.is_stuck for found in all_notes for each in found)
    return [
        *(flow, old_code.value, str(len(rollout.replaced))),
        f"{statistics.median(rollout.replaced):.1f} s",
        f"{executions} of {executions}",  # else an error has ended this
        *("0", str(stuck), f"{returns / executions:.1f}", f"{waits / executions:.1f}"),
        f"{(time.monotonic() - began) / 60:.0f} min",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 versions, 6 hosts, 500 executions")
    figures = ("VERSIONS", "HOSTS", "EXECUTIONS", "KEEPERS")
    parser.add_argument("--size", nargs=4, type=int, metavar=figures, help="another size")
    parser.add_argument("--flow", nargs="+", choices=FLOWS, default=[*FLOWS])
    names = [each.value for each in OldCode]
    parser.add_argument("--old-code", nargs="+", choices=names, default=names)
    given = parser.parse_args()
    size = FULL if given.full else QUICK
    if given.size:
        versions, hosts, executions, keepers = given.size
        size = Size(versions, hosts, executions, keepers, FULL.patience)
    harness.LIMIT = LIMIT
    print(measuring.machine())
    cases = [(flow, OldCode(name)) for flow in given.flow for name in given.old_code]
    table = [measure(flow, old_code, size) for flow, old_code in cases]
    print(measuring.table([HEADS, *table]))


if __name__ == "__main__":
    main()
