"""A flow whose activity hands its task out: it writes pid and token into the file of its input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "asking"
create = activity.create(domain, name)

HEARTBEAT = 16
"""Seconds of heartbeat timeout: enough for a supervisor to start, on a busy machine, too."""


@task.decorate(timeout=600, heartbeat=HEARTBEAT)
def ask(file: str, activity: Any) -> None:
    """Hand the task out."""
    token = activity.later()
    aside = Path(f"{file}.aside")
    aside.write_text(f"{os.getpid()} {token}")
    aside.rename(file)


approve = create(name="approve", run=runner.Sync(ask.fill(file="file")))
