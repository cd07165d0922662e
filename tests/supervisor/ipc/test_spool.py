"""The worker's side of the spool: files of tasks in progress."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from supervisor.ipc import private_files, spool
from supervisor.ipc.messages import Complete, HandOut, Role, SwfEndpoint, Task
from supervisor.ipc.spool import Owner, Spool

OWNER = Owner("shop", SwfEndpoint(region="us-east-1"))
TASK = Task("token", "workflow", "run", "make-1", timeout=600.0)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """An empty spool."""
    return str(tmp_path)


def test_files_are_private(folder: str) -> None:
    """Their mode is 0600, and their names do not show the token."""
    Spool(folder, OWNER, Role.ACTIVITY).record_task(TASK)
    (name,) = Path(folder).iterdir()
    assert stat.S_IMODE(name.stat().st_mode) == 0o600
    assert TASK.token not in name.name


def test_a_missing_folder_is_logged_once(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    """The worker goes on; it logs again only after a write has succeeded in between."""
    worker = Spool(f"{folder}/gone", OWNER, Role.ACTIVITY)
    for _ in range(3):
        worker.record_task(TASK)
        worker.record_answer(Complete())
        worker.clear()
    assert caplog.text.count("is not usable") == 1
    Path(folder, "gone").mkdir()
    worker.record_task(TASK)
    assert len(list(Path(folder, "gone").iterdir())) == 1


def test_a_full_disk_leaves_no_half_file(
    folder: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failed write is logged, and the file with the token stays as it was."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.record_task(TASK)
    (name,) = Path(folder).iterdir()
    before = name.read_bytes()
    monkeypatch.setattr(
        private_files, "open_private", lambda _name: os.open("/dev/full", os.O_WRONLY)
    )
    worker.record_answer(Complete("x" * 100_000))
    assert "No space left on device" in caplog.text
    assert [each.read_bytes() for each in Path(folder).iterdir()] == [before]


def test_without_a_folder_the_spool_is_off(folder: str) -> None:
    """No --spool: nothing is written."""
    worker = Spool(None, OWNER, Role.ACTIVITY)
    worker.record_task(TASK)
    worker.record_answer(Complete())
    worker.clear()
    spool.remove(None, TASK)
    assert list(Path(folder).iterdir()) == []


def test_a_waiting_decision_is_in_the_spool(folder: str) -> None:
    """It keeps its file, and that file's lock, when it is taken; its answer removes the file."""
    worker = Spool(folder, OWNER, Role.DECIDER)
    worker.record_task(Task("another token", "w", "r"))
    worker.record_waiting(TASK)
    path = spool.path_of(Path(folder), TASK)
    inode = path.stat().st_ino
    worker.clear()
    assert path.exists()
    worker.record_task(TASK)
    assert path.stat().st_ino == inode
    with path.open("rb") as file:
        assert not private_files.try_lock(file.fileno(), fcntl.LOCK_EX)
    worker.clear()
    assert not path.exists()


def test_the_file_of_a_task_that_was_handed_out_stays(folder: str) -> None:
    """Without a lock, so that the next supervisor takes it; the next task has a file of its own."""
    worker = Spool(folder, OWNER, Role.ACTIVITY)
    worker.record_task(TASK)
    worker.record_answer(HandOut())
    worker.leave()
    (path,) = Path(folder).iterdir()
    with path.open("rb") as file:
        assert private_files.try_lock(file.fileno(), fcntl.LOCK_EX)
    worker.record_task(Task("another", "workflow", "run", "make-2"))
    worker.clear()
    assert list(Path(folder).iterdir()) == [path]
