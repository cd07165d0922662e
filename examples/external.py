"""An external activity: one that another program does, in any language.

The bakery knows nothing of garcon. It polls its task list and answers, with plain boto3. Garcon
schedules the activity with the context as JSON, sets its timeouts, and reads its JSON result.

Run both on a local SWF, each command in a terminal of its own (``docs/local.md`` has the
variables to export)::

    python -m garcon.local
    python -m supervisor --flow examples.external --workers 2
    python -m examples.external
    python -m garcon start --flow examples.external '{"cakes": 3}' --wait
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
    """Poll once and bake the order, if there is one; returns whether there was."""
    order = client.poll_for_activity_task(
        domain=domain, taskList={"name": f"{name}_bake"}, identity="bakery"
    )
    if not order.get("taskToken"):
        return False  # no order came within the minute that SWF holds a poll
    cakes = json.loads(order["input"])["cakes"]
    # A long batch would send heartbeats: client.record_activity_task_heartbeat(taskToken=...)
    result = {"baked": cakes, "oven": "oven 2"}
    client.respond_activity_task_completed(taskToken=order["taskToken"], result=json.dumps(result))
    return True


if __name__ == "__main__":
    # The client waits longer than SWF holds a poll, and never sends a poll twice: SWF may give an
    # order to a poll whose client no longer listens, and that order would be lost.
    once = Config(read_timeout=75, retries={"total_max_attempts": 1})
    swf = boto3.client("swf", config=once)
    while True:
        bake_one_batch(swf)
