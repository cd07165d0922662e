"""The slots of a pool during a restart: ``python -m tests.docs.pool_picture``.

It draws ``docs/restart.svg`` from a real run: a supervisor, a local SWF, tasks that take seconds,
and the status of the pool five times a second. No two runs draw quite the same.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import garcon
from garcon import client as clients
from garcon.local.http import server
from tests.docs.pages import DOCS
from tests.docs.pictures import fit_page
from tests.processes.harness import Supervisor, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PICTURE = DOCS / "restart.svg"
TICK = 0.2  # seconds between two looks
BEFORE, AFTER = 3.0, 13.0  # seconds that are drawn before and after the request
FLOW = """
import time
from garcon import activity, runner, task

domain = name = "album"
create = activity.create(domain, name)


@task.decorate(timeout=60)
def shrink(seconds):
    time.sleep(seconds)


resized = create(name="resize", run=runner.Sync(shrink.fill(seconds="seconds")))
"""


class Look(NamedTuple):
    """One worker at one moment.

    Attributes:
        at: Seconds since the first look.
        slot: Its slot.
        generation: Its code.
        state: "starting", "idle" or "working".
        task: The workflow of its task, if it has one.
    """

    at: float
    slot: str
    generation: int
    state: str
    task: str = ""


class Span(NamedTuple):
    """A worker's time in one state, in seconds since the first look."""

    slot: str
    generation: int
    state: str
    begin: float
    end: float


def spans(looks: Iterable[Look]) -> Iterator[Span]:
    """The looks at each worker, joined where they follow each other in one state or task."""

    def place(look: Look) -> tuple[str, int]:
        return look.slot, look.generation

    for (slot, generation), of_worker in itertools.groupby(sorted(looks, key=place), place):
        for (state, _), same in itertools.groupby(of_worker, lambda look: (look.state, look.task)):
            times = [look.at for look in same]
            yield Span(slot, generation, state, times[0], times[-1] + TICK)


def draw(found: list[Span], requested: float, active: float) -> str:
    """The picture: a row for each slot, in it the old code above the new code."""
    slots = sorted({span.slot for span in found})
    longest = max(span.end for span in found)
    height = 70 + 44 * len(slots)

    def x(seconds: float) -> str:
        return f"{15 + 84 * seconds / longest:.2f}%"

    lines = [_HEAD.format(height=height)]
    for seconds, text in ((requested, "restart"), (active, "new code is active")):
        lines.append(f'<line class="mark" x1="{x(seconds)}" x2="{x(seconds)}" y1="40" y2="100%"/>')
        lines.append(f'<text x="{x(seconds)}" y="34" dx="3">{text}</text>')
    for row, slot in enumerate(slots):
        lines.append(f'<text x="1%" y="{70 + 44 * row}">{slot}</text>')
    for slot, generation, state, begin, end in found:
        top = 50 + 44 * slots.index(slot) + 16 * (generation - 1)
        width = 84 * (end - begin) / longest
        lines.append(
            f'<rect class="g{generation} {state}" x="{x(begin)}" y="{top}" width="{width:.2f}%" '
            'height="14" rx="2"/>'
        )
    return fit_page("\n".join([*lines, "</svg>\n"]))


_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" width="480" height="{height}" role="img">
<style>
svg {{ --ink: #1f2328; --paper: #fff; }}
@media (prefers-color-scheme: dark) {{ svg {{ --ink: #e6e6e6; --paper: #1e2129; }} }}
text {{ font: 12px system-ui, sans-serif; fill: var(--ink); }}
.g1 {{ fill: #3b6fd4; }} .g2 {{ fill: #2b9a66; }}
.idle {{ opacity: .4; }} .starting {{ opacity: .15; }}
rect {{ stroke: var(--paper); }}
.mark {{ stroke: var(--ink); stroke-dasharray: 3 3; opacity: .6; }}
</style>
<text x="1%" y="15">blue: old code, green: new code; strong: a task, pale: idle</text>"""


class Watch:
    """A supervisor's status over time, by its control socket."""

    def __init__(self, path: str) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(path)
        self._lines = self._connection.makefile("rw", encoding="utf-8")
        self._begun = time.monotonic()
        self.looks: list[Look] = []

    def now(self) -> float:
        """Seconds since the first look."""
        return time.monotonic() - self._begun

    def ask(self, request: str) -> dict[str, Any]:
        """The reply to a request."""
        self._lines.write(json.dumps({"v": 1, "request": request}) + "\n")
        self._lines.flush()
        reply: dict[str, Any] = json.loads(self._lines.readline())
        return reply

    def look_for(self, seconds: float) -> float:
        """Look at the pool for so long; returns when the last generation was first active."""
        pace, first = threading.Event(), {1: 0.0}
        end = self.now() + seconds
        while self.now() < end:
            status = self.ask("status")["status"]
            for each in status["generations"]:
                if each["status"] == "active":
                    first.setdefault(each["generation"], self.now())
            self.looks += [_look(self.now(), each) for each in status["workers"] if each["slot"]]
            pace.wait(TICK)
        return max(first.values())


def _look(now: float, worker: dict[str, Any]) -> Look:
    list_name = worker["slot"]["task_list"]["short_name"]
    state = "working" if worker["task"] else "idle"
    if worker["stage"] not in {"polling", "parked", "working"}:
        state = "starting"
    task = worker["task"]["workflow_id"] if worker["task"] else ""
    slot = f"{list_name}/{worker['slot']['index']}"
    return Look(now, slot, worker["generation"], state, task)


def main() -> None:
    """Run a pool, restart it, and draw it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server.LocalServer(server.ServerOptions(poll_seconds=1.0)) as swf,
    ):
        Path(folder, "album.py").write_text(FLOW, encoding="utf-8")
        threading.Thread(target=swf.run, daemon=True).start()
        control = f"{folder}/control"
        words = ["--flow", "album", "--workers", "4", "--endpoint-url", swf.endpoint]
        variables = {"PYTHONPATH": folder, "GARCON_CONTROL": control}
        with Supervisor(*words, **variables) as pool:
            pool.ready()
            os.environ.update(environment())
            clients.configure(endpoint_url=swf.endpoint)
            _start(folder)
            watch = Watch(control)
            watch.look_for(BEFORE)
            requested = watch.now()
            watch.ask("restart")
            active = watch.look_for(AFTER)
            pool.signal(signal.SIGTERM)
            pool.wait()
        swf.stop()
    PICTURE.write_text(draw(list(spans(watch.looks)), requested, active), encoding="utf-8")


def _start(folder: str) -> None:
    sys.path.insert(0, folder)
    client = garcon.Client("album")
    for number in range(26):
        client.start({"seconds": 2 + number % 4}, id=f"photo-{number}")


if __name__ == "__main__":
    main()
