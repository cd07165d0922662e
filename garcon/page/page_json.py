"""The JSON that the page reads, whichever server sends it. Pure.

Times are seconds since the epoch; events are as on the wire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from garcon.history import exposed_state
from garcon.page import purposes


@dataclass(frozen=True, slots=True)
class ShownExecution:
    """One execution in a list.

    Attributes:
        status: "OPEN" or a close status, such as "FAILED".
        started_at: Time of its start.
        closed_at: Time of its close; ``None`` while it is open.
        events: Number of its events, if known.
        parent: Workflow id and run id of the execution that started it as a child.
    """

    domain: str
    workflow_id: str
    run_id: str
    type_name: str
    type_version: str
    status: str
    started_at: float
    closed_at: float | None = None
    events: int | None = None
    tags: tuple[str, ...] = ()
    cancel_requested: bool = False
    parent: tuple[str, str] | None = None


def listed(executions: Sequence[ShownExecution]) -> list[dict[str, Any]]:
    """The members of a list of executions."""
    return [asdict(each) for each in executions]


def history(
    execution: ShownExecution,
    events: Sequence[Mapping[str, Any]],
    now: float,
    stuck: str = "",
    decided_by: str = "",
) -> dict[str, Any]:
    """An execution and its history.

    Args:
        execution: The execution.
        events: All events so far, oldest first.
        now: The server's time, up to which an open execution is drawn.
        decided_by: Build and host of its latest decision; empty if unknown.
        stuck: Why it does not go on, a sentence; empty if nothing is known.
    """
    exposed = exposed_state.latest(reversed(events))
    return {
        "execution": asdict(execution),
        "exposed": exposed[1] if exposed else None,
        "events": events,
        "now": now,
        "purposes": purposes.of(events),
        "stuck": stuck,
        "decided_by": decided_by,
    }
