"""A flow for bad weather: four activities, each leaves a trace of every time that it was done.

``{"trace": PATH}``: each try appends a line there: workflow id, activity, and a word of its own,
which is the result, too. So it can be seen afterwards whose result SWF has.
"""

from __future__ import annotations

import os
import random
import threading
import uuid
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "storm"
create = activity.create(domain, name)

TRIES = 1000
"""More than the weather can use up: what is lost is tried again."""


def work(context: dict[str, Any], activity: Any) -> dict[str, Any]:
    """Take a moment, leave a trace."""
    threading.Event().wait(random.uniform(0.0, 0.05))
    kind = str(activity.activity_name)
    word = uuid.uuid4().hex
    line = f"{context['execution.workflow_id']} {kind} {word}\n"
    trace = os.open(context["trace"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(trace, line.encode())
    os.close(trace)
    return {kind: word}


def made(name: str, *requires: Any) -> Any:
    """One of the four; five seconds, because a task whose poll was lost waits that long."""
    timed = task.decorate(timeout=5, heartbeat=5)(work)
    return create(
        name=name, requires=list(requires), run=runner.Sync(timed), retry=TRIES, restartable=True
    )


first = made("first")
left = made("left", first)
right = made("right", first)
last = made("last", left, right)
