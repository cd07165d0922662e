"""Post-mortems: the kernel's account, the OOM killer's count, the crash record."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from supervisor.ipc import channel, crash_record
from supervisor.ipc.crash_record import CrashRecord
from supervisor.ipc.messages import Complete, PostMortem, Task
from supervisor.parent import postmortem
from supervisor.parent.os_processes import DeadProcess
from supervisor.parent.postmortem import OutOfMemory, PostMortemReader, own_events
from supervisor.parent.process_table import Child, ProcessKind

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED = DeadProcess(7, -signal.SIGKILL, peak_memory=5 << 20)


@pytest.fixture
def child() -> Iterator[Child]:
    """A worker that has died."""
    ours, theirs = channel.pair()
    record = crash_record.make()
    yield Child(ProcessKind.WORKER, 3, ours, 7, crash_record=record)
    for each in (ours, theirs):
        each.close()
    os.close(record)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A ``memory.events`` with one victim."""
    path = tmp_path / "memory.events"
    path.write_text("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n")
    return path


def examine(child: Child, ended: DeadProcess = KILLED) -> PostMortem:
    """Without a count of OOM victims."""
    return PostMortemReader(OutOfMemory(Path("/nowhere"))).examine(child, ended)


def test_kernel_and_crash_record_are_combined(child: Child) -> None:
    """Start, answer, lines, memory, host and pid are in one post-mortem."""
    assert child.crash_record is not None
    worker = CrashRecord(child.crash_record)
    worker.record_start()
    worker.record_answer(msgspec.json.encode(Complete("{}")))
    worker.record_stderr("first\nlast\n")
    post = examine(child)
    assert (post.started, post.answer, post.last_lines) == (True, Complete("{}"), ("first", "last"))
    assert (post.pid, post.peak_memory, post.host) == (7, 5 << 20, os.uname().nodename)
    assert not post.out_of_memory


def test_waiting_tasks_are_reported(child: Child) -> None:
    """An invalid one is left out."""
    assert child.crash_record is not None
    task = Task("token", "workflow", "run")
    CrashRecord(child.crash_record).record_waiting(1, msgspec.json.encode(task))
    assert examine(child).waiting == (task,)
    CrashRecord(child.crash_record).record_waiting(0, b"{}")
    assert examine(child).waiting == (task,)


def test_a_new_victim_of_the_oom_killer_explains_one_death(child: Child, events: Path) -> None:
    """Old victims explain no death, and each new one explains one."""
    reader = PostMortemReader(OutOfMemory(events))
    assert not reader.examine(child, KILLED).out_of_memory
    events.write_text("oom_kill 2\n")
    assert reader.examine(child, KILLED).out_of_memory
    assert not reader.examine(child, KILLED).out_of_memory


@pytest.mark.parametrize("status", [-signal.SIGTERM, -signal.SIGSEGV, 0, 3])
def test_only_sigkill_is_the_oom_killer_s(child: Child, events: Path, status: int) -> None:
    """It sends no other signal."""
    reader = PostMortemReader(OutOfMemory(events))
    events.write_text("oom_kill 2\n")
    assert not reader.examine(child, DeadProcess(7, status)).out_of_memory


def test_the_supervisors_own_kill_is_not_the_oom_killers(child: Child, events: Path) -> None:
    """Whatever the count of victims says."""
    reader = PostMortemReader(OutOfMemory(events))
    events.write_text("oom_kill 2\n")
    child.killed = True
    assert not reader.examine(child, KILLED).out_of_memory


def test_an_invalid_answer_counts_as_none(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    """The death is reported, and the log says why there is no answer."""
    assert child.crash_record is not None
    worker = CrashRecord(child.crash_record)
    worker.record_start()
    worker.record_answer(b"{")
    post = examine(child)
    assert (post.started, post.answer) == (True, None)
    assert "is invalid" in caplog.text


def test_stacks_are_reported_and_logged(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    """They are in the post-mortem for SWF and in the log."""
    assert child.crash_record is not None
    os.write(child.crash_record, b"Fatal Python error: Segmentation fault\n")
    assert examine(child).stacks == ("Fatal Python error: Segmentation fault",)
    assert "Stack traces of worker 3:\n  Fatal Python error" in caplog.text


def test_without_a_count_of_victims_the_cause_is_unknown(child: Child, events: Path) -> None:
    """Neither a missing file nor one without the count claims that memory was enough."""
    for text in (None, "oom_kill_disable 0\nunder_oom 0\n"):
        events.unlink() if text is None else events.write_text(text)
        reader = PostMortemReader(OutOfMemory(events))
        assert reader.examine(child, KILLED).out_of_memory is None


@pytest.mark.parametrize(
    ("groups", "there", "found"),
    [
        ("0::/a.slice/b\n", "a.slice/b/memory.events", "a.slice/b/memory.events"),
        ("0::/docker/x\n", "memory.events", "memory.events"),
        (
            "9:cpu:/b\n4:hugetlb,memory:/b\n0::/b\n",
            "memory/b/memory.oom_control",
            "memory/b/memory.oom_control",
        ),
        ("4:memory:/docker/x\n", "memory/memory.oom_control", "memory/memory.oom_control"),
        (None, None, "memory.events"),
    ],
    ids=["v2", "v2 in a container", "v1", "v1 in a container", "no /proc"],
)
def test_victims_are_counted_in_this_processs_own_group(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    groups: str | None,
    there: str | None,
    found: str,
) -> None:
    """Cgroup v1 and v2 have it in different files; without /proc nothing is raised."""
    monkeypatch.setattr(postmortem, "CGROUPS", tmp_path)
    monkeypatch.setattr(postmortem, "OWN_CGROUP", tmp_path / "cgroup")
    if groups is not None:
        (tmp_path / "cgroup").write_text(groups)
    if there is not None:
        (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / there).touch()
    assert own_events() == tmp_path / found


def test_secrets_are_redacted_from_last_lines(child: Child) -> None:
    """The lines go into SWF's history."""
    assert child.crash_record is not None
    CrashRecord(child.crash_record).record_stderr("connecting with password=geheim\n")
    assert examine(child).last_lines == ("connecting with password=[redacted]",)
