"""Changing a flow while executions of it run, and recording a value once.

Parcels were weighed and shipped. The change ``insure`` adds a step in between: executions that were
past it continue without, all others take it, and each history records which. The parcel's number is
drawn once (``side_effect``) and read from the history from then on. Run it::

    python -m supervisor --flow examples.versions --workers 2 --local --once --start '{}'
"""

from __future__ import annotations

import secrets
from typing import Any

from garcon import Schedule, activity, runner, task

domain = "parcels"
name = "shipping"
create = activity.create(domain, name)


@task.decorate(timeout=60)
def do(step: str, number: str) -> dict[str, Any]:
    """Do one step with a parcel."""
    return {step: number}


work = runner.Sync(do.fill(step="step", number="number"))
step = create(name="step", run=work)


def before(schedule: Schedule) -> None:
    """The decider before the change."""
    number = schedule.side_effect(lambda: secrets.token_hex(4), id="number")
    weighed = schedule("weigh", step, input={"step": "weighed", "number": number})
    schedule("ship", step, requires=[weighed], input={"step": "shipped", "number": number})


def decider(schedule: Schedule) -> None:
    """The decider after the change."""
    number = schedule.side_effect(lambda: secrets.token_hex(4), id="number")
    weighed = schedule("weigh", step, input={"step": "weighed", "number": number})
    weighed.wait()
    if schedule.version("insure", 1) >= 1:
        insured = schedule("insure", step, input={"step": "insured", "number": number})
        insured.wait()
    schedule("ship", step, input={"step": "shipped", "number": number})
