"""Names of workers, slots and tasks in log notes, and the facts by which they are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.core.stages import first_stage
from supervisor.ipc.messages import Serve

if TYPE_CHECKING:
    from supervisor.core.generation import Worker
    from supervisor.core.turn import Fact
    from supervisor.ipc.messages import Slot, Task


_MANY_MINUTES = 120
"""From here on a duration is shown in hours."""


def worker_name(worker: Worker) -> str:
    """``worker 12 (myflow_fetch/3)``; without a slot its job: ``worker 1 (registering)``."""
    job = worker.job
    place = slot_name(job.slot) if isinstance(job, Serve) else first_stage(job).value
    return f"worker {worker.number} ({place})"


def slot_name(slot: Slot) -> str:
    """``myflow_fetch/3``, as in ``status``."""
    return f"{slot.task_list.name}/{slot.index}"


def slot_facts(slot: Slot | None) -> dict[str, Fact]:
    """The facts of a slot."""
    return {"task_list": slot.task_list.name, "slot": slot.index} if slot else {}


def task_name(task: Task) -> str:
    """``activity a1 of workflow w1``, or ``a decision of workflow w1``."""
    what = f"activity {task.activity_id}" if task.activity_id else "a decision"
    return f"{what} of workflow {task.workflow_id}"


def task_facts(task: Task | None) -> dict[str, Fact]:
    """The facts of a task."""
    if task is None:
        return {}
    return {
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "activity_id": task.activity_id or None,
    }


def after(seconds: float) -> str:
    """``in 3.2 s``, or ``at once``."""
    return f"in {seconds:.1f} s" if seconds else "at once"


def duration(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``5 min``, ``3.2 h``."""
    for limit, text in ((9.95, f"{seconds:.1f} s"), (120, f"{seconds:.0f} s")):
        if seconds < limit:
            return text
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < _MANY_MINUTES else f"{minutes / 60:.1f} h"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
