"""What is told of a dead worker: the kernel's account, the OOM killer's count, the will."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from supervisor import channel, kernel, will
from supervisor.children import Child, Kind
from supervisor.messages import Complete, PostMortem, Task
from supervisor.postmortem import Coroner, OutOfMemory, own_events
from supervisor.will import Will

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED = kernel.Ended(7, -signal.SIGKILL, peak_memory=5 << 20)


@pytest.fixture
def child() -> Iterator[Child]:
    """A worker that has died."""
    ours, theirs = channel.pair()
    left = will.make()
    yield Child(Kind.WORKER, 3, ours, 7, will=left)
    for each in (ours, theirs):
        each.close()
    os.close(left)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A ``memory.events`` that has seen one victim."""
    path = tmp_path / "memory.events"
    path.write_text("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n")
    return path


def examine(child: Child, ended: kernel.Ended = KILLED) -> PostMortem:
    """Where nobody counts the OOM killer's victims."""
    return Coroner(OutOfMemory(Path("/nowhere"))).examine(child, ended)


def test_what_the_kernel_and_the_will_say_is_told(child: Child) -> None:
    """Begun, answer, lines, size, host and pid come together."""
    assert child.will is not None
    worker = Will(child.will)
    worker.begin()
    worker.bequeath(msgspec.json.encode(Complete("{}")))
    worker.note("first\nlast\n")
    post = examine(child)
    assert (post.begun, post.answer, post.last_lines) == (True, Complete("{}"), ("first", "last"))
    assert (post.pid, post.peak_memory, post.host) == (7, 5 << 20, os.uname().nodename)
    assert not post.out_of_memory


def test_tasks_that_waited_are_told(child: Child) -> None:
    """As the worker wrote them down; one that makes no sense is not told."""
    assert child.will is not None
    task = Task("token", "workflow", "run")
    Will(child.will).expect(1, msgspec.json.encode(task))
    assert examine(child).waiting == (task,)
    Will(child.will).expect(0, b"{}")
    assert examine(child).waiting == (task,)


def test_a_new_victim_of_the_oom_killer_explains_one_death(child: Child, events: Path) -> None:
    """Old victims explain nothing, and each new one explains one death."""
    coroner = Coroner(OutOfMemory(events))
    assert not coroner.examine(child, KILLED).out_of_memory
    events.write_text("oom_kill 2\n")
    assert coroner.examine(child, KILLED).out_of_memory
    assert not coroner.examine(child, KILLED).out_of_memory


@pytest.mark.parametrize("status", [-signal.SIGTERM, -signal.SIGSEGV, 0, 3])
def test_only_sigkill_is_the_oom_killer_s(child: Child, events: Path, status: int) -> None:
    """It sends nothing else."""
    coroner = Coroner(OutOfMemory(events))
    events.write_text("oom_kill 2\n")
    assert not coroner.examine(child, kernel.Ended(7, status)).out_of_memory


def test_our_own_kill_is_not_the_oom_killer_s(child: Child, events: Path) -> None:
    """Whom we have killed needs no explanation."""
    coroner = Coroner(OutOfMemory(events))
    events.write_text("oom_kill 2\n")
    child.killed = True
    assert not coroner.examine(child, KILLED).out_of_memory


def test_nonsense_in_a_will_is_a_will_without_an_answer(
    child: Child, caplog: pytest.LogCaptureFixture
) -> None:
    """The death is told all the same, and the log says why there is no answer."""
    assert child.will is not None
    worker = Will(child.will)
    worker.begin()
    worker.bequeath(b"{")
    post = examine(child)
    assert (post.begun, post.answer) == (True, None)
    assert "makes no sense" in caplog.text


def test_stacks_are_told_and_logged(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    """What faulthandler left is in the log, and in the post-mortem for SWF."""
    assert child.will is not None
    os.write(child.will, b"Fatal Python error: Segmentation fault\n")
    assert examine(child).stacks == ("Fatal Python error: Segmentation fault",)
    assert "What worker 3 was at:\nFatal Python error" in caplog.text


def test_the_count_is_looked_for_in_this_process_s_own_group() -> None:
    """The path is that of cgroup v2, whether or not anybody counts there."""
    assert own_events().name == "memory.events"
    assert own_events().is_relative_to("/sys/fs/cgroup")


def test_last_lines_are_told_without_what_looks_like_a_secret(child: Child) -> None:
    """They go into SWF's history."""
    assert child.will is not None
    Will(child.will).note("connecting with password=geheim\n")
    assert examine(child).last_lines == ("connecting with password=[redacted]",)
