"""When the pool is looked at for the service manager, and when a sign of life is due."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from supervisor import messages
from supervisor.core import Core
from supervisor.settings import Settings
from supervisor.systemd.manager import Manager
from supervisor.systemd.sender import Sender
from tests.service_manager import ServiceManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.core.service import Service

TICK = messages.Tick()


class Watched(Core):
    """A core that counts who looks at it."""

    def __init__(self) -> None:
        super().__init__(Settings(flow="flow"))
        self.begin(0.0)
        self.looks = 0

    def service(self, now: float) -> Service:
        """Count, and tell."""
        self.looks += 1
        return super().service(now)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[ServiceManager]:
    """A service manager of our own."""
    with ServiceManager(str(tmp_path / "notify")) as manager:
        yield manager


def test_without_a_socket_nothing_is_looked_at() -> None:
    """And nobody is woken, even if a watchdog is set."""
    core, manager = Watched(), Manager({"WATCHDOG_USEC": "3000000"}, 7)
    manager.look(core, 1.0, heard=True)
    assert core.looks == 0
    assert manager.next_look() == inf


def test_without_a_watchdog_nobody_is_woken(listening: ServiceManager) -> None:
    """What changes is told in the turn in which it happens."""
    core, manager = Watched(), Manager({"NOTIFY_SOCKET": listening.address}, 7)
    manager.look(core, 1.0, heard=True)
    assert manager.next_look() == inf
    assert listening.read_dry() == ["STATUS=Starting"]


def test_a_sign_of_life_is_given_when_it_is_due(listening: ServiceManager) -> None:
    """Every third of the manager's patience, and not in the turns between."""
    said = {"NOTIFY_SOCKET": listening.address, "WATCHDOG_USEC": "3000000"}
    core, manager = Watched(), Manager(said, 7)
    assert 0.0 <= manager.next_look() < 100.0
    for now in (100.0, 100.5, 100.99, 101.0):
        manager.look(core, now, heard=False)
    assert listening.read_dry() == ["STATUS=Starting", "WATCHDOG=1", "WATCHDOG=1"]
    assert manager.next_look() == 102.0


def test_what_the_manager_had_no_room_for_is_sent_again(listening: ServiceManager) -> None:
    """A second later, though nothing happens in the pool meanwhile; then nobody is woken."""
    core, manager = Watched(), Manager({"NOTIFY_SOCKET": listening.address}, 7)
    crowd = Sender(listening.address)
    while not crowd.is_behind:
        crowd.send(["STATUS=Another service"])
    manager.look(core, 1.0, heard=True)
    assert manager.next_look() == 2.0
    listening.read_dry()
    manager.look(core, 2.0, heard=False)
    assert manager.next_look() == inf
    assert listening.read_dry() == ["STATUS=Starting"]


def test_tasks_alone_are_looked_at_once_a_second(listening: ServiceManager) -> None:
    """They come by the thousand, and each look asks every worker; all else is told at once."""
    core, manager = Watched(), Manager({"NOTIFY_SOCKET": listening.address}, 7)
    for tenth in range(10, 31):
        manager.look(core, tenth / 10, heard=True)
    assert core.looks == 3
    core.handle(TICK, 3.1)
    manager.look(core, 3.1, heard=True)
    manager.look(core, 3.2, heard=True)
    manager.look(core, 9.0, heard=False)
    assert core.looks == 4
