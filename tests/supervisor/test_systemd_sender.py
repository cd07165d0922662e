"""The way to the service manager: nothing is lost while it is busy, and it never costs the pool."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

import pytest

from supervisor.systemd.manager import watchdog_interval
from supervisor.systemd.sender import WAITING, Sender
from tests.service_manager import ServiceManager

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_fields_travel_as_lines_of_one_datagram(tmp_path: Path, kind: str) -> None:
    """Sockets with a path and sockets with an abstract name."""
    address = str(tmp_path / "notify") if kind == "path" else f"@garcon-test-{tmp_path}"
    with ServiceManager(address) as manager:
        Sender(address).send(["READY=1", "STATUS=Up"])
        assert manager.read_dry() == ["READY=1", "STATUS=Up"]


def test_what_a_busy_manager_has_no_room_for_waits_its_turn(tmp_path: Path) -> None:
    """All of it arrives, in order, as soon as there is room."""
    address = str(tmp_path / "notify")
    with ServiceManager(address) as manager:
        sender, said = Sender(address), 0
        while not sender.is_behind:
            said += 1
            sender.send([f"STATUS={said}"])
        heard = manager.read_dry()
        sender.send(["READY=1"])
        heard += manager.read_dry()
        assert heard == [*(f"STATUS={n}" for n in range(1, said + 1)), "READY=1"]


def test_a_manager_that_never_reads_costs_little(tmp_path: Path) -> None:
    """The oldest words are dropped, the newest kept."""
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


def test_a_manager_that_is_not_there_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is tried after it; and it is told of again when it is back."""
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


def test_an_address_that_is_none_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """One that no socket can have is like a manager that is not there."""
    Sender("/" + "x" * 300).send(["READY=1"])
    assert "cannot be told" in caplog.text


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
def test_a_sign_of_life_is_due_every_third_of_the_managers_patience(
    environ: dict[str, str], seconds: float
) -> None:
    """Where it asks for one at all, and asks this process."""
    assert watchdog_interval(environ, 7) == seconds
