"""A flow under steady load: two activities of a moment each, whose every beginning leaves a line.

``STEADY_TRACE`` names the file: ``<workflow id> <activity id>`` a line.
"""

from __future__ import annotations

import os
import random
import threading
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "steady"
create = activity.create(domain, name)

MOMENT = 0.05
"""Seconds that an activity takes at most."""

TIMEOUT = 30
"""Seconds after which SWF gives a task up: longer than any deploy here."""


def work(context: dict[str, Any], activity: Any) -> dict[str, Any]:
    """Leave a line, take a moment."""
    line = f"{context['execution.workflow_id']} {activity.activity_id}\n"
    trace = os.open(os.environ["STEADY_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(trace, line.encode())
    os.close(trace)
    threading.Event().wait(random.uniform(0.0, MOMENT))
    return {}


def made(name: str, *requires: Any) -> Any:
    """One of the two; it has one attempt, so that a lost task fails its workflow."""
    timed = task.decorate(timeout=TIMEOUT, heartbeat=TIMEOUT)(work)
    return create(name=name, requires=list(requires), run=runner.Sync(timed), retry=0)


first = made("first")
last = made("last", first)
