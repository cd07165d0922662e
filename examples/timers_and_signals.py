"""Timers and signals: wait for a person, but not forever.

An expense is approved by the signal ``decision`` with the input ``{"approved": true}``. A reminder
is sent every day; after three reminders the expense is refused.

Run it on a local SWF, each command in a terminal of its own (``docs/local.md`` has the
variables to export)::

    python -m garcon.local
    python -m supervisor --flow examples.timers_and_signals --workers 2
    python -m garcon start --flow examples.timers_and_signals --id ann '{"guest": "Ann"}' --wait
    python -m garcon signal --flow examples.timers_and_signals ann decision '{"approved": true}'
"""

from __future__ import annotations

from typing import Any

from garcon import Schedule, activity, runner, task

domain = "office"
name = "expenses"
create = activity.create(domain, name)

DAY = 24 * 3600  # seconds
REMINDERS = 3


@task.decorate(timeout=60)
def write(who: str, text: str) -> dict[str, Any]:
    """Send a mail."""
    return {"last_mail": f"{who}: {text}"}


mail = create(name="mail", run=runner.Sync(write.fill(who="who", text="text")))


def decider(schedule: Schedule, context: dict[str, Any]) -> None:
    """Ask the boss, remind daily, and report the decision."""
    schedule("ask", mail, input={"who": "boss", "text": "please approve"})
    decision = schedule.signal("decision")
    for day in range(1, REMINDERS + 1):
        over = schedule.timer(f"day-{day}", DAY)
        first = schedule.any_of(decision, over)
        first.wait()
        if first.first is decision:
            schedule.cancel(over)
            break
        schedule(f"remind-{day}", mail, input={"who": "boss", "text": f"reminder {day}"})
    approved = decision.ready and decision.result["approved"]
    text = "approved" if approved else "refused"
    schedule("answer", mail, input={"who": context["guest"], "text": text})
