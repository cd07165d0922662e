"""A flow for bad weather: four activities, each leaves a trace of every time that it was done.

``{"trace": PATH}``: each attempt appends a line there: workflow id, activity, and a word of its
own, which is the result, too. So a test knows afterwards whose result SWF has. Some attempts do
harm to their worker before they work. ``{"poison": true}``: every decision ends its process.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

from garcon import activity, runner, task

if TYPE_CHECKING:
    from collections.abc import Iterator

domain = "tests"
name = "storm"
create = activity.create(domain, name)

RETRIES = 1000
"""More than the weather can use up: what is lost is done again."""


class UnprintableError(Exception):
    """An error whose text raises."""

    def __str__(self) -> str:
        raise LookupError("no text")


def fork_a_child_that_raises() -> None:
    """The child must not go on in the worker's loop."""
    if not os.fork():
        raise RuntimeError("only in the child")


def ignore_signals() -> None:
    """The worker must still notice a drain."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.chdir("/")


def fail_without_text() -> None:
    """Raise an error that cannot be printed."""
    raise UnprintableError


def fail_by_a_base_exception() -> None:
    """Raise an exception of a library that is not an ``Exception``."""
    raise asyncio.CancelledError


def flood_the_log() -> None:
    """Print more than a pipe holds."""
    sys.stderr.write("x" * 99 + "\n" * 1000)


def leave() -> None:
    """End the process."""
    os._exit(3)


HARMS = (
    fork_a_child_that_raises,
    ignore_signals,
    fail_without_text,
    fail_by_a_base_exception,
    flood_the_log,
    leave,
)

HARMFUL = 0.1
"""The share of attempts that do harm."""


def work(context: dict[str, Any], activity: Any) -> dict[str, Any]:
    """Do harm or not, take a moment, leave a trace."""
    if random.random() < HARMFUL:
        random.choice(HARMS)()
    threading.Event().wait(random.uniform(0.0, 0.05))
    kind = str(activity.activity_name)
    word = uuid.uuid4().hex
    line = f"{context['execution.workflow_id']} {kind} {word}\n"
    trace = os.open(context["trace"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(trace, line.encode())
    os.close(trace)
    return {kind: word}


def once_unless_poisoned(context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One instance; a generator runs in the decider, so here a decision ends its process."""
    if context.get("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    yield {}


def made(name: str, *requires: Any, **options: Any) -> Any:
    """One of the four; five seconds, because a task whose poll was lost waits that long."""
    timed = task.decorate(timeout=5, heartbeat=5)(work)
    return create(
        name=name,
        requires=list(requires),
        run=runner.Sync(timed),
        retry=RETRIES,
        restartable=True,
        **options,
    )


first = made("first", generators=[once_unless_poisoned])
left = made("left", first)
right = made("right", first)
last = made("last", left, right)
