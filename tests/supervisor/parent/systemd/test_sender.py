"""Datagrams to the service manager: none is lost while it is busy, and none blocks."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

import pytest

from supervisor.parent.systemd.notifier import ping_interval
from supervisor.parent.systemd.sender import WAITING, Sender
from tests.fakes.service_manager import ServiceManager

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_fields_are_lines_of_one_datagram(tmp_path: Path, kind: str) -> None:
    """To sockets with a path and to sockets with an abstract name."""
    address = str(tmp_path / "notify") if kind == "path" else f"@garcon-test-{tmp_path}"
    with ServiceManager(address) as manager:
        Sender(address).send(["READY=1", "STATUS=Up"])
        assert manager.read_dry() == ["READY=1", "STATUS=Up"]


def test_datagrams_wait_for_a_busy_manager(tmp_path: Path) -> None:
    """All of them arrive, in order, as soon as there is room."""
    address = str(tmp_path / "notify")
    with ServiceManager(address) as manager:
        sender, sent = Sender(address), 0
        while not sender.is_behind:
            sent += 1
            sender.send([f"STATUS={sent}"])
        received = manager.read_dry()
        sender.send(["READY=1"])
        received += manager.read_dry()
        assert received == [*(f"STATUS={n}" for n in range(1, sent + 1)), "READY=1"]


def test_a_manager_that_never_reads_costs_bounded_memory(tmp_path: Path) -> None:
    """The oldest datagrams are dropped, the newest kept."""
    address = str(tmp_path / "notify")
    with ServiceManager(address) as manager:
        sender = Sender(address)
        for n in range(10 * WAITING):
            sender.send([f"STATUS={n}"])
        for _ in range(WAITING):  # each time there is room for some
            manager.read_dry()
            sender.send(["WATCHDOG=1"])
        assert manager.read_dry() == ["WATCHDOG=1"]
        assert f"STATUS={10 * WAITING - 1}" in manager.fields
        assert len(manager.fields) < 10 * WAITING


def test_a_missing_manager_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried; what waits is sent when the manager is back."""
    address = str(tmp_path / "notify")
    sender = Sender(address)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            sender.send(["READY=1"])
    (record,) = caplog.records
    assert "NOTIFY_SOCKET" in record.message
    with ServiceManager(address) as manager:
        sender.send(["STATUS=Up"])
        assert manager.read_dry() == [*["READY=1"] * 3, "STATUS=Up"]


def test_an_invalid_address_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """An address that is too long is like a missing manager."""
    Sender("/" + "x" * 300).send(["READY=1"])
    assert "is not reachable" in caplog.text


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, inf),
        ({"WATCHDOG_USEC": "3000000"}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, inf),
        ({"WATCHDOG_USEC": "0"}, inf),
        ({"WATCHDOG_USEC": "soon"}, inf),
    ],
)
def test_a_ping_is_due_every_third_of_the_managers_timeout(
    environ: dict[str, str], seconds: float
) -> None:
    """If it wants pings at all, and from this process."""
    assert ping_interval(environ, 7) == seconds
