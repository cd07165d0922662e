"""The end of a forked process in the zygote's code."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from supervisor import __version__
from supervisor.child import launch, zygote
from supervisor.child.flow_loader import CannotServe
from supervisor.ipc import channel, crash_record, messages

if TYPE_CHECKING:
    from collections.abc import Callable

CAME_BACK = 99
"""Exit code of a worker that returned into the code that forked it."""

LIMIT = 20.0
"""Seconds after which a wait has failed."""


def forked(body: Callable[[], int]) -> tuple[int, channel.Channel]:
    """A worker with this body, in a group of its own, and the supervisor's end of its channel.

    Its output has no reader.
    """
    reader, unread = os.pipe()
    os.close(reader)
    ours, theirs = channel.pair()
    child = os.fork()
    if child == 0:
        ours.close()
        os.setpgid(0, 0)
        os.dup2(unread, 1)
        os.dup2(unread, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - for this process's life
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 - same
        launch.run = lambda *_: body()
        nothing: Any = SimpleNamespace()
        try:
            zygote._live(nothing, zygote.ForkRequest(nothing, theirs, crash_record.make()))
        finally:
            os._exit(CAME_BACK)
    os.close(unread)
    theirs.close()
    return child, ours


def exit_code(child: int) -> int:
    """The exit code of a child that has ended or is about to."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("code", [0, 3])
def test_a_worker_whose_log_has_no_reader_keeps_its_exit_code(code: int) -> None:
    """A task's last prints cannot be flushed, and neither can the traceback about it."""

    def prints() -> int:
        print("lost", file=sys.stdout)  # noqa: T201 - as a task does
        return code

    child, ours = forked(prints)
    assert exit_code(child) == code
    ours.close()


def test_a_worker_without_a_supervisor_kills_what_its_task_has_started() -> None:
    """The processes of its group die with it: no other process would kill them."""
    alive, writer = os.pipe()
    wait_for_loss, lose = os.pipe()

    def starts_a_process() -> int:
        os.close(lose)
        if os.fork() == 0:
            signal.pause()
        os.read(wait_for_loss, 1)
        return 0

    child, ours = forked(starts_a_process)
    os.close(writer)
    ours.close()
    os.close(lose)
    assert exit_code(child) == -signal.SIGKILL
    assert select.select([alive], [], [], LIMIT)[0], "a process of the task is alive"
    os.close(alive)
    os.close(wait_for_loss)


def request_workers(zygote_end: channel.Channel, count: int) -> list[channel.Channel]:
    """Request workers 0, 1, …; returns the supervisor's ends of their channels."""
    ends = []
    for number in range(count):
        ours, theirs = channel.pair()
        record = crash_record.make()
        job = messages.Register(types=False)
        zygote_end.send(messages.Fork(number, 1, job), theirs.fileno(), record)
        theirs.close()
        os.close(record)
        ends.append(ours)
    return ends


def close_all(*ends: channel.Channel) -> None:
    """Close these ends of channels."""
    for end in ends:
        end.close()


def wait_for(end: channel.Channel) -> messages.ChannelMessage | None:
    """The next message; ``None`` at the channel's end."""
    assert select.select([end], [], [], LIMIT)[0], "nothing arrives"
    return end.receive()


def serving_zygote(body: Callable[..., int]) -> tuple[int, channel.Channel]:
    """A zygote without a flow that waits for requests, and the supervisor's end of its channel."""
    ours, theirs = channel.pair()
    child = os.fork()
    if child == 0:
        ours.close()
        launch.run = body
        nothing: Any = SimpleNamespace()
        try:
            zygote._serve(nothing, theirs)
            os._exit(0)
        finally:
            os._exit(CAME_BACK)
    theirs.close()
    return child, ours


def announce_and_wait(_: Any, fork: messages.Fork, end: channel.Channel, __: Any) -> int:
    """A worker that announces its pid and lives as long as its channel."""
    end.send(messages.Forked(fork.worker, os.getpid()))
    end.receive()
    return 0


def test_workers_requested_together_have_their_own_channels_only() -> None:
    """The death of one ends its channel, while the others and the zygote live."""
    child, ours = serving_zygote(announce_and_wait)
    ends = request_workers(ours, zygote.MOST_FORKS + 2)
    pids = []
    for number, end in enumerate(ends):
        announced = wait_for(end)
        assert isinstance(announced, messages.Forked)
        assert announced.worker == number
        pids.append(announced.pid)
    assert len({child, *pids}) == len(ends) + 1
    for end, pid in zip(ends, pids, strict=True):
        os.kill(pid, signal.SIGKILL)
        assert wait_for(end) is None
        assert end.closed
    close_all(ours, *ends)
    assert exit_code(child) == 0


def test_one_process_between_forks_the_workers_that_were_requested_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fork costs the copy of the zygote's page tables."""
    forks: list[int] = []

    def fork() -> int:
        forks.append(1)
        return 4711

    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr(os, "waitpid", lambda *_: (0, 0))
    ours, theirs = channel.pair()
    ends = request_workers(ours, 3)
    ours.close()
    zygote._serve(Any, theirs)  # type: ignore[arg-type] # it forks nothing
    assert forks == [1]
    assert [wait_for(end) for end in ends] == [None] * 3
    close_all(theirs, *ends)


def test_workers_that_cannot_be_forked_are_reported_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The supervisor has an entry for each of them."""

    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    ours, theirs = channel.pair()
    ends = request_workers(ours, 2)
    ours.close_sending()
    zygote._serve(Any, theirs)  # type: ignore[arg-type] # it forks nothing
    refused = [messages.ForkFailed(number, "no more processes") for number in range(2)]
    assert [wait_for(ours) for _ in ends] == refused
    assert [wait_for(end) for end in ends] == [None] * 2
    close_all(ours, theirs, *ends)


# --- releases -------------------------------------------------------------------------------------


def load_of(folder: Path | None, version: str = __version__) -> messages.Load:
    """A first message for the release in this folder."""
    swf, style = messages.SwfEndpoint(), messages.LogSettings("info", "text")
    place = None if folder is None else str(folder)
    return messages.Load(1, "shop", None, None, swf, style, folder=place, version=version)


def test_the_flow_is_imported_from_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the place of the working folder on the path, and is the working folder from now on;
    an interpreter with -P has none on its path, and keeps what it has.
    """
    before = str(tmp_path)
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(before)
    monkeypatch.setattr(sys, "path", [before, "/lib"])
    zygote._enter_release(load_of(None))
    assert (Path.cwd(), sys.path) == (tmp_path, [before, "/lib"])
    zygote._enter_release(load_of(tmp_path / "new"))
    assert (Path.cwd(), sys.path) == (tmp_path / "new", [str(tmp_path / "new"), "/lib"])
    monkeypatch.setattr(sys, "path", ["/lib"])
    zygote._enter_release(load_of(tmp_path / "new"))
    assert sys.path == [str(tmp_path / "new"), "/lib"]


def test_a_release_that_cannot_be_served_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is gone, or its environment has another version of this package."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotServe, match="cannot be entered: No such file"):
        zygote._enter_release(load_of(tmp_path / "gone"))
    with pytest.raises(CannotServe, match=f"has garcon {__version__}, and this .* of 1.9"):
        zygote._enter_release(load_of(tmp_path, "1.9"))
