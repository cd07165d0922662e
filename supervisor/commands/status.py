"""``status``: generations, pools and workers, at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from supervisor.commands import showing
from supervisor.commands.asking import Failed, connect
from supervisor.memory import resident
from supervisor.messages import asks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from supervisor.messages import ListState, Status, WorkerStatus


def run(given: argparse.Namespace) -> int:
    """Show the whole picture."""
    status = ask(given)
    memory = {each.pid: resident(each.pid) or None for each in status.workers if each.pid}
    if given.json:
        showing.as_json(_with_memory(status, memory))
    else:
        for text in picture(status, memory):
            showing.line(text)
    return 0


def ask(given: argparse.Namespace) -> Status:
    """How everything stands. Raises ``Failed``."""
    with connect(given) as supervisor:
        supervisor.ask(asks.AskStatus())
        said = supervisor.answer()
    if not isinstance(said, asks.Picture):
        raise Failed("The supervisor has answered something else than was asked.")
    return said.status


def picture(status: Status, memory: dict[int, int | None]) -> Iterator[str]:
    """The lines for people."""
    yield from _heads(status)
    yield ""
    yield from _lists(status)
    yield ""
    yield from _workers(status, memory)
    yield from _notes(status)


def _heads(status: Status) -> Iterator[str]:
    leaving = f", leaving: {status.leaving}" if status.leaving else ""
    yield showing.short(f"supervisor {status.pid}{leaving}")
    if where := status.instance:
        known = (where.id, where.zone, where.life_cycle)
        yield f"instance {', '.join(filter(None, known))}"
    for each in status.generations:
        zygote = f"zygote {each.pid} {each.zygote}" if each.pid else f"zygote {each.zygote}"
        degraded = f", degraded: {', '.join(each.degraded)}" if each.degraded else ""
        yield showing.short(f"generation {each.generation}: {each.standing}, {zygote}{degraded}")
    for attendant in status.attendants:
        yield f"attendant {attendant.name}: {attendant.standing}"


def _lists(status: Status) -> Iterator[str]:
    head = ("task list", "wanted", "ready", "working", "leaving", "")
    rows = [
        (
            each.task_list.name,
            str(each.wanted),
            str(each.ready),
            str(each.working),
            str(each.leaving),
            _remark(each),
        )
        for each in status.lists
    ]
    yield from showing.table(head, rows, flexible=0)


def _remark(each: ListState) -> str:
    waiting = "" if each.pending is None else f", {each.pending} wait"
    scaled = f"{each.scale}{waiting}" if each.scale else ""
    return ", ".join(filter(None, ("quiet" if each.quiet else "", scaled)))


def _workers(status: Status, memory: dict[int, int | None]) -> Iterator[str]:
    head = ("pid", "gen", "seat", "state", "for", "tasks", "memory", "deaths")
    rows = [_row(each, memory.get(each.pid or 0)) for each in status.workers]
    lines = showing.table(head, rows, flexible=2)
    yield lines[0]
    for worker, text in zip(status.workers, lines[1:], strict=True):
        yield text
        if worker.task:
            what = worker.task.activity_id or "a decision"
            yield showing.short(f"       └ {what} of {worker.task.workflow_id}")


def _row(worker: WorkerStatus, memory: int | None) -> tuple[str, ...]:
    seat = f"{worker.seat.task_list.name}/{worker.seat.index}" if worker.seat else "-"
    return (
        str(worker.pid or ""),
        str(worker.generation),
        seat,
        f"{worker.stage}, leaving" if worker.leaving else worker.stage,
        showing.duration(worker.seconds),
        str(worker.done),
        showing.amount(memory),
        str(worker.deaths or ""),
    )


def _notes(status: Status) -> Iterator[str]:
    """What is not well, in words."""
    if status.deploy and status.deploy.report:
        yield showing.short(f"last deploy: {status.deploy.report.splitlines()[0]}")
    for seat in status.empty_seats:
        name, cause = f"{seat.seat.task_list.name}/{seat.seat.index}", seat.last_death or "new"
        yield showing.short(f"{name} is empty for {showing.duration(seat.rests)}: {cause}")
    for worker in status.workers:
        if worker.last_death and worker.seat:
            name, times = f"{worker.seat.task_list.name}/{worker.seat.index}", worker.deaths
            yield showing.short(f"{name} deaths: {times}, the last: {worker.last_death}")
    if status.reports_owed:
        yield f"{status.reports_owed} tasks of dead workers are being reported to SWF"
    if status.deaths:
        counts = ", ".join(f"{number} {kind}" for kind, number in status.deaths.items())
        yield showing.short(f"deaths since the start: {counts}")


def _with_memory(status: Status, memory: dict[int, int | None]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(status)
    for worker in told["workers"]:
        worker["memory"] = memory.get(worker["pid"])
    return told
