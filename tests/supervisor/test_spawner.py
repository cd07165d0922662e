"""What the kernel refuses is told as an event, and nothing is left open."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from supervisor import channel, kernel, will
from supervisor.children import Child, Children, Kind
from supervisor.messages import (
    AttendantLost,
    Fork,
    ForkFailed,
    GenerationLost,
    Load,
    Register,
    Replay,
    Role,
    Stickiness,
    TaskList,
)
from supervisor.settings import Settings
from supervisor.spawner import Spawner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.channel import Channel

FORK = Fork(worker=7, generation=1, job=Register(types=True))


def refuse(*_: Any, **__: Any) -> None:
    """The kernel has no process, no descriptor, no memory."""
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


class Nursery:
    """A spawner with a book, and a zygote that is only the other end of its channel."""

    def __init__(self) -> None:
        self.children = Children()
        self.listened: list[Channel] = []
        self.spawner = Spawner(Settings(flow="shop"), self.children, self.listened.append)
        ours, self.zygote = channel.pair()
        self.children.add(Child(Kind.ZYGOTE, 1, ours, 1))


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Closed afterwards."""
    made = Nursery()
    yield made
    for child in made.children:
        made.children.remove(child)
    made.zygote.close()


def open_descriptors() -> set[str]:
    """Those of this process."""
    return {each.name for each in Path("/proc/self/fd").iterdir()}


def test_a_worker_gets_its_channel_and_its_will(nursery: Nursery) -> None:
    """Both ride on the request; what the worker says and writes there reaches the book's child."""
    assert nursery.spawner.fork(FORK) is None
    message, (end, left) = nursery.zygote.hear_with_descriptors()
    assert message == FORK
    child = nursery.children.get(Kind.WORKER, 7)
    assert child is not None
    assert child.will is not None
    will.Will(left).note("hello\n")
    assert will.read(child.will).lines == ("hello",)
    theirs = channel.Channel.inherited(end)
    theirs.close()
    assert child.channel.hear() is None
    assert child.channel.closed
    assert nursery.listened == [child.channel]
    os.close(left)


@pytest.mark.parametrize("failing", ["supervisor.will.make", "supervisor.channel.pair"])
def test_a_worker_without_descriptors_is_a_fork_that_failed(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """It is told as an event, and what was already open is closed."""
    monkeypatch.setattr(failing, refuse)
    before = open_descriptors()
    failure = nursery.spawner.fork(FORK)
    assert isinstance(failure, ForkFailed)
    assert "Cannot allocate memory" in failure.why
    assert open_descriptors() == before
    assert nursery.children.get(Kind.WORKER, 7) is None


def test_a_zygote_that_does_not_listen_forks_nobody(nursery: Nursery) -> None:
    """One whose channel is full or closed, and one that is not there, are told alike."""
    before = open_descriptors()
    nursery.zygote.close()
    for fork in (FORK, Fork(worker=7, generation=2, job=FORK.job)):
        failure = nursery.spawner.fork(fork)
        assert isinstance(failure, ForkFailed)
        assert failure.worker == 7
    assert len(open_descriptors()) == len(before) - 1


def test_no_process_for_a_zygote_or_an_attendant_is_an_event(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on; the core rests and tries again."""
    monkeypatch.setattr(kernel, "spawn", refuse)
    lost = nursery.spawner.start_generation(2, Settings(flow="shop"))
    assert isinstance(lost, GenerationLost)
    assert lost.generation == 2
    assert isinstance(nursery.spawner.start_attendant("endpoint", ()), AttendantLost)


def test_who_cannot_be_told_what_to_do_is_not_started(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists that do not fit a message are told as an event; the process hears its channel's end."""
    ours, theirs = kernel.socket_pair()
    monkeypatch.setattr(kernel, "spawn", lambda _: (99, ours))
    lists = (TaskList("shop_resize", Role.ACTIVITY),) * 10_000
    lost = nursery.spawner.start_attendant("scale", lists)
    assert isinstance(lost, AttendantLost)
    assert "does not fit a packet" in lost.why
    assert nursery.children.get(Kind.ATTENDANT, "scale") is None
    heard = channel.Channel(theirs)
    assert heard.hear() is None
    assert heard.closed
    heard.close()


def test_a_job_that_does_not_fit_a_message_is_a_fork_that_failed(nursery: Nursery) -> None:
    """Nothing is left open; whoever asked for it tries again, and says why."""
    before = open_descriptors()
    failure = nursery.spawner.fork(Fork(worker=7, generation=1, job=Replay("x" * 300_000)))
    assert isinstance(failure, ForkFailed)
    assert "does not fit a packet" in failure.why
    assert open_descriptors() == before


def test_a_spare_zygote_is_used_once_and_told_everything(nursery: Nursery) -> None:
    """The first generation is told what to load; the limits travel as plain numbers."""
    settings = Settings(flow="shop", spool="/spool", max_tasks=5, late_tasks="hand-back")
    ours, theirs = kernel.socket_pair()
    before = Settings(flow="shop")
    spawner = Spawner(before, nursery.children, nursery.listened.append, (99, ours))
    spawner.presence = ".supervisor-1.task"
    assert spawner.start_generation(3, settings) is None
    load = channel.Channel(theirs).hear()
    assert isinstance(load, Load)
    assert (load.generation, load.flow, load.spool, load.max_tasks) == (3, "shop", "/spool", 5)
    assert load.sticky == Stickiness(schedule_to_start=5.0, executions=500, check=0.05)
    assert load.hand_back
    assert load.presence == ".supervisor-1.task"
    child = nursery.children.get(Kind.ZYGOTE, 3)
    assert child is not None
    assert child.pid == 99
    theirs.close()


def test_a_zygote_is_told_when_deciders_are_not_to_stick(nursery: Nursery) -> None:
    """``--no-sticky`` leaves no figures to stick by."""
    settings = Settings(flow="shop", no_sticky=True)
    ours, theirs = kernel.socket_pair()
    spawner = Spawner(settings, nursery.children, nursery.listened.append, (99, ours))
    spawner.start_generation(3, settings)
    load = channel.Channel(theirs).hear()
    assert isinstance(load, Load)
    assert load.sticky is None
    theirs.close()


def test_nothing_of_a_local_swf_is_spooled(nursery: Nursery) -> None:
    """It ends with the supervisor, and nobody would take the tokens afterwards."""
    settings = Settings(flow="shop", spool="/spool", local=True)
    ours, theirs = kernel.socket_pair()
    spawner = Spawner(settings, nursery.children, nursery.listened.append, (99, ours))
    spawner.start_generation(3, settings)
    load = channel.Channel(theirs).hear()
    assert isinstance(load, Load)
    assert load.spool is None
    theirs.close()
