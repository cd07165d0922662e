"""Whom the shell takes for its own among the dead."""

from __future__ import annotations

import os
import select
import signal

from supervisor import channel, kernel, messages
from supervisor.children import Child, Kind
from supervisor.core import Core
from supervisor.settings import Settings
from supervisor.shell import Shell
from tests.processes.harness import LIMIT


def test_a_dead_workers_group_is_ended_although_its_pid_was_not_heard_yet() -> None:
    """It is one of ours, and its words are not lost."""
    settings = Settings(flow="shop")
    shell = Shell(Core(settings), settings)
    ours, theirs = channel.pair()
    shell._children.add(Child(Kind.WORKER, 7, ours))
    shell._listen(ours)
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        theirs.say(messages.Forked(7, os.getpid()))
        theirs.say(messages.Polling(7))
        os.setpgid(0, 0)
        os.close(reader)
        if os.fork() == 0:
            signal.alarm(int(LIMIT) * 2)  # the limit, if nobody ends it
            signal.pause()
        os._exit(0)
    os.close(writer)
    theirs.close()
    os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)
    assert worker in [each.pid for each in kernel.reap(shell._is_ours)]
    assert shell._take_pending() == [messages.Polling(7)]
    assert select.select([reader], [], [], LIMIT)[0]
    assert os.read(reader, 1) == b""  # whom the worker has started held the other end
    os.close(reader)
    ours.close()
