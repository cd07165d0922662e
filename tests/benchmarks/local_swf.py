"""What the local SWF costs, beside moto's server in the same run.

    python -m tests.benchmarks.local_swf [poll] [wake] [idle] [memory] [growth] [replay]

- poll: requests a second for poll and complete, with 1, 16 and 256 pollers, work being there.
- wake: seconds from one decision that schedules an activity for each of N waiting polls until the
  last of them has its task.
- idle: CPU of the server while 1,000 polls wait.
- memory: of 10,000 executions with 100 events each.
- growth: microseconds for one execution (start, decide, work, complete) with more and more others.
- replay: inputs a second when a state file is read.

The load comes from another process than the server's, over plain sockets with little ceremony.
Everything is bounded in number and time. On a machine that others use too, look at ratios.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import uvloop

from garcon.local.engine import Answer, Engine
from garcon.local.service import Request, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

POLLERS = (1, 16, 256)
SECONDS = 4.0
"""For how long a rate is measured: long enough for a second's noise to even out."""

BACKLOG = 30_000
"""Activity tasks that wait at the start: more than are done in that time."""

MOTO_BACKLOG = 1_500
"""The same for moto, whose cost grows with them: fewer, but still more than it does."""

IDLE_POLLERS = 1_000
EXECUTIONS = 10_000
ACTIVITIES = 31  # three events each, and seven around them: 100
ROOT = Path(__file__).parents[2]
AS_SDKS_DO = (
    "Content-Type: application/x-amz-json-1.0\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/swf/aws4_request\r\n"
)
DOMAIN, LIST, KIND = "bench", {"name": "list"}, {"name": "kind", "version": "1"}
TIMEOUTS = {
    "startToCloseTimeout": "3600",
    "scheduleToStartTimeout": "3600",
    "scheduleToCloseTimeout": "3600",
    "heartbeatTimeout": "NONE",
}


def activity(number: int) -> dict[str, Any]:
    """A decision to schedule an activity."""
    attributes = {"activityId": f"a-{number}", "activityType": KIND, "taskList": LIST, **TIMEOUTS}
    return {
        "decisionType": "ScheduleActivityTask",
        "scheduleActivityTaskDecisionAttributes": attributes,
    }


REGISTRATION: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "1"}),
    (
        "RegisterWorkflowType",
        {
            "domain": DOMAIN,
            **KIND,
            "defaultTaskList": LIST,
            "defaultChildPolicy": "TERMINATE",
            "defaultTaskStartToCloseTimeout": "3600",
            "defaultExecutionStartToCloseTimeout": "36000",
        },
    ),
    ("RegisterActivityType", {"domain": DOMAIN, **KIND}),
)
POLL = {"domain": DOMAIN, "taskList": LIST}


def start(number: int) -> dict[str, Any]:
    """What starts an execution."""
    return {"domain": DOMAIN, "workflowId": f"w-{number}", "workflowType": KIND}


# Over the wire.


class Wire:
    """One connection to a server; made again for each request where the server closes it."""

    def __init__(self, port: int) -> None:
        self.refused = 0
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Wire:
        """Connect."""
        wire = cls(port)
        await wire.connect()
        return wire

    async def connect(self) -> None:
        """Connect, maybe again."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def call(self, operation: str, params: dict[str, Any]) -> Any:
        """One request and its answer."""
        self.send(operation, params)
        return await self.answer()

    def send(self, operation: str, params: dict[str, Any]) -> None:
        """One request."""
        body = json.dumps(params).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{AS_SDKS_DO}"
            f"X-Amz-Target: SimpleWorkflowService.{operation}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)

    async def answer(self) -> Any:
        """The next answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        body = await self._reader.readexactly(length)
        self.refused += b" 200 " not in head[:20]
        if b"connection: close" in head:
            self.close()
            await self.connect()
        return json.loads(body or b"{}")

    def close(self) -> None:
        """Close."""
        self._writer.close()


async def prepare(port: int, tasks: int) -> None:
    """Register, and let so many activity tasks wait."""
    wire = await Wire.to(port)
    for operation, params in REGISTRATION:
        await wire.call(operation, params)
    for number in range(tasks // 100):
        await wire.call("StartWorkflowExecution", start(number))
        task = await wire.call("PollForDecisionTask", POLL)
        decisions = [activity(each) for each in range(100)]
        answer = {"taskToken": task["taskToken"], "decisions": decisions}
        await wire.call("RespondDecisionTaskCompleted", answer)
    wire.close()


async def poll_and_complete(port: int, until: float) -> tuple[int, int]:
    """Poll and complete until the time is over; the number of requests, and of those refused."""
    wire = await Wire.to(port)
    requests = 0
    while time.monotonic() < until:
        task = await wire.call("PollForActivityTask", POLL)
        if not task.get("taskToken"):
            break
        await wire.call("RespondActivityTaskCompleted", {"taskToken": task["taskToken"]})
        requests += 2
    wire.close()
    return requests, wire.refused


async def rate(port: int, pollers: int) -> tuple[float, int]:
    """Requests a second, and how many were refused."""
    begun = time.monotonic()
    counts = await asyncio.gather(
        *(poll_and_complete(port, begun + SECONDS) for _ in range(pollers))
    )
    seconds = time.monotonic() - begun
    return sum(made for made, _ in counts) / seconds, sum(refused for _, refused in counts)


async def wake(port: int, pollers: int) -> float:
    """Seconds until all of so many waiting polls have their task."""
    await prepare(port, 0)
    wires = [await Wire.to(port) for _ in range(pollers)]
    for wire in wires:
        wire.send("PollForActivityTask", POLL)
    boss = await Wire.to(port)
    await boss.call("StartWorkflowExecution", start(0))
    task = await boss.call("PollForDecisionTask", POLL)
    answers = [asyncio.ensure_future(wire.answer()) for wire in wires]
    decisions = [activity(each) for each in range(pollers)]
    begun = time.monotonic()
    boss.send(
        "RespondDecisionTaskCompleted", {"taskToken": task["taskToken"], "decisions": decisions}
    )
    await asyncio.wait_for(asyncio.gather(*answers), 60)
    for wire in [*wires, boss]:
        wire.close()
    return time.monotonic() - begun


async def idle(port: int, process: psutil.Process) -> float:
    """CPU seconds in ten seconds while many polls wait."""
    await prepare(port, 0)
    wires = [await Wire.to(port) for _ in range(IDLE_POLLERS)]
    for wire in wires:
        wire.send("PollForActivityTask", POLL)
    await asyncio.sleep(2)
    before = sum(process.cpu_times()[:2])
    await asyncio.sleep(10)
    used = sum(process.cpu_times()[:2]) - before
    for wire in wires:
        wire.close()
    return float(used)


# Servers.


@dataclass
class Running:
    """A server process."""

    name: str
    port: int
    process: subprocess.Popen[str]


@contextlib.contextmanager
def local(*argv: str) -> Iterator[Running]:
    """The local SWF."""
    with _process("-m", "garcon.local", "--port", "0", *argv) as process:
        assert process.stdout
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        yield Running("local SWF", port, process)


@contextlib.contextmanager
def moto() -> Iterator[Running]:
    """Moto's server."""
    script = (
        "import logging, moto.server; logging.disable();"
        "moto.server.main(['-H', '127.0.0.1', '-p', '4797'])"
    )
    with _process("-c", script) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                uvloop.run(_touch(4797))
                break
            time.sleep(0.2)
        yield Running("moto", 4797, process)


async def _touch(port: int) -> None:
    (await Wire.to(port)).close()


@contextlib.contextmanager
def _process(*argv: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *argv],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


# In this process.


def cycle(engine: Engine, number: int, now: float) -> None:
    """One execution, which stays open: start, decide, do all activities, decide."""

    def call(operation: str, params: dict[str, Any]) -> Any:
        outcome = engine.call(operation, params, now)
        assert isinstance(outcome, Answer)
        return outcome.body

    call("StartWorkflowExecution", start(number))
    token = call("PollForDecisionTask", POLL)["taskToken"]
    decisions = [activity(each) for each in range(ACTIVITIES)]
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
    """Memory of many executions, and what one more costs among them."""
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
    events = sum(each.events for each in engine.executions())
    print(f"memory  {EXECUTIONS} executions, {events} events: {used / 2**20:.0f} MiB, ", end="")
    print(f"{used / events:.0f} bytes an event")


def measure_replay() -> None:
    """How quickly a state file is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        service = Service(state=path)
        begun, count = time.perf_counter(), 0
        for number, (operation, params) in enumerate(_story(service)):
            service.call(Request(operation, json.dumps(params).encode()), float(number), "")
            service.take_wakeups()
            count += 1
        written = time.perf_counter() - begun
        service.close(float(count))
        begun = time.perf_counter()
        Service(state=path)
        read = time.perf_counter() - begun
        size = path.stat().st_size / count
    print(
        f"replay  {count} inputs: written {count / written:.0f}/s, read {count / read:.0f}/s, ",
        end="",
    )
    print(f"{size:.0f} bytes an input")


def _story(service: Service) -> Iterator[tuple[str, dict[str, Any]]]:
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


# The runs.


def measure_polls() -> None:
    """Requests a second, ours and moto's."""
    for pollers in POLLERS:
        rates = {}
        # Should the work run out, a poll ends after a second instead of a minute.
        ours_and_moto = (local("--poll-seconds", "1"), BACKLOG), (moto(), MOTO_BACKLOG)
        for server, backlog in ours_and_moto:
            with server as running:
                uvloop.run(prepare(running.port, backlog))
                rates[running.name] = uvloop.run(rate(running.port, pollers))
        (ours, refused), (theirs, lost) = rates["local SWF"], rates["moto"]
        print(f"poll    {pollers:>4} pollers: {ours:7.0f} requests/s ({refused} refused), ", end="")
        print(f"moto {theirs:7.0f} ({lost} refused), {ours / theirs:.0f} times")


def measure_wakes() -> None:
    """How quickly waiting polls get their work."""
    for pollers in POLLERS:
        with local() as running:
            seconds = uvloop.run(wake(running.port, pollers))
        print(f"wake    {pollers:>4} waiting polls have their tasks after {seconds * 1e3:.1f} ms")


def measure_idle() -> None:
    """What waiting costs."""
    with local() as running:
        used = uvloop.run(idle(running.port, psutil.Process(running.process.pid)))
    print(f"idle    {IDLE_POLLERS} waiting polls: {used * 1e3:.0f} ms CPU in 10 s")


MEASURES = {
    "poll": measure_polls,
    "wake": measure_wakes,
    "idle": measure_idle,
    "memory": measure_memory_and_growth,
    "replay": measure_replay,
}


def main(names: list[str]) -> None:
    """Run what is named, or all."""
    for name in names or MEASURES:
        MEASURES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
