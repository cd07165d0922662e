"""Releases in folders: old code completes its executions beside the code that serves."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from garcon.history import build_notes
from supervisor import exit_codes
from tests.fakes.service_manager import ServiceManager
from tests.processes import swf
from tests.processes.harness import Program, Supervisor, local_swf, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CODE = """
from garcon import activity, runner, task

domain, name = "tests", "kept"
create = activity.create(domain, name)


@task.decorate(timeout=60, heartbeat=60)
def do_it():
    return {{}}


first{version} = create(name="first{version}", run=runner.Sync(do_it.fill()), retry=9)
"""

REQUIRES = """
gate = create(
    name="gate", requires=[first{version}], external=True, timeout=600, schedule_to_start=600
)
last{version} = create(
    name="last{version}", requires=[gate], run=runner.Sync(do_it.fill()), retry=9
)
"""
"""Activities that are renamed with each version: other lists, and other decisions."""

CUSTOM = """
gate = create(name="gate", external=True, timeout=600, schedule_to_start=600)
last = create(name="last", run=runner.Sync(do_it.fill()), retry=9)


def decider(schedule):
    schedule("first{version}", first{version}).wait()
    schedule("gate", gate).wait()
    schedule.timer("soon{version}", 1).wait()
    schedule("last{version}", last).wait()
"""

MANY_STARTS = 30
"""Executions of which each of two hosts begins one, for certain."""

BOTH = pytest.mark.parametrize("code", [CUSTOM, REQUIRES], ids=["custom", "requires"])


class Flow:
    """The members of the flow's module."""

    domain, name = "tests", "kept"


class Folder:
    """A folder of releases, and a local SWF on which open polls of dead workers may get a task."""

    def __init__(self, path: Path, endpoint: str, code: str) -> None:
        self.path = path / "releases"
        self.endpoint = endpoint
        self.executions: dict[str, int] = {}  # versions, by workflow id
        self._code = code
        self.runs: dict[str, swf.Execution] = {}
        self._answered = 0  # executions whose external activity has been answered
        self._swf = swf.client(endpoint)

    def add(self, version: int) -> Path:
        """A release with this version of the code."""
        release = self.path / f"2026-11-{version}"
        release.mkdir(parents=True)
        (release / "kept.py").write_text((CODE + self._code).format(version=version))
        return release

    def serve(self, release: Path) -> None:
        """Let the link lead to this release, from one moment to the next."""
        link = self.path.parent / "current"
        link.with_name("next").symlink_to(release)
        link.with_name("next").rename(link)

    def host(self, *more: str, **variables: str) -> Supervisor:
        """A host that serves them."""
        return Supervisor(
            *("--flow", "kept", "--releases", str(self.path), "--endpoint-url", self.endpoint),
            *("--workers", "1", "--probation", "0", *more),
            **variables,
        )

    def start(self, version: int, number: int) -> None:
        """Start executions, and let each reach its external activity."""
        for _ in range(number):
            execution = swf.start(self.endpoint, Flow, {"taskStartToCloseTimeout": "5"})
            self.executions[execution.workflow_id] = version
            self.runs[execution.workflow_id] = execution
            execution.wait_for("ActivityTaskScheduled", 2)

    def go(self) -> None:
        """Let all of them go on, and wait until each has completed."""
        for each in self.go_on():
            each.wait_for("WorkflowExecutionCompleted")
        self.ensure_whole()

    def go_on(self) -> list[swf.Execution]:
        """Answer the external activity of each, whose worker is this test."""
        for _ in range(len(self.executions) - self._answered):
            request = {"domain": "tests", "taskList": {"name": "kept_gate"}}
            task = self._swf.poll_for_activity_task(**request)
            self._swf.respond_activity_task_completed(taskToken=task["taskToken"], result="{}")
        self._answered = len(self.executions)
        return list(self.runs.values())

    def closed_at(self) -> float:
        """When the last of them has closed, in seconds since the epoch."""
        ends = (each.history()[-1]["eventTimestamp"] for each in self.runs.values())
        return float(max(each.timestamp() for each in ends))

    def ensure_whole(self) -> None:
        """Nothing was done twice, all of an execution by one version, and none was stuck."""
        for each, version in self.executions.items():
            events = self.runs[each].history()
            ids = [
                event["activityTaskScheduledEventAttributes"]["activityId"]
                for event in events
                if event["eventType"] == "ActivityTaskScheduled"
            ]
            assert len(ids) == len(set(ids)) == 3, ids
            assert all(f"{version}" in id_ for id_ in ids if "gate" not in id_), ids
            notes = (build_notes.latest([event]) for event in events)
            assert not any(note and note.is_stuck for note in notes)


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF whose polls are short."""
    with local_swf("--poll-seconds", "2") as url:
        yield url


def serving(host: Supervisor, version: int) -> psutil.Process:
    """The supervisor of this version as retired code, once it serves."""
    host.wait_for("retired_serving", sidecar=f"retired@2026-11-{version}")
    (found,) = host.titled(f"garcon: supervisor kept retired 2026-11-{version}")
    return found


def replaced(host: Supervisor) -> None:
    """Wait until the former code's decider has left: its last poll may bring a new execution."""
    until(
        lambda: len([each for each in host.titled("decider") if each.ppid() == host.pid]) == 1,
        "one decider of the host's own",
    )


def drained(host: Supervisor) -> None:
    """Ask a host to leave; it does, with everything that it has started."""
    left = host.below()
    host.signal(signal.SIGTERM)
    assert host.wait() == 0
    assert not [each for each in left if each.is_running()]


@BOTH
def test_a_kept_release_completes_its_executions_after_a_start(
    tmp_path: Path, endpoint: str, code: str
) -> None:
    """The gate lets the new code in; each execution is decided by the code that began it."""
    folder = Folder(tmp_path, endpoint, code)
    folder.add(9)
    with folder.host().ready() as host:
        folder.start(9, 4)
        drained(host)
    folder.add(10)
    with folder.host() as host:
        assert (
            "Retired code of 2026-11-9 serves them"
            in host.wait_for("histories_replayed")["message"]
        )
        host.wait_for("full_strength", generation=1)
        folder.start(10, 4)
        folder.go()
        drained(host)


@BOTH
def test_the_release_that_a_restart_replaces_becomes_retired(
    tmp_path: Path, endpoint: str, code: str
) -> None:
    """Also one that fits nothing of its predecessor, and also a newer one after going back: each
    execution goes on with the code that began it.
    """
    folder = Folder(tmp_path, endpoint, code)
    folder.serve(folder.add(9))
    with folder.host("--keep-builds", "2") as host:
        host.wait_for("full_strength")
        folder.start(9, 3)
        for version in (10, 11):
            release = folder.add(version)
            host.signal(signal.SIGHUP)  # the link has not moved: the same release once more
            host.wait_for("generation_active")
            folder.serve(release)
            host.signal(signal.SIGHUP)
            host.wait_for("generation_active")
            serving(host, version - 1)
            replaced(host)
            folder.start(version, 3)
        folder.serve(folder.path / "2026-11-10")
        host.signal(signal.SIGHUP)
        host.wait_for("generation_active")
        serving(host, 11)
        replaced(host)
        folder.start(10, 3)
        folder.go()
        drained(host)


def own_environment(release: Path) -> Path:
    """An interpreter of the release's own; returns the file where it notes what it runs."""
    python, ran = release / ".venv/bin/python", release / "ran"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >> {ran}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return ran


def test_each_release_has_its_own_environment(tmp_path: Path, endpoint: str) -> None:
    """The serving one as well as the kept one; one without has that of the supervisor."""
    folder = Folder(tmp_path, endpoint, REQUIRES)
    ran = own_environment(folder.add(9))
    with folder.host().ready() as host:
        folder.start(9, 2)
        drained(host)
    assert ran.read_text().endswith("-m supervisor.child.zygote\n")
    ran.unlink()
    folder.add(10)
    with folder.host() as host:
        serving(host, 9)
        assert "-m supervisor --flow kept --folder " in ran.read_text()
        folder.start(10, 2)
        folder.go()
        drained(host)


def test_beside_a_local_swf_retired_code_needs_no_account(tmp_path: Path) -> None:
    """It gets endpoint, region and credentials of that one; so does its check."""
    folder = Folder(tmp_path, "http://127.0.0.1:9", REQUIRES)
    for version in (9, 10):
        folder.add(version)
    local = ("--flow", "kept", "--releases", str(folder.path), "--local")
    nothing = {"AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with Supervisor(*local, "--check", **nothing) as check:
        assert check.wait() == 0
    with Supervisor(*local, **nothing) as host:
        serving(host, 9)
        drained(host)


def test_code_that_would_leave_executions_alone_ends_at_its_start(
    tmp_path: Path, endpoint: str
) -> None:
    """With exit code 3: no release that is kept serves them. ``--check`` finds it before."""
    folder = Folder(tmp_path, endpoint, CUSTOM)
    folder.add(9)
    with folder.host().ready() as host:
        folder.start(9, 1)
        drained(host)
    folder.add(10)
    gate = ("--gate-replay", "open:20")
    with folder.host("--keep-builds", "0") as host:
        assert host.wait() == exit_codes.FLOW
        assert "full_strength" not in host.err.rest()
    with folder.host("--keep-builds", "0", "--check", *gate) as check:
        assert check.wait() == exit_codes.FLOW
    with folder.host("--check", *gate) as check:
        assert check.wait() == 0
        answer = " ".join(check.out.rest().split())
    assert "Kept releases serve them" in answer
    assert re.search("2026-11-10 serves [0-9a-f]{12} 2026-11-9 kept as retired code", answer)
    (folder.path / "2026-11-8").mkdir()
    with folder.host("--keep-builds", "2", "--check") as check:
        assert check.wait() == exit_codes.FLOW
        assert "2026-11-8 is kept, and cannot be served" in check.err.rest()


def test_retired_code_lives_and_dies_with_the_supervisor(tmp_path: Path, endpoint: str) -> None:
    """A dead one is started again; after a kill of the supervisor it leaves, with all below it."""
    folder = Folder(tmp_path, endpoint, REQUIRES)
    folder.add(9)
    folder.add(10)
    with folder.host("--control", str(tmp_path / "control")) as host:
        first = serving(host, 9)
        status = command("status", "--control", str(tmp_path / "control"), "--json")
        (sidecar,) = json.loads(status)["sidecars"]
        assert (sidecar["name"], sidecar["pid"]) == ("retired@2026-11-9", first.pid)
        assert sidecar["memory_unique"] > 0
        assert re.fullmatch("[0-9a-f]{12}", sidecar["build"])
        first.kill()
        host.wait_for("sidecar_lost")
        second = serving(host, 9)
        # Zygote, decider, and a worker of first9 and last9; while it forks there may be one more.
        until(lambda: len(second.children(recursive=True)) == 4, "four processes below it")
        left = [second, *second.children(recursive=True)]
        os.kill(host.pid, signal.SIGKILL)
        host.process.wait()
        psutil.wait_procs(left, timeout=40)
        assert not [each for each in left if each.is_running()]


def test_the_service_manager_waits_for_a_kept_release(tmp_path: Path, endpoint: str) -> None:
    """Its import waits for this test. Meanwhile the workers serve, and the status line says so."""
    folder = Folder(tmp_path, endpoint, REQUIRES)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with (folder.add(9) / "kept.py").open("a") as code:
        code.write(f"\nopen({str(gate)!r}).read()\n")
    folder.add(10)
    with (
        ServiceManager(str(tmp_path / "notify")) as manager,
        folder.host(NOTIFY_SOCKET=manager.address) as host,
    ):
        host.wait_for("full_strength")
        manager.wait_for("STATUS=3 of 3 workers ready, 0 working; starting release 2026-11-9")
        assert manager.fields_of("READY") == []
        gate.write_text("")  # as soon as the import reads it
        serving(host, 9)
        manager.wait_for("READY=1")
        drained(host)


def started_by(folder: Folder, version: int, others: int) -> None:
    """Start executions until this version has begun one, while both serve the flow."""
    for _ in range(MANY_STARTS):
        folder.start(others, 1)
        *_, (workflow_id, execution) = folder.runs.items()
        first, *_ = execution.wait_for("ActivityTaskScheduled")
        if f"{version}" in first["activityTaskScheduledEventAttributes"]["activityId"]:
            folder.executions[workflow_id] = version
            return
    raise AssertionError(f"version {version} never gets a decision")


def test_a_release_without_an_open_execution_ends_and_comes_back(
    tmp_path: Path, endpoint: str
) -> None:
    """After the last one has closed, and not before. An execution that another host begins with
    the same code later is returned to it by this one, and goes on with it.
    """
    folder = Folder(tmp_path, endpoint, CUSTOM)
    old = folder.add(9)
    with folder.host().ready() as host:
        folder.start(9, 1)
        drained(host)
    folder.add(10)
    control = ("--control", str(tmp_path / "control"))
    with folder.host(*control, GARCON_KEEP_UNUSED="3") as host:
        retired = serving(host, 9)
        folder.go()
        ended = host.wait_for("retired_unneeded", sidecar="retired@2026-11-9")
        at = datetime.fromisoformat(ended["timestamp"]).timestamp()
        assert at - ended["seconds"] > folder.closed_at()
        assert ended["seconds"] >= 3
        psutil.wait_procs([retired], timeout=90)
        until(lambda: sidecar(*control)["status"] == "unneeded", "the end in the status")
        assert sidecar(*control)["unused"] > ended["seconds"]
        other = ("--flow", "kept", "--folder", str(old), "--endpoint-url", endpoint)
        with Supervisor(*other, "--probation", "0").ready() as elsewhere:
            started_by(folder, 9, others=10)
            drained(elsewhere)
        for each in folder.go_on():
            each.wait_for("WorkflowExecutionCompleted")
        host.wait_for("retired_recalled")
        folder.ensure_whole()
        drained(host)


def sidecar(*control: str) -> dict[str, Any]:
    """The only sidecar, as ``status`` has it."""
    (found,) = json.loads(command("status", *control, "--json"))["sidecars"]
    return dict(found)


def command(*words: str) -> str:
    """The answer of a command to a running supervisor."""
    with Program("-m", "supervisor", *words) as program:
        assert program.wait() == 0
        return program.out.rest()


WAITS = """

@task.decorate(timeout=600, heartbeat=600)
def wait():
    import time
    time.sleep(600)


gate = create(name="gate", requires=[first{version}], external=True, timeout=600)
last{version} = create(name="last{version}", requires=[gate], run=runner.Sync(wait.fill()))
"""


@pytest.mark.parametrize("stops", [False, True], ids=["limit", "second signal"])
def test_what_stops_the_supervisor_stops_retired_code(
    tmp_path: Path, endpoint: str, *, stops: bool
) -> None:
    """Its task is abandoned and reported; the exit comes after it, with exit code 1."""
    folder = Folder(tmp_path, endpoint, WAITS)
    folder.add(9)
    with folder.host().ready() as host:
        folder.start(9, 1)
        drained(host)
    folder.add(10)
    with folder.host(*(() if stops else ("--drain-timeout", "2"))) as host:
        retired = serving(host, 9)
        (execution,) = folder.go_on()
        # Started at SWF is not yet received; its worker reports it before its title shows it.
        until(lambda: host.titled("working kept_last"), "the last task in progress")
        if stops:
            host.stop_by_signals()
        else:
            host.signal(signal.SIGTERM)
        assert host.wait() == exit_codes.ABANDONED
        assert not retired.is_running()
        log = host.err.rest()
    (failed,) = execution.wait_for("ActivityTaskFailed")
    assert "Interrupted" in failed["activityTaskFailedEventAttributes"]["reason"]
    assert "task_abandoned" in log
