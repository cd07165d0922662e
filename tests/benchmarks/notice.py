"""A spot notice under load: tasks that are finished or returned before the instance is gone.

``python -m tests.benchmarks.notice [--each 4] [--notice 120] [--executions 60] [--warm 30]``

One host with ``--each`` workers for each of 50 task lists (4 make 200 workers), busy all the time;
one task in 50 takes longer than any notice. SWF and instance metadata are of our own, on this
machine; the margin is the default. The outcomes of tasks are read from the histories: their
times are SWF's.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from tests.benchmarks import measuring, notice_flow
from tests.fakes.metadata_service import Metadata
from tests.processes import swf
from tests.processes.harness import Supervisor, local_swf

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = 60.0
"""Seconds from the notice in which the supervisor's CPU is counted apart."""

LOOK = 0.05
"""Seconds between two looks whether it is still there."""

CLOSES = {
    "ActivityTaskCompleted": "finished",
    "ActivityTaskFailed": "returned",
    "ActivityTaskTimedOut": "timed out",
    "ActivityTaskCanceled": "canceled",
}


@dataclass
class Figures:
    """The figures of one run."""

    workers: int = 0
    in_progress: int = 0
    minute: float = 0.0  # CPU seconds of the supervisor in the first minute
    cpu: float = 0.0  # up to its exit
    sidecar: float = 0.0  # of the sidecar, since its own start
    left_after: float = 0.0
    left_before_end: float = 0.0
    code: int = 0
    closes: Counter[str] = field(default_factory=Counter)  # of tasks open at the notice
    last_close: float = 0.0  # seconds before the end


def used(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def watch(pool: Supervisor, figures: Figures, began: float, limit: float) -> None:
    """Count the CPU up to the supervisor's end, looking often: the dead cannot be asked."""
    supervisor, sidecar = psutil.Process(pool.pid), pool.titled("garcon: ec2")[0]
    before = used(supervisor)
    while pool.process.poll() is None and time.time() < began + limit:
        with contextlib.suppress(psutil.Error):
            figures.cpu = used(supervisor) - before
            if time.time() < began + MINUTE:
                figures.minute = figures.cpu
            figures.sidecar = used(sidecar)
        time.sleep(LOOK)
    figures.code = pool.process.wait(LOOK)
    figures.left_after = time.time() - began


def read(executions: Sequence[swf.Execution], began: float, ends: float, figures: Figures) -> None:
    """The outcomes of the tasks that were open at the notice, or came after it."""
    last = 0.0
    for execution in executions:
        for how, at in ends_of(execution.history()):
            if at >= began or how == "lost":
                figures.closes[how if at <= ends else f"{how}, too late"] += 1
                last = max(last, at)
    figures.last_close = ends - last


def ends_of(history: Sequence[dict[str, Any]]) -> list[tuple[str, float]]:
    """The end of each started task, and its time; ``lost`` at 0 if it never ended."""
    started: dict[int, tuple[str, float]] = {}
    for event in history:
        kind, at = event["eventType"], event["eventTimestamp"].timestamp()
        told = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
        if kind == "ActivityTaskStarted":
            started[event["eventId"]] = ("lost", 0.0)
        elif kind in CLOSES and told["startedEventId"]:
            started[told["startedEventId"]] = (CLOSES[kind], at)
    return list(started.values())


def measure(each: int, notice: float, executions: int, warm: float) -> Figures:
    """One host, from its start to its end."""
    figures = Figures(workers=each * notice_flow.LISTS)
    argv = ["--flow", "tests.benchmarks.notice_flow", "--workers", str(each), "--deciders", "2"]
    with Metadata() as metadata, local_swf() as endpoint:
        variables = {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        }
        with Supervisor(*argv, "--endpoint-url", endpoint, **variables) as pool:
            pool.ready()
            started = [swf.start(endpoint, notice_flow) for _ in range(executions)]
            time.sleep(warm)
            figures.in_progress = len(pool.titled("garcon: activity", "working"))
            ends = float(int(time.time() + notice))
            metadata.notice(ends)
            pool.wait_for("draining")
            began = time.time()
            watch(pool, figures, began, limit=notice + MINUTE)
            figures.left_before_end = ends - time.time()
            read(started, began, ends, figures)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--notice", type=float, default=120.0)
    parser.add_argument("--executions", type=int, default=60)
    parser.add_argument("--warm", type=float, default=30.0)
    asked = parser.parse_args()
    print(measuring.machine())
    figures = measure(asked.each, asked.notice, asked.executions, asked.warm)
    rows = [
        [f"a notice of {asked.notice:g} s", f"{figures.workers} workers of {notice_flow.LISTS}"],
        ["tasks in progress at the notice", str(figures.in_progress)],
        *([f"tasks {how}", str(count)] for how, count in sorted(figures.closes.items())),
        ["last of them before the instance's end", f"{figures.last_close:.1f} s"],
        ["exit after the drain's begin", f"{figures.left_after:.1f} s, code {figures.code}"],
        ["exit before the instance's end", f"{figures.left_before_end:.1f} s"],
        [f"supervisor's CPU in the first {MINUTE:.0f} s", f"{figures.minute:.2f} s"],
        ["supervisor's CPU up to its exit", f"{figures.cpu:.2f} s"],
        ["sidecar's CPU since its start", f"{figures.sidecar:.2f} s"],
    ]
    print(measuring.table(rows))


if __name__ == "__main__":
    main()
