"""A coffee shop: take the order, prepare everything at once, serve, and mind what is sold out.

A first look at garcon. Tasks are plain functions; activities say which tasks they run; the decider
is the flow, written as if nothing took time. It is run from its first line whenever something has
happened: what was scheduled before is remembered, and asking for a result that is not there yet
ends the run until it is.

Run it::

    python -m supervisor --flow examples.coffee --workers 4

and start an execution with the input ``{"order": "Ann", "items": ["latte", "scone"]}``.
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "cafe"
name = "coffee"
create = activity.create(domain, name)

MENU = {"espresso": 2.0, "latte": 3.5, "tea": 2.5, "scone": 3.0}  # prices


@task.decorate(timeout=30)
def write_down(activity: Any, order: str | None, items: list[str] | None) -> dict[str, Any]:
    """Take the order; who says nothing gets an espresso."""
    wanted = items or ["espresso"]
    activity.logger.info("%s wants %s", order or "Somebody", ", ".join(wanted))
    return {"guest": order or "Somebody", "items": wanted}


@task.decorate(timeout=60)
def prepare(item: str) -> dict[str, Any]:
    """Prepare one thing, if it is on the menu."""
    return {"made": item in MENU, "item": item, "price": MENU.get(item, 0.0)}


@task.decorate(timeout=30)
def hand_over(guest: str, served: list[str]) -> dict[str, Any]:
    """Call the guest."""
    return {"said": f"{guest}: {' and '.join(served)}, enjoy!"}


@task.decorate(timeout=30)
def apologise(guest: str, missing: list[str]) -> dict[str, Any]:
    """Say what there is not."""
    return {"sorry": f"Sorry, {guest}, no {' and no '.join(missing)} today."}


take_order = create(
    name="take_order", run=runner.Sync(write_down.fill(order="order", items="items"))
)
prepare_item = create(name="prepare_item", run=runner.Sync(prepare.fill(item="item")), retry=1)
serve = create(name="serve", run=runner.Sync(hand_over.fill(guest="guest", served="served")))
excuse = create(name="excuse", run=runner.Sync(apologise.fill(guest="guest", missing="missing")))


def decider(schedule: Any) -> None:
    """One order, from the counter to the table."""
    order = schedule("order", take_order)
    # All items are scheduled before any result is asked for, so they are prepared side by side.
    prepared = [
        schedule(f"item-{number}", prepare_item, requires=[order], input={"item": item})
        for number, item in enumerate(order.result["items"])
    ]
    results = [each.result for each in prepared]
    served = [each["item"] for each in results if each["made"]]
    missing = [each["item"] for each in results if not each["made"]]
    if served:
        schedule("serve", serve, input={"served": served})
    if missing:
        schedule("excuse", excuse, input={"missing": missing})
