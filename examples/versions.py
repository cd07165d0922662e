"""Changing a flow while executions of it run, and recording what differs each time.

Parcels were weighed and shipped. Since a change called ``insure`` they are insured in between. What
was under way before the change goes on without; the answer is in each history. The parcel's number
is drawn once (``side_effect``) and read from the history ever after. Run it::

    python -m supervisor --flow examples.versions --workers 2
"""

from __future__ import annotations

import secrets
from typing import Any

from garcon import activity, runner, task

domain = "parcels"
name = "shipping"
create = activity.create(domain, name)


@task.decorate(timeout=60)
def do(step: str, number: str) -> dict[str, Any]:
    """Do one step to a parcel."""
    return {step: number}


work = runner.Sync(do.fill(step="step", number="number"))
step = create(name="step", run=work)


def before(schedule: Any) -> None:
    """The decider as it was."""
    number = schedule.side_effect(lambda: secrets.token_hex(4), id="number")
    weighed = schedule("weigh", step, input={"step": "weighed", "number": number})
    schedule("ship", step, requires=[weighed], input={"step": "shipped", "number": number})


def decider(schedule: Any) -> None:
    """The decider as it is."""
    number = schedule.side_effect(lambda: secrets.token_hex(4), id="number")
    weighed = schedule("weigh", step, input={"step": "weighed", "number": number})
    weighed.wait()
    if schedule.version("insure", 1) >= 1:
        insured = schedule("insure", step, input={"step": "insured", "number": number})
        insured.wait()
    schedule("ship", step, input={"step": "shipped", "number": number})
