"""Idle clients, and the jumps of a virtual clock."""

from __future__ import annotations

import math
import threading
import time

import pytest

from garcon.local.service.clock import IDLE_WINDOWS, TimeJumps, VirtualClock, WallClock
from garcon.local.service.idle_detection import IdleDetector

HERE = threading.current_thread()


def ended() -> threading.Thread:
    """A thread that has ended."""
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return thread


def test_without_clients_nothing_is_idle() -> None:
    """The time does not jump before the first client waits."""
    assert not IdleDetector().is_idle()


def test_a_waiting_client_is_idle() -> None:
    """A thread is idle while it waits, and no longer."""
    detector = IdleDetector()
    with detector.waiting(HERE):
        assert detector.is_idle()
    assert not detector.is_idle()


def test_a_task_in_progress_is_work() -> None:
    """Nothing is idle while a living thread that does not wait has a task."""
    detector = IdleDetector()
    detector.note_task("token", HERE)
    with detector.waiting(ended()):
        assert not detector.is_idle()
        detector.note_answer("token")
        assert detector.is_idle()


def test_a_thread_that_polls_again_has_given_its_task_up() -> None:
    """A thread that waits has no task, even if it never answered."""
    detector = IdleDetector()
    detector.note_task("token", HERE)
    with detector.waiting(HERE):
        assert detector.is_idle()


def test_an_ended_thread_has_no_task() -> None:
    """The task of a thread that has ended does not stop the time."""
    detector = IdleDetector()
    detector.note_task("token", ended())
    with detector.waiting(HERE):
        assert detector.is_idle()


def test_time_that_is_held_does_not_jump() -> None:
    """While the time is held nothing is idle, even if it is held twice."""
    detector = IdleDetector()
    with detector.waiting(HERE):
        detector.hold(1)
        detector.hold(1)
        detector.hold(-1)
        assert not detector.is_idle()
        detector.hold(-1)
        assert detector.is_idle()


def test_only_living_threads_count_as_clients() -> None:
    """Threads that have ended do not count, others that made calls do."""
    detector = IdleDetector()
    detector.note_call(HERE)
    detector.note_call(ended())
    assert detector.has_one_client()
    leave = threading.Event()
    other = threading.Thread(target=leave.wait)
    other.start()
    detector.note_call(other)
    assert not detector.has_one_client()
    leave.set()
    other.join()


def test_no_client_waits_longer_than_a_window() -> None:
    """The first jumps go at most to the end of a poll's window."""
    assert TimeJumps().target(work=1000, window=60) == 60


def test_empty_windows_are_skipped_after_a_few() -> None:
    """After some empty windows the time jumps over further ones to the next due work."""
    jumps = TimeJumps()
    for _ in range(IDLE_WINDOWS):
        jumps.note_jump(work=1000, target=60)
    assert jumps.target(work=1000, window=60) == 1000
    jumps.note_activity()
    assert jumps.target(work=1000, window=60) == 60


def test_without_due_work_windows_end() -> None:
    """Polls still end, window by window."""
    jumps = TimeJumps()
    for _ in range(IDLE_WINDOWS + 1):
        assert jumps.target(work=math.inf, window=60) == 60
        jumps.note_jump(work=math.inf, target=60)


def test_a_virtual_clock_stands_still() -> None:
    """It moves only by move_to, and never back."""
    clock = VirtualClock(100)
    assert clock.now() == clock.now() == 100
    clock.move_to(160)
    clock.move_to(130)
    assert clock.now() == 160


def test_the_wall_clock_is_never_earlier_than_its_start() -> None:
    """A service that continues does not go back before its last input."""
    assert WallClock(start=1e12).now() == pytest.approx(1e12, abs=60)
    assert WallClock().now() == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_setting_the_machines_clock_moves_no_deadline(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """A deadline in a minute is neither an hour late nor an hour early."""
    clock = WallClock()
    before, set_to = clock.now(), time.time() + step
    monkeypatch.setattr(time, "time", lambda: set_to)
    assert 0 <= clock.now() - before < 60
