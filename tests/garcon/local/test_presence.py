"""Who is idle, and how far the time may jump."""

from __future__ import annotations

import math
import threading
import time

import pytest

from garcon.local.clock import IDLE_WINDOWS, Leaps, VirtualClock, WallClock
from garcon.local.presence import Presence

HERE = threading.current_thread()


def ended() -> threading.Thread:
    """A thread that has ended."""
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return thread


def test_nobody_there_is_not_idle() -> None:
    """The time does not jump for nobody."""
    assert not Presence().idle()


def test_everybody_waiting_is_idle() -> None:
    """One who waits is idle while he waits, and no longer."""
    presence = Presence()
    with presence.waiting(HERE):
        assert presence.idle()
    assert not presence.idle()


def test_a_task_in_hand_is_work() -> None:
    """Nobody is idle while a living thread that does not wait holds a task."""
    presence = Presence()
    presence.takes("token", HERE)
    with presence.waiting(ended()):
        assert not presence.idle()
        presence.answers("token")
        assert presence.idle()


def test_who_polls_again_has_given_his_task_up() -> None:
    """A thread that waits holds nothing, even if it never answered."""
    presence = Presence()
    presence.takes("token", HERE)
    with presence.waiting(HERE):
        assert presence.idle()


def test_the_dead_hold_nothing() -> None:
    """The task of a thread that has ended does not stop the time."""
    presence = Presence()
    presence.takes("token", ended())
    with presence.waiting(HERE):
        assert presence.idle()


def test_time_that_is_held_does_not_jump() -> None:
    """While somebody holds the time nobody is idle, however often it is held."""
    presence = Presence()
    with presence.waiting(HERE):
        presence.hold(1)
        presence.hold(1)
        presence.hold(-1)
        assert not presence.idle()
        presence.hold(-1)
        assert presence.idle()


def test_alone_is_who_has_no_living_company() -> None:
    """Threads that have ended are no company, others that have called are."""
    presence = Presence()
    presence.calls(HERE)
    presence.calls(ended())
    assert presence.alone()
    leave = threading.Event()
    other = threading.Thread(target=leave.wait)
    other.start()
    presence.calls(other)
    assert not presence.alone()
    leave.set()
    other.join()


def test_nobody_waits_longer_than_a_window() -> None:
    """The first jumps go no further than the end of a poll's window."""
    assert Leaps().target(work=1000, window=60) == 60


def test_idle_windows_are_spared_after_a_few() -> None:
    """After some windows in vain the time jumps over the others to what is due."""
    leaps = Leaps()
    for _ in range(IDLE_WINDOWS):
        leaps.jumped(work=1000, target=60)
    assert leaps.target(work=1000, window=60) == 1000
    leaps.happened()
    assert leaps.target(work=1000, window=60) == 60


def test_where_nothing_is_due_windows_end() -> None:
    """Without anything due, polls still end, window by window."""
    leaps = Leaps()
    for _ in range(IDLE_WINDOWS + 1):
        assert leaps.target(work=math.inf, window=60) == 60
        leaps.jumped(work=math.inf, target=60)


def test_a_virtual_clock_stands_still() -> None:
    """It moves when told, and never back."""
    clock = VirtualClock(100)
    assert clock.now() == clock.now() == 100
    clock.move_to(160)
    clock.move_to(130)
    assert clock.now() == 160


def test_the_wall_clock_is_never_earlier_than_its_start() -> None:
    """A service that continues does not go back behind its last input."""
    assert WallClock(start=1e12).now() == pytest.approx(1e12, abs=60)
    assert WallClock().now() == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_setting_the_machines_clock_moves_no_deadline(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """What is due in a minute is neither an hour late nor an hour early."""
    clock = WallClock()
    before, set_to = clock.now(), time.time() + step
    monkeypatch.setattr(time, "time", lambda: set_to)
    assert 0 <= clock.now() - before < 60
