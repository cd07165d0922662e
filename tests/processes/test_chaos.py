"""Bad weather: every workflow completes, but for those whose every decision ends its process.

Kills of workers, zygotes and supervisors, a log that is not read, throttles, resets, lost answers,
pages of HTML, and tasks that harm their worker. Two minutes at most, with ``WORKFLOWS`` workflows,
for two slow cores; all 500 of them, and longer, with ``--chaos-minutes 10``; other weather with
``--chaos-seed``.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil

from garcon.history import decision_deaths
from tests.processes import storm, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.hosts import Hosts, UnreadSupervisor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WORKFLOWS, ALL_WORKFLOWS = 120, 500

MINUTES = 2.0

CALM = 0.4
"""Part of the time that is left for what the storm has left behind."""

ACTIVITIES = {"storm_first", "storm_left", "storm_right", "storm_last"}

FAULTS: tuple[dict[str, Any], ...] = (
    # Every call but polls may be throttled, reset, or be carried out with its answer lost.
    {"kind": "throttle", "rate": 0.03},
    {"kind": "error", "rate": 0.01},
    {"kind": "reset-before", "rate": 0.02},
    {"kind": "reset-after", "operation": "RespondActivityTaskCompleted", "rate": 0.05},
    {"kind": "reset-after", "operation": "RespondActivityTaskFailed", "rate": 0.05},
    {"kind": "reset-after", "operation": "RespondDecisionTaskCompleted", "rate": 0.05},
    {"kind": "reset-after", "operation": "PollForActivityTask", "rate": 0.005},
    # A page of HTML is not an answer of SWF's, whatever its status.
    *(
        {"kind": "garbage", "operation": operation, "rate": 0.01}
        for operation in (
            "PollForActivityTask",
            "PollForDecisionTask",
            "RespondActivityTaskCompleted",
            "RespondActivityTaskFailed",
            "RespondDecisionTaskCompleted",
        )
    ),
)

QUICK = {
    "GARCON_MIN_UPTIME": "0.05",
    "GARCON_BACKOFF_INITIAL": "0.05",
    "GARCON_BACKOFF_CAP": "0.2",
    "GARCON_CRASH_LOOP_DEATHS": "100000",
    "GARCON_TASK_MARGIN": "2",
    "GARCON_STICKY_SCHEDULE_TO_START": "1",
}

BUSY = 20
"""Executions that are open at least until the storm has hit often enough: a quick machine does
more of them."""

VICTIMS = {"garcon: activity": 20, "garcon: decider": 6, "garcon: reporting": 6}
"""Whom the storm hits, and how often beside the others."""

ZYGOTE_EVERY = 15.0
"""Seconds between kills of a zygote: a new one imports for a second or more on a slow core."""

SUPERVISOR_EVERY = 6.0
"""Seconds between kills of a supervisor, which takes all its workers along."""

SUPERVISORS = 3
"""Kills of supervisors at least."""

POISONED = 2
"""Executions whose every decision ends its process."""

POISON_DEATHS = 8
"""More than the weather's kills of one task or one execution's deciders in a row."""


def test_every_workflow_completes_in_any_weather(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every activity was done, no result is another's, each completed once, no process is left."""
    asked = request.config.getoption("--chaos-minutes", None)
    minutes = asked or MINUTES
    many = ALL_WORKFLOWS if asked else WORKFLOWS
    dice = random.Random(request.config.getoption("--chaos-seed", 1))
    with local_swf("--poll-seconds", "5", "--no-ghosts") as endpoint:
        argv = ("--flow", "tests.processes.storm", "--endpoint-url", endpoint)
        sizes = ("--workers", "2", "--deciders", "2", "--poison-deaths", str(POISON_DEATHS))
        with Hosts((*argv, *sizes), tmp_path, **QUICK) as hosts:
            orders = Orders(endpoint, tmp_path / "trace")
            poisoned = [orders.start_poisoned() for _ in range(POISONED)]
            orders.start(many)
            kills = blow(hosts, orders, dice, minutes * 60 * (1 - CALM), many // 10)
            orders.wait_closed(minutes * 60 * CALM)
            until(lambda: all(map(is_parked, poisoned)), "the poisoned executions are parked")
            hosts.stop()
        done = read(tmp_path / "trace")
        for each in orders.executions:
            judge(each, done)
    print(dict(kills), f"of {len(done)} activities")  # noqa: T201 - shown by pytest -s or -rP
    assert kills.total() >= many // 10, "the weather was fair"
    assert kills["supervisor"] >= SUPERVISORS, "too few supervisors were killed"


class Orders:
    """The executions that the storm is to hit."""

    def __init__(self, endpoint: str, trace: Path) -> None:
        self.endpoint = endpoint
        self.executions: list[swf.Execution] = []
        self._trace = str(trace)
        self._client = swf.client(endpoint)

    def start(self, many: int) -> None:
        """Start so many; a decision that is lost with its poll's answer comes again soon."""
        soon = {"taskStartToCloseTimeout": "5"}
        for _ in range(many):
            self.executions.append(swf.start(self.endpoint, storm, soon, trace=self._trace))

    def start_poisoned(self) -> swf.Execution:
        """Start an execution that no decider survives."""
        soon = {"taskStartToCloseTimeout": "5"}
        return swf.start(self.endpoint, storm, soon, trace=self._trace, poison=True)

    def count_open(self) -> int:
        """The number of open executions, the poisoned ones left out."""
        since = {"oldestDate": 0}
        told = self._client.count_open_workflow_executions(
            domain=storm.domain, startTimeFilter=since
        )
        return int(told["count"]) - POISONED

    def wait_closed(self, seconds: float) -> None:
        """Wait until none is open."""
        end, rest = time.monotonic() + seconds, threading.Event()
        while left := self.count_open():
            assert time.monotonic() < end, f"{left} executions are still open"
            rest.wait(0.1)


def blow(
    hosts: Hosts, orders: Orders, dice: random.Random, seconds: float, hits: int
) -> Counter[str]:
    """Order faults and kill at random until all is done, so often at least; returns the victims."""
    kills, rest, faults = Counter[str](), threading.Event(), swf.Faults(orders.endpoint)
    for fault in FAULTS:
        faults.order(**fault)
    zygote_at = time.monotonic() + dice.uniform(1, ZYGOTE_EVERY)
    supervisor_at = time.monotonic() + dice.uniform(1, SUPERVISOR_EVERY)
    end = time.monotonic() + seconds

    def is_enough() -> bool:
        return kills.total() >= hits and kills["supervisor"] >= SUPERVISORS

    while time.monotonic() < end and not (is_enough() and not orders.count_open()):
        if not is_enough():
            orders.start(BUSY - orders.count_open())
        rest.wait(dice.uniform(0.0, 0.4))
        (title,) = dice.choices(list(VICTIMS), list(VICTIMS.values()))
        kills += kill(hosts, dice, title)
        if time.monotonic() > zygote_at:
            kills += kill(hosts, dice, "garcon: zygote")
            zygote_at = time.monotonic() + ZYGOTE_EVERY
        if time.monotonic() > supervisor_at:
            hosts.replace(dice.choice([Supervisor, UnreadSupervisor]))
            kills["supervisor"] += 1
            supervisor_at = time.monotonic() + SUPERVISOR_EVERY
    faults.withdraw()
    return kills


def kill(hosts: Hosts, dice: random.Random, title: str) -> Counter[str]:
    """Kill a process with this title, if there is one."""
    found = hosts.titled(title)
    if not found:
        return Counter()
    with contextlib.suppress(psutil.NoSuchProcess):
        dice.choice(found).kill()
    return Counter([title])


def is_parked(execution: swf.Execution) -> bool:
    """Whether the latest answer in its history has parked it."""
    described = execution.client.describe_workflow_execution(
        domain=execution.domain,
        execution={"workflowId": execution.workflow_id, "runId": execution.run_id},
    )
    deaths = decision_deaths.read(described.get("latestExecutionContext"))
    return described["executionInfo"]["executionStatus"] == "OPEN" and bool(
        deaths and deaths.parked
    )


def read(trace: Path) -> dict[tuple[str, str], set[str]]:
    """The words that each activity of each workflow has left."""
    done: dict[tuple[str, str], set[str]] = {}
    for line in trace.read_text().splitlines():
        workflow_id, kind, word = line.split()
        done.setdefault((workflow_id, kind), set()).add(word)
    return done


def judge(execution: swf.Execution, done: dict[tuple[str, str], set[str]]) -> None:
    """All four were done and completed once, each with a result that it has left itself."""
    events = execution.history()
    assert events[-1]["eventType"] == "WorkflowExecutionCompleted"
    completed = Counter(kind for kind, _ in results(events))
    assert completed == Counter(ACTIVITIES)
    for kind, word in results(events):
        assert word in done[execution.workflow_id, kind]


def results(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Activity and word of each completed task."""
    told = [
        json.loads(event["activityTaskCompletedEventAttributes"]["result"])
        for event in events
        if event["eventType"] == "ActivityTaskCompleted"
    ]
    return [(kind, word) for result in told for kind, word in result.items()]
