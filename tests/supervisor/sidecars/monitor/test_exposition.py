"""Metrics of an observation, read by the official client's parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families

from supervisor.ipc.messages import ListState, Role, Slot, Status, Task, TaskList, WorkerStatus
from supervisor.ipc.messages.status import GenerationStatus, SidecarStatus
from supervisor.ipc.messages.tallies import BOUNDS, DECISION_BOUNDS, Counted, Tallies, TaskTally
from supervisor.sidecars.monitor.exposition import METRICS, registry
from supervisor.sidecars.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable

ALBUM = TaskList("album", Role.DECIDER, "decider")
RESIZE = TaskList("album_resize", Role.ACTIVITY, "resize")

TASK = Task("", "album-17", "run", "album_resize-1", 600.0)

CLASSES = (0, 2, 1, *(0,) * (len(BOUNDS) - 3), 3)

COUNTERS = (
    Counted(("calls", "PollForActivityTask", "accepted"), (90.0,)),
    Counted(("calls", "PollForActivityTask", "throttled"), (10.0,)),
    Counted(("calls", "CountPendingActivityTasks", "accepted"), (3.0,)),
    Counted(("heartbeats", "album_resize", "accepted"), (40.0,)),
    Counted(("heartbeats", "album_resize", "throttled"), (2.0,)),
    Counted(("decisions",), (5.0, 1.0, *(0.0,) * (len(DECISION_BOUNDS) - 1), 0.25)),
    Counted(("events",), (120.0,)),
    Counted(("states", "kept"), (4.0,)),
    Counted(("waits", "album_resize"), (*map(float, CLASSES), 777.5)),
    Counted(("claims", "stored"), (2.0, 90_000.0)),
    Counted(("sample", "open"), (90.0,)),
    Counted(("sample", "looked at"), (50.0,)),
    Counted(("sample", "waiting"), (0.0,)),
    Counted(("sample", "stuck"), (2.0,)),
    Counted(("sample", "at"), (1_000.0,)),
)

SEEN = Observation(
    Status(
        leaving=None,
        lists=(
            ListState(ALBUM, desired=1, ready=1, working=0),
            ListState(RESIZE, desired=3, ready=2, working=1, leaving=1, pending=7),
        ),
        generations=(GenerationStatus(2, "active", "ready", ("album_resize",)),),
        workers=(
            WorkerStatus(3, 2, Slot(ALBUM, 0), "polling", 0.3, leaving=False, task=None, pid=11),
            WorkerStatus(4, 2, Slot(RESIZE, 0), "working", 72.0, leaving=True, task=TASK, pid=12),
        ),
        empty_slots=(),
        sidecars=(
            SidecarStatus("monitor", "ready"),
            SidecarStatus("retired@v1", "starting", pid=13, build="b1"),
            SidecarStatus("retired@v0", "unneeded", build="b0", unused=90_000.0),
        ),
        pending_reports=1,
        deaths={"killed": 2},
    ),
    Tallies((TaskTally(RESIZE, "completed", CLASSES, 12_345.5),), {"worker_died": 2}, COUNTERS),
    {11: 1 << 20, 12: 5 << 20, 13: 40 << 20},
    at=1_030.0,
)


def samples(families: Iterable[object]) -> dict[tuple[str, ...], float]:
    """Each sample's value, by its name and the values of its labels in order."""
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for family in families
        for each in family.samples  # type: ignore[attr-defined]  # of an untyped parser
    }


def test_both_forms_hold_the_state_and_the_counts() -> None:
    """Prometheus' and OpenMetrics' parsers read the same values."""
    plain = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    text = openmetrics.generate_latest(registry(SEEN)).decode()  # type: ignore[no-untyped-call]
    opened = parse_open(text)  # type: ignore[no-untyped-call]  # neither has annotations
    assert plain == samples(opened)
    assert plain["garcon_healthy",] == 0  # a list is degraded
    assert plain["garcon_degraded", "activity", "album_resize"] == 1
    assert plain["garcon_workers", "activity", "working", "album_resize"] == 1
    assert plain["garcon_workers", "activity", "idle", "album_resize"] == 1
    assert plain["garcon_tasks_total", "completed", "activity", "album_resize"] == 6
    assert plain["garcon_oldest_task_seconds", "activity", "album_resize"] == 72.0
    assert plain["garcon_backlog_tasks", "activity", "album_resize"] == 7
    assert plain["garcon_worker_memory_bytes", "decider", "album"] == 1 << 20
    assert plain["garcon_retired_memory_bytes", "b1", "v1"] == 40 << 20
    assert plain["garcon_sidecar_ready", "retired@v1"] == 0
    assert ("garcon_sidecar_ready", "retired@v0") not in plain  # no one has to act
    assert plain["garcon_events_total", "worker_died"] == 2


def test_what_children_count_is_exposed() -> None:
    """Calls and heartbeats with their results, decisions, waits and claims."""
    found = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    assert found["garcon_swf_calls_total", "PollForActivityTask", "throttled"] == 10
    assert found["garcon_heartbeats_total", "accepted", "album_resize"] == 40
    assert found["garcon_decision_duration_seconds_bucket", "0.0025"] == 6
    assert found["garcon_decision_duration_seconds_sum",] == 0.25
    assert found["garcon_decision_events_total",] == 120
    assert found["garcon_decision_states_total", "kept"] == 4
    assert found["garcon_task_wait_seconds_count", "album_resize"] == sum(CLASSES)
    assert found["garcon_claims_total", "stored"] == 2
    assert found["garcon_claim_bytes_total", "stored"] == 90_000


def test_the_rate_of_budget_seconds_is_the_share_of_the_budget() -> None:
    """All attempts count, divided by the calls that an account has in a second."""
    found = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    assert found["garcon_swf_budget_seconds_total", "PollForActivityTask"] == 100 / 200
    assert found["garcon_swf_budget_seconds_total", "CountPendingActivityTasks"] == 3 / 6


def test_a_sample_of_executions_is_exposed_with_its_age() -> None:
    """Executions that do not go on, by cause, beside those that were looked at."""
    found = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    assert found["garcon_open_executions",] == 90
    assert found["garcon_sampled_executions",] == 50
    assert found["garcon_sampled_standstills", "stuck"] == 2
    assert found["garcon_sample_age_seconds",] == 30


def test_what_has_not_happened_is_counted_as_zero() -> None:
    """Each list has every result, and each event a count, before the first one."""
    found = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    assert found["garcon_tasks_total", "lost", "decider", "album"] == 0
    assert found["garcon_events_total", "generation_failed"] == 0
    assert found["garcon_swf_calls_total", "RespondActivityTaskFailed", "refused"] == 0
    assert found["garcon_heartbeats_total", "failed", "album_resize"] == 0
    assert found["garcon_decision_states_total", "read"] == 0
    assert found["garcon_claims_total", "fetched"] == 0


def test_durations_are_cumulated() -> None:
    """Each class of the histogram holds the tasks below its bound; the last one holds all."""
    found = samples(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
    name = "garcon_task_duration_seconds"
    labels = ("completed", "activity", "album_resize")
    assert found[f"{name}_bucket", "0.1", *labels] == 2
    assert found[f"{name}_bucket", "0.25", *labels] == 3
    assert found[f"{name}_bucket", "3600.0", *labels] == 3
    assert found[f"{name}_bucket", "+Inf", *labels] == found[f"{name}_count", *labels] == 6
    assert found[f"{name}_sum", *labels] == 12_345.5


def test_names_follow_the_conventions() -> None:
    """A name has the prefix once, a counter ends in total, and each has a sentence."""
    names = [each.name for each in METRICS]
    assert len(set(names)) == len(names)
    for each in METRICS:
        assert each.name.startswith("garcon_")
        assert each.name.endswith("_total") == (each.kind == "counter")
        assert each.help.endswith(".")
