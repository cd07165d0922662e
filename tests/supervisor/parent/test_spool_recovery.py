"""Recovery from the spool: reports for tasks of dead workers and dead supervisors."""

from __future__ import annotations

import os
import signal
import stat
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from garcon.history import failure_reasons
from supervisor.ipc import private_files, spool
from supervisor.ipc.messages import Complete, Fail, Report, ReturnTask, Role, SwfEndpoint, Task
from supervisor.ipc.spool import SUFFIX, Owner, Spool
from supervisor.parent.spool_recovery import (
    SCAN_SECONDS,
    STALE_SECONDS,
    SpoolWatch,
    SupervisorLock,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = Owner("shop", SwfEndpoint(region="us-east-1"))
TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """An empty spool."""
    return str(tmp_path)


def leave_behind(
    folder: str,
    *steps: Callable[[Spool], None],
    role: Role = Role.ACTIVITY,
    lock: SupervisorLock | None = None,
) -> None:
    """A worker takes a task, does these steps, and is killed."""
    child = os.fork()
    if child == 0:
        worker = Spool(folder, OWNER, role, lock.file.name if lock else "")
        worker.record_task(TASK)
        for step in steps:
            step(worker)
        if lock:
            os.close(lock.descriptor)  # a worker is a spawned process's child, and never had it
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def recover(folder: str, owner: Owner, supervisor_lock: str = "") -> tuple[Report, ...]:
    """The reports of one scan."""
    return SpoolWatch(folder, owner, supervisor_lock).scan(0.0)


def locked(folder: str) -> SupervisorLock:
    """A supervisor that is alive, as its lock shows."""
    lock = SupervisorLock.acquire(folder)
    assert lock
    return lock


def test_an_answer_is_recovered_unchanged(folder: str) -> None:
    """The report carries the task, its answer, and the seconds until SWF gives up."""
    leave_behind(folder, lambda worker: worker.record_answer(Complete('{"a": 1}')))
    (report,) = recover(folder, OWNER)
    assert (report.task, report.role) == (TASK, Role.ACTIVITY)
    assert report.answer == Complete('{"a": 1}')
    assert report.within is not None
    assert 500 < report.within <= 600


def test_a_task_without_an_answer_is_a_worker_death(folder: str) -> None:
    """An activity task is failed with WorkerDied; a decision task is returned."""
    leave_behind(folder)
    (report,) = recover(folder, OWNER)
    assert isinstance(report.answer, Fail)
    assert failure_reasons.prefix_of(report.answer.reason) == failure_reasons.WORKER_DIED
    leave_behind(folder, role=Role.DECIDER)
    assert [each.answer for each in recover(folder, OWNER)] == [ReturnTask()]


def test_a_living_workers_task_is_left_alone(folder: str) -> None:
    """A worker that outlives its supervisor answers its task itself."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.record_task(TASK)
    assert recover(folder, OWNER) == ()
    worker.record_answer(Complete())
    assert recover(folder, OWNER) == ()
    worker.clear()
    assert list(Path(folder).iterdir()) == []


def test_a_living_supervisors_reports_are_left_to_it(folder: str) -> None:
    """Another supervisor reports a dead worker's task only after the first has left."""
    first = locked(folder)
    leave_behind(folder, lock=first)
    assert recover(folder, OWNER) == ()
    first.release()
    assert len(recover(folder, OWNER)) == 1


def test_a_killed_supervisors_reports_are_recovered(folder: str) -> None:
    """The kernel drops its lock; the file that stays behind does not count."""
    first = locked(folder)
    leave_behind(folder, lock=first)
    os.close(first.descriptor)
    assert first.file.exists()
    assert len(recover(folder, OWNER)) == 1


def test_a_recovered_task_belongs_to_the_supervisor_that_recovered_it(folder: str) -> None:
    """A third supervisor finds it unchanged after the second has left, not before."""
    leave_behind(folder, lambda worker: worker.record_answer(Complete("1")))
    second = locked(folder)
    (report,) = recover(folder, OWNER, second.file.name)
    assert recover(folder, OWNER) == ()
    second.release()
    (again,) = recover(folder, OWNER)
    assert (again.task, again.answer) == (report.task, Complete("1"))
    assert again.within is not None
    assert report.within is not None
    assert again.within <= report.within


def test_a_full_disk_does_not_stop_recovery(
    folder: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task is reported although the file cannot be rewritten; the log says why."""
    leave_behind(folder)
    second = locked(folder)
    monkeypatch.setattr(
        private_files, "open_private", lambda _name: os.open("/dev/full", os.O_WRONLY)
    )
    assert len(recover(folder, OWNER, second.file.name)) == 1
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    assert len(recover(folder, OWNER)) == 1


def test_a_lock_file_that_cannot_be_made_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The supervisor goes on without the lock."""
    assert SupervisorLock.acquire("/proc/nowhere") is None
    assert "cannot lock a file in the spool /proc/nowhere" in caplog.text


def test_lock_files_of_dead_supervisors_are_removed(folder: str) -> None:
    """A leaving supervisor removes its own; recovery removes a killed one's, once it is old."""
    locked(folder).release()
    assert list(Path(folder).iterdir()) == []
    living, dead = locked(folder), locked(folder)
    os.close(dead.descriptor)
    for each in (living, dead):
        os.utime(each.file, (1, 1))
    assert recover(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == [living.file]
    living.release()


def test_an_accepted_answer_leaves_no_file(folder: str) -> None:
    """Neither after the worker's clear nor after a reporter's remove is anything recovered."""
    leave_behind(folder, lambda worker: worker.record_answer(Complete()), Spool.clear)
    assert recover(folder, OWNER) == ()
    leave_behind(folder)
    spool.remove(folder, TASK)
    assert recover(folder, OWNER) == ()


def test_tasks_of_other_flows_and_regions_are_left_alone(folder: str) -> None:
    """Their tokens mean nothing to this supervisor's SWF."""
    leave_behind(folder)
    for other in (Owner("bar", OWNER.swf), Owner("shop", SwfEndpoint(region="eu-west-1"))):
        assert recover(folder, other) == ()
    assert len(recover(folder, OWNER)) == 1


def test_a_task_that_has_timed_out_is_removed(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SWF has timed it out by itself; no report is sent and no file stays."""
    leave_behind(folder)
    (name,) = Path(folder).iterdir()
    held = msgspec.json.decode(name.read_bytes(), type=spool.SpooledTask)
    monkeypatch.setattr("time.time", lambda: held.since + 601)
    assert recover(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == []


def test_an_invalid_file_is_logged_and_left_alone(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It neither stops recovery nor disappears."""
    bad = Path(folder, f"bad{SUFFIX}")
    bad.write_text("{}")
    Path(folder, "notes.txt").write_text("mine")
    leave_behind(folder)
    assert len(recover(folder, OWNER)) == 1
    assert "bad.task is not a task's file" in caplog.text
    assert bad.exists()


def test_an_unreadable_file_hides_no_other(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log; the others are recovered."""
    bad = Path(folder, f"0{SUFFIX}")
    bad.mkdir()
    leave_behind(folder)
    assert len(recover(folder, OWNER)) == 1
    assert f"{bad} cannot be recovered: Is a directory" in caplog.text


@pytest.mark.parametrize("name", [f"0{SUFFIX}", f".0{SUFFIX}"])
def test_a_file_that_vanishes_hides_no_other(
    folder: str, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reporter or a worker may remove it meanwhile; nothing is logged."""
    leave_behind(folder)
    names = [Path(folder, name), *Path(folder).iterdir()]
    monkeypatch.setattr(Path, "iterdir", lambda _folder: iter(names))
    assert len(recover(folder, OWNER)) == 1
    assert caplog.text == ""


@pytest.mark.parametrize("age", [0.0, STALE_SECONDS + 60])
def test_a_young_unfinished_file_is_not_locked(
    folder: str, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its maker is about to lock it and does not wait for a lock."""
    unfinished = Path(folder, f".0{SUFFIX}")
    unfinished.touch()
    os.utime(unfinished, (time.time() - age,) * 2)
    tried: list[object] = []
    monkeypatch.setattr("fcntl.flock", lambda *given: tried.append(given))
    assert recover(folder, OWNER) == ()
    assert bool(tried) is (age > STALE_SECONDS)


def test_old_unfinished_files_are_removed(folder: str) -> None:
    """A young one stays: it may be in use."""
    young, old = (Path(folder, f".{name}{SUFFIX}") for name in ("young", "old"))
    for each in (young, old):
        each.write_text("{")
    os.utime(old, (1, 1))
    assert recover(folder, OWNER) == ()
    assert list(Path(folder).iterdir()) == [young]


def test_a_missing_folder_is_made(folder: str) -> None:
    """It is closed to other users; a folder that cannot be made is logged."""
    assert recover(f"{folder}/a/b", OWNER) == ()
    assert stat.S_IMODE(Path(folder, "a", "b").stat().st_mode) == 0o700
    assert recover("/proc/nowhere", OWNER) == ()


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_nothing_is_recovered_from_a_folder_that_others_may_write(
    folder: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The answers may be forged; the log says how to close the folder."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.record_task(TASK)
    worker._unlock()
    assert len(recover(folder, OWNER)) == 1
    Path(folder).chmod(mode)
    assert recover(folder, OWNER) == ()
    assert "chmod 700" in caplog.text


def test_files_and_folder_are_private_whatever_the_umask(folder: str) -> None:
    """The folder has mode 0700 and a file 0600 under umask 0."""
    before = os.umask(0)
    try:
        made = f"{folder}/made"
        recover(made, OWNER)
        Spool(made, OWNER, Role.ACTIVITY).record_task(TASK)
    finally:
        os.umask(before)
    (name,) = Path(made).iterdir()
    assert stat.S_IMODE(Path(made).stat().st_mode) == 0o700
    assert stat.S_IMODE(name.stat().st_mode) == 0o600


# --- further scans --------------------------------------------------------------------------------


def test_an_orphan_that_dies_later_is_found_by_a_further_scan(folder: str) -> None:
    """While its task's file is locked the spool is scanned again; afterwards it is not."""
    lock = locked(folder)
    watch = SpoolWatch(folder, OWNER, lock.file.name)
    orphan = Spool(folder, OWNER, Role.ACTIVITY)
    orphan.record_task(TASK)
    assert watch.scan(10.0) == ()
    assert watch.next_scan == 10.0 + SCAN_SECONDS
    orphan._unlock()  # as the kernel does when it dies
    (report,) = watch.scan(13.0)
    assert report.task == TASK
    assert watch.next_scan == inf
    assert watch.scan(99.0) == ()
    lock.release()


def test_nothing_foreign_needs_no_further_scan(folder: str) -> None:
    """Our own tasks, those of another flow and broken files cause no wake-up."""
    lock = locked(folder)
    own = Spool(folder, OWNER, Role.ACTIVITY, lock.file.name)
    own.record_task(TASK)
    other = Spool(folder, Owner("album", SwfEndpoint()), Role.ACTIVITY)
    other.record_task(Task("other", "workflow", "run"))
    (Path(folder) / f"broken{SUFFIX}").write_text("{")
    watch = SpoolWatch(folder, OWNER, lock.file.name)
    assert watch.scan(0.0) == ()
    assert watch.next_scan == inf
    lock.release()


def test_a_killed_supervisors_orphans_may_still_take_tasks(folder: str) -> None:
    """Its lock file shows that it was killed: the spool is watched for as long as a poll lasts."""
    dead, lock = locked(folder), locked(folder)
    os.close(dead.descriptor)
    watch = SpoolWatch(folder, OWNER, lock.file.name, poll_timeout=5.0)
    assert watch.scan(0.0) == ()
    assert watch.next_scan == SCAN_SECONDS
    leave_behind(folder)
    assert [report.task for report in watch.scan(3.0)] == [TASK]
    assert watch.scan(6.0) == ()
    assert watch.next_scan == inf
    lock.release()


def test_without_a_lock_of_our_own_there_is_one_scan(folder: str) -> None:
    """A second supervisor would report the same tasks."""
    orphan = Spool(folder, OWNER, Role.ACTIVITY)
    orphan.record_task(TASK)
    watch = SpoolWatch(folder, OWNER, "")
    assert watch.scan(0.0) == ()
    assert watch.next_scan == inf
