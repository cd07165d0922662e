"""An activity that another program answers later: here a person, who gets a link by mail.

The task hands its token out and ends; the worker is free. The link is to a page of the shop, which
calls ``garcon.Client(later).complete(token, {"approved": True})``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garcon import activity, runner, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from garcon.activity import ActivityExecution

domain = "shop"
name = "refund"
create = activity.create(domain, name)

DAY = 86_400


def print_mail(to: str, text: str) -> None:
    """Send a mail."""
    print(f"To: {to}\n{text}")


send_mail: Callable[[str, str], None] = print_mail


@task.decorate(timeout=3 * DAY, heartbeat=10 * 60)
def ask(euros: int, activity: ActivityExecution) -> None:
    """Ask a person, who has three days."""
    token = activity.later()
    send_mail("shop@example.org", f"Refund {euros} euros? https://example.org/yes?t={token}")


@task.decorate(timeout=60)
def pay(euros: int, approved: bool) -> dict[str, int]:  # noqa: FBT001 - a key of the context
    """Pay the money back if the person agreed."""
    return {"paid": euros if approved else 0}


approve = create(name="approve", run=runner.Sync(ask.fill(euros="euros")), retry=1)
refund = create(
    name="pay",
    requires=[approve],
    run=runner.Sync(pay.fill(euros="euros", approved="approved")),
)
