"""Actions of the core on a fake kernel: each reaches the right process, with the right signal."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from supervisor.config.setting_types import MemorySize
from supervisor.config.settings import Settings
from supervisor.ipc import crash_record, messages
from supervisor.ipc.messages import (
    ApplySettings,
    DumpStacks,
    Exited,
    Fork,
    ForkFailed,
    Kill,
    Level,
    MemoryExceeded,
    Note,
    Register,
    RetireGeneration,
    StartSidecar,
    StopSidecar,
    Task,
    Terminate,
    Tick,
    Working,
)
from supervisor.parent.action_runner import NOT_ANSWERED, ZYGOTE_EXIT_SECONDS
from supervisor.parent.memory_watchdog import MemoryWatchdog
from tests.supervisor.parent.host import Host, sends

if TYPE_CHECKING:
    from supervisor.ipc.messages import Action
    from tests.supervisor.parent.fake_kernel import FakeProcess

STARTER = StartSidecar("starter")
TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)


def host_with(*actions: Action) -> Host:
    """Two workers and a sidecar; the core acts at 1.0."""
    host = Host(2, STARTER)
    host.core.deadline = 1.0
    host.core.answer(Tick, *actions)
    return host


@pytest.mark.parametrize(
    ("action", "call", "module", "index"),
    [
        (Terminate(1), "terminate", "worker", 0),
        (Kill(2, "late"), "kill_group", "worker", 1),
        (DumpStacks(2), "dump_stacks", "worker", 1),
        (StopSidecar("starter"), "terminate", "starter", 0),
        (StopSidecar("starter", now=True), "quit", "starter", 0),
    ],
)
def test_a_signal_reaches_one_process(action: Action, call: str, module: str, index: int) -> None:
    """The process of that number or name, and no other."""
    host = host_with(action)
    host.run()
    assert host.signals() == [(call, host.kernel.process(module, index).pid)]


def test_a_retired_zygote_sees_the_end_of_its_channel() -> None:
    """It may run the exit handlers of the flow's import; no signal is sent."""
    host = host_with(RetireGeneration(1))
    host.run()
    assert host.kernel.process("zygote").status == 0
    assert host.signals() == []


def test_a_retired_zygote_that_hangs_is_killed() -> None:
    """Within a bound: it may hang in the flow's import, where it reads nothing."""
    host = host_with(RetireGeneration(1))
    host.at(0.5, lambda: setattr(host.kernel.process("zygote"), "reads", False))
    host.run()
    assert host.kernel.sent[0] == (
        1.0 + ZYGOTE_EXIT_SECONDS,
        "kill_group",
        host.kernel.process("zygote").pid,
    )


def test_a_worker_that_is_to_return_its_tasks_sees_it_in_its_crash_record() -> None:
    """The other workers do not."""
    host = host_with(messages.ReturnUnstarted(1))
    returns: list[bool] = []
    for number in (1, 2):
        host.at_worker(2.0, number, lambda worker: returns.append(returns_tasks(worker)))
    host.run()
    assert returns == [True, False]


def test_a_permit_reaches_its_worker_and_a_withdrawal_waits_for_it() -> None:
    """A message wakes the parked one; the busy one finds the byte in its crash record."""
    host = host_with(messages.GrantPermit(1), messages.WithdrawPermit(2))
    seen: list[tuple[bool, list[messages.ChannelMessage]]] = []
    for number in (1, 2):
        host.at_worker(2.0, number, lambda worker: seen.append(permit_of(worker)))
    host.run()
    assert seen == [(False, [messages.PermitGranted()]), (True, [])]


def permit_of(worker: FakeProcess) -> tuple[bool, list[messages.ChannelMessage]]:
    """Whether the worker's permit is withdrawn, and the messages that it gets."""
    assert worker.crash_record is not None
    return crash_record.CrashRecord(worker.crash_record).is_permit_withdrawn, worker.receive()


def _close_channel(worker: FakeProcess) -> None:
    assert worker.end
    worker.end.close()


def test_a_permit_for_a_worker_that_has_just_died_is_lost() -> None:
    """Its death is the next event, and the core gives the permit to another."""
    host = host_with(messages.GrantPermit(1))
    host.at_worker(0.9, 1, _close_channel)
    assert host.run() == 0


def test_a_request_to_leave_is_in_the_crash_record_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there before TERM is sent: a task may have made its worker deaf to signals."""
    host = host_with(Terminate(1))
    signals: list[int] = []
    monkeypatch.setattr(
        crash_record, "request_leave", lambda _record: signals.append(len(host.signals()))
    )
    host.run()
    assert signals == [0]
    assert len(host.signals()) == 1


def returns_tasks(worker: FakeProcess) -> bool:
    """The request that the worker reads in its crash record."""
    assert worker.crash_record is not None
    return crash_record.CrashRecord(worker.crash_record).returns_tasks


def test_a_kill_takes_the_workers_group_along() -> None:
    """Processes that a task has started must not outlive it."""
    host = host_with(Kill(1, "late"))
    host.at(0.5, lambda: host.kernel.orphan(group=host.worker(1).pid))
    host.run()
    assert host.kernel.process("orphan").status == -signal.SIGKILL


def test_the_supervisors_own_kill_is_not_taken_for_the_oom_killers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that died of another SIGKILL may have been: the post-mortem asks the kernel."""
    host = host_with(Kill(1, "late"))
    asked: list[int] = []
    reader = host.shell._events._post_mortems
    monkeypatch.setattr(reader._out_of_memory, "explains", lambda: asked.append(1))
    host.at_worker(2.0, 2, lambda worker: worker.die(-signal.SIGKILL))
    host.run()
    assert len(host.events(Exited)) == 2
    assert asked == [1]


def test_a_killed_worker_is_not_checked_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take a moment to die."""
    monkeypatch.setattr(MemoryWatchdog.__init__, "__defaults__", (lambda _pid: 2 << 30,))
    host = Host(1, settings=Settings(flow="shop", max_memory_hard=MemorySize(1 << 30)))
    host.core.answer(MemoryExceeded, Kill(1, "too big"))
    host.at_worker(1.0, 1, sends(Working(1, TASK)))
    host.run(5.0)
    assert len(host.events(MemoryExceeded)) == 1


def test_new_settings_change_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment on in which they are applied."""
    monkeypatch.setattr(MemoryWatchdog.__init__, "__defaults__", (lambda _pid: 2 << 30,))
    host = host_with(ApplySettings(Settings(flow="shop", max_memory_hard=MemorySize(1 << 30))))
    host.at_worker(0.5, 1, sends(Working(1, TASK)))
    host.run(1.5)
    found = [at for event, at in host.core.handled if isinstance(event, MemoryExceeded)]
    assert found == [1.0]


def test_actions_are_carried_out_in_their_order() -> None:
    """A failure in between does not stop the others; it is an event of the next turn."""
    host = host_with(Terminate(1), Fork(9, 7, Register(types=True)), Terminate(2))
    host.run()
    both = [("terminate", host.worker(number).pid) for number in (1, 2)]
    assert host.signals() == both
    failure, at = next(each for each in host.core.handled if isinstance(each[0], ForkFailed))
    assert failure == ForkFailed(9, "generation 7 has no zygote")
    assert at == 1.0


def test_a_fork_reaches_the_zygote_of_its_generation() -> None:
    """Not the latest one."""
    fork = Fork(9, 1, Register(types=True))
    host = host_with(messages.StartGeneration(2, Settings(flow="shop")), fork)
    host.at(0.9, lambda: host.core.answer(messages.GenerationReady))
    host.run()
    forks = [
        [message.worker for message in zygote.received if isinstance(message, Fork)]
        for zygote in host.kernel.processes("zygote")
    ]
    assert 9 in forks[0]
    assert 9 not in forks[1]


def test_a_note_is_written_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With its level, and the pid of the worker that it is about beside its facts."""
    host = host_with(Note(Level.ERROR, "broken", "It is broken.", {"worker": 2, "list": "make"}))
    host.run()
    (record,) = [each for each in caplog.records if each.getMessage() == "It is broken."]
    assert record.levelname == "ERROR"
    assert record.__dict__["facts"] == {
        "event": "broken",
        "worker": 2,
        "list": "make",
        "pid": host.worker(2).pid,
    }


def test_an_action_for_a_process_that_is_gone_does_nothing() -> None:
    """Its death is an event of the same turn, or of the next."""
    host = host_with(Terminate(77), Kill(77, "late"), StopSidecar("ec2"), RetireGeneration(9))
    host.run()
    assert host.signals() == []


MANY = 400
"""More forks than the channel of a zygote has room for."""


def test_a_burst_of_forks_waits_for_the_zygote() -> None:
    """No fork fails, and a worker whose fork had to wait gets its signals all the same."""
    host = Host(MANY)
    host.core.answer(messages.GenerationReady, *host.forks, Terminate(MANY), Terminate(1))
    host.run()
    assert host.events(ForkFailed) == []
    workers = host.kernel.processes("worker")
    assert [fork.worker for each in workers if isinstance(fork := each.received[0], Fork)] == [
        *range(1, MANY + 1)
    ]
    assert sorted(host.signals()) == [("terminate", workers[n].pid) for n in (0, MANY - 1)]


def test_forks_that_wait_for_a_dead_zygote_fail() -> None:
    """The core decides what to do; nothing waits for ever."""
    host = Host(MANY)

    def die(_: Fork, *descriptors: int) -> None:
        for each in descriptors:
            os.close(each)
        host.kernel.process("zygote").die(9)

    host.kernel.fork = die
    host.run()
    failed = {each.worker for each in host.events(ForkFailed) if isinstance(each, ForkFailed)}
    assert failed == set(range(1, MANY + 1))


def test_a_worker_that_is_killed_before_its_birth_is_a_failed_fork() -> None:
    """Its zygote hangs. If that goes on after all, the worker is killed as soon as it is born."""
    host = host_with(Kill(9, "late"))
    host.at(0.2, lambda: setattr(host.kernel.process("zygote"), "reads", False))
    host.at(0.3, lambda: host.shell._actions.carry_out([Fork(9, 1, Register(types=True))]))
    host.at(2.0, lambda: setattr(host.kernel.process("zygote"), "reads", True))
    host.run()
    assert host.events(ForkFailed) == [ForkFailed(9, NOT_ANSWERED, unanswered=True)]
    assert host.worker(9).status == -signal.SIGKILL


def test_a_worker_that_is_killed_while_its_fork_waits_is_a_failed_fork() -> None:
    """The request is forgotten; so is what else would have come of it."""
    host = Host(MANY)
    late = Kill(MANY, "late")
    host.core.answer(messages.GenerationReady, *host.forks, Terminate(MANY), late)
    host.run()
    assert host.events(ForkFailed) == [ForkFailed(MANY, NOT_ANSWERED, unanswered=True)]
    assert len(host.kernel.processes("worker")) == MANY - 1
    assert host.signals() == []
