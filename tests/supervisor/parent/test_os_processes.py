"""The kernel: starts, signals, deaths, and the terminal, with real processes."""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import json
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import sys
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.child import zygote
from supervisor.ipc import conventions, core_dumps, crash_record
from supervisor.logs import log
from supervisor.parent.os_processes import (
    DeadProcess,
    Kernel,
    environment_of_children,
    keep_inherited_descriptors,
)
from tests.processes.harness import LIMIT, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

KERNEL = Kernel()


def fork() -> int:
    """As ``os.fork``; the child ends by itself if no test ends it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(LIMIT) * 2)
    return child


def is_child(_pid: int) -> bool:
    """Every dead process is ours."""
    return True


def is_stray(_pid: int) -> bool:
    """Every dead process is a stray."""
    return False


def dead(number: int | None = None) -> DeadProcess:
    """A child that ends, by a signal or with 3."""
    child = fork()
    if child == 0:
        if number:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(3)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    (found,) = [each for each in KERNEL.reap(is_child) if each.pid == child]
    return found


def test_a_death_has_status_and_memory() -> None:
    """Exit code or signal, and the most memory that the process had."""
    assert dead().status == 3
    assert dead(signal.SIGKILL).status == -signal.SIGKILL
    assert dead().peak_memory > 1 << 20
    assert not dead().core_dumped


def test_a_group_dies_with_its_dead_leader() -> None:
    """Processes that a process has started in its group are killed when its death is reaped."""
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reader)
        if fork() == 0:
            signal.pause()
        os._exit(0)
    os.close(writer)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert [each.pid for each in KERNEL.reap(is_child)] == [child]
    assert select.select([reader], [], [], LIMIT)[0]
    assert os.read(reader, 1) == b""  # the grandchild held the other end
    os.close(reader)


def test_the_group_of_a_stray_lives_on() -> None:
    """A daemon still answers after the process that started it was reaped."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LIMIT)
    child = fork()
    if child == 0:
        os.setsid()
        if fork() == 0:
            ours.close()
            theirs.sendall(theirs.recv(1))
        os._exit(0)
    theirs.close()
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert child in [each.pid for each in KERNEL.reap(is_stray)]
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
    """The kernel reports it with the death, and there is a file or none."""
    for limit, dumps in (
        (core_dumps.forbid_core_dumps, False),
        (core_dumps.allow_core_dumps, True),
    ):
        child = fork()
        if child == 0:
            os.chdir(tmp_path)
            limit()
            signal.signal(signal.SIGABRT, signal.SIG_DFL)
            os.abort()
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        (found,) = [each for each in KERNEL.reap(is_child) if each.pid == child]
        assert found.core_dumped == dumps
        assert bool(list(tmp_path.iterdir())) == dumps


def has_lost_terminal(prepare: Callable[[], object]) -> bool:
    """The descriptors that a child finds after this."""
    child = fork()
    if child == 0:
        prepare()
        os._exit(int(KERNEL.has_lost_terminal()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_a_lack_of_descriptors_is_not_a_lost_terminal() -> None:
    """Without free descriptors the answer is unknown; a process without a terminal has lost it."""
    none_free = (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert not has_lost_terminal(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, none_free))
    assert has_lost_terminal(os.setsid)


READER = """
import os, sys
os.write(3, repr(sys.stdin.read()).encode())
"""


def test_a_child_that_reads_standard_input_is_not_stopped(tmp_path: Path) -> None:
    """It is in the terminal's background; its input is empty, and comes at once."""
    (tmp_path / "reads.py").write_text(READER)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        _, end = KERNEL.spawn("reads")
        received = select.select([end], [], [], LIMIT)[0] and end.recv(16)
        os._exit(received != b"''")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)


def test_only_a_leader_ends_its_own_group() -> None:
    """A process without a group of its own would end another one's."""
    child = fork()
    if child == 0:
        if os.getpgrp() == os.getpid():
            os._exit(9)
        zygote._kill_own_group()
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


# --- the environment of children ------------------------------------------------------------------

FOR_THE_MAIN_PROCESS = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}

SENDS_ENVIRONMENT = f"""
import json, os, socket
names = sorted(os.environ)
socket.socket(fileno={conventions.CHANNEL_DESCRIPTOR}).send(json.dumps(names).encode())
"""
"""A module that sends the names of its variables over its channel."""


def test_children_inherit_all_but_systemds_variables() -> None:
    """The rest may be settings of the flow."""
    inherited = {"PATH": "/bin", "AWS_PROFILE": "x", "GARCON_CLAIMS": "/c", "MINE": "1"}
    assert environment_of_children({**inherited, **FOR_THE_MAIN_PROCESS}) == inherited


def test_a_spawned_process_gets_that_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own view of its variables agrees."""
    (tmp_path / "sends.py").write_text(SENDS_ENVIRONMENT)
    for name, value in {**FOR_THE_MAIN_PROCESS, "MINE": "1", "PYTHONPATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    pid, end = KERNEL.spawn("sends")
    with end:
        select.select([end], [], [], LIMIT)
        found = set(json.loads(end.recv(1 << 18)))
    os.waitpid(pid, 0)
    assert set(os.environ) - found == set(FOR_THE_MAIN_PROCESS)
    assert "MINE" in found


# --- starts ---------------------------------------------------------------------------------------

DESCRIBES_ITSELF = """
import json, os, signal
facts = {
    "leads_group": os.getpgrp() == os.getpid(),
    "descriptors": [n for n in range(3, 256) if os.path.exists(f"/proc/self/fd/{n}")],
    "input": os.read(0, 1).decode(),
    "hangup": signal.getsignal(signal.SIGHUP) == signal.SIG_DFL,
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
}
os.write(3, json.dumps(facts).encode())
"""
"""A module that reports the state in which its process has started."""


def is_open(descriptor: int) -> bool:
    """Whether this process has it."""
    return Path(f"/proc/self/fd/{descriptor}").exists()


def test_a_spawned_process_inherits_nothing_of_ours_but_a_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group of its own, empty input, default signals; SIGTTOU blocked, to write to a terminal."""
    (tmp_path / "describes.py").write_text(DESCRIBES_ITSELF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    from_outside = [n for n in range(3, 256) if is_open(n) and os.get_inheritable(n)]
    ours = os.open(os.devnull, os.O_RDONLY)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        pid, end = KERNEL.spawn("describes")
        with end:
            select.select([end], [], [], LIMIT)
            facts = json.loads(end.recv(4096))
    finally:
        signal.signal(signal.SIGHUP, before)
        os.close(ours)
    os.waitpid(pid, 0)
    assert facts == {
        "leads_group": True,
        "descriptors": sorted({conventions.CHANNEL_DESCRIPTOR, *from_outside}),
        "input": "",
        "hangup": True,
        "blocked": sorted([signal.SIGTTOU, *conventions.MEANINGLESS_SIGNALS]),
    }


def test_the_interpreters_flags_reach_the_children() -> None:
    """Assertions that -O removes, and modes of -X and -W, are the same in every process."""
    flags = ["-I", "-B", "-OO", "-Xdev", "-Xutf8=1", "-Werror::UserWarning"]
    script = (
        "from supervisor.parent.os_processes import interpreter_flags; print(interpreter_flags())"
    )
    done = subprocess.run(
        [sys.executable, *flags, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {script}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    given = ast.literal_eval(done.stdout)
    assert set(flags) - set(given) == set()
    again = [sys.executable, *given, "-c", "import sys; print(sys.flags.optimize)"]
    assert subprocess.run(again, check=True, capture_output=True, timeout=LIMIT).stdout == b"2\n"


LIMITS = """
import resource, socket
socket.socket(fileno=3).send(repr(resource.getrlimit(resource.RLIMIT_NOFILE)).encode())
"""


def test_the_descriptor_limit_is_raised_here_and_stays_in_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool of any size fits a small soft limit; ``select()`` works in workers as before."""
    (tmp_path / "limits.py").write_text(LIMITS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    kernel = Kernel()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        kernel.raise_descriptor_limit()
        assert kernel.descriptor_limit() == min(before[1], 65_536)
        pid, end = kernel.spawn("limits")
        with end:
            select.select([end], [], [], LIMIT)
            assert ast.literal_eval(end.recv(99).decode()) == (200, before[1])
        assert kernel.descriptor_limit() == min(before[1], 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    os.waitpid(pid, 0)


def test_children_start_while_more_descriptors_are_open_than_they_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor of a large pool has descriptors above its children's limit."""
    (tmp_path / "limits.py").write_text(LIMITS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    kernel = Kernel()
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        kernel.raise_descriptor_limit()
        for _ in range(200):
            held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        pid, end = kernel.spawn("limits")
        held.enter_context(end)
        held.callback(os.waitpid, pid, 0)
        select.select([end], [], [], LIMIT)
        assert ast.literal_eval(end.recv(99).decode()) == (200, before[1])


def test_children_start_although_the_hard_limit_was_lowered_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person may lower it (prlimit(1)); the old soft limit is then above it."""
    (tmp_path / "limits.py").write_text(LIMITS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kernel = Kernel()
    kernel._descriptors_of_children = 1 << 40
    pid, end = kernel.spawn("limits")
    with end:
        select.select([end], [], [], LIMIT)
        assert ast.literal_eval(end.recv(99).decode())[0] > 0
    os.waitpid(pid, 0)


def test_our_end_of_a_new_channel_never_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that does not read must not hold the supervisor up."""
    (tmp_path / "ends.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pid, end = KERNEL.spawn("ends")
    assert not end.getblocking()
    end.close()
    os.waitpid(pid, 0)


def test_a_failed_spawn_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop attempts it again and again, so each lost descriptor would count."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    before = list(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match="No such file"):
        KERNEL.spawn("any")
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_orphans_below_a_subreaper_become_its_children() -> None:
    """A child of a child that has ended is reaped here, not by init."""
    child = fork()
    if child == 0:
        KERNEL.become_subreaper()
        reader, writer = os.pipe()
        middle = fork()
        if middle == 0:
            if fork() == 0:
                os.close(writer)
                os.read(reader, 1)  # until the middle one is reaped
                os._exit(5)
            os._exit(0)
        os.waitpid(middle, 0)
        os.close(writer)
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        os._exit([each.status for each in KERNEL.reap(is_stray)] != [5])
    assert os.waitpid(child, 0)[1] == 0


def test_without_children_there_is_nothing_to_reap() -> None:
    """The kernel's "no child processes" is not an error."""
    child = fork()
    if child == 0:
        os._exit(KERNEL.reap(is_child) != [])
    assert os.waitpid(child, 0)[1] == 0


# --- signals --------------------------------------------------------------------------------------


def test_a_kill_reaches_a_process_that_has_not_made_its_group_yet() -> None:
    """A worker makes it after its fork."""
    child = fork()
    if child == 0:
        signal.pause()
    KERNEL.kill_group(child)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_kill_takes_the_group_and_a_terminate_the_process_alone(*, is_killed: bool) -> None:
    """A process that was asked to leave takes care of its own children."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LIMIT)
    child = fork()
    if child == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if fork() == 0:
            ours.close()
            theirs.sendall(b"!")
            theirs.sendall(theirs.recv(1))
            os._exit(0)
        signal.pause()
    theirs.close()
    assert ours.recv(1) == b"!"
    (KERNEL.kill_group if is_killed else KERNEL.terminate)(child)
    status = -signal.SIGKILL if is_killed else -signal.SIGTERM
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status
    if not is_killed:
        ours.sendall(b".")
    assert ours.recv(1) == (b"" if is_killed else b".")
    ours.close()


def test_a_worker_writes_its_stacks_when_it_is_asked() -> None:
    """The signal is the one that the worker has given to faulthandler."""
    descriptor = crash_record.make()
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        signal.signal(conventions.STACKS_SIGNAL, lambda *_: os._exit(0))
        faulthandler.register(conventions.STACKS_SIGNAL, descriptor, chain=True)
        os.write(writer, b".")
        signal.pause()
    os.read(reader, 1)
    KERNEL.dump_stacks(child)
    os.waitpid(child, 0)
    assert "test_a_worker_writes_its_stacks" in "".join(crash_record.read(descriptor).stacks)
    for each in (descriptor, reader, writer):
        os.close(each)


def test_a_signal_to_a_process_that_is_gone_is_not_an_error() -> None:
    """ESRCH: its death is reaped in a later turn, or was in this one."""
    gone = fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    for send in (KERNEL.terminate, KERNEL.dump_stacks, KERNEL.kill_group):
        send(gone)


def test_a_process_of_another_user_is_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    """EPERM: the supervisor goes on, and the log says which process, and what to do."""
    child = fork()
    if child == 0:
        log.configure("warning", "text")
        target = 1
        if os.geteuid() == 0:
            target = os.getppid()  # a process of root, which may not be signalled from here on
            os.setuid(65534)
        try:
            KERNEL.terminate(target)
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert "does not let the supervisor send signal 15 to process" in capfd.readouterr().err


# --- waiting --------------------------------------------------------------------------------------


class RecordingPoll:
    """Remembers how long it was asked to wait, in milliseconds."""

    def __init__(self) -> None:
        self.waits: list[int | None] = []

    def poll(self, milliseconds: int | None) -> None:
        """Remember."""
        self.waits.append(milliseconds)


def test_a_wait_is_rounded_up_to_milliseconds() -> None:
    """Rounded down, the loop would spin through the last one; a past deadline is no wait."""
    poll: Any = RecordingPoll()
    for seconds in (0.0004, 1.2345, 0.0, -3.0, inf):
        KERNEL.wait(poll, seconds)
    assert poll.waits == [1, 1235, 0, 0, None]


def test_a_descriptor_of_the_launcher_is_not_passed_on() -> None:
    """Its reader would wait for a worker's last task; the standard streams are passed on."""
    reader, writer = os.pipe()
    os.dup2(reader, writer)  # inheritable, as ``dup2`` makes it
    streams = [os.get_inheritable(number) for number in range(3)]
    keep_inherited_descriptors()
    assert not os.get_inheritable(writer)
    assert [os.get_inheritable(number) for number in range(3)] == streams
    os.close(reader)
    os.close(writer)
