"""Being cancelled: put things back before the execution ends.

A table is laid, then people dine. If the execution is asked to cancel, whatever runs is cancelled,
the table is cleared, and only then the execution ends as cancelled. Run it::

    python -m supervisor --flow examples.cancelling --workers 2
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "restaurant"
name = "dinner"
create = activity.create(domain, name)


@task.decorate(timeout=600)
def lay(table: int) -> dict[str, Any]:
    """Lay a table."""
    return {"laid": table}


@task.decorate(timeout=4 * 3600, heartbeat=60)
def dine(activity: Any, table: int) -> dict[str, Any]:
    """Dine: its heartbeats tell when to stop."""
    activity.heartbeat()
    return {"dined": table}


@task.decorate(timeout=600)
def clear(table: int) -> dict[str, Any]:
    """Clear the table."""
    return {"cleared": table}


laying = create(name="laying", run=runner.Sync(lay.fill(table="table")))
dining = create(name="dining", run=runner.Sync(dine.fill(table="table")))
clearing = create(name="clearing", run=runner.Sync(clear.fill(table="table")), priority=10)


def decider(schedule: Any) -> None:
    """Lay, wait for the guests, dine."""
    laid = schedule("lay", laying)
    schedule.signal("guests").wait()
    schedule("dine", dining, requires=[laid])


def on_cancel(schedule: Any) -> None:
    """Cancel what runs, and clear the table."""
    schedule.cancel_all()
    schedule("clear", clearing)
