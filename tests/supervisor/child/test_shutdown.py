"""A worker's waits end on a wake-up and on a shutdown request."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from supervisor.child.shutdown import Shutdown
from supervisor.ipc import channel, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 20
"""Seconds; reaching it means that a wait did not end."""

LONG = 300.0
"""Seconds of a wait that has to end early."""

FORKING = """
import multiprocessing, os, signal, sys
from supervisor.ipc import channel
from supervisor.child.shutdown import Shutdown

if "early" in sys.argv:
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
with Shutdown(channel.pair()[1]) as shutdown:
    child = multiprocessing.get_context("fork").Process(target=signal.pause)
    child.start()
    if "early" not in sys.argv:
        child.terminate()
    child.join(20)
    ended = child.exitcode
    child.kill()
    os.kill(os.getpid(), signal.SIGTERM)
    print(ended, shutdown.requested)
"""
"""A worker whose task forks a process, and terminates it in its first moment or later."""


@pytest.fixture
def ends() -> Iterator[tuple[channel.Channel, channel.Channel]]:
    """The supervisor's end of a channel and the worker's."""
    ours, theirs = channel.pair()
    yield ours, theirs
    theirs.close()
    if not ours.closed:
        ours.close()


def waiting(shutdown: Shutdown) -> threading.Thread:
    """A thread in a long wait."""
    thread = threading.Thread(target=shutdown.wait, args=(LONG,), daemon=True)
    thread.start()
    return thread


def test_a_wake_up_ends_a_wait(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """It ends the current wait or, coming before, the next one."""
    shutdown = Shutdown(ends[1])
    for wake_first in (True, False):
        if wake_first:
            shutdown.wake()
        thread = waiting(shutdown)
        if not wake_first:
            shutdown.wake()
        thread.join(LIMIT)
        assert not thread.is_alive()
        assert not shutdown.requested


def test_many_wake_ups_never_block(
    ends: tuple[channel.Channel, channel.Channel],
) -> None:
    """More wake-ups than a pipe has room for end one wait, and not the next."""
    shutdown = Shutdown(ends[1])
    for _ in range(70_000):
        shutdown.wake()
    assert shutdown.wait(LONG)
    assert select.select([shutdown._reader], [], [], 0)[0] == []


def test_a_signal_ends_a_wait(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """The time of the first signal counts; a second one does not move it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with Shutdown(ends[1]) as shutdown:
        threading.Timer(0, signal.pthread_kill, (threading.get_ident(), signal.SIGTERM)).start()
        began = time.monotonic()
        assert not shutdown.wait(LIMIT)
        assert time.monotonic() - began < LIMIT
        first = shutdown.requested_at
        signal.raise_signal(signal.SIGINT)
        assert first is not None
        assert shutdown.requested_at == first
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_permit_ends_the_wait_for_one_and_no_other(
    ends: tuple[channel.Channel, channel.Channel],
) -> None:
    """One that comes ahead is kept, wake-ups do not count, and each permit counts once."""
    shutdown = Shutdown(ends[1])
    ends[0].send(messages.PermitGranted())
    shutdown.wake()
    assert shutdown.wait(0)
    assert shutdown.wait_for_permit()
    thread = threading.Thread(target=shutdown.wait_for_permit, daemon=True)
    thread.start()
    shutdown.wake()
    ends[0].send(messages.PermitGranted())
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_a_request_to_leave_ends_the_wait_for_a_permit(
    ends: tuple[channel.Channel, channel.Channel],
) -> None:
    """No permit is used then."""
    shutdown = Shutdown(ends[1])
    ends[0].send(messages.PermitGranted())
    shutdown.request()
    assert not shutdown.wait_for_permit()


def test_a_lost_supervisor_ends_a_wait(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """The end of the channel is a shutdown request, and makes the worker an orphan."""
    shutdown = Shutdown(ends[1])
    ends[0].close()
    assert not shutdown.wait(LONG)
    assert shutdown.requested
    assert shutdown.is_orphan


def test_a_lost_supervisor_is_found_by_sending(
    ends: tuple[channel.Channel, channel.Channel],
) -> None:
    """The message is dropped, and the loss counts like the end of the channel."""
    shutdown = Shutdown(ends[1])
    shutdown.send(messages.Polling(1))
    assert (shutdown.requested, shutdown.is_orphan) == (False, False)
    ends[0].close()
    shutdown.send(messages.Polling(1))
    assert (shutdown.requested, shutdown.is_orphan) == (True, True)


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_process_that_a_task_forks_can_be_terminated(when: str) -> None:
    """TERM ends it, even in its first moment, and the worker's own handler still works."""
    ran = subprocess.run(
        [sys.executable, "-c", FORKING, when], check=True, capture_output=True, text=True
    )
    assert ran.stdout == f"{-signal.SIGTERM} True\n"


def test_a_wait_takes_high_descriptors(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """A flow with a thousand open files does not end its workers."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, limits[1]), limits[1]))
    try:
        shutdown = Shutdown(ends[1])
        shutdown._reader = fcntl.fcntl(shutdown._reader, fcntl.F_DUPFD_CLOEXEC, 1100)
        shutdown.wake()
        assert shutdown.wait(LONG)
        os.close(shutdown._reader)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_forked_process_sends_nothing(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """The supervisor would take its messages for those of the worker."""
    ours, theirs = ends
    shutdown = Shutdown(theirs)
    if not (child := os.fork()):
        shutdown.send(messages.Polling(7))
        os._exit(0)
    os.waitpid(child, 0)
    shutdown.send(messages.Polling(1))
    assert ours.receive() == messages.Polling(1)
