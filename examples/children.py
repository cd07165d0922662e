"""Child workflows, and going on as a new execution: a tour of any length.

Each town of the tour is a workflow of its own (``Concert``), which may fail without ending the
tour. After each leg the tour goes on as a new execution, so that its history stays short however
long it lasts. Run both flows, each with a supervisor of its own::

    python -m supervisor --flow examples.children --workers 4
    python -m supervisor --flow examples.children:concert --workers 4
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "band"
name = "tour"
tags = ["tour"]

TOWNS_A_LEG = 2  # a history may have 25,000 events; a leg here has a few dozen


class Cancelled(Exception):
    """No concert tonight."""


@task.decorate(timeout=4 * 3600)
def play(town: str) -> dict[str, Any]:
    """Play in a town."""
    if town == "Atlantis":
        raise Cancelled("The hall is under water.")
    return {"played": town}


class Concert:
    """One evening."""

    name = "concert"
    domain = domain
    tags = ("concert",)
    play = activity.create(domain, name)(
        name="play", run=runner.Sync(play.fill(town="town")), restartable=False
    )


concert = Concert()


@task.decorate(timeout=60)
def count(towns: list[str]) -> dict[str, Any]:
    """Count the towns."""
    return {"concerts": len(towns)}


settle_up = activity.create(domain, name)(
    name="settle_up", run=runner.Sync(count.fill(towns="towns"))
)


def decider(schedule: Any, context: dict[str, Any]) -> None:
    """Play the towns of a leg side by side, then go on with the next leg."""
    leg, ahead = context["towns"][:TOWNS_A_LEG], context["towns"][TOWNS_A_LEG:]
    evenings = [schedule.child(town, concert, {"town": town}, may_fail=True) for town in leg]
    schedule.marker("leg", leg)
    if not all(each.ready or each.failed for each in evenings):
        return
    played = [town for town, each in zip(leg, evenings, strict=True) if each.ready]
    done = [*context.get("done", []), *played]
    if ahead:
        schedule.continue_as_new({"towns": ahead, "done": done})
    schedule("settle", settle_up, input={"towns": done})
