"""What a worker keeps on disk is taken up by the next supervisor, if nobody holds it."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from garcon import reasons
from supervisor import spool
from supervisor.messages import Complete, Fail, HandBack, Place, Role, Task
from supervisor.spool import Owner, Presence, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = Owner("shop", Place(region="us-east-1"))
TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where the files are."""
    return str(tmp_path)


def left_behind(
    folder: str,
    *steps: Callable[[Spool], None],
    role: Role = Role.ACTIVITY,
    presence: Presence | None = None,
) -> None:
    """A worker takes a task, goes these steps, and is killed; its supervisor may have appeared."""
    child = os.fork()
    if child == 0:
        worker = Spool(folder, OWNER, role, presence.file.name if presence else "")
        worker.take(TASK)
        for step in steps:
            step(worker)
        if presence:
            os.close(presence.lock)  # a worker is a spawned process's child, and never had it
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def appeared(folder: str) -> Presence:
    """A supervisor that lives."""
    presence = spool.appear(folder)
    assert presence
    return presence


def test_an_answer_is_taken_up_as_it_was(folder: str) -> None:
    """The report carries the task and its answer, and how long SWF still waits."""
    left_behind(folder, lambda worker: worker.keep(Complete('{"a": 1}')))
    (report,) = spool.collect(folder, OWNER)
    assert (report.task, report.role) == (TASK, Role.ACTIVITY)
    assert report.answer == Complete('{"a": 1}')
    assert report.within is not None
    assert 500 < report.within <= 600


def test_a_token_without_an_answer_is_a_death(folder: str) -> None:
    """The activity is failed as its worker's death; a decision is handed back."""
    left_behind(folder)
    (report,) = spool.collect(folder, OWNER)
    assert isinstance(report.answer, Fail)
    assert reasons.prefix_of(report.answer.reason) == reasons.WORKER_DIED
    left_behind(folder, role=Role.DECIDER)
    assert [each.answer for each in spool.collect(folder, OWNER)] == [HandBack()]


def test_what_somebody_holds_is_left_alone(folder: str) -> None:
    """A worker that lives on without its supervisor answers by itself, first and last."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.take(TASK)
    assert spool.collect(folder, OWNER) == ()
    worker.keep(Complete())
    assert spool.collect(folder, OWNER) == ()
    worker.done()
    assert list(Path(folder).iterdir()) == []


def test_what_a_living_supervisor_owes_is_left_to_it(folder: str) -> None:
    """Its worker is dead, and it knows of what; once it is gone, too, the next one reports."""
    first = appeared(folder)
    left_behind(folder, presence=first)
    assert spool.collect(folder, OWNER) == ()
    first.close()
    assert len(spool.collect(folder, OWNER)) == 1


def test_a_killed_supervisor_owes_nothing_any_more(folder: str) -> None:
    """The kernel gives its lock back; the file that it leaves says nothing."""
    first = appeared(folder)
    left_behind(folder, presence=first)
    os.close(first.lock)
    assert first.file.exists()
    assert len(spool.collect(folder, OWNER)) == 1


def test_who_takes_up_a_task_owes_it(folder: str) -> None:
    """A third supervisor leaves it alone while the second lives, and then finds it as it was."""
    left_behind(folder, lambda worker: worker.keep(Complete("1")))
    second = appeared(folder)
    (report,) = spool.collect(folder, OWNER, second.file.name)
    assert spool.collect(folder, OWNER) == ()
    second.close()
    (again,) = spool.collect(folder, OWNER)
    assert (again.task, again.answer) == (report.task, Complete("1"))
    assert again.within is not None
    assert report.within is not None
    assert again.within <= report.within


def test_what_cannot_be_signed_is_reported_all_the_same(
    folder: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs a sentence, not the report."""
    left_behind(folder)
    second = appeared(folder)
    monkeypatch.setattr(spool, "_open_private", lambda _name: os.open("/dev/full", os.O_WRONLY))
    assert len(spool.collect(folder, OWNER, second.file.name)) == 1
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    assert len(spool.collect(folder, OWNER)) == 1


def test_a_supervisor_that_cannot_appear_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It goes on without."""
    assert spool.appear("/proc/nowhere") is None
    assert "cannot lock a file of its own in the spool /proc/nowhere" in caplog.text


def test_a_presence_goes_with_its_supervisor(folder: str) -> None:
    """Nothing stays of one that leaves; of a killed one not for long; a living one's stays."""
    appeared(folder).close()
    assert list(Path(folder).iterdir()) == []
    living, dead = appeared(folder), appeared(folder)
    os.close(dead.lock)
    for each in (living, dead):
        os.utime(each.file, (1, 1))
    assert spool.collect(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == [living.file]
    living.close()


def test_what_is_accepted_is_forgotten(folder: str) -> None:
    """After done, and after a reporter's forget, nothing is left to deliver."""
    left_behind(folder, lambda worker: worker.keep(Complete()), Spool.done)
    assert spool.collect(folder, OWNER) == ()
    left_behind(folder)
    spool.forget(folder, TASK)
    assert spool.collect(folder, OWNER) == ()


def test_other_flows_and_places_are_left_alone(folder: str) -> None:
    """A token means nothing to another account, region or flow."""
    left_behind(folder)
    for other in (Owner("bar", OWNER.place), Owner("shop", Place(region="eu-west-1"))):
        assert spool.collect(folder, other) == ()
    assert len(spool.collect(folder, OWNER)) == 1


def test_a_task_that_has_timed_out_is_dropped(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SWF knows by itself; its file does not stay for ever."""
    left_behind(folder)
    (name,) = Path(folder).iterdir()
    held = msgspec.json.decode(name.read_bytes(), type=spool.Held)
    monkeypatch.setattr("time.time", lambda: held.since + 601)
    assert spool.collect(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == []


def test_files_are_private(folder: str) -> None:
    """They hold what the flow's results hold."""
    left_behind(folder)
    (name,) = Path(folder).iterdir()
    assert stat.S_IMODE(name.stat().st_mode) == 0o600
    assert TASK.token not in name.name


def test_nonsense_is_left_alone_with_a_sentence(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is no task's neither stops the start nor disappears."""
    bad = Path(folder, f"bad{spool.SUFFIX}")
    bad.write_text("{}")
    Path(folder, "notes.txt").write_text("mine")
    left_behind(folder)
    assert len(spool.collect(folder, OWNER)) == 1
    assert "bad.task is no file of a task" in caplog.text
    assert bad.exists()


def test_a_file_that_cannot_be_read_hides_no_other(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in a sentence, and left alone."""
    bad = Path(folder, f"0{spool.SUFFIX}")
    bad.mkdir()
    left_behind(folder)
    assert len(spool.collect(folder, OWNER)) == 1
    assert f"{bad} cannot be taken up: Is a directory" in caplog.text


@pytest.mark.parametrize("name", [f"0{spool.SUFFIX}", f".0{spool.SUFFIX}"])
def test_a_file_that_vanishes_hides_no_other(
    folder: str, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another supervisor's reporter removes one, or its worker finishes one: no word about it."""
    left_behind(folder)
    names = [Path(folder, name), *Path(folder).iterdir()]
    monkeypatch.setattr(Path, "iterdir", lambda _folder: iter(names))
    assert len(spool.collect(folder, OWNER)) == 1
    assert caplog.text == ""


@pytest.mark.parametrize("age", [0.0, spool.STALE_SECONDS + 60])
def test_an_unfinished_file_is_not_locked_while_it_is_young(
    folder: str, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer has made it and is about to lock it: one who tried would be in the way."""
    unfinished = Path(folder, f".0{spool.SUFFIX}")
    unfinished.touch()
    os.utime(unfinished, (time.time() - age,) * 2)
    tried: list[object] = []
    monkeypatch.setattr("fcntl.flock", lambda *given: tried.append(given))
    assert spool.collect(folder, OWNER) == ()
    assert bool(tried) is (age > spool.STALE_SECONDS)


def test_unfinished_files_are_removed_once_they_are_old(folder: str) -> None:
    """One that was being written at a death hurts nobody; a young one may yet be in use."""
    young, old = (Path(folder, f".{name}{spool.SUFFIX}") for name in ("young", "old"))
    for each in (young, old):
        each.write_text("{")
    os.utime(old, (1, 1))
    assert spool.collect(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == [young]


def test_a_missing_disk_is_told_once_and_loses_nothing(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker goes on without; it says so once, and again only after it has worked."""
    worker = Spool(f"{folder}/gone", OWNER, Role.ACTIVITY)
    for _ in range(3):
        worker.take(TASK)
        worker.keep(Complete())
        worker.done()
    assert caplog.text.count("cannot be used") == 1
    Path(folder, "gone").mkdir()
    worker.take(TASK)
    assert len(list(Path(folder, "gone").iterdir())) == 1


def test_a_full_disk_leaves_no_half_file(
    folder: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit is a sentence; the token that was there before stays whole."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.take(TASK)
    (name,) = Path(folder).iterdir()
    before = name.read_bytes()
    monkeypatch.setattr(spool, "_open_private", lambda _name: os.open("/dev/full", os.O_WRONLY))
    worker.keep(Complete("x" * 100_000))
    assert "No space left on device" in caplog.text
    assert [each.read_bytes() for each in Path(folder).iterdir()] == [before]


def test_the_folder_is_made(folder: str) -> None:
    """A new spool starts empty, closed to others; one that cannot be made costs a sentence."""
    assert spool.collect(f"{folder}/a/b", OWNER) == ()
    assert stat.S_IMODE(Path(folder, "a", "b").stat().st_mode) == 0o700
    assert spool.collect("/proc/nowhere", OWNER) == ()


def test_without_a_folder_nothing_is_kept(folder: str) -> None:
    """No --spool, no files, no cost."""
    worker = Spool(None, OWNER, Role.ACTIVITY)
    worker.take(TASK)
    worker.keep(Complete())
    worker.done()
    spool.forget(None, TASK)
    assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_nothing_is_taken_up_from_a_folder_that_others_may_write(
    folder: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """They could have put answers there; a sentence says how to close it."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.take(TASK)
    worker._release()
    assert len(spool.collect(folder, OWNER)) == 1
    Path(folder).chmod(mode)
    assert spool.collect(folder, OWNER) == ()
    assert "chmod 700" in caplog.text


def test_what_is_written_is_private_whatever_the_umask(folder: str) -> None:
    """The folder that is made, and the files in it."""
    before = os.umask(0)
    try:
        made = f"{folder}/made"
        spool.collect(made, OWNER)
        Spool(made, OWNER, Role.ACTIVITY).take(TASK)
    finally:
        os.umask(before)
    (name,) = Path(made).iterdir()
    assert stat.S_IMODE(Path(made).stat().st_mode) == 0o700
    assert stat.S_IMODE(name.stat().st_mode) == 0o600
