"""Child workflows and continuing as new: a concert tour of any length.

Each town of the tour is a workflow of its own (``Concert``), which may fail without ending the
tour. After each leg the tour continues as a new execution, so that its history stays short however
long the tour is.

Run both flows on a local SWF, each command in a terminal of its own (``docs/local.md`` has the
variables to export)::

    python -m garcon.local
    python -m supervisor --flow examples.children --workers 4
    python -m supervisor --flow examples.children:concert --workers 4
    python -m garcon start --flow examples.children '{"towns": ["Rome", "Atlantis", "Oslo"]}' --wait
"""

from __future__ import annotations

from typing import Any

from garcon import Schedule, activity, runner, task

domain = "band"
name = "tour"
tags = ["tour"]

TOWNS_PER_LEG = 2  # a history may have 25,000 events; this leg has a few dozen


class Cancelled(Exception):
    """The concert does not take place."""


@task.decorate(timeout=4 * 3600)
def play(town: str) -> dict[str, Any]:
    """Play in a town."""
    if town == "Atlantis":
        raise Cancelled("The hall is under water.")
    return {"played": town}


class Concert:
    """The child workflow: one evening in one town."""

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


def decider(schedule: Schedule, context: dict[str, Any]) -> None:
    """Play the towns of a leg in parallel, then continue as new with the next leg."""
    leg, ahead = context["towns"][:TOWNS_PER_LEG], context["towns"][TOWNS_PER_LEG:]
    # All children start before any outcome is read, so they run in parallel.
    evenings = [schedule.child(town, concert, {"town": town}, may_fail=True) for town in leg]
    schedule.marker("leg", leg)
    if not all(evening.ready or evening.failed for evening in evenings):
        return
    played = [town for town, evening in zip(leg, evenings, strict=True) if evening.ready]
    done = [*context.get("done", []), *played]
    if ahead:
        schedule.continue_as_new({"towns": ahead, "done": done})
    schedule("settle", settle_up, input={"towns": done})
