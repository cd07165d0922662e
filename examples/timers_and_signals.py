"""Timers and signals: wait for people, but not for ever.

An expense is approved by a signal ``decision`` with the input ``{"approved": true}``. A reminder is
sent every day; after three the expense is refused. Run it, start an execution, send the signal::

    python -m supervisor --flow examples.timers_and_signals --workers 2
"""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

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


def decider(schedule: Any, context: dict[str, Any]) -> None:
    """Ask, remind, and tell the outcome."""
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
    schedule("tell", mail, input={"who": context["guest"], "text": text})
