"""A flow whose one activity takes half a second, or ``BENCH_WORK`` seconds, and no CPU.

Its heartbeat timeout is ten minutes, or ``BENCH_HEARTBEAT`` seconds.
"""

from __future__ import annotations

import os
import time
from typing import Any

from garcon import activity, runner, task

domain = "bench"
name = "bench"

WORK = float(os.environ.get("BENCH_WORK", "0.5"))
"""Seconds that a task takes."""


HEARTBEAT = float(os.environ.get("BENCH_HEARTBEAT", "600"))


@task.decorate(timeout=600, heartbeat=HEARTBEAT)
def wait(activity: Any) -> None:
    """Take the time."""
    time.sleep(WORK)


create = activity.create(domain, name)
noop = create(name="noop", run=runner.Sync(wait.fill()))
