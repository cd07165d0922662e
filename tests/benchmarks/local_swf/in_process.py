"""The costs of the engine and the journal, measured in this process: memory, growth, replay."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from garcon.local.engine import Answer, Engine
from garcon.local.service.service import Request, Service
from tests.benchmarks.local_swf.workload import DOMAIN, POLL, REGISTRATION, activity, start

if TYPE_CHECKING:
    from collections.abc import Iterator

EXECUTIONS = 10_000
ACTIVITIES = 31  # three events each, and seven around them: 100


def cycle(engine: Engine, number: int, now: float) -> None:
    """One execution, which stays open: start, decide, do all activities, decide."""

    def call(operation: str, params: dict[str, Any]) -> Any:
        outcome = engine.call(operation, params, now)
        assert isinstance(outcome, Answer)
        return outcome.body

    call("StartWorkflowExecution", start(number))
    token = call("PollForDecisionTask", POLL)["taskToken"]
    decisions = [activity(number) for number in range(ACTIVITIES)]
    call("RespondDecisionTaskCompleted", {"taskToken": token, "decisions": decisions})
    for _ in range(ACTIVITIES):
        token = call("PollForActivityTask", POLL)["taskToken"]
        call("RespondActivityTaskCompleted", {"taskToken": token})
    token = call("PollForDecisionTask", POLL)["taskToken"]
    call("RespondDecisionTaskCompleted", {"taskToken": token, "decisions": []})


def filled(engine: Engine) -> Iterator[int]:
    """Fill an engine with executions of 100 events that stay open; yields after each."""
    for operation, params in REGISTRATION:
        engine.call(operation, params, 0.0)
    for number in range(EXECUTIONS):
        cycle(engine, number, float(number))
        yield number + 1


def measure_memory_and_growth() -> None:
    """Memory of many executions, and the time of one more among them."""
    engine, process = Engine(), psutil.Process()
    before, begun = process.memory_info().rss, time.perf_counter()
    marks = {100, 1_000, EXECUTIONS}
    window: list[float] = []
    for count in filled(engine):
        window = [*window[-99:], time.perf_counter() - begun]
        begun = time.perf_counter()
        if count in marks:
            middle = sorted(window)[len(window) // 2] * 1e6
            print(f"growth  {count:>6} executions: {middle:7.0f} us for one of 100 events (median)")
    used = process.memory_info().rss - before
    events = sum(execution.events for execution in engine.executions())
    print(f"memory  {EXECUTIONS} executions, {events} events: {used / 2**20:.0f} MiB, ", end="")
    print(f"{used / events:.0f} bytes an event")


def measure_replay() -> None:
    """The speed of writing and reading a state file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        service = Service(state=path)
        begun, count = time.perf_counter(), 0
        for number, (operation, params) in enumerate(_inputs(service)):
            service.call(Request(operation, json.dumps(params).encode()), float(number), "")
            service.take_wakeups()
            count += 1
        written = time.perf_counter() - begun
        service.close(float(count))
        begun = time.perf_counter()
        again = Service(state=path)
        read = time.perf_counter() - begun
        again.close(float(count))
        size = path.stat().st_size / count
    print(
        f"replay  {count} inputs: written {count / written:.0f}/s, read {count / read:.0f}/s, ",
        end="",
    )
    print(f"{size:.0f} bytes an input")


def _inputs(service: Service) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from REGISTRATION
    for number in range(5_000):
        yield "StartWorkflowExecution", start(number)
        yield (
            "SignalWorkflowExecution",
            {
                "domain": DOMAIN,
                "workflowId": f"w-{number}",
                "signalName": "s",
                "input": "x" * 100,
            },
        )
        yield "TerminateWorkflowExecution", {"domain": DOMAIN, "workflowId": f"w-{number}"}
    assert service.engine.counters.faults.total() == 0
