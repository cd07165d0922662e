"""A flow of steps one after the other, with a decider of its own, so that decisions come often.

``{"steps": N}``: so many. ``{"at": PATH, "hold": n}``: the n-th waits until somebody opens the FIFO
at PATH for writing and closes it. ``{"at": PATH, "think": n}``: the decision after the n-th waits
there, until PATH.open exists.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "steps"
create = activity.create(domain, name)


@task.decorate(timeout=120)
def take(gate: str, number: int) -> dict[str, Any]:
    """Wait at the gate, if there is one."""
    if gate:
        Path(gate).read_bytes()
    return {f"step-{number}": number}


step = create(name="step", run=runner.Sync(take.fill(gate="gate", number="number")))


def decider(schedule: Any, context: Any) -> None:
    """The steps, each after the one before."""
    for number in range(context["steps"]):
        gate = context["at"] if number == context.get("hold") else ""
        schedule(str(number), step, input={"gate": gate, "number": number}).wait()
        if number == context.get("think") and not Path(f"{context['at']}.open").exists():
            Path(f"{context['at']}.thinks").write_text(str(os.getpid()))
            Path(context["at"]).read_bytes()
