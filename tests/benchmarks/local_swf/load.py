"""A server under load over HTTP: requests a second, waking of polls, waiting polls."""

from __future__ import annotations

import asyncio
import time

import psutil
import uvloop

from tests.benchmarks.local_swf.servers import local, moto
from tests.benchmarks.local_swf.wire import Wire
from tests.benchmarks.local_swf.workload import POLL, REGISTRATION, activity, start
from tests.garcon.local.wire import pollers as waiting_pollers
from tests.processes.harness import until

POLLERS = (1, 16, 256)
SECONDS = 4.0
"""Length of the measurement of a rate: long enough for noise to even out."""

BACKLOG = 30_000
"""Activity tasks that wait at the start: more than are carried out in that time."""

MOTO_BACKLOG = 1_500
"""The same for moto, whose cost grows with them: fewer, but still more than it carries out."""

IDLE_POLLERS = 1_000
IDLE_SECONDS = 10.0
"""Length of the measurement: the kernel counts CPU in ticks of 10 ms, here 0.1% of a core."""


async def prepare(port: int, tasks: int) -> None:
    """Register, and schedule the given number of activity tasks."""
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
    """Poll and complete until the deadline; the number of requests, and of refusals."""
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
    """Requests a second, and the number of refusals."""
    begun = time.monotonic()
    counts = await asyncio.gather(
        *(poll_and_complete(port, begun + SECONDS) for _ in range(pollers))
    )
    seconds = time.monotonic() - begun
    return sum(made for made, _ in counts) / seconds, sum(refused for _, refused in counts)


async def wake(port: int, pollers: int) -> float:
    """Seconds until each of the waiting polls has its task."""
    await prepare(port, 0)
    wires = [await Wire.to(port) for _ in range(pollers)]
    for wire in wires:
        wire.send("PollForActivityTask", POLL)
    decider = await Wire.to(port)
    await decider.call("StartWorkflowExecution", start(0))
    task = await decider.call("PollForDecisionTask", POLL)
    answers = [asyncio.ensure_future(wire.answer()) for wire in wires]
    decisions = [activity(each) for each in range(pollers)]
    begun = time.monotonic()
    decider.send(
        "RespondDecisionTaskCompleted", {"taskToken": task["taskToken"], "decisions": decisions}
    )
    await asyncio.wait_for(asyncio.gather(*answers), 60)
    for wire in [*wires, decider]:
        wire.close()
    return time.monotonic() - begun


def waiting(port: int) -> int:
    """The number of waiting polls, from the server's data."""
    return len(waiting_pollers(f"http://127.0.0.1:{port}"))


async def idle(port: int, process: psutil.Process) -> float:
    """CPU seconds of the server while many polls wait."""
    await prepare(port, 0)
    wires = [await Wire.to(port) for _ in range(IDLE_POLLERS)]
    for wire in wires:
        wire.send("PollForActivityTask", POLL)
    await asyncio.to_thread(until, lambda: waiting(port) == IDLE_POLLERS, "all polls wait")
    before = sum(process.cpu_times()[:2])
    await asyncio.sleep(IDLE_SECONDS)
    used = sum(process.cpu_times()[:2]) - before
    for wire in wires:
        wire.close()
    return float(used)


def measure_polls() -> None:
    """Requests a second of the local SWF and of moto."""
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
    """The time until waiting polls have their tasks."""
    for pollers in POLLERS:
        with local() as running:
            seconds = uvloop.run(wake(running.port, pollers))
        print(f"wake    {pollers:>4} waiting polls have their tasks after {seconds * 1e3:.1f} ms")


def measure_idle() -> None:
    """The cost of waiting polls."""
    with local() as running:
        used = uvloop.run(idle(running.port, psutil.Process(running.process.pid)))
    print(f"idle    {IDLE_POLLERS} waiting polls: {used * 1e3:.0f} ms CPU in {IDLE_SECONDS:g} s")
