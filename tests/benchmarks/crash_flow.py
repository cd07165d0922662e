"""The flow of ``crash``: one activity, whose worker may be killed in mid-task.

Each attempt notes its worker: a line in the file of the environment's ``CRASH_TRIES``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from garcon import activity, runner, task

domain = "bench"
name = "crash"
create = activity.create(domain, name)

WORK = 0.2
"""Seconds of work: long enough to be hit in it."""

TIMEOUT = 10
"""Seconds that SWF waits for a lost worker. The library's own default is 600."""


def work(context: dict[str, Any], activity: Any) -> None:
    """Note worker and task, and take a moment."""
    line = f"{os.getpid()} {context['execution.workflow_id']}\n"
    attempts = os.open(os.environ["CRASH_TRIES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(attempts, line.encode())
    os.close(attempts)
    time.sleep(WORK)


job = create(
    name="job",
    run=runner.Sync(task.decorate(timeout=TIMEOUT, heartbeat=TIMEOUT)(work)),
    retry=1000,
    restartable=True,
)
