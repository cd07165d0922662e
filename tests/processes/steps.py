"""A flow of steps one after the other, with a decider of its own, so that decisions come often.

``{"steps": N}``: so many. ``{"at": PATH, "hold": n}``: the n-th waits until a process opens the
FIFO at PATH for writing and closes it. ``{"at": PATH, "think": n}``: the decision after the n-th
waits there, until PATH.open exists. ``{"pause": SECONDS}``: each step takes so long.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "steps"
create = activity.create(domain, name)


@task.decorate(timeout=120)
def take(gate: str, pause: float | None) -> None:
    """Wait at the gate, if there is one."""
    if gate:
        Path(gate).read_bytes()
    threading.Event().wait(pause or 0)


step = create(name="step", run=runner.Sync(take.fill(gate="gate", pause="pause")))


def decider(schedule: Any, context: Any) -> None:
    """The steps, each after the one before."""
    for number in range(context["steps"]):
        gate = context["at"] if number == context.get("hold") else ""
        schedule(str(number), step, input={"gate": gate}).wait()
        if number == context.get("think") and not Path(f"{context['at']}.open").exists():
            Path(f"{context['at']}.thinks").write_text(str(os.getpid()))
            Path(context["at"]).read_bytes()
