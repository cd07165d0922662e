"""Continuing as new by itself: a flow whose history never gets full.

A history may have 25,000 events. A flow of the ``requires`` kind continues as new by itself from
``continue_at`` events on (default: 10,000); this one does so early enough to watch. Each stage sees
the flow's own input and all earlier results, whichever run they come from. Run it::

    python -m supervisor --flow examples.continuing \
        --local --once --start '{"towns": ["Bern", "Thun", "Brig"]}'
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "post"
name = "relay"
create = activity.create(domain, name)

continue_at = 12  # events; a stage has six


@task.decorate(timeout=60)
def ride(towns: list[str], ridden: list[str] | None) -> dict[str, Any]:
    """Ride to the next town."""
    so_far = ridden or []
    return {"ridden": [*so_far, towns[len(so_far)]]}


def stage(number: int, *before: activity.Activity) -> activity.Activity:
    """Make the activity of one stage."""
    work = runner.Sync(ride.fill(towns="towns", ridden="ridden"))
    return create(name=f"stage_{number}", requires=before, run=work)


first = stage(1)
second = stage(2, first)
third = stage(3, second)
