"""A flow whose tasks do what their input says, so that a test can hold one in any stage.

``{"gate": PATH}``: the task waits until a process opens the FIFO at PATH for writing and closes it.
Those with little time, ``told`` and ``brief``, wait so at their first attempt only: no test could
open the gate in time for each that a busy machine makes of it.
``{"then": "..."}``: what it does next, each word in turn, parted by spaces:

- ``beat`` sends a heartbeat; ``middle`` waits at the FIFO ``PATH.middle``;
- ``exit``, ``abort``, ``segfault`` kill the worker, at the first attempt only, and ``exec`` makes
  it another program;
- ``raise`` raises; ``child`` starts a child process; ``deaf`` ignores SIGTERM;
- ``daemon`` starts a process whose parent, the leader of its session, ends at once;
- ``stray`` leaves a process without parents, in a session of its own, that ends at once;
- ``hold`` holds the interpreter's lock for three of its heartbeat timeouts;
- ``grow`` takes 200 MiB of memory for itself and waits at ``PATH.middle``; ``leak`` keeps them;
- ``beats`` sends heartbeats until one raises;
- ``collector`` notes how much is out of the garbage collector's sight, and whether it works;
- ``stubborn`` does so too, catches what it raises, and waits at ``PATH.middle``.

Each attempt appends a line to ``PATH.attempts``.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon import activity, runner, task

if TYPE_CHECKING:
    from collections.abc import Callable

domain = "tests"
name = "gates"
create = activity.create(domain, name)

HEARTBEAT = 1
"""Seconds of heartbeat timeout of the activity ``told``."""


MUCH = 200 << 20
"""Bytes: several times what a worker holds by itself."""

leaked: list[bytes] = []


@task.decorate(timeout=120, heartbeat=120)
def wait_at_gate(gate: str, then: str, activity: Any) -> dict[str, Any]:
    """Wait for the gate to open, then do what the input says."""
    return perform(gate, then, activity)


@task.decorate(timeout=30, heartbeat=HEARTBEAT)
def tell_often(gate: str, then: str, activity: Any) -> dict[str, Any]:
    """As above, with little time between heartbeats."""
    return perform(gate, then, activity, has_gate=is_first(gate))


@task.decorate(timeout=3)
def hurry(gate: str, then: str, activity: Any) -> dict[str, Any]:
    """As above, with little time in all."""
    return perform(gate, then, activity, has_gate=is_first(gate))


def perform(gate: str, then: str, activity: Any, *, has_gate: bool = True) -> dict[str, Any]:
    """Wait for the gate to open, if it has one, then do what the input says."""
    if gate:
        activity.logger.info("at the gate")
        first = note_try(gate)
        if has_gate:
            Path(gate).read_bytes()
        for word in then.split():
            if first or word not in DEADLY:
                DEEDS[word](gate, activity)
    return {"passed": gate}


def is_first(gate: str) -> bool:
    """Whether this attempt is the first one; to be asked before it is noted."""
    return not Path(f"{gate}.tries").exists()


def note_try(gate: str) -> bool:
    """Note this attempt; whether it is the first one."""
    attempts = Path(f"{gate}.tries")
    with attempts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return len(attempts.read_text().splitlines()) == 1


def child(gate: str, _activity: Any) -> None:
    """Start a child process."""
    started = subprocess.Popen(["sleep", "300"])
    Path(f"{gate}.child").write_text(str(started.pid))


def stray(_gate: str, _activity: Any) -> None:
    """Start a process that no process waits for."""
    subprocess.run(["sh", "-c", "setsid true &"], check=True)


DAEMON = 'sleep 300 < /dev/null > /dev/null 2>&1 & echo $! > "$0.child"'


def daemon(gate: str, _activity: Any) -> None:
    """Start a daemon, as its ``start`` command does."""
    subprocess.run(["sh", "-c", 'setsid sh -c "$1" "$0" &', gate, DAEMON], check=True)


def fail(_gate: str, _activity: Any) -> None:
    """Fail like any task."""
    raise ValueError("asked to raise")


def hold(_gate: str, _activity: Any) -> None:
    """Hold the interpreter's lock: no thread of this process runs Python code meanwhile."""
    ctypes.PyDLL(None).usleep(3 * HEARTBEAT * 1_000_000)


def grow(gate: str, _activity: Any) -> None:
    """Take memory while the task lasts."""
    taken = b"x" * MUCH
    middle(gate, taken)


def leak(_gate: str, _activity: Any) -> None:
    """Take memory for good."""
    leaked.append(b"x" * MUCH)


def beats(_gate: str, activity: Any) -> None:
    """Send heartbeats until one raises, which takes less than half a minute."""
    pause = threading.Event()
    for _ in range(600):
        activity.heartbeat()
        pause.wait(0.05)


def stubborn(gate: str, activity: Any) -> None:
    """Go on, whatever the heartbeats raise."""
    with contextlib.suppress(Exception):
        beats(gate, activity)
    middle(gate, activity)


def collector(gate: str, _activity: Any) -> None:
    """Leave a note of it."""
    Path(f"{gate}.collector").write_text(f"{gc.get_freeze_count()} {gc.isenabled()}")


def middle(gate: str, _activity: Any) -> None:
    """Wait again."""
    Path(f"{gate}.waits").touch()
    Path(f"{gate}.middle").read_bytes()


DEEDS: dict[str, Callable[[str, Any], object]] = {
    "beat": lambda _gate, activity: activity.heartbeat(),
    "middle": middle,
    "child": child,
    "daemon": daemon,
    "stray": stray,
    "raise": fail,
    "hold": hold,
    "grow": grow,
    "leak": leak,
    "collector": collector,
    "beats": beats,
    "stubborn": stubborn,
    "deaf": lambda _gate, _activity: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "exec": lambda _gate, _activity: os.execvp("sleep", ["sleep", "300"]),  # noqa: S606
    "exit": lambda _gate, _activity: os._exit(3),
    "abort": lambda _gate, _activity: os.abort(),
    "segfault": lambda _gate, _activity: ctypes.string_at(0),
    "return": lambda _gate, _activity: None,
}
DEADLY = {"exec", "exit", "abort", "segfault", "hold", "grow", "beats", "stubborn"}


@task.decorate(timeout=120, heartbeat=120)
def finish() -> None:
    """Nothing is left to do."""


def asked_for(key: str) -> Callable[[Any], list[dict[str, Any]]]:
    """A generator of one instance if the input has this key, else of none."""
    return lambda context: [{}] if key in context else []


gate = create(name="gate", run=runner.Sync(wait_at_gate.fill(gate="gate", then="then")), retry=2)
told = create(
    name="told",
    generators=[asked_for("told")],
    run=runner.Sync(tell_often.fill(gate="told", then="then")),
    retry=2,
)
brief = create(
    name="brief",
    generators=[asked_for("brief")],
    run=runner.Sync(hurry.fill(gate="brief", then="then")),
    retry=2,
)
end = create(name="end", requires=[gate, told, brief], run=runner.Sync(finish.fill()))
