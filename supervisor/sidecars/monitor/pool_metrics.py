"""Metrics of the pool as the supervisor knows it: workers, tasks, deaths, generations, events."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from supervisor.ipc import health
from supervisor.ipc.messages import RETIRED, Result
from supervisor.ipc.messages.status import UNNEEDED
from supervisor.ipc.messages.tallies import BOUNDS, LOST
from supervisor.logs.event_catalogue import EVENTS
from supervisor.sidecars.monitor.metric_kinds import (
    Counter,
    Distribution,
    Gauge,
    Histogram,
    Metric,
    Sample,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import TaskList
    from supervisor.sidecars.observation import Observation

_OF_A_LIST = ("task_list", "role")


def _list_labels(task_list: TaskList) -> tuple[str, str]:
    return task_list.name, task_list.role.value


def _desired(seen: Observation) -> Iterator[Sample]:
    for each in seen.status.lists:
        yield _list_labels(each.task_list), each.desired


def _workers(seen: Observation) -> Iterator[Sample]:
    for each in seen.status.lists:
        labels = _list_labels(each.task_list)
        yield (*labels, "idle"), each.ready - each.working
        yield (*labels, "working"), each.working
        yield (*labels, "leaving"), each.leaving


def _ended_tasks(seen: Observation) -> Iterator[Sample]:
    ended: dict[tuple[str, ...], float] = {
        (*_list_labels(each.task_list), result): 0
        for each in seen.status.lists
        for result in (*Result, LOST)
    }
    for each in seen.tallies.tasks:
        ended[*_list_labels(each.task_list), each.result] = sum(each.classes)
    return iter(ended.items())


def _events(seen: Observation) -> Iterator[Sample]:
    counts = dict.fromkeys(EVENTS, 0) | seen.tallies.events
    return (((name,), number) for name, number in counts.items())


def _oldest_tasks(seen: Observation) -> Iterator[Sample]:
    oldest: dict[tuple[str, ...], float] = defaultdict(float)
    for worker in seen.status.workers:
        if worker.slot and worker.task:
            labels = _list_labels(worker.slot.task_list)
            oldest[labels] = max(oldest[labels], worker.seconds)
    return iter(oldest.items())


def _memory(seen: Observation) -> Iterator[Sample]:
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for worker in seen.status.workers:
        if worker.slot and worker.pid in seen.memory:
            sums[_list_labels(worker.slot.task_list)] += seen.memory[worker.pid]
    return iter(sums.items())


def _sidecars_ready(seen: Observation) -> Iterator[Sample]:
    """Without one that nothing needs: it is not ready, and no one has to act."""
    needed = (each for each in seen.status.sidecars if each.status != UNNEEDED)
    return (((each.name,), each.status == "ready") for each in needed)


def _retired_memory(seen: Observation) -> Iterator[Sample]:
    for each in seen.status.sidecars:
        if each.name.startswith(RETIRED) and each.pid in seen.memory:
            yield (each.name.removeprefix(RETIRED), each.build), seen.memory[each.pid]


def _backlog(seen: Observation) -> Iterator[Sample]:
    for each in seen.status.lists:
        if each.pending is not None:
            yield _list_labels(each.task_list), each.pending


def _backlog_age(seen: Observation) -> Iterator[Sample]:
    for each in seen.status.lists:
        if each.counted is not None:
            yield _list_labels(each.task_list), each.counted


def _degraded(seen: Observation) -> Iterator[Sample]:
    degraded = {name for each in seen.status.generations for name in each.degraded}
    for each in seen.status.lists:
        yield _list_labels(each.task_list), each.task_list.name in degraded


def _task_durations(seen: Observation) -> Iterator[Distribution]:
    for each in seen.tallies.tasks:
        labels = (*_list_labels(each.task_list), each.result)
        yield Distribution(labels, each.classes, each.seconds)


METRICS: tuple[Metric, ...] = (
    Gauge(
        "garcon_healthy",
        "1 if the host serves: no drain has begun, no list is degraded or without workers.",
        (),
        lambda seen: [((), not any(health.problems(seen.status)))],
    ),
    Gauge(
        "garcon_draining",
        "1 from the beginning of a drain.",
        (),
        lambda seen: [((), seen.status.leaving is not None)],
    ),
    Gauge(
        "garcon_workers_desired",
        "Workers that a task list should have; 0 while it is quiet.",
        _OF_A_LIST,
        _desired,
    ),
    Gauge(
        "garcon_workers",
        "Workers by state: idle (polling or parked), working, or leaving.",
        (*_OF_A_LIST, "state"),
        _workers,
    ),
    Gauge(
        "garcon_degraded",
        "1 for a task list whose workers die as soon as they start.",
        _OF_A_LIST,
        _degraded,
    ),
    Counter(
        "garcon_tasks_total",
        "Ended tasks by result; lost means that the worker died with the task.",
        (*_OF_A_LIST, "result"),
        _ended_tasks,
    ),
    Histogram(
        "garcon_task_duration_seconds",
        "Time from the poll's response to the end of the task, in seconds.",
        (*_OF_A_LIST, "result"),
        BOUNDS,
        _task_durations,
    ),
    Gauge(
        "garcon_oldest_task_seconds",
        "Age of the oldest task in progress, in seconds.",
        _OF_A_LIST,
        _oldest_tasks,
    ),
    Gauge(
        "garcon_backlog_tasks",
        "Tasks that wait for a worker, at the last count; only lists of --scale are counted.",
        _OF_A_LIST,
        _backlog,
    ),
    Gauge(
        "garcon_backlog_age_seconds",
        "Time since that count, in seconds; in a fleet a host counts seldom.",
        _OF_A_LIST,
        _backlog_age,
    ),
    Counter(
        "garcon_worker_deaths_total",
        "Workers that ended without being asked, by kind of cause.",
        ("kind",),
        lambda seen: (((kind,), number) for kind, number in seen.status.deaths.items()),
    ),
    Gauge(
        "garcon_pending_reports",
        "Tasks of dead workers that are still to be reported to SWF.",
        (),
        lambda seen: [((), seen.status.pending_reports)],
    ),
    Gauge(
        "garcon_handed_out_tasks",
        "Tasks that other programs answer, and whose heartbeats this supervisor sends.",
        (),
        lambda seen: [((), seen.status.handed_out)],
    ),
    Gauge(
        "garcon_stuck_executions",
        "Executions that its deciders found stuck: they wait for code that fits.",
        (),
        lambda seen: [((), seen.status.stuck)],
    ),
    Gauge(
        "garcon_generation",
        "Number of each generation that has processes, by status.",
        ("status",),
        lambda seen: (((each.status,), each.generation) for each in seen.status.generations),
    ),
    Gauge(
        "garcon_worker_memory_bytes",
        "Unique memory of a list's workers together, in bytes.",
        _OF_A_LIST,
        _memory,
    ),
    Gauge(
        "garcon_retired_memory_bytes",
        "Unique memory of retired code with its workers, in bytes, by release and build.",
        ("release", "build"),
        _retired_memory,
    ),
    Gauge(
        "garcon_sidecar_ready",
        "1 for a sidecar that works; retired code is retired@RELEASE.",
        ("sidecar",),
        _sidecars_ready,
    ),
    Counter(
        "garcon_events_total",
        "Log entries by the name of their event, as in the JSON log.",
        ("event",),
        _events,
    ),
)
"""The metrics of the pool, in the order of the documentation."""
