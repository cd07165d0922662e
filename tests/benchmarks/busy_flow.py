"""A flow whose one activity takes half a second and no CPU."""

from __future__ import annotations

import time
from typing import Any

from garcon import activity, runner, task

domain = "bench"
name = "bench"

WORK = 0.5
"""Seconds that a task takes."""


@task.decorate(timeout=600)
def wait(activity: Any) -> None:
    """Take the time."""
    time.sleep(WORK)


create = activity.create(domain, name)
noop = create(name="noop", run=runner.Sync(wait.fill()))
