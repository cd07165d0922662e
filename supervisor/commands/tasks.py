"""``tasks``: what is in hand at this moment, and who has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.commands import showing, status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from supervisor.messages import Status, Task, WorkerStatus

Held = tuple["WorkerStatus", "Task"]


def run(given: argparse.Namespace) -> int:
    """Show them, the longest in hand first."""
    told = status.ask(given)
    held = _held(told)
    if given.json:
        showing.as_json({"tasks": [_facts(*each) for each in held], "owed": told.reports_owed})
        return 0
    for text in _lines(held):
        showing.line(text)
    if told.reports_owed:
        showing.line(f"{told.reports_owed} tasks of dead workers are being reported to SWF")
    return 0


def _held(told: Status) -> list[Held]:
    held = [(each, each.task) for each in told.workers if each.task]
    return sorted(held, key=lambda each: -each[0].seconds)


def _facts(worker: WorkerStatus, task: Task) -> dict[str, object]:
    """A task without its token: who has the token can answer for the worker."""
    return {
        "pid": worker.pid,
        "worker": worker.worker,
        "generation": worker.generation,
        "task_list": worker.seat.task_list.name if worker.seat else None,
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "activity_id": task.activity_id or None,
        "seconds": worker.seconds,
        "timeout": task.timeout,
    }


def _lines(held: list[Held]) -> Iterator[str]:
    if not held:
        yield "No task is in hand."
        return
    head = ("pid", "for", "of", "activity", "workflow")
    rows = [
        (
            str(worker.pid or ""),
            showing.duration(worker.seconds),
            "" if task.timeout is None else showing.duration(task.timeout),
            showing.short(task.activity_id or "a decision", 32),
            task.workflow_id,
        )
        for worker, task in held
    ]
    yield from showing.table(head, rows, flexible=4)
