"""A flow whose decider waits at a gate, so that a test can kill it in mid-decision.

With ``{"stillborn": PATH}`` the activity's first worker dies when it has the task and has
not begun it; the second attempt finds PATH and is left alone. With ``{"dies": true}`` the decider's
process is killed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from garcon import activity, runner, task
from supervisor.child import worker

domain = "tests"
name = "thinking"
create = activity.create(domain, name)


@task.decorate(timeout=60)
def work(context: Any, activity: Any) -> None:
    """Do nothing."""


@task.list
def tasks(context: Any) -> Any:
    """Asked for by the worker between SWF's answer and its own beginning."""
    if context.get("stillborn"):
        stillborn.append(context["stillborn"])
    yield work


stillborn: list[str] = []
only = create(name="only", run=runner.Sync(tasks))


def decider(schedule: Any, context: Any) -> None:
    """Wait at the gate, then have the work done."""
    if context.get("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if gate := context.get("gate"):
        Path(f"{gate}.thinks").write_text(str(os.getpid()))
        Path(gate).read_bytes()
    schedule("only", only)


def die_unbegun(title: str) -> None:
    """Stands for the setting of a process title, which a worker does before it begins a task."""
    set_title(title)
    if " working " in title and stillborn and not Path(stillborn[-1]).exists():
        Path(stillborn[-1]).touch()
        os._exit(9)


set_title = vars(worker)["setproctitle"]
vars(worker)["setproctitle"] = die_unbegun
