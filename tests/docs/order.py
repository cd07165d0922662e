"""The flow whose state ``docs/operating.md`` shows: pick the items of an order, then ship it."""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain, name = "shop", "order"

create = activity.create(domain, name)


@task.decorate(timeout=60)
def take(activity: Any) -> dict[str, str]:
    """Pick an item."""
    return {activity.activity_id: "picked"}


pick = create(name="pick", run=runner.Sync(take.fill()))


def decider(schedule: Any, context: dict[str, Any]) -> None:
    """Pick one item after the other, then wait until the order is paid."""
    items = context["items"]
    for number, item in enumerate(items):
        schedule.expose(progress=f"{number} of {len(items)} picked", now=item)
        schedule(item, pick).wait()
    schedule.timer("reserved", 3600)
    schedule.signal("paid").wait()
