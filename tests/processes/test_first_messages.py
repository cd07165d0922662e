"""A worker can be asked to leave from the moment that its pid is known."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import channel, crash_record
from supervisor.ipc.channel import Channel
from supervisor.ipc.messages import (
    Fork,
    Forked,
    Load,
    Loaded,
    LogSettings,
    Role,
    Serve,
    Slot,
    SwfEndpoint,
)
from supervisor.parent.os_processes import ZYGOTE, Kernel
from tests.processes.harness import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import ChannelMessage, TaskList

BIRTHS = 20
"""A signal between birth and first breath hits the gap, if there is one, about every other time."""


@pytest.fixture
def zygote() -> Iterator[Channel]:
    """A zygote whose workers find no SWF: one that misses its request backs off for ever."""
    swf = SwfEndpoint(region="us-east-1", endpoint_url="http://127.0.0.1:1", local=True)
    style = LogSettings("error", "text")
    pid, end = Kernel().spawn(ZYGOTE)
    ours = Channel(end)
    ours.send(Load(1, "tests.processes.flow", None, None, swf, style))
    yield ours
    ours.close()
    os.waitpid(pid, 0)


def next_message(end: Channel) -> ChannelMessage | None:
    """The next message; None at the end."""
    readable, _, _ = select.select([end], [], [], LIMIT)
    assert readable, "no message came"
    return end.receive()


def ends(worker: Channel) -> bool:
    """Whether it leaves; until it is asked to it may say again and again that it polls."""
    by = time.monotonic() + LIMIT
    while time.monotonic() < by:
        if next_message(worker) is None:
            return True
    return False


def born(zygote: Channel, number: int, task_list: TaskList) -> tuple[Channel, int]:
    """A worker's channel and pid, at the moment of its first message."""
    ours, theirs = channel.pair()
    left = crash_record.make()
    with contextlib.closing(theirs):
        zygote.send(Fork(number, 1, Serve(Slot(task_list, 0))), theirs.fileno(), left)
    os.close(left)
    message = next_message(ours)
    assert isinstance(message, Forked)
    return ours, message.pid


def test_a_worker_that_is_asked_to_leave_at_its_start_leaves(zygote: Channel) -> None:
    """The zygote ignores SIGTERM; its forks do not, not even for a moment."""
    loaded = next_message(zygote)
    assert isinstance(loaded, Loaded)
    task_list = next(each for each in loaded.task_lists if each.role is Role.ACTIVITY)
    for number in range(BIRTHS):
        worker, pid = born(zygote, number, task_list)
        os.kill(pid, signal.SIGTERM)
        with contextlib.closing(worker):
            assert ends(worker), "it does not leave"
