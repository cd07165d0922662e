"""The state of an execution for people: what its decider exposes, and what is open. Pure.

It is read from the history alone, so it is there when no decider runs, and after the close.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from garcon.executions import parsing, presentation, standstill
from garcon.executions.pending import Pending, PendingKind, pending
from garcon.executions.recorded_history import Event, Events, attributes, moment
from garcon.executions.standstill import Standstill
from garcon.executions.values import Execution, Status
from garcon.history import exposed_state

Backlogs = Mapping[tuple[PendingKind, str], int]

POLL = 60.0  # seconds; a worker that is free takes a task within a long poll

_STATES = {
    PendingKind.TIMER: "fires",
    PendingKind.RETRY: "is due",
    PendingKind.CHILD: "runs",
    PendingKind.LAMBDA: "runs",
}


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """The state of an execution.

    Attributes:
        execution: The run.
        status: Open, or how it closed.
        started: Time of its start.
        closed: Time of its end, if it has closed.
        until: When its timeout ends it, if it is open.
        exposed: What its decider exposes; empty if it exposes nothing.
        exposed_at: Time of the decision that exposed it.
        pending: What is open; nothing after the close.
        standstill: Why it does not go on, if that is known.
    """

    execution: Execution
    status: Status
    started: datetime
    closed: datetime | None
    until: datetime | None
    exposed: Mapping[str, Any]
    exposed_at: datetime | None
    pending: tuple[Pending, ...]
    standstill: Standstill | None


def view(run: Execution, events: Events) -> ExecutionView:
    """The state of an execution after these events, all of its history."""
    status = parsing.status(events[-1])
    is_open = status is Status.OPEN
    exposed = exposed_state.latest(reversed(events))
    started = _time(events[0])
    timeout = str(attributes(events[0]).get("executionStartToCloseTimeout"))
    deadline = started + timedelta(seconds=int(timeout)) if timeout.isdigit() else None
    return ExecutionView(
        execution=run,
        status=status,
        started=started,
        closed=None if is_open else _time(events[-1]),
        until=deadline if is_open else None,
        exposed=exposed[1] if exposed else {},
        exposed_at=_time(exposed[0]) if exposed else None,
        pending=tuple(pending(events)) if is_open else (),
        standstill=standstill.of_history(events),
    )


def with_backlogs(of: ExecutionView, backlogs: Backlogs) -> ExecutionView:
    """The state with the numbers of tasks that wait in the task lists."""
    known = tuple(
        replace(each, backlog=backlogs.get((each.kind, each.task_list))) for each in of.pending
    )
    return replace(of, pending=known)


def lines(of: ExecutionView, flow: str, now: datetime) -> list[str]:
    """The state as lines of text.

    Args:
        of: The state.
        flow: The flow's name, which the ids of its activities begin with.
        now: The present.
    """
    exposed = [f"  {name}: {_shown(value)}" for name, value in of.exposed.items()]
    when = f" at {_clock(of.exposed_at)}" if of.exposed_at else ""
    return [
        _head(of, now),
        *([f"Exposed by its decider{when}:", *exposed] if exposed else []),
        *(["Open:"] if of.pending else []),
        *(f"  {_line(each, flow, now)}" for each in of.pending),
        *([presentation.standstill(of.standstill)] if of.standstill else []),
    ]


def _head(of: ExecutionView, now: datetime) -> str:
    name = presentation.printable(of.execution.workflow_id)
    if of.closed:
        verb = str(of.status).lower().replace("_", " ")
        lasted = presentation.duration((of.closed - of.started).total_seconds())
        return f"{name} {verb} at {_clock(of.closed)}, after {lasted}."
    age = presentation.duration((now - of.started).total_seconds())
    until = f", until {_clock(of.until)} at most" if of.until else ""
    return f"{name} is open since {_clock(of.started)} ({age}){until}."


def _line(each: Pending, flow: str, now: datetime) -> str:
    attempt = f", attempt {each.attempt}" if each.attempt > 1 else ""
    name = f"{each.kind} {presentation.short_label(each.id, flow)}".rstrip()
    age = presentation.duration((now - (each.started or each.since)).total_seconds())
    until = _clock(each.until) if each.until else ""
    if each.kind in _STATES:
        doing = f"{_STATES[each.kind]}{f' at {until}' if until else f' since {age}'}"
    else:
        doing = _work(each, age, now) + (f"; until {until}" if until else "")
    return presentation.printable(f"{name}{attempt} {doing}")


def _work(each: Pending, age: str, now: datetime) -> str:
    if each.started:
        return f"is worked on since {age} by {each.worker or 'an unnamed worker'}"
    waits = f"waits since {age} in {each.task_list}"
    others = "" if each.backlog is None else f", with {max(each.backlog - 1, 0)} more tasks"
    is_late = (now - each.since).total_seconds() > POLL
    return f"{waits}{others}{'; no worker took it: is its list polled?' if is_late else ''}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _clock(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S UTC}" if time else ""


def _time(event: Event) -> datetime:
    return datetime.fromtimestamp(moment(event), UTC)
