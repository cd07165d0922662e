"""Births: what the kernel refuses is an event, and no descriptor stays open."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from supervisor import __version__, exit_codes
from supervisor.config.settings import Settings
from supervisor.ipc import channel, conventions, crash_record
from supervisor.ipc.messages import (
    Fork,
    ForkFailed,
    GenerationLost,
    Load,
    Register,
    Replay,
    Role,
    SidecarLost,
    StickySettings,
    TaskList,
)
from supervisor.parent.os_processes import ZYGOTE, Kernel
from supervisor.parent.process_table import Child, Children, ProcessKind
from supervisor.parent.spawner import Spawner
from tests.supervisor.parent.fake_kernel import FakeKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.parent.spawner import SpareZygote

FORK = Fork(worker=7, generation=1, job=Register(types=True))


def refuse(*_: Any, **__: Any) -> None:
    """The kernel has no process, no descriptor, no memory."""
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


class Nursery:
    """A spawner with a table, and a zygote that is only the other end of its channel."""

    def __init__(self) -> None:
        self.children = Children()
        self.poll = select.poll()
        self.kernel = Kernel()
        self.spawner = self.spawner_of(Settings(flow="shop"))
        ours, self.zygote = channel.pair()
        self.children.add(Child(ProcessKind.ZYGOTE, 1, ours, 1))

    def spawner_of(self, settings: Settings, spare: SpareZygote | None = None) -> Spawner:
        """A spawner with other settings for the same table."""
        return Spawner(settings, self.children, self.kernel, self.poll, spare)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Closed afterwards."""
    nursery = Nursery()
    yield nursery
    for child in nursery.children:
        nursery.children.remove(child)
    nursery.zygote.close()


def open_descriptors() -> set[str]:
    """Those of this process."""
    return {each.name for each in Path("/proc/self/fd").iterdir()}


def test_a_worker_gets_its_channel_and_its_crash_record(nursery: Nursery) -> None:
    """Both travel with the request, and the child in the table has the other ends."""
    assert nursery.spawner.fork(FORK) is None
    message, (end, record) = nursery.zygote.receive_with_descriptors()
    assert message == FORK
    child = nursery.children.get(ProcessKind.WORKER, 7)
    assert child is not None
    assert child.crash_record is not None
    crash_record.CrashRecord(record).record_stderr("hello\n")
    assert crash_record.read(child.crash_record).lines == ("hello",)
    theirs = channel.Channel.inherited(end)
    theirs.close()
    assert [ready for ready, _ in nursery.poll.poll(0)] == [child.channel.fileno()]
    assert child.channel.receive() is None
    assert child.channel.closed
    os.close(record)


@pytest.mark.parametrize(
    "failing", ["supervisor.ipc.crash_record.make", "supervisor.ipc.channel.pair"]
)
def test_a_worker_without_descriptors_is_a_failed_fork(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Descriptors that were already open are closed."""
    monkeypatch.setattr(failing, refuse)
    before = open_descriptors()
    failure = nursery.spawner.fork(FORK)
    assert isinstance(failure, ForkFailed)
    assert "Cannot allocate memory" in failure.why
    assert open_descriptors() == before
    assert nursery.children.get(ProcessKind.WORKER, 7) is None


def test_a_zygote_that_is_gone_is_a_failed_fork(nursery: Nursery) -> None:
    """Whether its channel is closed or it is not in the table."""
    before = open_descriptors()
    nursery.zygote.close()
    for fork in (FORK, Fork(worker=7, generation=2, job=FORK.job)):
        failure = nursery.spawner.fork(fork)
        assert isinstance(failure, ForkFailed)
        assert failure.worker == 7
    assert len(open_descriptors()) == len(before) - 1


def test_no_process_for_a_zygote_or_a_sidecar_is_an_event(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core decides when to try again."""
    monkeypatch.setattr(nursery.kernel, "spawn", refuse)
    lost = nursery.spawner.start_generation(2, Settings(flow="shop"))
    assert isinstance(lost, GenerationLost)
    assert lost.generation == 2
    assert isinstance(nursery.spawner.start_sidecar("local_endpoint", ()), SidecarLost)


def test_a_process_whose_first_message_is_too_long_ends(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel is closed, and the failure is an event."""
    ours, theirs = conventions.socket_pair()
    monkeypatch.setattr(nursery.kernel, "spawn", lambda _: (99, ours))
    lists = (TaskList("shop_resize", Role.ACTIVITY),) * 10_000
    lost = nursery.spawner.start_sidecar("backlog", lists)
    assert isinstance(lost, SidecarLost)
    assert "does not fit a packet" in lost.why
    assert nursery.children.get(ProcessKind.SIDECAR, "backlog") is None
    end = channel.Channel(theirs)
    assert end.receive() is None
    assert end.closed
    end.close()


def test_a_job_that_is_too_long_is_a_failed_fork(nursery: Nursery) -> None:
    """Nothing stays open; the failure says why."""
    before = open_descriptors()
    failure = nursery.spawner.fork(Fork(worker=7, generation=1, job=Replay("x" * 300_000)))
    assert isinstance(failure, ForkFailed)
    assert "does not fit a packet" in failure.why
    assert open_descriptors() == before


def test_a_spare_zygote_is_used_once_with_the_present_settings(nursery: Nursery) -> None:
    """The limits travel as plain numbers."""
    settings = Settings(flow="shop", spool="/spool", max_tasks=5, on_late_task="return")
    ours, theirs = conventions.socket_pair()
    before = Settings(flow="shop")
    spawner = nursery.spawner_of(before, (99, ours))
    spawner.supervisor_lock = ".supervisor-1.task"
    assert spawner.start_generation(3, settings) is None
    load = channel.Channel(theirs).receive()
    assert isinstance(load, Load)
    assert (load.generation, load.flow, load.spool, load.max_tasks) == (3, "shop", "/spool", 5)
    assert load.sticky == StickySettings(schedule_to_start=5.0, executions=500, check=0.05)
    assert load.return_task
    assert load.supervisor_lock == ".supervisor-1.task"
    child = nursery.children.get(ProcessKind.ZYGOTE, 3)
    assert child is not None
    assert child.pid == 99
    theirs.close()


def test_a_spare_zygote_that_has_died_is_not_used(nursery: Nursery) -> None:
    """It is reaped as a stray, so its death would be no event: the core would wait for its import,
    and a later signal could reach a stranger.
    """
    ours, theirs = conventions.socket_pair()
    kernel = FakeKernel()
    settings = Settings(flow="shop")
    spawner = Spawner(settings, nursery.children, kernel, nursery.poll, (99, ours))
    spawner.note_stray(98)
    assert ours.fileno() >= 0, "another process was reaped"
    spawner.note_stray(99)
    assert spawner.start_generation(3, settings) is None
    child = nursery.children.get(ProcessKind.ZYGOTE, 3)
    assert child is not None
    assert child.pid == kernel.process(ZYGOTE).pid != 99
    theirs.close()
    kernel.close()


def test_without_sticky_deciders_no_sticky_settings_are_sent(nursery: Nursery) -> None:
    """``--no-sticky``."""
    settings = Settings(flow="shop", sticky=False)
    ours, theirs = conventions.socket_pair()
    spawner = nursery.spawner_of(settings, (99, ours))
    spawner.start_generation(3, settings)
    load = channel.Channel(theirs).receive()
    assert isinstance(load, Load)
    assert load.sticky is None
    theirs.close()


def test_tasks_of_a_local_swf_are_not_spooled(nursery: Nursery) -> None:
    """It ends with the supervisor, and its tokens with it."""
    settings = Settings(flow="shop", spool="/spool", local=True)
    ours, theirs = conventions.socket_pair()
    spawner = nursery.spawner_of(settings, (99, ours))
    spawner.start_generation(3, settings)
    load = channel.Channel(theirs).receive()
    assert isinstance(load, Load)
    assert load.spool is None
    theirs.close()


# --- releases -------------------------------------------------------------------------------------


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """Two releases; the newer one has an interpreter of its own."""
    (tmp_path / "v1").mkdir()
    own = tmp_path / "v2/.venv/bin/python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    return tmp_path


def test_a_generation_is_started_in_the_release_that_serves(
    nursery: Nursery, releases: Path
) -> None:
    """With its own interpreter; a zygote that was started ahead has another one, and is ended."""
    kernel = FakeKernel()
    settings = Settings(flow="shop", releases=str(releases))
    ours, theirs = conventions.socket_pair()
    spawner = Spawner(settings, nursery.children, kernel, nursery.poll, (77, ours))
    assert spawner.start_generation(2, settings) is None
    assert kernel.commands == [(str(releases / "v2/.venv/bin/python"), ZYGOTE)]
    assert theirs.recv(1) == b""
    kernel.process(ZYGOTE).receive()
    (load,) = kernel.process(ZYGOTE).received
    assert isinstance(load, Load)
    assert (load.folder, load.version) == (str(releases / "v2"), __version__)
    assert spawner.release_of(2) == ("v2", ("v1",), ("v1", "v2"))
    assert spawner.release_of(1) == ("", (), ())
    theirs.close()
    kernel.close()


def test_a_release_with_this_interpreter_uses_the_zygote_that_was_started_ahead(
    nursery: Nursery, releases: Path
) -> None:
    """It enters the release's folder by itself."""
    kernel = FakeKernel()
    settings = Settings(flow="shop", folder=str(releases / "v1"))
    ours, theirs = conventions.socket_pair()
    spawner = Spawner(settings, nursery.children, kernel, nursery.poll, (77, ours))
    assert spawner.start_generation(2, settings) is None
    assert kernel.commands == []
    with contextlib.closing(channel.Channel(theirs)) as zygote:
        load = zygote.receive()
    assert isinstance(load, Load)
    assert load.folder == str(releases / "v1")
    kernel.close()


def test_releases_that_cannot_be_found_are_a_failed_start(nursery: Nursery, tmp_path: Path) -> None:
    """Someone has emptied the folder since the settings were read."""
    settings = Settings(flow="shop", releases=str(tmp_path))
    lost = nursery.spawner_of(settings).start_generation(2, settings)
    assert isinstance(lost, GenerationLost)
    assert (lost.code, "holds no release" in lost.why) == (exit_codes.USAGE, True)


def test_retired_code_is_a_supervisor_of_its_release(nursery: Nursery, releases: Path) -> None:
    """Its command names the release and the lists that are served; a failure is an event."""
    kernel = FakeKernel()
    settings = Settings(flow="shop", releases=str(releases))
    spawner = Spawner(settings, nursery.children, kernel, nursery.poll)
    lists = (TaskList("shop", Role.DECIDER, "decider"),)
    assert spawner.start_sidecar("retired@v2", lists) is None
    own, flow = str(releases / "v2/.venv/bin/python"), ("--flow", "shop")
    role = ("--folder", str(releases / "v2"), "--retired", "--served-list", "shop")
    assert kernel.commands == [(own, "supervisor", *flow, *role)]
    assert kernel.variables[conventions.SERVING_CHANNEL] == "retired@v2"
    child = nursery.children.get(ProcessKind.SIDECAR, "retired@v2")
    assert child is not None
    assert child.pid == kernel.process("supervisor").pid
    kernel.errors["spawn"] = OSError(errno.ENOMEM, "Cannot allocate memory")
    lost = spawner.start_sidecar("retired@v1", lists)
    assert isinstance(lost, SidecarLost)
    assert "Cannot allocate memory" in lost.why
    kernel.close()
