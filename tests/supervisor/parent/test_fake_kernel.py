"""The fake kernel keeps the promises of the real one: the same tests, with both."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import channel
from supervisor.ipc.conventions import SUPERVISOR_SIGNALS
from supervisor.parent.os_processes import Kernel
from tests.processes.harness import LIMIT
from tests.supervisor.parent.fake_kernel import FakeKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITS = """
import os, signal
if HEEDLESS:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(3, b"ready")
os.read(3, 1)
"""
"""A module that ends with its channel."""


@pytest.fixture(params=["real", "fake"])
def kernel(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kernel]:
    """A kernel for which the modules ``waits`` and ``heedless`` exist."""
    for name, heedless in (("waits", False), ("heedless", True)):
        (tmp_path / f"{name}.py").write_text(f"HEEDLESS = {heedless}\n{WAITS}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    if request.param == "real":
        yield Kernel()
    else:
        fake = FakeKernel()
        yield fake
        fake.close()


def start(kernel: Kernel, module: str = "waits") -> tuple[int, channel.Channel]:
    """A process that is ready for signals, and its channel."""
    pid, end = kernel.spawn(module)
    if isinstance(kernel, FakeKernel):
        kernel.process(module).heeds = module != "heedless"
    else:
        select.select([end], [], [], LIMIT)
        assert end.recv(16) == b"ready"
    return pid, channel.Channel(end)


def reap(kernel: Kernel, pid: int) -> list[tuple[int, int]]:
    """The pid and status of this process, once it is dead."""
    wait_for_death(kernel, pid)
    return reap_now(kernel, pid)


def reap_now(kernel: Kernel, pid: int) -> list[tuple[int, int]]:
    """The same, if it is dead by now; other tests of this process may have left children."""
    dead = kernel.reap(lambda each: each == pid)
    return [(process.pid, process.status) for process in dead if process.pid == pid]


def wait_for_death(kernel: Kernel, pid: int) -> None:
    """Wait until a process that was killed has died; it is not reaped yet."""
    if not isinstance(kernel, FakeKernel):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_every_method_of_the_kernel_is_faked() -> None:
    """A method that was forgotten would reach real processes."""
    assert {name for name in vars(Kernel) if not name.startswith("_")} <= set(vars(FakeKernel))


def test_a_live_process_is_not_reaped(kernel: Kernel) -> None:
    """Only after it has died, and once."""
    pid, end = start(kernel)
    assert reap_now(kernel, pid) == []
    kernel.kill_group(pid)
    assert reap(kernel, pid) == [(pid, -signal.SIGKILL)]
    assert reap_now(kernel, pid) == []
    end.close()


def test_terminate_ends_a_process_that_heeds_it(kernel: Kernel) -> None:
    """Its status is minus the signal's number."""
    pid, end = start(kernel)
    kernel.terminate(pid)
    assert reap(kernel, pid) == [(pid, -signal.SIGTERM)]
    end.close()


def test_only_a_kill_ends_a_heedless_process(kernel: Kernel) -> None:
    """SIGTERM has no effect on it."""
    pid, end = start(kernel, "heedless")
    kernel.terminate(pid)
    assert reap_now(kernel, pid) == []
    kernel.kill_group(pid)
    assert reap(kernel, pid) == [(pid, -signal.SIGKILL)]
    end.close()


def test_a_signal_to_a_dead_process_does_nothing(kernel: Kernel) -> None:
    """Until it is reaped, the pid stays its own."""
    pid, end = start(kernel)
    kernel.kill_group(pid)
    wait_for_death(kernel, pid)
    kernel.terminate(pid)
    kernel.kill_group(pid)
    assert reap(kernel, pid) == [(pid, -signal.SIGKILL)]
    end.close()


def test_reap_asks_before_it_collects(kernel: Kernel) -> None:
    """While the question is open, the pid is still that of the dead process."""
    pid, end = start(kernel)
    kernel.kill_group(pid)
    wait_for_death(kernel, pid)
    asked: list[int] = []

    def is_ours(dead: int) -> bool:
        asked.append(dead)
        kernel.terminate(dead)  # of the fake kernel, this fails for a pid that was reaped
        return True

    kernel.reap(is_ours)
    assert asked == [pid]
    end.close()


def test_a_signal_ends_a_wait_and_arrives_as_a_byte(kernel: Kernel) -> None:
    """Each signal once, in the order of arrival."""
    with kernel.wake_up() as wake_up:
        poll = select.poll()
        poll.register(wake_up, select.POLLIN)
        if isinstance(kernel, FakeKernel):
            kernel.signal(signal.SIGTTIN, signal.SIGHUP)
        else:
            os.kill(os.getpid(), signal.SIGTTIN)
            os.kill(os.getpid(), signal.SIGHUP)
        kernel.wait(poll, LIMIT)
        assert list(kernel.take_signals(wake_up)) == [signal.SIGTTIN, signal.SIGHUP]
        assert kernel.take_signals(wake_up) == b""


def test_a_wait_without_happenings_lasts_until_its_deadline(kernel: Kernel) -> None:
    """Neither shorter nor, with a deadline in the past, longer than a moment."""
    poll = select.poll()
    before = kernel.now()
    kernel.wait(poll, -5.0)
    kernel.wait(poll, 0.05)
    assert 0.05 <= kernel.now() - before < LIMIT


def test_old_handlers_return_after_the_loop() -> None:
    """A program that runs a supervisor as a part of it gets its signals back."""
    before = [signal.getsignal(number) for number in SUPERVISOR_SIGNALS]
    with Kernel().wake_up():
        assert [signal.getsignal(number) for number in SUPERVISOR_SIGNALS] != before
    assert [signal.getsignal(number) for number in SUPERVISOR_SIGNALS] == before
