"""The changes of the pool's page: the key, and the requests that go to the supervisor."""

from __future__ import annotations

import socket
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc.control_client import CommandFailed
from supervisor.ipc.messages import control_protocol
from supervisor.ipc.messages.control_protocol import (
    DoneReply,
    DrainRequest,
    InvalidRequest,
    LogsRequest,
    MetricsRequest,
    QuietRequest,
    RecycleRequest,
    RefusedReply,
    RestartRequest,
    ResumeRequest,
    ScaleRequest,
    StacksRequest,
    StatusRequest,
    StopRequest,
)
from supervisor.sidecars.monitor.pool_actions import PoolActions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.ipc.messages.control_protocol import Reply, Request


class ScriptedSupervisor:
    """Replies to each connection's request.

    Args:
        path: Of its control socket.
    """

    def __init__(self, path: Path) -> None:
        self.asked: list[Request] = []
        self.reply: Reply = DoneReply(text="It has begun.")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as lines:
                if not (line := lines.readline()):
                    return
                self.asked.append(control_protocol.parse_request(line))
                connection.sendall(control_protocol.encode_line(self.reply))

    def close(self) -> None:
        """End the thread: an empty connection is the last."""
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self._listener.getsockname())
        self._thread.join(30)
        self._listener.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[ScriptedSupervisor]:
    """A supervisor with a control socket."""
    made = ScriptedSupervisor(tmp_path / "control.sock")
    yield made
    made.close()


def actions_of(folder: Path) -> PoolActions:
    """The changes of the supervisor in this folder."""
    return PoolActions(str(folder / "control.sock"))


def test_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    """It is another one at each start, and gone at the end."""
    keys = set()
    for _ in range(2):
        actions = actions_of(tmp_path)
        actions.publish_key()
        assert stat.S_IMODE(actions.key_file.stat().st_mode) == 0o600
        key = actions.key_file.read_text(encoding="ascii").strip()
        assert actions.takes(key)
        assert not actions.takes(key[:-1])
        keys.add(key)
    assert len(keys) == 2
    assert len(min(keys)) >= 43, "256 bits"
    actions.withdraw_key()
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A link that another user has put there is replaced, and its target stays."""
    target = tmp_path / "target"
    target.write_text("before")
    actions = actions_of(tmp_path)
    actions.key_file.symlink_to(target)
    actions.publish_key()
    assert target.read_text() == "before"
    assert not actions.key_file.is_symlink()


@pytest.mark.parametrize(
    "request_",
    [
        ScaleRequest(list="make", by=-1),
        QuietRequest(list="make"),
        ResumeRequest(list="make"),
        RecycleRequest(pid=4711),
        RestartRequest(),
        DrainRequest(),
    ],
)
def test_a_change_goes_to_the_supervisor(
    supervisor: ScriptedSupervisor, tmp_path: Path, request_: Request
) -> None:
    """As a command's request, and its sentence comes back."""
    done = actions_of(tmp_path).carry_out(control_protocol.encode_line(request_))
    assert done == "It has begun."
    assert supervisor.asked == [request_]


@pytest.mark.parametrize(
    "body",
    [
        *(
            control_protocol.encode_line(each)
            for each in (
                StopRequest(),
                StatusRequest(),
                MetricsRequest(),
                LogsRequest(follow=True),
                StacksRequest(pid=1),
            )
        ),
        b"",
        b"[]",
        b'{"v": 1, "request": "restart", "more": 1}',
        b'{"v": 1, "request": "scale", "list": "make", "size": 1, "by": 1}',
        b'{"v": 2, "request": "restart"}',
        b"\xff",
    ],
)
def test_no_other_request_goes_to_it(
    supervisor: ScriptedSupervisor, tmp_path: Path, body: bytes
) -> None:
    """Neither a stop, nor a look, nor what is not of the protocol."""
    with pytest.raises(InvalidRequest):
        actions_of(tmp_path).carry_out(body)
    assert supervisor.asked == []


def test_a_refusal_is_passed_on(supervisor: ScriptedSupervisor, tmp_path: Path) -> None:
    """With the supervisor's own sentence."""
    supervisor.reply = RefusedReply(why="shop has no list 'make'.")
    with pytest.raises(CommandFailed, match="shop has no list 'make'"):
        actions_of(tmp_path).carry_out(control_protocol.encode_line(QuietRequest(list="make")))
