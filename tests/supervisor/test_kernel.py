"""What the kernel tells of the dead."""

from __future__ import annotations

import os
import pty
import resource
import select
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supervisor import kernel
from tests.processes.harness import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable


def everybody(_pid: int) -> bool:
    """Whoever died is ours."""
    return True


def nobody(_pid: int) -> bool:
    """Whoever died is a stray."""
    return False


def dead(number: int | None = None) -> kernel.Ended:
    """A child of ours that ends, by a signal or with 3."""
    child = os.fork()
    if child == 0:
        if number:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(3)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    (found,) = [each for each in kernel.reap(everybody) if each.pid == child]
    return found


def test_a_death_has_status_and_size() -> None:
    """Exit code or signal, and the most memory that it held."""
    assert dead().status == 3
    assert dead(signal.SIGKILL).status == -signal.SIGKILL
    assert dead().peak_memory > 1 << 20
    assert not dead().core_dumped


def test_a_group_dies_with_its_dead_leader() -> None:
    """What a process has started in its group is ended when its death is collected."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reader)
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    os.close(writer)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert [each.pid for each in kernel.reap(everybody)] == [child]
    assert os.read(reader, 1) == b""  # the grandchild held the other end
    os.close(reader)


def test_a_daemon_lives_on_without_the_leader_of_its_group() -> None:
    """A stray that is collected takes nobody along: whoever it has started still answers."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LIMIT)
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            ours.close()
            theirs.sendall(theirs.recv(1))
        os._exit(0)
    theirs.close()
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert child in [each.pid for each in kernel.reap(nobody)]
    ours.sendall(b".")
    assert ours.recv(1) == b"."
    ours.close()


cores = Path("/proc/sys/kernel/core_pattern").read_text().strip()
unlimited = resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


@pytest.mark.skipif(
    not unlimited or cores.startswith("|") or "/" in cores,
    reason="this host's core files do not go where a test could see them",
)
def test_a_crash_leaves_a_core_only_where_it_is_allowed(tmp_path: Path) -> None:
    """The kernel says so of the dead, and there is a file or none."""
    for limit, dumps in ((kernel.forbid_core_dumps, False), (kernel.allow_core_dumps, True)):
        child = os.fork()
        if child == 0:
            os.chdir(tmp_path)
            limit()
            signal.signal(signal.SIGABRT, signal.SIG_DFL)
            os.abort()
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        (found,) = [each for each in kernel.reap(everybody) if each.pid == child]
        assert found.core_dumped == dumps
        assert bool(list(tmp_path.iterdir())) == dumps


def hung_up(prepare: Callable[[], object]) -> bool:
    """What a child of ours finds after this."""
    child = os.fork()
    if child == 0:
        prepare()
        os._exit(int(kernel.is_hung_up()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_want_of_a_descriptor_is_no_end_of_a_terminal() -> None:
    """Only who has no terminal has none; who cannot look does not know."""
    none_free = (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert not hung_up(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, none_free))
    assert hung_up(os.setsid)


READER = """
import os, sys
os.write(3, repr(sys.stdin.read()).encode())
"""


def test_who_reads_standard_input_at_a_terminal_is_not_stopped(tmp_path: Path) -> None:
    """Our children are in its background; what they read is empty, and comes at once."""
    (tmp_path / "reads.py").write_text(READER)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        _, end = kernel.spawn("reads")
        heard = select.select([end], [], [], LIMIT)[0] and end.recv(16)
        os._exit(heard != b"''")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)


def test_only_a_leader_ends_its_own_group() -> None:
    """A process that has no group of its own would end somebody else's."""
    child = os.fork()
    if child == 0:
        if os.getpgrp() == os.getpid():
            os._exit(9)
        kernel.end_own_group()
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
