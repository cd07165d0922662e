"""The flow of ``notice``: fifty activities, so fifty lists. Most tasks are short, some long."""

from __future__ import annotations

import random
import time

from garcon import activity, runner, task

domain = "bench"
name = "notice"
create = activity.create(domain, name)

LISTS = 50

SHORT = (1.0, 8.0)
"""Seconds of most tasks."""

LONG, ONE_IN = 900.0, 50
"""Seconds of the others, which no notice waits for, and how many there are."""


@task.decorate(timeout=3600)
def work() -> None:
    """Take its time."""
    dice = random.SystemRandom()
    time.sleep(LONG if dice.randrange(ONE_IN) == 0 else dice.uniform(*SHORT))


for _number in range(LISTS):
    _part = f"part{_number:02}"
    globals()[_part] = create(name=_part, run=runner.Sync(work.fill()))
