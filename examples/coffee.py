"""A first flow: a coffee shop that takes an order, prepares its items in parallel, and serves them.

Tasks are plain functions. An activity says which tasks it runs. The decider is the flow, written as
if nothing took time: it runs from its first line again after each event, an activity that was
scheduled before is not scheduled twice, and reading a result that is not there yet ends the run.

Run it, with an Amazon SWF of its own in the same process::

    python -m supervisor --flow examples.coffee \
        --local --once --start '{"order": "Ann", "items": ["latte", "scone"]}'
"""

from __future__ import annotations

from typing import Any

from garcon import ActivityExecution, Schedule, activity, runner, task

domain = "cafe"
name = "coffee"
create = activity.create(domain, name)

MENU = {"espresso": 2.0, "latte": 3.5, "tea": 2.5, "scone": 3.0}  # prices


@task.decorate(timeout=30)
def write_down(
    activity: ActivityExecution, order: str | None, items: list[str] | None
) -> dict[str, Any]:
    """Take the order; without items it is an espresso."""
    guest, ordered = order or "Somebody", items or ["espresso"]
    activity.logger.info("%s orders %s", guest, ", ".join(ordered))
    return {"guest": guest, "items": ordered}


@task.decorate(timeout=60)
def prepare(item: str) -> dict[str, Any]:
    """Prepare one item, if it is on the menu."""
    return {"made": item in MENU, "item": item, "price": MENU.get(item, 0.0)}


@task.decorate(timeout=30)
def hand_over(guest: str, served: list[str]) -> dict[str, Any]:
    """Call the guest to the counter."""
    return {"said": f"{guest}: {' and '.join(served)}, enjoy!"}


@task.decorate(timeout=30)
def apologise(guest: str, missing: list[str]) -> dict[str, Any]:
    """Apologise for what is not on the menu."""
    return {"sorry": f"Sorry, {guest}, no {' and no '.join(missing)} today."}


# restartable= says whether a task may begin again when its host is taken away: one serves once.
take_order = create(
    name="take_order",
    run=runner.Sync(write_down.fill(order="order", items="items")),
    restartable=True,
)
prepare_item = create(name="prepare_item", run=runner.Sync(prepare.fill(item="item")), retry=1)
serve = create(
    name="serve",
    run=runner.Sync(hand_over.fill(guest="guest", served="served")),
    restartable=False,
)
excuse = create(
    name="excuse",
    run=runner.Sync(apologise.fill(guest="guest", missing="missing")),
    restartable=False,
)


def decider(schedule: Schedule) -> None:
    """Take one order, prepare it, serve it."""
    order = schedule("order", take_order)
    # All items are scheduled before any result is read, so they are prepared in parallel.
    prepared = [
        schedule(f"item-{number}", prepare_item, requires=[order], input={"item": item})
        for number, item in enumerate(order.result["items"])
    ]
    results = [item.result for item in prepared]
    served = [result["item"] for result in results if result["made"]]
    missing = [result["item"] for result in results if not result["made"]]
    if served:
        schedule("serve", serve, input={"served": served})
    if missing:
        schedule("excuse", excuse, input={"missing": missing})
