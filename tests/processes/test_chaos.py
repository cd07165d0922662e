"""Bad weather: random kills, throttles, resets and lost answers, and every workflow completes.

Two minutes at most, with ``WORKFLOWS`` workflows, for two slow cores; all 500 of them, and longer,
with ``--chaos-minutes 10``; other weather with ``--chaos-seed``.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil

from tests.processes import storm, swf
from tests.processes.harness import Supervisor, local_swf

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
)

QUICK = {
    "GARCON_LASTING": "0.05",
    "GARCON_REST_INITIAL": "0.05",
    "GARCON_REST_CAP": "0.2",
    "GARCON_INTENSITY_DEATHS": "100000",
    "GARCON_GENERATION_TRIES": "100000",
    "GARCON_WORK_MARGIN": "2",
    "GARCON_STICKY_SCHEDULE_TO_START": "1",
}

BUSY = 20
"""Executions that are open at least until the storm has hit often enough: a quick machine does
more of them."""

VICTIMS = {"garcon: activity": 20, "garcon: decider": 6, "garcon: reporting": 6}
"""Whom the storm hits, and how often beside the others."""

ZYGOTE_EVERY = 15.0
"""Seconds between kills of a zygote: a new one imports for a second or more on a slow core."""


def test_every_workflow_completes_in_any_weather(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every activity was done, no result is another's, each completed once, nobody is left."""
    asked = request.config.getoption("--chaos-minutes", None)
    minutes = asked or MINUTES
    many = ALL_WORKFLOWS if asked else WORKFLOWS
    dice = random.Random(request.config.getoption("--chaos-seed", 1))
    trace = tmp_path / "trace"
    with local_swf("--poll-seconds", "5", "--no-ghosts") as endpoint:
        argv = ("--flow", "tests.processes.storm", "--endpoint-url", endpoint)
        sizes = ("--workers", "2", "--deciders", "2", "--poison-deaths", "100000")
        with Supervisor(*argv, *sizes, **QUICK).ready() as pool:
            orders = Orders(endpoint, trace)
            orders.start(many)
            kills = blow(pool, orders, dice, minutes * 60 * (1 - CALM), many // 10)
            orders.wait_closed(minutes * 60 * CALM)
            below = pool.below()
            pool.signal(signal.SIGTERM)
            assert pool.wait() == 0
            assert not any(each.is_running() for each in below)
        done = read(trace)
        for each in orders.executions:
            judge(each, done)
    print(dict(kills), f"of {len(done)} activities")  # noqa: T201 - shown by pytest -s or -rP
    assert kills.total() >= many // 10, "the weather was fair"


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

    def count_open(self) -> int:
        """How many are open."""
        since = {"oldestDate": 0}
        told = self._client.count_open_workflow_executions(
            domain=storm.domain, startTimeFilter=since
        )
        return int(told["count"])

    def wait_closed(self, seconds: float) -> None:
        """Wait until none is open."""
        until, rest = time.monotonic() + seconds, threading.Event()
        while left := self.count_open():
            assert time.monotonic() < until, f"{left} executions are still open"
            rest.wait(0.1)


def blow(
    pool: Supervisor, orders: Orders, dice: random.Random, seconds: float, hits: int
) -> Counter[str]:
    """Order faults and kill at random until all is done, so often at least; who was killed."""
    kills, rest, faults = Counter[str](), threading.Event(), swf.Faults(orders.endpoint)
    for fault in FAULTS:
        faults.order(**fault)
    zygote_at = time.monotonic() + dice.uniform(1, ZYGOTE_EVERY)
    until = time.monotonic() + seconds
    while time.monotonic() < until and (kills.total() < hits or orders.count_open()):
        if kills.total() < hits:
            orders.start(BUSY - orders.count_open())
        rest.wait(dice.uniform(0.0, 0.4))
        (title,) = dice.choices(list(VICTIMS), list(VICTIMS.values()))
        kills += kill(pool, dice, title)
        if time.monotonic() > zygote_at:
            kills += kill(pool, dice, "garcon: zygote")
            zygote_at = time.monotonic() + ZYGOTE_EVERY
    faults.withdraw()
    return kills


def kill(pool: Supervisor, dice: random.Random, title: str) -> Counter[str]:
    """Kill one who has this title, if there is anybody."""
    found = pool.titled(title)
    if not found:
        return Counter()
    with contextlib.suppress(psutil.NoSuchProcess):
        dice.choice(found).kill()
    return Counter([title])


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
