"""Lambda functions: a step that AWS Lambda does, beside those of our own workers.

The execution must be started with a lambda role. A function that fails falls back to an activity.
Run it::

    python -m supervisor --flow examples.lambdas --workers 2
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "pictures"
name = "thumbnails"
create = activity.create(domain, name)


@task.decorate(timeout=300)
def shrink(picture: str) -> dict[str, Any]:
    """Make a small one of a picture."""
    return {"small": f"{picture}-small"}


by_hand = create(name="by_hand", run=runner.Sync(shrink.fill(picture="picture")))


def decider(schedule: Any, context: dict[str, Any]) -> None:
    """Let Lambda do it, or else a worker."""
    picture = {"picture": context["picture"]}
    quick = schedule.lambda_("shrink", "shrink", picture, timeout=60, may_fail=True)
    if quick.failed:
        schedule("shrink", by_hand, input=picture)
