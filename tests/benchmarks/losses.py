"""Losses of deploys under load, with the supervisor and in the usual way.

``python -m tests.benchmarks.losses [--deploys 20] [--pace 12] [--way NAME ...]``

A local SWF that, like the real one, may hand a task to a poller that is gone; its polls last two
seconds. The usual way: plain worker processes on the documented loop, killed and started anew.
A lost task is one that SWF handed out and that got no answer: SWF waits for its timeout.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import measuring
from tests.processes import deploys, steady, swf
from tests.processes.deploys import Load, Toll
from tests.processes.harness import Supervisor, environment, local_swf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Deploy = Callable[[int], None]

ROLES = ("decider", "decider", "first", "first", "last", "last")

BREATH = 1.0
"""Seconds of work between two deploys of the usual way; the supervisor's own take longer."""

LOOK = 0.05
"""Seconds between two looks at who polls."""


@contextlib.contextmanager
def restarting(endpoint: str, trace: Path) -> Iterator[Deploy]:
    """The supervisor, rolling restarts by HUP."""
    with pool(endpoint, trace) as supervisor:

        def deploy(number: int) -> None:
            supervisor.signal(signal.SIGHUP)
            supervisor.wait_for("generation_active", generation=number + 1)
            supervisor.wait_for("full_strength", generation=number + 1)

        yield deploy


@contextlib.contextmanager
def starting_anew(endpoint: str, trace: Path) -> Iterator[Deploy]:
    """The supervisor, ended by TERM and started."""
    running = [pool(endpoint, trace)]

    def deploy(_number: int) -> None:
        supervisor = running.pop()
        supervisor.signal(signal.SIGTERM)
        supervisor.wait()
        supervisor.__exit__()
        running.append(pool(endpoint, trace))

    try:
        yield deploy
    finally:
        for each in running:
            each.__exit__()


@contextlib.contextmanager
def usual(endpoint: str, trace: Path) -> Iterator[Deploy]:
    """Plain processes, killed and started."""
    running = plain(endpoint, trace)
    wait_polling(endpoint, running)

    def deploy(_number: int) -> None:
        end(running)
        running.extend(plain(endpoint, trace))
        wait_polling(endpoint, running)
        time.sleep(BREATH)

    try:
        yield deploy
    finally:
        end(running)


def plain(endpoint: str, trace: Path) -> list[subprocess.Popen[bytes]]:
    """As many workers as the supervisor has."""
    command = [sys.executable, "-m", "tests.benchmarks.simple_worker", endpoint]
    told = environment(**deploys.variables(trace))
    quiet = subprocess.DEVNULL
    return [subprocess.Popen([*command, each], env=told, stderr=quiet) for each in ROLES]


def wait_polling(endpoint: str, running: list[subprocess.Popen[bytes]]) -> None:
    """Until each of them has been seen in a poll."""
    unseen, by = {str(each.pid) for each in running}, time.monotonic() + measuring.LIMIT
    while unseen:
        assert time.monotonic() < by, f"{len(unseen)} processes do not poll"
        time.sleep(LOOK)
        with urllib.request.urlopen(f"{endpoint}/api/state") as answer:  # noqa: S310 - our own
            lists = json.load(answer)["lists"]
        unseen -= {label.split(":")[1] for each in lists for label in each["pollers"]}


def end(running: list[subprocess.Popen[bytes]]) -> None:
    """As a service manager does."""
    for each in running:
        each.terminate()
    while running:
        running.pop().wait(measuring.LIMIT)


def pool(endpoint: str, trace: Path) -> Supervisor:
    """A supervisor at full strength; by the spool it takes over the lists of the one before."""
    argv = ("--flow", "tests.processes.steady", "--endpoint-url", endpoint)
    sizes = ("--workers", "2", "--deciders", "2", "--spool", str(trace.with_name("spool")))
    return Supervisor(*argv, *sizes, GARCON_MIN_UPTIME="0.2", **deploys.variables(trace)).ready()


WAYS = {
    "supervisor, rolling restart": restarting,
    "supervisor, TERM and start": starting_anew,
    "plain processes, killed and started": usual,
}


def measure(
    way: Callable[..., contextlib.AbstractContextManager[Deploy]], number: int, pace: float
) -> Toll:
    """So many deploys in one way."""
    with tempfile.TemporaryDirectory() as folder, local_swf("--poll-seconds", "2") as endpoint:
        trace = Path(folder, "trace")
        with way(endpoint, trace) as deploy:
            swf.wait_registered(endpoint, steady)
            with Load(endpoint, pace) as load:
                for each in range(1, number + 1):
                    deploy(each)
            return load.toll(trace)


def row(name: str, toll: Toll) -> list[str]:
    """One line."""
    failed = toll.workflows - toll.completed
    told = (toll.workflows, toll.started, toll.lost, failed, toll.begun_again, toll.waited)
    return [name, *map(str, told)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deploys", type=int, default=20)
    parser.add_argument("--pace", type=float, default=12.0, help="workflows a second")
    parser.add_argument("--way", choices=WAYS, nargs="+", default=[*WAYS])
    asked = parser.parse_args()
    print(measuring.machine())
    head = ["workflows", "tasks handed out", "lost", "workflows failed", "begun twice"]
    rows = [[f"{asked.deploys} deploys", *head, "decisions not taken at once"]]
    rows += [row(name, measure(WAYS[name], asked.deploys, asked.pace)) for name in asked.way]
    print()
    print(measuring.table(rows))


if __name__ == "__main__":
    main()
