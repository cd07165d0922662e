"""Events of children on a fake kernel: their messages, their starts, their deaths."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from supervisor.ipc import crash_record, messages
from supervisor.ipc.messages import (
    Done,
    Exited,
    Fork,
    Forked,
    ForkFailed,
    GenerationLost,
    GenerationReady,
    Instance,
    InstanceKnown,
    Kill,
    Loaded,
    LoadFailed,
    Note,
    Polling,
    PoolRequested,
    PoolState,
    Register,
    Result,
    RetireGeneration,
    Role,
    RunSidecar,
    SidecarLost,
    SidecarReady,
    StartSidecar,
    Task,
    TaskList,
    Terminate,
    Tick,
    Working,
)
from supervisor.logs import log
from tests.supervisor.parent.fake_kernel import FakeProcess
from tests.supervisor.parent.host import Host, sends

if TYPE_CHECKING:
    import pytest

TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)
MAKE = TaskList("shop_make", Role.ACTIVITY, "make")
STARTER = StartSidecar("starter")


def deaths(host: Host) -> list[tuple[int, int]]:
    """The number and status of each dead worker."""
    return [(each.worker, each.status) for each in host.events(Exited) if isinstance(each, Exited)]


# --- zygotes --------------------------------------------------------------------------------------


def test_a_pool_without_descriptors_for_its_workers_is_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The sentence has both numbers and names the limit, instead of a crash loop without a word."""
    host = Host()
    host.kernel.loaded = Loaded("domain", "shop", "1.0", (MAKE,))
    host.kernel.descriptors = 64
    host.run()
    assert "need about 68 descriptors, and this process may have 64" in caplog.text


def test_a_loaded_flow_is_a_ready_generation(caplog: pytest.LogCaptureFixture) -> None:
    """With its task lists; the warnings of the import are logged."""
    host = Host()
    host.kernel.loaded = Loaded("domain", "shop", "1.0", (MAKE,), warnings=("It started threads.",))
    host.run()
    assert host.core.handled[0][0] == GenerationReady(1, (MAKE,))
    assert "It started threads." in caplog.text


def test_sidecars_get_what_the_zygote_has_loaded() -> None:
    """Those that start after it know the domain and the flow."""
    host = Host()
    host.kernel.loaded = Loaded("domain", "shop", "1.0", (MAKE,), flow_tags=("a",))
    host.core.answer(GenerationReady, StartSidecar("backlog", (MAKE,)))
    host.at_process(1.0, "backlog", FakeProcess.receive)
    host.run()
    (order,) = host.kernel.process("backlog").received
    assert isinstance(order, RunSidecar)
    assert (order.domain, order.flow_name, order.flow_version) == ("domain", "shop", "1.0")
    assert (order.flow_tags, order.lists) == (("a",), (MAKE,))


def test_a_flow_that_cannot_be_loaded_is_a_lost_generation_with_its_reason() -> None:
    """The event comes with the zygote's death, not before, and has the exit code that fits."""
    host = Host()
    host.kernel.loaded = None
    host.at_process(1.0, "zygote", sends(LoadFailed("No module named 'shop'.", 3)))
    host.at_process(2.0, "zygote", lambda zygote: zygote.die(0))
    host.run()
    assert host.core.handled[0] == (GenerationLost(1, "No module named 'shop'.", 3), 2.0)


def test_a_zygote_that_dies_is_a_lost_generation() -> None:
    """The event says how it died."""
    host = Host()
    host.at_process(1.0, "zygote", lambda zygote: zygote.die(-signal.SIGKILL))
    host.run()
    assert host.events() == [GenerationLost(1, "its zygote was killed by SIGKILL", 4)]


def test_a_victim_of_the_oom_killer_is_named_whatever_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the next worker that a person kills would be taken for it."""
    host = Host(1, STARTER)
    monkeypatch.setattr(host.shell._events._post_mortems._out_of_memory, "explains", lambda: True)
    for module in ("zygote", "starter"):
        host.at_process(1.0, module, lambda process: process.die(-signal.SIGKILL))
    host.run()
    how = "was killed by SIGKILL, out of memory"
    assert GenerationLost(1, f"its zygote {how}", 4) in host.events()
    assert SidecarLost("starter", -signal.SIGKILL, f"the starter {how}") in host.events()


def test_a_zygote_that_the_supervisor_kills_is_no_victim_of_the_oom_killer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hung when it was retired."""
    host = Host()
    asked: list[int] = []
    reader = host.shell._events._post_mortems
    monkeypatch.setattr(reader._out_of_memory, "explains", lambda: asked.append(1))
    host.core.deadline = 1.0
    host.core.answer(Tick, RetireGeneration(1))
    host.at(0.5, lambda: setattr(host.kernel.process("zygote"), "reads", False))
    host.run()
    assert host.kernel.process("zygote").status == -signal.SIGKILL
    assert asked == []


def test_a_zygote_that_ends_by_itself_points_to_its_own_words() -> None:
    """What it cannot import stands in its traceback, which it has written to the log."""
    host = Host()
    host.kernel.loaded = None
    host.at_process(1.0, "zygote", lambda zygote: zygote.die(1))
    host.run()
    why = "its zygote exited 1; what it wrote last stands above in the log"
    assert host.events() == [GenerationLost(1, why, 4)]


# --- starts ---------------------------------------------------------------------------------------


def test_a_worker_that_dies_before_it_announces_its_pid_is_a_failed_fork() -> None:
    """Its channel ends; its process is reaped as a stray, and is in no later signal."""
    host = Host(1)
    host.kernel.announces = False
    host.core.answer(ForkFailed, Terminate(1))
    host.at_worker(1.0, 1, lambda worker: worker.die(1))
    host.run()
    assert host.events() == [ForkFailed(1, "it died before it could report its pid")]
    assert host.signals() == []


def test_a_failed_fork_of_the_zygote_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    """The end of the worker's channel is the event; the zygote's message is logged."""
    host = Host()
    host.core.answer(GenerationReady, Fork(1, 1, Register(types=True)))

    def refuse(fork: Fork, *descriptors: int) -> None:
        host.kernel.process("zygote").send(ForkFailed(fork.worker, "Cannot allocate memory"))
        for descriptor in descriptors:
            os.close(descriptor)

    host.kernel.fork = refuse
    host.run()
    assert host.events() == [ForkFailed(1, "it died before it could report its pid")]
    assert "The zygote could not fork: Cannot allocate memory" in caplog.text


def test_a_worker_that_dies_at_once_has_lived() -> None:
    """Its pid and its messages are unread when it is reaped: they are read before."""
    host = Host(1)
    host.kernel.announces = False

    def live_shortly() -> None:
        worker = host.worker(1)
        worker.send(Forked(1, worker.pid), Polling(1))
        host.kernel.orphan(group=worker.pid)
        worker.die(7)

    host.at(1.0, lambda: setattr(host.kernel, "before_reap", live_shortly))
    host.at(1.0, lambda: host.kernel.signal(signal.SIGCHLD))
    host.run()
    assert host.events()[0] == Polling(1)
    assert deaths(host) == [(1, 7)]
    assert host.kernel.process("orphan").status == -signal.SIGKILL, "what it has started is killed"


def test_signals_for_a_worker_wait_for_its_pid() -> None:
    """They are sent in their order as soon as the pid is known."""
    host = Host(1)
    host.kernel.announces = False
    host.core.deadline = 1.0
    host.core.answer(Tick, Terminate(1), Kill(1, "late"))
    host.at_worker(2.0, 1, lambda worker: worker.send(Forked(1, worker.pid)))
    host.run()
    pid = host.worker(1).pid
    assert host.signals() == [("terminate", pid), ("kill_group", pid)]
    assert deaths(host) == [(1, -signal.SIGTERM)]


# --- messages -------------------------------------------------------------------------------------


def test_an_invalid_message_kills_its_sender(caplog: pytest.LogCaptureFixture) -> None:
    """User code has written to the channel; the log names the process and the fault."""
    host = Host(2)

    def write_rubbish(worker: FakeProcess) -> None:
        assert worker.end
        os.write(worker.end.fileno(), b"hello")

    host.at_worker(1.0, 1, write_rubbish)
    host.at_worker(1.0, 2, sends(Polling(2)))
    host.run()
    assert deaths(host) == [(1, -signal.SIGKILL)]
    assert Polling(2) in host.events(), "other workers go on"
    assert "worker 1 has sent an invalid message and is killed:" in caplog.text
    assert "hello" not in caplog.text


def test_a_message_for_another_worker_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """A worker cannot answer for another one."""
    host = Host(2)
    host.at_worker(1.0, 1, sends(Done(2, Result.COMPLETED)))
    host.run()
    assert host.events() == []
    assert "Worker 1 has sent a Done for another worker; it is ignored." in caplog.text


def test_a_message_that_only_the_supervisor_sends_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its content stays out of the log: it may be a token."""
    host = Host(1)
    host.at_worker(
        1.0, 1, sends(Fork(5, 1, messages.Report(TASK, Role.ACTIVITY, messages.Complete())))
    )
    host.run()
    assert host.events() == []
    assert "worker 1 has sent a Fork, which only the supervisor sends" in caplog.text
    assert TASK.token not in caplog.text


def test_a_worker_with_a_task_counts_as_working_until_it_is_done() -> None:
    """The pool that a sidecar asks for counts the tasks in progress."""
    host = Host(1, STARTER)
    for second, sent in ((1.0, Working(1, TASK)), (3.0, Done(1, Result.COMPLETED))):
        host.at_worker(second, 1, sends(sent))
        host.at_process(second + 0.5, "starter", sends(PoolRequested()))
        host.at_process(second + 1.0, "starter", FakeProcess.receive)
    host.run()
    assert host.kernel.process("starter").received[1:] == [PoolState((), 1), PoolState((), 0)]


def test_the_endpoint_of_the_local_swf_is_used_by_later_children() -> None:
    """The zygote that starts after it gets its address."""
    host = Host(0, StartSidecar("local_endpoint"))
    ready = SidecarReady("local_endpoint", "http://127.0.0.1:7")
    host.core.answer(SidecarReady, messages.StartGeneration(2, host.settings))
    host.at_process(1.0, "local_endpoint", sends(ready))
    host.run()
    load = host.kernel.process("zygote").received[0]
    assert isinstance(load, messages.Load)
    assert (load.generation, load.swf.endpoint_url, load.swf.local) == (
        2,
        "http://127.0.0.1:7",
        True,
    )


def test_the_ec2_instance_names_the_host_of_dead_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the sidecar has reported it; log lines name it as well."""
    named: list[object] = []
    monkeypatch.setattr(log, "name_instance", lambda *names: named.append(names))
    host = Host(1, StartSidecar("ec2"))
    host.at_process(1.0, "ec2", sends(InstanceKnown(Instance("i-1", "eu-west-1a", "spot"))))
    host.at_worker(2.0, 1, lambda worker: worker.die(1))
    host.run()
    (death,) = host.events(Exited)
    assert isinstance(death, Exited)
    assert death.post
    assert death.post.host == "i-1"
    assert named == [("i-1", "eu-west-1a", "spot")]


# --- deaths ---------------------------------------------------------------------------------------


def test_a_death_comes_with_the_workers_crash_record() -> None:
    """Its last lines before its death are in the post-mortem."""
    host = Host(1)

    def write_and_die(worker: FakeProcess) -> None:
        assert worker.crash_record is not None
        crash_record.CrashRecord(worker.crash_record).record_stderr("the last line\n")
        worker.die(-signal.SIGSEGV)

    host.at_worker(1.0, 1, write_and_die)
    host.run()
    (death,) = host.events()
    assert isinstance(death, Exited)
    assert (death.worker, death.status) == (1, -signal.SIGSEGV)
    assert death.post
    assert death.post.last_lines == ("the last line",)


def test_a_dead_sidecar_is_lost() -> None:
    """The event has its name, its status, and the death in words."""
    host = Host(0, STARTER)
    host.at_process(1.0, "starter", lambda starter: starter.die(1))
    host.run()
    assert host.events() == [SidecarLost("starter", 1, "the starter exited 1")]


def test_a_stray_is_reaped_and_nothing_else() -> None:
    """A daemon's group lives on, and the core gets no event."""
    host = Host(1)

    def orphans() -> None:
        stray = host.kernel.orphan()
        host.kernel.orphan(group=stray.pid)
        stray.die(0)
        host.kernel.signal(signal.SIGCHLD)

    host.at(1.0, orphans)
    host.run()
    assert host.events() == []
    assert host.kernel.process("orphan").status is None


def test_no_signal_reaches_a_pid_after_its_death() -> None:
    """The kernel may have given it to another process."""
    host = Host(1, STARTER)
    host.core.answer(Exited, Terminate(1), Kill(1, "late"), messages.DumpStacks(1))
    host.core.answer(SidecarLost, messages.StopSidecar("starter"))
    host.core.answer(GenerationLost, RetireGeneration(1))
    host.at_worker(1.0, 1, lambda worker: worker.die(0))
    for module in ("starter", "zygote"):
        host.at_process(1.0, module, lambda process: process.die(0))
    host.run()
    assert len(host.events()) == 3
    assert host.signals() == []


def test_the_log_entry_of_a_death_has_the_pid(caplog: pytest.LogCaptureFixture) -> None:
    """The core writes the entry when the process is no longer in the table."""
    host = Host(1)
    note = Note(messages.Level.WARNING, "worker_died", "Worker 1 died.", {"worker": 1})
    host.core.answer(Exited, note)
    host.at_worker(1.0, 1, lambda worker: worker.die(1))
    host.run()
    (record,) = [each for each in caplog.records if each.getMessage() == "Worker 1 died."]
    assert record.__dict__["facts"]["pid"] == host.worker(1).pid


def test_a_channel_that_has_ended_is_not_polled_again() -> None:
    """A child that has closed its channel and lives on does not make the loop spin."""
    host = Host(1, STARTER)
    host.at_process(1.0, "starter", FakeProcess.close)
    host.at_worker(1.0, 1, FakeProcess.close)
    host.run()
    assert host.events() == [messages.ChannelLost(1)], "a sidecar may close its channel"
    assert len(host.kernel.waits) < 20


def test_lists_of_external_activities_are_named(caplog: pytest.LogCaptureFixture) -> None:
    """Their tasks would wait without a word if no other program polls."""
    caplog.set_level("INFO")
    host = Host()
    host.kernel.loaded = Loaded("domain", "shop", "1.0", (MAKE,), external_lists=("shop_bill",))
    host.run()
    assert "No worker of this supervisor polls shop_bill: external activities" in caplog.text
