"""The costs of the local SWF, next to moto's server in the same run.

    python -m tests.benchmarks.local_swf [poll] [wake] [idle] [memory] [replay]

- poll: requests a second for poll and complete, with 1, 16 and 256 pollers and enough work.
- wake: time from one decision that schedules an activity for each of N waiting polls until the
  last of them has its task.
- idle: CPU time of the server while 1,000 polls wait.
- memory: memory of 10,000 executions with 100 events each; and growth, the time for one of them
  (start, decide, work, complete) among more and more others.
- replay: inputs a second when a state file is written and read.

The load comes from another process than the server's, over plain sockets without an SDK. Every
measurement is bounded in number and time. On a shared machine, compare ratios.
"""

from __future__ import annotations

import sys

from tests.benchmarks.local_swf.in_process import measure_memory_and_growth, measure_replay
from tests.benchmarks.local_swf.load import measure_idle, measure_polls, measure_wakes

MEASURES = {
    "poll": measure_polls,
    "wake": measure_wakes,
    "idle": measure_idle,
    "memory": measure_memory_and_growth,
    "replay": measure_replay,
}


def main(names: list[str]) -> None:
    """Run the named measurements, or all."""
    for name in names or MEASURES:
        MEASURES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
