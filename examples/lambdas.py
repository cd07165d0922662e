"""Lambda functions: a step that AWS Lambda does, with an activity as a fallback.

An execution that calls Lambda functions must be started with a lambda role. Where the role is
missing or the function fails, the decider schedules an activity instead. Run it; the local SWF has
no Lambda, so the fallback does the work::

    python -m supervisor --flow examples.lambdas --local --once --start '{"picture": "cat"}'
"""

from __future__ import annotations

from typing import Any

from garcon import Schedule, activity, runner, task

domain = "pictures"
name = "thumbnails"
create = activity.create(domain, name)


@task.decorate(timeout=300)
def shrink(picture: str) -> dict[str, Any]:
    """Make a small copy of a picture."""
    return {"small": f"{picture}-small"}


by_hand = create(name="by_hand", run=runner.Sync(shrink.fill(picture="picture")))


def decider(schedule: Schedule, context: dict[str, Any]) -> None:
    """Call the Lambda function; if it fails, schedule the activity."""
    picture = {"picture": context["picture"]}
    quick = schedule.lambda_("shrink", "shrink", picture, timeout=60, may_fail=True)
    if quick.failed:
        schedule("shrink", by_hand, input=picture)
