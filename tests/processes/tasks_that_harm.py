"""A flow whose tasks do to their workers what they should not, and whose import leaves things open.

Each activity does one harm, and all executions are to end as if it had not.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from garcon import activity, runner, task

domain = "tests"
name = "harms"
create = activity.create(domain, name)

FOLDER = tempfile.TemporaryDirectory()
started: list[int] = []


def on_worker_start() -> None:
    """Note the worker."""
    started.append(os.getpid())


@task.decorate(timeout=20)
def forks() -> dict[str, Any]:
    """Fork a child that raises, and go on."""
    if not os.fork():
        raise RuntimeError("only in the child")
    return {"forked": True}


@task.decorate(timeout=20)
def changes() -> dict[str, Any]:
    """Change handlers and folder, and register an exit handler."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.chdir("/")
    atexit.register(lambda: None)
    return {"changed": True}


def check() -> None:
    """Raise if the worker is not as the import and the hook have made it."""
    if not Path(FOLDER.name).is_dir() or started != [os.getpid()]:
        raise LookupError("the folder of the import is gone, or the worker was not started")


@task.decorate(timeout=20)
async def looks() -> dict[str, Any]:
    """Look at the worker after all this."""
    await asyncio.sleep(0)
    check()
    return {"looked": True}


@task.decorate(timeout=20)
def is_cancelled() -> None:
    """Raise an exception beyond ``Exception``."""
    raise asyncio.CancelledError("odd")


forking = create(name="forking", run=runner.Sync(forks.fill()))
changing = create(name="changing", run=runner.Sync(changes.fill()), requires=[forking])
looking = create(name="looking", run=runner.Sync(looks.fill()), requires=[changing])
cancelled = create(name="cancelled", run=runner.Sync(is_cancelled.fill()), requires=[looking])
