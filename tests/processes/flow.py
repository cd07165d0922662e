"""A flow whose tasks do what their input says, so that a test can hold one in any stage.

``{"gate": PATH}``: the task waits until somebody opens the FIFO at PATH for writing and closes it.
``{"then": "..."}``: what it does next: ``return``, ``raise``, ``exit``, ``segfault``, ``child``.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "gates"
create = activity.create(domain, name)


@task.decorate(timeout=120, heartbeat=120)
def wait_at_gate(gate: str, then: str, activity: Any) -> dict[str, Any]:
    """Wait for the gate to open, then do as told."""
    if then == "child":
        child = subprocess.Popen(["sleep", "300"])
        Path(f"{gate}.child").write_text(str(child.pid))
    if gate:
        activity.logger.info("at the gate")
        Path(gate).read_bytes()
    match then:
        case "raise":
            raise ValueError("told to raise")
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
    return {"passed": gate}


@task.decorate(timeout=120, heartbeat=120)
def finish() -> None:
    """Nothing is left to do."""


gate = create(name="gate", run=runner.Sync(wait_at_gate.fill(gate="gate", then="then")), retry=2)
end = create(name="end", requires=[gate], run=runner.Sync(finish.fill()))
