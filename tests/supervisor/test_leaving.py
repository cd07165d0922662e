"""A worker's rests, and what ends them."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from supervisor import channel
from supervisor.leaving import Leaving

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 20
"""Seconds; reaching it means that a rest did not end."""

LONG = 300.0
"""Seconds of a rest that nobody waits out."""

FORKING = """
import multiprocessing, os, signal, sys
from supervisor import channel
from supervisor.leaving import Leaving

if "early" in sys.argv:
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
with Leaving(channel.pair()[1]) as leaving:
    child = multiprocessing.get_context("fork").Process(target=signal.pause)
    child.start()
    if "early" not in sys.argv:
        child.terminate()
    child.join(20)
    ended = child.exitcode
    child.kill()
    os.kill(os.getpid(), signal.SIGTERM)
    print(ended, leaving.asked)
"""
"""A worker whose task forks a process, and ends it before or after it can know what it is."""


@pytest.fixture
def ends() -> Iterator[tuple[channel.Channel, channel.Channel]]:
    """The supervisor's end of a channel and the worker's."""
    ours, theirs = channel.pair()
    yield ours, theirs
    theirs.close()
    if not ours.closed:
        ours.close()


def resting(leaving: Leaving) -> threading.Thread:
    """A worker that rests for long."""
    thread = threading.Thread(target=leaving.rest, args=(LONG,), daemon=True)
    thread.start()
    return thread


def test_something_to_do_ends_a_rest(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """The one that is, or the next one: it may come between two looks."""
    leaving = Leaving(ends[1])
    for wake_first in (True, False):
        if wake_first:
            leaving.wake()
        thread = resting(leaving)
        if not wake_first:
            leaving.wake()
        thread.join(LIMIT)
        assert not thread.is_alive()
        assert not leaving.asked


def test_being_woken_again_and_again_never_blocks(
    ends: tuple[channel.Channel, channel.Channel],
) -> None:
    """Tasks come by the thousand, rests seldom; one rest is cut short, and the next is not."""
    leaving = Leaving(ends[1])
    for _ in range(200_000):
        leaving.wake()
    assert leaving.rest(LONG)
    assert select.select([leaving._reader], [], [], 0)[0] == []


def test_a_lost_supervisor_ends_a_rest(ends: tuple[channel.Channel, channel.Channel]) -> None:
    """And is a reason to leave."""
    leaving = Leaving(ends[1])
    ends[0].close()
    assert not leaving.rest(LONG)
    assert leaving.asked


@pytest.mark.parametrize("when", ["early", "late"])
def test_what_a_task_forks_can_be_terminated(when: str) -> None:
    """It does not hear for the worker, not even in its first moment; the worker still hears."""
    ran = subprocess.run(
        [sys.executable, "-c", FORKING, when], check=True, capture_output=True, text=True
    )
    assert ran.stdout == f"{-signal.SIGTERM} True\n"
