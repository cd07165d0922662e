"""The time of notifications and pings."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from supervisor.config.settings import Settings
from supervisor.core import Core
from supervisor.ipc import messages
from supervisor.parent.systemd.notifier import Notifier
from supervisor.parent.systemd.rules import LastNotified
from supervisor.parent.systemd.sender import Sender
from tests.fakes.service_manager import ServiceManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.core.service_view import Service

TICK = messages.Tick()


class CountingCore(Core):
    """A core that counts the views of it."""

    def __init__(self) -> None:
        super().__init__(Settings(flow="flow"))
        self.begin(0.0)
        self.views = 0

    def service(self, now: float) -> Service:
        """Count the view."""
        self.views += 1
        return super().service(now)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[ServiceManager]:
    """A service manager that listens."""
    with ServiceManager(str(tmp_path / "notify")) as manager:
        yield manager


def test_without_a_socket_nothing_is_done() -> None:
    """No view, and no wake-up, even if a watchdog is set."""
    core, notifier = CountingCore(), Notifier({"WATCHDOG_USEC": "3000000"}, 7)
    notifier.notify(core, 1.0, had_events=True)
    assert core.views == 0
    assert notifier.next_call() == inf


def test_without_a_watchdog_the_loop_is_not_woken(listening: ServiceManager) -> None:
    """A change is sent in its own turn."""
    core, notifier = CountingCore(), Notifier({"NOTIFY_SOCKET": listening.address}, 7)
    notifier.notify(core, 1.0, had_events=True)
    assert notifier.next_call() == inf
    assert listening.read_dry() == ["STATUS=Starting"]


def test_a_ping_is_sent_when_it_is_due(listening: ServiceManager) -> None:
    """Every third of the manager's timeout, and not in the turns between."""
    environ = {"NOTIFY_SOCKET": listening.address, "WATCHDOG_USEC": "3000000"}
    core, notifier = CountingCore(), Notifier(environ, 7)
    assert 0.0 <= notifier.next_call() < 100.0
    for now in (100.0, 100.5, 100.99, 101.0):
        notifier.notify(core, now, had_events=False)
    assert listening.read_dry() == ["STATUS=Starting", "WATCHDOG=1", "WATCHDOG=1"]
    assert notifier.next_call() == 102.0


def test_waiting_datagrams_are_sent_a_second_later(listening: ServiceManager) -> None:
    """Even if nothing happens in the pool; then the loop is woken no further."""
    core, notifier = CountingCore(), Notifier({"NOTIFY_SOCKET": listening.address}, 7)
    crowd = Sender(listening.address)
    while not crowd.is_behind:
        crowd.send(["STATUS=Another service"])
    notifier.notify(core, 1.0, had_events=True)
    assert notifier.next_call() == 2.0
    listening.read_dry()
    notifier.notify(core, 2.0, had_events=False)
    assert notifier.next_call() == inf
    assert listening.read_dry() == ["STATUS=Starting"]


def test_tasks_alone_cost_one_view_a_second(listening: ServiceManager) -> None:
    """Every other change is sent at once."""
    core, notifier = CountingCore(), Notifier({"NOTIFY_SOCKET": listening.address}, 7)
    for tenth in range(10, 31):
        notifier.notify(core, tenth / 10, had_events=True)
    assert core.views == 3
    core.handle(TICK, 3.1)
    notifier.notify(core, 3.1, had_events=True)
    notifier.notify(core, 3.2, had_events=True)
    notifier.notify(core, 9.0, had_events=False)
    assert core.views == 4


def test_a_refused_reload_is_answered_in_two_datagrams(listening: ServiceManager) -> None:
    """The manager reads READY as the end of the reload only in a datagram of its own."""
    notifier = Notifier({"NOTIFY_SOCKET": listening.address}, 7)
    notifier._notified = LastNotified(settled=1)
    notifier.refuse_reload("--workers: -1 is below 0", 2.0)
    assert listening.read_dry() == ["RELOADING=1", "MONOTONIC_USEC=2000000", "READY=1"]
    Notifier({}, 7).refuse_reload("why", 2.0)
