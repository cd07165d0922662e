"""Retries with rests: which failures are tried again, how soon, and what counts.

A courier rings. Nobody at home is worth another try later, with growing rests; a wrong address is
not, and another way is found for it. A timeout is tried again too. Run it::

    python -m supervisor --flow examples.retries --workers 2
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task
from garcon.retry import TIMED_OUT, Retry

domain = "post"
name = "retries"
create = activity.create(domain, name)


class NobodyHome(Exception):
    """It passes: people come home."""


class NoSuchAddress(Exception):
    """It does not pass."""


doorbells: dict[str, list[bool]] = {}  # who opens at which ring; a test fills it


@task.decorate(timeout=60)
def ring(address: str) -> dict[str, Any]:
    """Ring at a door."""
    rings = doorbells.get(address)
    if rings is None:
        raise NoSuchAddress(address)
    if rings and not rings.pop(0):
        raise NobodyHome(address)
    return {"delivered": address}


@task.decorate(timeout=60)
def leave(address: str) -> dict[str, Any]:
    """Leave it at the post office."""
    return {"left_for": address}


deliver = create(
    name="deliver",
    run=runner.Sync(ring.fill(address="address")),
    retry=Retry(
        maximum=5,
        initial=600,  # seconds: people need time to come home
        factor=2,
        cap=4 * 3600,
        on=(NobodyHome, *TIMED_OUT),
        deadline=24 * 3600,
    ),
    # To ring twice does no harm: a worker that dies at it costs no retry.
    restartable=True,
)
post_office = create(name="post_office", run=runner.Sync(leave.fill(address="address")))


def decider(schedule: Any, context: dict[str, Any]) -> None:
    """Deliver, and if that is given up, leave it at the post office."""
    for address in context["addresses"]:
        attempt = schedule(address, deliver, input={"address": address}, may_fail=True)
        if attempt.failed:
            schedule(address, post_office, input={"address": address})
