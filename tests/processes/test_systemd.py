"""Notifications of a real pool to its service manager: start, reload, drain, hang, crash loop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.fakes.service_manager import ServiceManager
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOW = ("--flow", "tests.processes.flow")

STATES = ("READY", "RELOADING", "STOPPING", "EXTEND_TIMEOUT_USEC")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    """A service manager of our own."""
    with ServiceManager(str(tmp_path / "notify")) as listening:
        yield listening


def managed(manager: ServiceManager, endpoint: str, **variables: str) -> Supervisor:
    """A supervisor of the test flow that this manager runs."""
    said = {"NOTIFY_SOCKET": manager.address, "GARCON_MIN_UPTIME": "0.1", **variables}
    return Supervisor(*FLOW, "--endpoint-url", endpoint, **said)


def test_start_reload_and_drain_are_notified_in_order(
    manager: ServiceManager, endpoint: str, tmp_path: Path
) -> None:
    """READY, RELOADING with its moment, READY, STOPPING, more time while a task is in progress."""
    with managed(manager, endpoint) as supervisor:
        manager.wait_for("READY=1")
        assert "workers ready" in manager.wait_for("STATUS=")
        supervisor.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        assert int(manager.wait_for("MONOTONIC_USEC=").partition("=")[2]) > 0
        manager.wait_for("READY=1")
        trial = Trial(supervisor, endpoint, tmp_path, "return")
        trial.worker()
        supervisor.signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        manager.wait_for("EXTEND_TIMEOUT_USEC=")
        assert "SIGTERM" in manager.wait_for("STATUS=Leaving")
        trial.open()
        # Read along, as systemd does: what it has no room for at the exit is lost.
        manager.wait_for("STATUS=Leaving (SIGTERM): 0 processes left, 0 tasks in progress")
        assert supervisor.wait() == 0
    states = [each.partition("=")[0] for each in manager.fields_of(*STATES)]
    order = ["READY", "RELOADING", "READY", "STOPPING"]
    assert [each for each in states if each != "EXTEND_TIMEOUT_USEC"] == order


def test_the_status_line_counts_who_is_ready(manager: ServiceManager, endpoint: str) -> None:
    """It follows a death and the replacement."""
    with managed(manager, endpoint) as supervisor:
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=5 of 5 workers ready")
        supervisor.titled("garcon: activity gates gates_end")[0].kill()
        manager.wait_for("STATUS=4 of 5 workers ready")
        manager.wait_for("STATUS=5 of 5 workers ready")
        assert manager.fields_of("READY") == ["READY=1"]


def test_a_broken_deploy_is_a_reload_that_ends(
    manager: ServiceManager, endpoint: str, tmp_path: Path
) -> None:
    """The new code cannot be imported: READY again, and the old workers serve on."""
    code = tmp_path / "mine.py"
    code.write_text("from tests.processes.flow import *\n")
    said = {"NOTIFY_SOCKET": manager.address, "PYTHONPATH": str(tmp_path)}
    argv = ("--flow", "mine", "--endpoint-url", endpoint)
    with Supervisor(*argv, **said) as supervisor:
        manager.wait_for("READY=1")
        code.write_text("1 / 0\n")
        supervisor.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        supervisor.wait_for("generation_failed")
        manager.wait_for("READY=1")
        assert supervisor.titled("garcon: activity")


def test_a_refused_reload_ends_and_is_shown(
    manager: ServiceManager, endpoint: str, tmp_path: Path
) -> None:
    """The settings file is wrong: RELOADING, READY, and the reason in the status line."""
    config = tmp_path / "garcon.toml"
    config.write_text("workers = 1\n")
    with managed(manager, endpoint, GARCON_CONFIG=str(config)) as supervisor:
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=5 of 5 workers ready")
        config.write_text('workers = "many"\n')
        supervisor.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1")
        status = manager.wait_for("STATUS=5 of 5 workers ready")
        assert "restart refused: " in status
        assert "workers: expected a whole number" in status


def test_watchdog_pings_come_from_a_loop_that_turns_alone(
    manager: ServiceManager, endpoint: str
) -> None:
    """A stopped supervisor sends no ping, though its workers live; once it goes on, it does."""
    stage_timeout = 0.9  # seconds, in which three pings are due
    said = {"WATCHDOG_USEC": str(int(stage_timeout * 1_000_000))}
    with managed(manager, endpoint, **said) as supervisor:
        manager.wait_for("READY=1")
        for _ in range(3):
            manager.wait_for("WATCHDOG=1")
        supervisor.signal(signal.SIGSTOP)
        program = psutil.Process(supervisor.pid)
        until(lambda: program.status() == psutil.STATUS_STOPPED, "the supervisor stopped")
        manager.read_dry()
        assert manager.is_silent_for(2 * stage_timeout)
        assert supervisor.titled("garcon: activity")
        supervisor.signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG=1")


def test_no_ping_is_sent_for_another_process(manager: ServiceManager, endpoint: str) -> None:
    """WATCHDOG_PID names another process: the manager waits for that one's."""
    said = {"WATCHDOG_USEC": "90000", "WATCHDOG_PID": "1"}
    with managed(manager, endpoint, **said) as supervisor:
        manager.wait_for("READY=1")
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0
    manager.read_dry()
    assert manager.fields_of("WATCHDOG") == []


def test_a_crash_loop_is_notified_before_the_end(manager: ServiceManager, tmp_path: Path) -> None:
    """Never ready: STOPPING with the reason, and exit code 4."""
    (tmp_path / "mine.py").write_text(
        "from tests.processes.flow import *\n"
        "import os\n"
        "os.register_at_fork(after_in_child=lambda: os._exit(7))\n"
    )
    quick = {
        "GARCON_CRASH_LOOP_DEATHS": "3",
        "GARCON_BACKOFF_CAP": "0.1",
        "GARCON_BACKOFF_INITIAL": "0.1",
    }
    said = {"NOTIFY_SOCKET": manager.address, "PYTHONPATH": str(tmp_path), **quick}
    with Supervisor("--flow", "mine", "--endpoint-url", "http://127.0.0.1:1", **said) as supervisor:
        manager.wait_for("STATUS=Starting")
        manager.wait_for("STOPPING=1")
        assert "3 of its first workers died" in manager.wait_for("STATUS=Leaving")
        assert supervisor.wait() == 4
    manager.read_dry()
    assert manager.fields_of(*STATES[:3]) == ["STOPPING=1"]


def test_the_flow_cannot_speak_to_the_service_manager(
    manager: ServiceManager, endpoint: str, tmp_path: Path
) -> None:
    """The variables for the main process are in no environment that the flow sees."""
    (tmp_path / "mine.py").write_text(
        "from tests.processes.flow import *\n"
        "import os, pathlib\n"
        "pathlib.Path(os.environ['MINE']).write_text(' '.join(os.environ))\n"
    )
    found = tmp_path / "found"
    said = {"MINE": str(found), "PYTHONPATH": str(tmp_path), "WATCHDOG_USEC": "60000000"}
    argv = ("--flow", "mine", "--endpoint-url", endpoint)
    with Supervisor(*argv, NOTIFY_SOCKET=manager.address, **said):
        manager.wait_for("READY=1")
        names = set(found.read_text().split())
    assert names >= said.keys() - {"WATCHDOG_USEC"}
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & names
