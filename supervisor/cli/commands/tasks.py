"""``tasks``: the tasks in progress and their workers, and those that were handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supervisor.cli.commands import formatting, status
from supervisor.core.log_names import duration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from supervisor.ipc.messages import Status, Task, WorkerStatus

    _Pair = tuple[WorkerStatus, Task]


def run(given: argparse.Namespace) -> int:
    """Print them, the longest running first."""
    current = status.fetch(given)
    tasks = _in_progress(current)
    if given.json:
        formatting.print_json(
            {
                "tasks": [_members(*each) for each in tasks],
                "handed_out": current.handed_out,
                "handed_out_tasks": msgspec.to_builtins(current.handed_out_tasks),
                "pending_reports": current.pending_reports,
            }
        )
        return 0
    formatting.print_lines(lines(current))
    return 0


def lines(current: Status) -> Iterator[str]:
    """The lines for people."""
    yield from _table(_in_progress(current))
    if current.handed_out:
        yield ""
        yield from _handed_out(current)
    if current.pending_reports:
        yield status.pending_reports(current)


def _in_progress(current: Status) -> list[_Pair]:
    pairs = [(worker, worker.task) for worker in current.workers if worker.task]
    return sorted(pairs, key=lambda pair: -pair[0].seconds)


def _members(worker: WorkerStatus, task: Task) -> dict[str, object]:
    """A task without its token, which would let its reader answer in the worker's place."""
    return {
        "pid": worker.pid,
        "worker": worker.worker,
        "generation": worker.generation,
        "task_list": worker.slot.task_list.name if worker.slot else None,
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "activity_id": task.activity_id or None,
        "seconds": worker.seconds,
        "timeout": task.timeout,
    }


def _handed_out(current: Status) -> Iterator[str]:
    yield f"{status.handed_out(current)}, which answer them"
    rows = [
        (duration(each.seconds), formatting.shorten(each.activity_id, 32), each.workflow_id)
        for each in current.handed_out_tasks
    ]
    yield from formatting.table(("for", "activity", "workflow"), rows, flexible=2)
    if more := current.handed_out - len(rows):
        yield f"and {more} more"


def _table(tasks: list[_Pair]) -> Iterator[str]:
    if not tasks:
        yield "No task is in progress."
        return
    head = ("pid", "for", "timeout", "activity", "workflow")
    rows = [
        (
            str(worker.pid or ""),
            duration(worker.seconds),
            "none" if task.timeout is None else duration(task.timeout),
            formatting.shorten(task.activity_id or "a decision", 32),
            task.workflow_id,
        )
        for worker, task in tasks
    ]
    yield from formatting.table(head, rows, flexible=4)
