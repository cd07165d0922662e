"""Health of a host: whether it serves, for ``status --healthy``, ``/ready`` and metrics.

Rules of this file:

1. Healthy: no drain has begun, a generation is active, none of its lists is degraded, and each list
   with workers has one that is ready or works.
2. An idle host is healthy, and so is one whose restart failed while the old code goes on.
3. Nothing of the flow is loaded: a probe runs every few seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import Status

ACTIVE = "active"


def problems(status: Status) -> Iterator[str]:
    """A sentence for each reason against sending work here; none for a healthy host."""
    if status.leaving:
        yield f"The supervisor is leaving: {status.leaving}."
        return  # its lists lose their workers, as they should
    active = [each for each in status.generations if each.status == ACTIVE]
    if not active:
        yield "No generation is active yet."
    for name in (name for each in active for name in each.degraded):
        yield f"The task list {name} is degraded: its workers die as soon as they start."
    for each in status.lists:
        if each.desired and not (each.ready or each.working):
            yield f"No worker of the task list {each.task_list.name} is ready."
