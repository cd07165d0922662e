"""Costs of the replay gate as histories grow: chains, and the same with a decider of one's own.

    python -m tests.benchmarks.replay [--chains N ...] [--owns N ...]

Each is recorded once (sticky, the local SWF's limit of events lifted) and written to a file, which
a gate then reads, checks and decides again, with all that a deploy does but the process. CPU of
this thread; the ratio is that of the CPU for one decision to that of the table's first line of the
same flow: 1 where the cost is linear in the length.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from garcon import client as clients
from garcon.executions import recorded_history
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import replayer
from supervisor.child.shutdown import Shutdown
from supervisor.config.setting_types import HistorySource
from supervisor.ipc import channel, messages
from tests.benchmarks import measuring
from tests.benchmarks.decider import SHAPES, UNLIMITED, Measured, decider_of

HEADS = ["flow", "events", "decisions", "CPU", "a decision", "ratio"]


def recorded(flow: Any) -> list[dict[str, Any]]:
    """The history of one execution."""
    measured = Measured(UNLIMITED)
    with measured.swf, clients.use(measured.client):
        measured.drive(decider_of("sticky", measured, flow))
        return measured.swf.history("workflow")


def gate(flow: Any, folder: Path) -> tuple[float, messages.Replayed]:
    """Seconds of CPU that the gate takes for the histories of a folder, and its verdict."""
    ours, theirs = channel.pair()
    with Shutdown(theirs) as leaving:
        began = time.thread_time()
        served = Flow(flow, "domain", "flow", "1.0", {})
        replayer.replay(served, 1, leaving, HistorySource(str(folder)))
        took = time.thread_time() - began
    said = ours.receive()
    assert isinstance(said, messages.Replayed), said
    return took, said


def row(shape: str, size: int) -> tuple[list[str], float]:
    """One line of the table without its ratio, and the seconds for one decision."""
    flow = SHAPES[shape](size)
    flow.continue_at = None
    events = recorded(flow)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.json").write_text(recorded_history.dumps(events))
        took, said = gate(flow, Path(folder))
    each = took / said.decisions
    told = [f"{shape} {size}", f"{len(events):,}", f"{said.decisions:,}"]
    return [*told, f"{took:.2f} s", f"{each * 1e3:.2f} ms"], each


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--chains", type=int, nargs="*", default=[200, 1000, 4000])
    parser.add_argument("--owns", type=int, nargs="*", default=[200, 1000])
    asked = parser.parse_args()
    print(measuring.machine())
    rows = [HEADS]
    for shape, sizes in (("chain", asked.chains), ("own", asked.owns)):
        first = 0.0
        for size in sizes:
            told, each = row(shape, size)
            first = first or each
            rows.append([*told, f"{each / first:.2f}"])
            print("  ".join(rows[-1]), flush=True)
    print()
    print(measuring.table(rows))


if __name__ == "__main__":
    main()
