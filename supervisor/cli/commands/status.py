"""``status``: generations, pools and workers at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from supervisor.cli.commands import formatting
from supervisor.cli.commands.connection import connect
from supervisor.cli.commands.formatting import count, shorten
from supervisor.core.log_names import duration
from supervisor.ipc import health
from supervisor.ipc.control_client import CommandFailed
from supervisor.ipc.messages import RETIRED
from supervisor.ipc.messages.control_protocol import StatusReply, StatusRequest
from supervisor.ipc.messages.status import Unpolled
from supervisor.process_memory import unique, unique_with_children

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from supervisor.ipc.messages import ListState, SidecarStatus, Slot, Status, WorkerStatus


def run(given: argparse.Namespace) -> int:
    """Print the whole status, or with ``--healthy`` what is wrong."""
    status = fetch(given)
    if given.healthy:
        return _print_health(status, as_json=given.json)
    memory = memory_of(status)
    if given.json:
        formatting.print_json(_with_memory(status, memory))
    else:
        formatting.print_lines(status_lines(status, memory))
    return 0


def _print_health(status: Status, *, as_json: bool) -> int:
    found = tuple(health.problems(status))
    if as_json:
        formatting.print_json({"healthy": not found, "problems": found})
    else:
        formatting.print_lines(iter(found or ("healthy",)))
    return 1 if found else 0


def fetch(given: argparse.Namespace) -> Status:
    """The status of the supervisor. Raises ``CommandFailed``."""
    with connect(given) as connection:
        connection.send(StatusRequest())
        reply = connection.receive()
    if not isinstance(reply, StatusReply):
        raise CommandFailed("The supervisor has replied to another request.")
    return reply.status


def memory_of(status: Status, *, workers: bool = True) -> dict[int, int | None]:
    """Unique memory by pid: of the workers, and of retired code with all below it."""
    own = {each.pid: unique(each.pid) for each in status.workers if each.pid and workers}
    retired = (each.pid for each in status.sidecars if each.pid and each.name.startswith(RETIRED))
    return own | {pid: unique_with_children(pid) for pid in retired}


def status_lines(
    status: Status, memory: dict[int, int | None], *, lists: bool = True, workers: bool = True
) -> Iterator[str]:
    """The lines for people; ``memory`` is in bytes, by pid."""
    yield from _processes(status, memory)
    if lists:
        yield ""
        yield from _lists(status)
    if workers:
        yield ""
        yield from _workers(status, memory)
    yield from map(shorten, _remarks(status))


def _processes(status: Status, memory: dict[int, int | None]) -> Iterator[str]:
    leaving = f", leaving: {status.leaving}" if status.leaving else ""
    yield shorten(f"supervisor {status.pid}{leaving}")
    if instance := status.instance:
        known = (instance.id, instance.zone, instance.life_cycle)
        yield f"instance {', '.join(filter(None, known))}"
    for each in status.generations:
        zygote = f"zygote {each.pid} {each.zygote}" if each.pid else f"zygote {each.zygote}"
        degraded = f", degraded: {', '.join(each.degraded)}" if each.degraded else ""
        build = f", build {each.build}" if each.build else ""
        yield shorten(f"generation {each.generation}: {each.status}, {zygote}{build}{degraded}")
    for sidecar in status.sidecars:
        yield _sidecar(sidecar, memory)


def _sidecar(sidecar: SidecarStatus, memory: dict[int, int | None]) -> str:
    if not sidecar.name.startswith(RETIRED):
        return f"sidecar {sidecar.name}: {sidecar.status}"
    size = memory.get(sidecar.pid or 0)
    parts = (
        f"sidecar {sidecar.name}: {sidecar.status}",
        f"supervisor {sidecar.pid}" if sidecar.pid else "",
        f"build {sidecar.build}" if sidecar.build else "",
        f"{formatting.memory_size(size)} unique mem" if size else "",
        f"no open execution for {duration(sidecar.unused)}" if sidecar.unused is not None else "",
    )
    return shorten(", ".join(filter(None, parts)))


def _lists(status: Status) -> Iterator[str]:
    head = ("task list", "desired", "ready", "parked", "working", "leaving")
    rows = [
        (
            each.task_list.name,
            str(each.desired),
            str(each.ready),
            str(each.parked),
            str(each.working),
            str(each.leaving),
        )
        for each in status.lists
    ]
    first, *others = formatting.table(head, rows, flexible=0)
    yield first
    for each, row in zip(status.lists, others, strict=True):
        yield from _with_remark(row, _remark(each))


def _with_remark(row: str, remark: str) -> Iterator[str]:
    """The row with its remark, or with the remark below it where the line is too short."""
    line = f"{row}  {remark}".rstrip()
    if len(line) <= formatting.WIDTH:
        yield line
    else:
        yield from (row, shorten(f"       └ {remark}"))


def _remark(each: ListState) -> str:
    quiet = "quiet" if each.quiet else ""
    bounds = f"scale {each.scale}" if each.scale else ""
    polls = f"polls {each.polls}" if each.parked else ""
    return ", ".join(filter(None, (quiet, bounds, _waiting(each), polls)))


def _waiting(each: ListState) -> str:
    """The tasks that wait, by the latest count, and how long ago that was."""
    if each.pending is None:
        return ""
    ago = f" {duration(each.counted)} ago" if each.counted is not None else ""
    return f"{each.pending} waiting{ago}"


def _workers(status: Status, memory: dict[int, int | None]) -> Iterator[str]:
    head = ("pid", "gen", "slot", "stage", "for", "done", "unique mem", "deaths")
    rows = [_row(each, memory.get(each.pid or 0)) for each in status.workers]
    first, *others = formatting.table(head, rows, flexible=2)
    yield first
    for worker, row in zip(status.workers, others, strict=True):
        yield row
        if worker.task:
            what = worker.task.activity_id or "a decision"
            yield shorten(f"       └ {what} of {worker.task.workflow_id}")


def _row(worker: WorkerStatus, memory: int | None) -> tuple[str, ...]:
    return (
        str(worker.pid or ""),
        str(worker.generation),
        _slot(worker.slot) if worker.slot else "-",
        f"{worker.stage}, leaving" if worker.leaving else worker.stage,
        duration(worker.seconds),
        str(worker.done),
        formatting.memory_size(memory),
        str(worker.deaths or ""),
    )


def _slot(slot: Slot) -> str:
    return f"{slot.task_list.name}/{slot.index}"


_WHY_UNPOLLED = {
    Unpolled.EXTERNAL: "external, for another program",
    Unpolled.QUIET: "quiet until resume",
    Unpolled.NO_SLOTS: "scaled to 0",
    Unpolled.NO_WORKER: "its workers have died",
}


def _remarks(status: Status) -> Iterator[str]:
    """Sentences on what is not as it should be."""
    if status.deploy and status.deploy.report:
        yield f"last deploy: {status.deploy.report.splitlines()[0]}"
    for unpolled in status.unpolled_lists:
        waiting = f", {unpolled.pending} waiting" if unpolled.pending else ""
        yield f"{unpolled.name}: not polled here{waiting}: {_WHY_UNPOLLED[unpolled.why]}"
    for slot in status.empty_slots:
        last = f"; last death: {slot.last_death}" if slot.last_death else ""
        yield f"{_slot(slot.slot)}: empty, filled in {duration(slot.backoff)}{last}"
    for worker in status.workers:
        if worker.last_death and worker.slot:
            deaths = count(worker.deaths, "death")
            yield f"{_slot(worker.slot)}: {deaths}; last: {worker.last_death}"
    if status.stuck:
        yield f"stuck: {count(status.stuck, 'execution')}; see python -m garcon list --stuck"
    if status.handed_out:
        yield handed_out(status)
    if status.pending_reports:
        yield pending_reports(status)
    if status.deaths:
        counts = ", ".join(f"{number} {kind}" for kind, number in status.deaths.items())
        yield f"deaths since the start: {counts}"


def handed_out(status: Status) -> str:
    """The number of tasks that other programs have."""
    return f"handed out to other programs: {count(status.handed_out, 'task')}"


def pending_reports(status: Status) -> str:
    """The number of tasks of dead workers that are still to be reported."""
    return f"reports to SWF pending: {count(status.pending_reports, 'task')} of dead workers"


def _with_memory(status: Status, memory: dict[int, int | None]) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(status)
    retired = (each for each in members["sidecars"] if each["name"].startswith(RETIRED))
    for process in (*members["workers"], *retired):
        process["memory_unique"] = memory.get(process["pid"])
    return members
