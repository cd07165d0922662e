"""Cancelling: undo what was done before the execution ends.

A table is laid, then the guests dine. When the execution is asked to cancel, the running activities
are cancelled, the table is cleared, and only then the execution closes as cancelled.

Run it on a local SWF, each command in a terminal of its own (``docs/local.md`` has the
variables to export)::

    python -m garcon.local
    python -m supervisor --flow examples.cancelling --workers 2
    python -m garcon start --flow examples.cancelling --id dinner-4 '{"table": 4}' --wait
    python -m garcon cancel --flow examples.cancelling dinner-4
"""

from __future__ import annotations

from typing import Any

from garcon import ActivityExecution, Schedule, activity, runner, task

domain = "restaurant"
name = "dinner"
create = activity.create(domain, name)


@task.decorate(timeout=600)
def lay(table: int) -> dict[str, Any]:
    """Lay a table."""
    return {"laid": table}


@task.decorate(timeout=4 * 3600, heartbeat=60)
def dine(activity: ActivityExecution, table: int) -> dict[str, Any]:
    """Dine; after a request to cancel, a heartbeat raises ``TaskCanceled``."""
    activity.heartbeat()
    return {"dined": table}


@task.decorate(timeout=600)
def clear(table: int) -> dict[str, Any]:
    """Clear the table."""
    return {"cleared": table}


laying = create(name="laying", run=runner.Sync(lay.fill(table="table")))
dining = create(name="dining", run=runner.Sync(dine.fill(table="table")))
clearing = create(name="clearing", run=runner.Sync(clear.fill(table="table")), priority=10)


def decider(schedule: Schedule) -> None:
    """Lay the table, wait for the signal ``guests``, dine."""
    laid = schedule("lay", laying)
    schedule.signal("guests").wait()
    schedule("dine", dining, requires=[laid])


def on_cancel(schedule: Schedule) -> None:
    """Cancel what runs, and clear the table: the decider after a request to cancel."""
    schedule.cancel_all()
    schedule("clear", clearing)
