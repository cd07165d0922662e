"""A pool of a flow that is written anew for each deploy, as a build would put it on disk."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from typing import TYPE_CHECKING, Any, Self, cast

from tests.processes import swf
from tests.processes.harness import Supervisor, parsed, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

domain, name = "tests", "shop"

GOOD = """
from garcon import activity, runner, task

domain, name = "tests", "shop"
create = activity.create(domain, name)
VERSION = {version}


@task.decorate(timeout=60, heartbeat=60)
def pack_it():
    return {{"packed": VERSION}}


@task.decorate(timeout=60, heartbeat=60)
def send_it():
    return {{"sent": VERSION}}


pack = create(name="pack", run=runner.Sync(pack_it.fill()), retry=9)
send = create(name="send", requires=[pack], run=runner.Sync(send_it.fill()), retry=9)
"""
"""Two activities, one after the other, whose results name the code that did them."""

QUICK = {"GARCON_MIN_UPTIME": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""A canary lasts sooner; and no file of a second ago is taken for the one of now."""

PATIENCE = 120.0
"""Seconds until an execution has closed: bad code does its tasks, and they wait for retries, on a
machine that is busy with a deploy."""

OUTCOMES = {"generation_active", "generation_failed", "generation_rolled_back"}


def good(version: int) -> str:
    """Code that works."""
    return GOOD.format(version=version)


class Deployment:
    """A pool whose code and settings are files that can be written anew.

    Args:
        folder: For the flow and the settings.
        endpoint: The SWF.
        settings: Of the file, by name.
    """

    def __init__(self, folder: Path, endpoint: str, **settings: Any) -> None:
        self._code, self._file = folder / "mine.py", folder / "settings.toml"
        self._endpoint = endpoint
        self._code.write_text(good(1))
        self.write(**settings)
        self.pool = Supervisor(
            *("--flow", "mine", "--endpoint-url", endpoint, "--config", str(self._file)),
            PYTHONPATH=str(folder),
            **QUICK,
        ).ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.__exit__()

    def write(self, **settings: Any) -> None:
        """These are the settings of the file from now on."""
        self._file.write_text("".join(f"{each} = {_toml(settings[each])}\n" for each in settings))

    def restart(self, code: str) -> None:
        """Put this code on disk, and request a restart."""
        self._code.write_text(code)
        self.pool.signal(signal.SIGHUP)

    def outcome(self) -> dict[str, Any]:
        """The outcome of the deploy."""
        return parsed(
            self.pool.err.wait_for(
                lambda line: parsed(line).get("event") in OUTCOMES, "outcome of the deploy"
            )
        )

    def deploy(self, code: str) -> dict[str, Any]:
        """Restart with this code, and wait for the outcome."""
        self.restart(code)
        return self.outcome()

    def zygote(self, generation: int) -> psutil.Process:
        """The zygote of a generation; a fork of it has its title for a moment."""

        def alone() -> list[psutil.Process]:
            found = self.pool.titled("garcon: zygote", f"generation {generation}")
            return found if len(found) == 1 else []

        return cast("psutil.Process", until(alone, f"the zygote of generation {generation}")[0])

    def start(self, **given: Any) -> swf.Execution:
        """Start an execution."""
        return swf.start(self._endpoint, _Flow, **given)

    def packed(self) -> set[int]:
        """Run an execution to its end; by which versions of the code its tasks were done."""
        versions = self._done_by()
        assert versions is not None, "it did not complete"
        return versions

    def serves(self, version: int) -> bool:
        """Whether this version does new executions, once retiring workers' last polls are over.

        Such a poll may bring a retiring worker with bad code an execution that it fails.
        """
        return any(self._done_by() == {version} for _ in range(20))

    def _done_by(self) -> set[int] | None:
        execution = self.start()
        if execution.wait_closed(PATIENCE) != "WorkflowExecutionCompleted":
            return None
        done = execution.wait_for("ActivityTaskCompleted", 2)
        results = [each["activityTaskCompletedEventAttributes"]["result"] for each in done]
        return {version for result in results for version in json.loads(result).values()}

    @contextlib.contextmanager
    def load(self) -> Iterator[None]:
        """Within the block one execution after the other runs, each of them to its end."""
        enough = threading.Event()
        thread = threading.Thread(target=self._work, args=(enough,))
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()

    def _work(self, enough: threading.Event) -> None:
        while not enough.is_set():
            running = [self.start() for _ in range(3)]
            for each in running:
                each.wait_closed(PATIENCE)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return json.dumps(value)


class _Flow:
    """The members of the flow's module."""

    domain, name = domain, name
