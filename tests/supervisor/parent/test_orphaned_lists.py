"""Private lists of deciders whose supervisor has ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import messages
from supervisor.ipc.messages import Fork, Role, Serve, Slot, SwfEndpoint, TaskList
from supervisor.ipc.spool import Owner
from supervisor.parent import orphaned_lists, spool_recovery
from supervisor.parent.orphaned_lists import ListNotes
from supervisor.parent.spool_recovery import SupervisorLock

if TYPE_CHECKING:
    from pathlib import Path

SHOP = Owner("shop", SwfEndpoint("us-east-1"))
HOST = os.uname().nodename


def fork(worker: int, taken_over: int | str = 0, role: Role = Role.DECIDER) -> Fork:
    """The fork of a worker."""
    return Fork(worker, 1, Serve(Slot(TaskList("shop", role, "shop"), 0), taken_over))


def noted(folder: Path, *forks: Fork, owner: Owner = SHOP) -> SupervisorLock:
    """The lock of a living supervisor that has forked these workers."""
    lock = SupervisorLock.acquire(str(folder))
    assert lock
    notes = ListNotes(lock.descriptor, owner, "4711-ab")
    for each in forks:
        notes.note(each)
    return lock


def kill(lock: SupervisorLock) -> None:
    """Let a supervisor end as by SIGKILL: its file stays, without a lock."""
    os.close(lock.descriptor)


def found(folder: Path) -> tuple[str, ...]:
    """The lists that a supervisor of the shop takes over."""
    return orphaned_lists.take(spool_recovery.supervisors_files(str(folder)), SHOP)


def test_a_successor_takes_the_latest_lists_first(tmp_path: Path) -> None:
    """Each once, from whichever of its deciders, and none of activities."""
    lock = noted(
        tmp_path,
        *(fork(2), fork(3), fork(4, role=Role.ACTIVITY), fork(5, taken_over=2)),
        Fork(6, 1, messages.Register(types=True)),
        fork(7, taken_over="99-cd-1@other"),
    )
    assert found(tmp_path) == (), "its supervisor lives"
    kill(lock)
    assert found(tmp_path) == (*("99-cd-1@other", f"4711-ab-2@{HOST}", f"4711-ab-3@{HOST}"),)
    assert found(tmp_path) == (), "they have a successor"


def test_lists_of_another_flow_are_left_alone(tmp_path: Path) -> None:
    """One spool may serve several flows and endpoints."""
    kill(noted(tmp_path, fork(2), owner=Owner("cafe", SHOP.swf)))
    assert found(tmp_path) == ()
    assert len(spool_recovery.supervisors_files(str(tmp_path))) == 1


def test_a_supervisor_that_ends_in_good_order_leaves_its_lists(tmp_path: Path) -> None:
    """Its deciders have given back the executions that they decided in the drain, no others."""
    noted(tmp_path, fork(2)).release()
    assert found(tmp_path) == (f"4711-ab-2@{HOST}",)
    assert spool_recovery.supervisors_files(str(tmp_path)) == []


def test_a_supervisor_without_deciders_leaves_no_file(tmp_path: Path) -> None:
    """Files in the spool must not grow in number with its restarts."""
    noted(tmp_path, fork(2, role=Role.ACTIVITY)).release()
    assert spool_recovery.supervisors_files(str(tmp_path)) == []


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    """As after a run as root: the start goes on."""
    (tmp_path / ".supervisor-1-ab.task").mkdir()
    assert found(tmp_path) == ()
    assert spool_recovery.SpoolWatch(str(tmp_path), SHOP, "").scan(0.0) == ()


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"[]\nx\n", b"{}\nx\n", b"x" * 10])
def test_another_file_holds_no_lists(content: bytes, tmp_path: Path) -> None:
    """A half written or foreign file is left alone."""
    (tmp_path / ".supervisor-1-ab.task").write_bytes(content)
    assert found(tmp_path) == ()


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    """They could make deciders poll any list."""
    kill(noted(tmp_path, fork(2)))
    tmp_path.chmod(0o777)
    assert found(tmp_path) == ()
