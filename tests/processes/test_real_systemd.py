"""A real systemd runs the unit that we print: it starts, reloads, is watched, and stops."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from supervisor.cli import sources, unit
from tests.processes.harness import ROOT, environment, local_swf, until
from tests.processes.user_systemd import Unavailable, UserSystemd, running

if TYPE_CHECKING:
    from collections.abc import Iterator
NAME = "garcon-gates"

TOO_MUCH_FOR_A_TEST = "\n".join(
    [
        # A manager of one user cannot be another, and the test's code may be at home.
        *("User=", "ProtectHome=no"),
        # Mounts within the mounts of a test's own are refused by some kernels.
        *("ProtectSystem=no", "PrivateTmp=no", "PrivateDevices=no", "ProtectProc=default"),
        *("ProtectKernelTunables=no", "ProtectKernelModules=no", "ProtectKernelLogs=no"),
        *("ProtectControlGroups=no", "ProtectHostname=no", "ProtectClock=no", "DevicePolicy=auto"),
        # So that the test does not take minutes.
        *("WatchdogSec=10", "RestartSec=0.1"),
    ]
)
"""The lines of the unit that a test undoes. The rest is as printed: seccomp, no new privileges, no
executable memory, no exotic sockets, and all that is about the life of the service."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def systemd(endpoint: str) -> Iterator[UserSystemd]:
    """A systemd of our own that has our unit.

    Its home has a short name: the path of a socket may have 107 bytes.
    """
    with TemporaryDirectory(prefix="home-") as folder:
        try:
            with running(Path(folder) / "home", units(endpoint)) as found:
                yield found
        except Unavailable as error:
            pytest.skip(str(error))


def units(endpoint: str) -> dict[str, str]:
    """The unit as it is printed, and beside it what a test has to take back."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
    host = unit.Host(sys.executable, str(ROOT))
    credentials = (f"{k}={v}" for k, v in environment().items() if k.startswith("AWS_"))
    variables = [f"Environment={each}" for each in (*credentials, "GARCON_MIN_UPTIME=0.1")]
    return {
        f"{NAME}.service": unit.unit(sources.read(argv, {}), argv, {}, host),
        f"{NAME}.service.d/test.conf": "\n".join(["[Service]", TOO_MUCH_FOR_A_TEST, *variables]),
    }


def test_systemd_starts_reloads_watches_and_stops_it(systemd: UserSystemd) -> None:
    """Up when all is served; reloading until the new code serves; ended and begun anew when its
    loop stands still; drained at the stop.
    """
    systemd.ctl("start", NAME)
    assert systemd.shows(NAME, "ActiveState") == "active"
    assert systemd.shows(NAME, "StatusText").startswith("5 of 5 workers ready")

    systemd.ctl("reload", NAME)
    until(lambda: "generation 2" in systemd.shows(NAME, "StatusText"), "the new generation")
    until(lambda: systemd.shows(NAME, "ActiveState") == "active", "the end of the reload")
    assert systemd.shows(NAME, "NRestarts") == "0"

    systemd.ctl("kill", "--kill-whom=main", "--signal=STOP", NAME)
    until(lambda: systemd.shows(NAME, "NRestarts") == "1", "the watchdog")
    until(lambda: systemd.shows(NAME, "ActiveState") == "active", "the new supervisor")

    systemd.ctl("stop", NAME)
    assert systemd.shows(NAME, "Result") == "success"
    assert systemd.shows(NAME, "ActiveState") == "inactive"
