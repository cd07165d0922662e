"""Retries: which failures are retried, after which wait, and how often.

A courier rings. If nobody is at home, the activity is retried with growing waits; a wrong address
is not retried, and the parcel goes to the post office. A timeout is retried, too. Run it::

    python -m supervisor --flow examples.retries --workers 2 \
        --local --once --start '{"addresses": ["Nowhere"]}'
"""

from __future__ import annotations

from typing import Any

from garcon import Schedule, activity, runner, task
from garcon.retry import TIMED_OUT, Retry

domain = "post"
name = "retries"
create = activity.create(domain, name)


class NobodyHome(Exception):
    """A transient failure: people come home."""


class NoSuchAddress(Exception):
    """A permanent failure."""


doorbells: dict[str, list[bool]] = {}  # whether each ring is answered, by address; a test fills it


@task.decorate(timeout=60)
def ring(address: str) -> dict[str, Any]:
    """Ring at a door and deliver the parcel."""
    rings = doorbells.get(address)
    if rings is None:
        raise NoSuchAddress(address)
    if rings and not rings.pop(0):
        raise NobodyHome(address)
    return {"delivered": address}


@task.decorate(timeout=60)
def leave(address: str) -> dict[str, Any]:
    """Leave the parcel at the post office."""
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
    # Ringing twice does no harm, so an attempt whose worker died does not count.
    restartable=True,
)
post_office = create(name="post_office", run=runner.Sync(leave.fill(address="address")))


def decider(schedule: Schedule, context: dict[str, Any]) -> None:
    """Deliver each parcel; if that fails for good, leave it at the post office."""
    for address in context["addresses"]:
        attempt = schedule(address, deliver, input={"address": address}, may_fail=True)
        if attempt.failed:
            schedule(address, post_office, input={"address": address})
