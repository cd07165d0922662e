"""The shell's loop on a fake kernel: its start, the order of a turn, waiting, signals, its end."""

from __future__ import annotations

import errno
import os
import signal
import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from supervisor.config.setting_types import MemorySize
from supervisor.config.settings import Settings, SettingsError
from supervisor.ipc import messages, spool
from supervisor.ipc.messages import (
    Done,
    DrainRequested,
    Exited,
    Fork,
    ForkFailed,
    GenerationLost,
    GrantPermit,
    ListState,
    MemoryExceeded,
    Polling,
    PoolState,
    Register,
    Registered,
    RestartRequested,
    Result,
    Role,
    ScaleRequested,
    SidecarLost,
    StartSidecar,
    StopRequested,
    Task,
    TaskList,
    Terminate,
    Tick,
    Working,
    control_protocol,
)
from supervisor.parent import control_listener, shell
from supervisor.parent.memory_watchdog import INTERVAL, MemoryWatchdog
from supervisor.parent.shell import ROUTINE_PAUSE
from tests.fakes.service_manager import ServiceManager
from tests.supervisor.parent.fake_kernel import FakeProcess
from tests.supervisor.parent.host import END, Host, sends

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.ipc.messages import Event

TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)
STARTER = StartSidecar("starter")
UNFORKABLE = Fork(9, 7, Register(types=True))
"""A fork that fails at once: there is no generation 7."""


# --- start ----------------------------------------------------------------------------------------


def test_orphans_are_adopted_before_the_first_process_starts() -> None:
    """Without that, an orphan of the zygote is lost to init, and its death is missed."""
    host = Host()
    host.run()
    assert host.kernel.log[:2] == [("become_subreaper",), ("spawn", "supervisor.child.zygote")]


def test_the_spool_is_recovered_before_the_first_generation(tmp_path: Path) -> None:
    """The first event holds the reports; the zygote gets the name of the supervisor's lock file."""
    settings = Settings(flow="shop", spool=str(tmp_path))
    owner = spool.Owner("shop", messages.SwfEndpoint())
    os.close(spool.write(tmp_path, spool.SpooledTask(owner, TASK, Role.ACTIVITY, 1, 4e9)))
    host = Host(settings=settings)
    locks: list[str] = []
    host.at(1.0, lambda: locks.extend(path.name for path in tmp_path.glob(".supervisor-*")))
    host.run()
    first, at = host.core.handled[0]
    assert isinstance(first, messages.SpooledReports)
    assert ([report.task for report in first.reports], at) == ([TASK], 0.0)
    load = host.kernel.process("zygote").received[0]
    assert isinstance(load, messages.Load)
    assert [load.supervisor_lock] == locks
    assert list(tmp_path.glob(".supervisor-*")) == [], "the lock file goes with the supervisor"


def test_old_lists_of_a_dead_supervisor_are_taken_over_before_they_are_removed(
    tmp_path: Path,
) -> None:
    """A file is as old as its last list: that of a pool which ran for a week without a death."""
    owner = spool.Owner("shop", messages.SwfEndpoint())
    file = tmp_path / ".supervisor-1-ab.task"
    file.write_bytes(msgspec.json.encode(owner) + b"\npool-1@host\n")
    os.utime(file, (0, 0))
    host = Host(settings=Settings(flow="shop", spool=str(tmp_path)))
    host.run()
    assert host.core.handled[0][0] == messages.OrphanedLists(("pool-1@host",))
    assert not file.exists()


def test_a_local_swf_leaves_nothing_to_recover(tmp_path: Path) -> None:
    """Its tokens have ended with it, so the spool is not even made."""
    host = Host(settings=Settings(flow="shop", spool=str(tmp_path / "spool"), local=True))
    host.run()
    assert host.events() == []
    assert not (tmp_path / "spool").exists()


# --- one turn -------------------------------------------------------------------------------------


def test_the_order_of_a_turn() -> None:
    """Failures, messages, deaths, signals and time, at one moment, whatever came first."""
    host = Host(2)
    host.core.answer(Polling, UNFORKABLE)

    def before_the_next_reap() -> None:
        host.core.deadline = host.kernel.time
        host.worker(2).die(1)
        host.worker(1).send(Registered(1))

    def before_this_reap() -> None:
        host.kernel.signal(signal.SIGTTIN)  # taken in the next turn: a turn takes signals first
        host.kernel.before_reap = before_the_next_reap

    def begin() -> None:
        host.kernel.before_reap = before_this_reap
        host.worker(1).send(Polling(1))

    host.at(1.0, begin)
    host.run()
    kinds = [type(event) for event in host.events_at(1.0)]
    assert kinds == [Polling, ForkFailed, Registered, Exited, ScaleRequested, Tick]


def test_all_events_of_a_turn_are_handled_before_any_action() -> None:
    """They are of one moment; an action in between would come from half of the facts."""
    host = Host(2)
    host.core.answer(Polling, Terminate(1))
    for number in (1, 2):
        host.at_worker(1.0, number, sends(Polling(number)))
    host.run()
    pid = host.worker(1).pid
    first = host.kernel.log.index(("handle", Polling(1)))
    assert host.kernel.log[first : first + 4] == [
        ("handle", Polling(1)),
        ("handle", Polling(2)),
        ("terminate", pid),
        ("terminate", pid),
    ]


def test_the_dead_are_reaped_before_channels_are_read() -> None:
    """A worker that sends a message and dies in the last moment is not dead before its message."""
    host = Host(1)

    def last_moment() -> None:
        host.worker(1).send(Polling(1))
        host.worker(1).die(0)

    host.at(1.0, lambda: setattr(host.kernel, "before_reap", last_moment))
    host.at(1.0, lambda: host.kernel.signal(signal.SIGCHLD))
    host.run()
    assert [type(event) for event in host.events()] == [Polling, Exited]


def test_a_channel_is_read_until_it_is_empty() -> None:
    """Three messages are three events of one turn."""
    host = Host(1)
    host.at_worker(1.0, 1, sends(Polling(1), Working(1, TASK), Registered(1)))
    host.run()
    assert host.events_at(1.0) == [Polling(1), Working(1, TASK), Registered(1)]


def test_tasks_begun_and_done_in_a_row_share_a_turn() -> None:
    """Messages within the pause after a turn of routine are read at its end, all at once."""
    host = Host(1)
    done = Done(1, Result.COMPLETED)
    for seconds, message in ((1.0, Working(1, TASK)), (1.001, done), (1.004, Working(1, TASK))):
        host.at_worker(seconds, 1, sends(message))
    host.at_worker(2.0, 1, sends(done))
    host.run()
    at_once = 1.0 + ROUTINE_PAUSE
    assert host.core.handled[1:5] == [
        (Working(1, TASK), 1.0),
        (done, at_once),
        (Working(1, TASK), at_once),
        (done, 2.0),
    ]


def test_a_death_ends_the_pause_after_a_turn_of_routine() -> None:
    """A lost task is reported to SWF at once, however busy the pool is."""
    host = Host(2)
    host.at_worker(1.0, 1, sends(Working(1, TASK)))
    host.at_worker(1.001, 2, FakeProcess.die)
    host.at(1.001, lambda: host.kernel.signal(signal.SIGCHLD))
    host.run()
    assert [(type(event), at) for event, at in host.core.handled[1:3]] == [
        (Working, 1.0),
        (Exited, 1.001),
    ]


@pytest.mark.parametrize("acts", [False, True])
def test_only_a_turn_of_routine_is_followed_by_a_pause(*, acts: bool) -> None:
    """While workers are given permits, or poll, each message counts."""
    host = Host(1)
    first = Working(1, TASK) if acts else Polling(1)
    if acts:
        host.core.answer(Working, GrantPermit(1))
    host.at_worker(1.0, 1, sends(first))
    host.at_worker(1.001, 1, sends(Registered(1)))
    host.run()
    assert host.core.handled[1:3] == [(first, 1.0), (Registered(1), 1.001)]


def test_a_kernel_without_processes_is_an_event_of_the_next_turn() -> None:
    """The next turn comes without a wait: ENOMEM and EMFILE do not stop the loop."""
    for number, text in ((errno.ENOMEM, "Cannot allocate"), (errno.EMFILE, "Too many open files")):
        host = Host(0, STARTER)
        host.kernel.errors["spawn"] = OSError(number, os.strerror(number))
        host.run()
        generation, sidecar = host.events_at(0.0)
        assert isinstance(generation, GenerationLost)
        assert isinstance(sidecar, SidecarLost)
        assert text in generation.why
        assert text in sidecar.why
        assert host.kernel.waits[0] > 0, "the failures were handled before the first wait"


# --- waiting --------------------------------------------------------------------------------------


def test_a_tick_comes_at_the_cores_deadline() -> None:
    """The wait is as long as until then, and other events bring no tick."""
    host = Host(1)
    host.core.deadline = 60.0
    host.at_worker(20.0, 1, sends(Polling(1)))
    host.run()
    assert host.core.handled[1:3] == [(Polling(1), 20.0), (Tick(), 60.0)]
    assert 40.0 in host.kernel.waits
    assert host.events() == [Polling(1), Tick()]


def test_a_working_worker_is_checked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends for it, and a worker above the hard limit is an event."""
    monkeypatch.setattr(MemoryWatchdog.__init__, "__defaults__", (lambda _pid: 2 << 30,))
    host = Host(1, settings=Settings(flow="shop", max_memory_hard=MemorySize(1 << 30)))
    host.at_worker(5.0, 1, sends(Working(1, TASK)))
    host.run(7.5)
    found = [at for event, at in host.core.handled if event == MemoryExceeded(1, 2 << 30)]
    assert found == [5.0, 5.0 + INTERVAL, 5.0 + 2 * INTERVAL]


def test_the_service_manager_is_notified_after_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the pool, and with a ping when one is due: the wait ends for it."""
    with ServiceManager(str(tmp_path / "notify")) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        host = Host()
        host.run(25.0)
        assert manager.read_dry() == ["STATUS=Starting", *["WATCHDOG=1"] * 3]


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "event"),
    [
        (signal.SIGTERM, DrainRequested("SIGTERM")),
        (signal.SIGINT, DrainRequested("SIGINT")),
        (signal.SIGQUIT, StopRequested("SIGQUIT")),
        (signal.SIGTTIN, ScaleRequested("SIGTTIN", by=1)),
        (signal.SIGTTOU, ScaleRequested("SIGTTOU", by=-1)),
    ],
)
def test_a_signal_is_an_event(number: int, event: Event) -> None:
    """Each signal has its own meaning, and comes once."""
    host = Host()
    host.at(1.0, lambda: host.kernel.signal(number))
    host.run()
    assert host.events_at(1.0) == [event]


def test_sigchld_only_wakes_the_loop() -> None:
    """It means that there is a dead process; the death itself is the event."""
    host = Host()
    host.at(1.0, lambda: host.kernel.signal(signal.SIGCHLD))
    host.run()
    assert host.events() == []


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGALRM, signal.SIGRTMIN + 3])
def test_a_signal_without_a_meaning_is_one_log_line(
    number: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing else happens."""
    host = Host()
    host.at(1.0, lambda: host.kernel.signal(number))
    host.run()
    assert host.events() == []
    assert "has no meaning here" in caplog.text


def test_signals_that_come_together_are_all_handled() -> None:
    """In the order of their arrival."""
    host = Host()
    host.at(1.0, lambda: host.kernel.signal(signal.SIGTTIN, signal.SIGTTOU, signal.SIGTTIN))
    host.run()
    sizes = [event.by for event in host.events_at(1.0) if isinstance(event, ScaleRequested)]
    assert sizes == [1, -1, 1]


def test_sighup_restarts_with_the_settings_as_they_are_now() -> None:
    """They are read again for it."""
    changed = Settings(flow="shop", workers=7)
    host = Host(read_again=lambda: changed)
    host.at(1.0, lambda: host.kernel.signal(signal.SIGHUP))
    host.run()
    assert host.events() == [RestartRequested("SIGHUP", changed)]


def test_sighup_with_invalid_settings_is_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing else happens: the workers go on with the settings in force."""

    def refuse() -> Settings:
        raise SettingsError("--workers: -1 is below 0")

    host = Host(read_again=refuse)
    host.at(1.0, lambda: host.kernel.signal(signal.SIGHUP))
    host.run()
    assert host.events() == []
    assert "No restart: --workers: -1 is below 0" in caplog.text


@pytest.mark.parametrize("had_terminal", [True, False])
def test_sighup_of_a_closed_terminal_drains(*, had_terminal: bool) -> None:
    """A supervisor that never had a terminal was sent the signal by a person: it restarts."""
    host = Host(lost=not had_terminal)

    def close_terminal() -> None:
        host.kernel.terminal_lost = True
        host.kernel.signal(signal.SIGHUP)

    host.at(1.0, close_terminal)
    host.run()
    (event,) = host.events_at(1.0)
    if had_terminal:
        assert event == DrainRequested("the terminal was closed")
    else:
        assert isinstance(event, RestartRequested)


# --- the control socket ---------------------------------------------------------------------------


def test_a_request_is_served_after_the_events_of_its_turn(tmp_path: Path) -> None:
    """So the reply is true: it counts what happened before."""
    listener = control_listener.listen(tmp_path / "control.sock")
    host = Host(1, listener=listener)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(10)
    client.connect(os.fspath(listener.path))
    line = control_protocol.encode_line(control_protocol.ScaleRequest(list="make", by=1))
    host.at(1.0, lambda: client.sendall(line))
    host.at_worker(1.0, 1, sends(Polling(1)))
    host.run()
    kinds = [type(event) for event in host.events()]
    assert kinds == [Polling, ScaleRequested]
    reply = control_protocol.parse_reply(client.makefile("rb").readline())
    assert reply == control_protocol.DoneReply(text="That changes nothing.")
    assert client.recv(1) == b"", "the end of the supervisor closes the connection"
    assert not listener.path.exists()
    client.close()


# --- the pool, as sidecars see it -----------------------------------------------------------------


def pool_states(host: Host) -> list[messages.ChannelMessage]:
    """The states of the pool that the starter has received."""
    starter = host.kernel.process("starter")
    return [message for message in starter.received if isinstance(message, PoolState)]


def test_the_starter_of_once_sees_each_change_of_the_pool() -> None:
    """With the tasks in progress; a turn without events brings nothing."""
    one = ListState(TaskList("shop_make", Role.ACTIVITY), 1, 1, 0)
    host = Host(1, STARTER, settings=Settings(flow="shop", once=True))
    host.core.lists = (one,)
    host.at_process(1.0, "starter", FakeProcess.receive)
    host.at_process(2.0, "starter", lambda starter: starter.received.clear())
    host.at(3.0, lambda: host.kernel.signal(signal.SIGCHLD))
    host.at_worker(4.0, 1, sends(Working(1, TASK)))
    host.at_process(5.0, "starter", FakeProcess.receive)
    host.run()
    assert pool_states(host) == [PoolState((one,), in_progress=1)]


def test_without_once_the_starter_sees_nothing() -> None:
    """It shows no progress then."""
    host = Host(1, STARTER)
    host.at_worker(1.0, 1, sends(Polling(1)))
    host.at_process(2.0, "starter", FakeProcess.receive)
    host.run()
    assert pool_states(host) == []


def test_a_pool_too_large_for_a_message_is_sent_as_a_number_of_tasks() -> None:
    """The supervisor goes on: thousands of lists do not fit a packet."""
    one = ListState(TaskList("shop_make", Role.ACTIVITY), 1, 1, 0)
    host = Host(1, STARTER, settings=Settings(flow="shop", once=True))
    host.core.lists = (one,) * 5_000
    host.at_worker(1.0, 1, sends(Working(1, TASK)))
    host.at_process(2.0, "starter", FakeProcess.receive)
    host.run()
    assert pool_states(host)[-1] == PoolState((), in_progress=1)


def test_a_starter_that_does_not_read_holds_nothing_up() -> None:
    """States that its channel has no room for are dropped, also when it has closed it."""
    host = Host(1, STARTER, settings=Settings(flow="shop", once=True))
    host.core.lists = (ListState(TaskList("x" * 200, Role.ACTIVITY), 1, 1, 0),) * 500
    for second in range(1, 20):
        host.at_worker(second, 1, sends(Polling(1)))
    host.at_process(20.0, "starter", FakeProcess.close)
    host.at_worker(21.0, 1, sends(Polling(1)))
    host.run()
    assert len(host.events()) == 20


# --- end ------------------------------------------------------------------------------------------


def test_the_exit_code_is_the_cores() -> None:
    """The last action carries it."""
    host = Host()
    host.core.answer(DrainRequested, messages.Exit(4, "the pool cannot be kept running"))
    assert host.run() == 4


def test_children_end_with_their_channels_and_are_waited_for() -> None:
    """A zygote and a sidecar that see the end of their channel get no signal."""
    host = Host(0, STARTER)

    def end_of_channel() -> None:
        starter = host.kernel.process("starter")
        starter.receive()
        assert starter.end
        assert starter.end.has_ended()
        starter.die(0)
        host.kernel.signal(signal.SIGCHLD)

    host.at(END + 1.0, end_of_channel)
    host.run()
    assert host.kernel.process("zygote").status == 0
    assert host.kernel.time == END + 1.0
    assert host.calls("kill_group") == host.calls("terminate") == []


def test_a_child_that_does_not_end_is_killed_after_two_seconds() -> None:
    """Not earlier; its last messages and other signals do not prolong the wait."""
    host = Host(0, STARTER)
    host.at_process(END + 0.5, "starter", sends(messages.AllClosed(completed=True)))
    host.at(END + 1.0, lambda: host.kernel.signal(signal.SIGTERM))
    host.run()
    assert host.kernel.time == END + shell.SHUTDOWN_SECONDS
    assert host.calls("kill_group") == [host.kernel.process("starter").pid]


def test_events_after_the_exit_are_not_handled() -> None:
    """The core has decided that all is done."""
    host = Host(1)
    host.at_worker(END + 0.5, 1, sends(Polling(1)))
    host.run()
    assert host.core.handled[-1] == (DrainRequested("SIGTERM"), END)
