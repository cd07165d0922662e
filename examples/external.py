"""A flow with an activity that another program does, in any language.

The bakery knows nothing of garcon: it polls its task list, and answers, with plain boto3. Garcon
schedules its work, gives it the context as JSON, knows its timeouts, and takes its JSON result.

Run the flow, and the bakery beside it::

    python -m supervisor --flow examples.external --workers 2
    python -m examples.external

and start an execution with the input ``{"cakes": 3}``.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from garcon import activity, runner, task

domain = "cafe"
name = "catering"
create = activity.create(domain, name)


@task.decorate(timeout=30)
def bring(cakes: int, oven: str) -> dict[str, str]:
    """Bring the cakes to the party."""
    return {"delivered": f"{cakes} cakes from {oven}"}


bake = create(name="bake", external=True, timeout=3600, heartbeat=300)
deliver = create(
    name="deliver", requires=[bake], run=runner.Sync(bring.fill(cakes="baked", oven="oven"))
)


def bake_one_batch(client: Any) -> bool:
    """Poll once, and bake what was ordered; whether there was an order."""
    order = client.poll_for_activity_task(
        domain=domain, taskList={"name": f"{name}_bake"}, identity="bakery"
    )
    if not order.get("taskToken"):
        return False  # nothing came within the minute that SWF holds a poll
    wanted = json.loads(order["input"])["cakes"]
    # A long batch would tell SWF that it goes on: client.record_activity_task_heartbeat(...)
    result = {"baked": wanted, "oven": "oven 2"}
    client.respond_activity_task_completed(taskToken=order["taskToken"], result=json.dumps(result))
    return True


if __name__ == "__main__":
    # A poll is waited for longer than SWF holds it and never sent twice: a poll given up stays open
    # at SWF, which may hand it an order that nobody bakes.
    once = Config(read_timeout=75, retries={"total_max_attempts": 1})
    swf = boto3.client("swf", config=once)
    while True:
        bake_one_batch(swf)
