"""The control socket with real clients: users, lines, bounds."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc.messages import control_protocol
from supervisor.parent import control_listener, control_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = control_protocol.StatusRequest()
MUCH = control_protocol.DoneReply(text="x" * 60_000)


class Server:
    """A control socket in a loop that turns when a test says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.poll = select.poll()
        self.control = control_socket.ControlSocket(control_listener.listen(path), self.poll)
        self.requests: list[control_socket.ClientRequest] = []

    def turn(self) -> list[control_socket.ClientRequest]:
        """Everything that is ready, once; returns the requests."""
        requests = [each for ready in self.poll.poll(0) for each in self.control.receive(*ready)]
        self.requests += requests
        return requests

    def turns(self) -> list[control_socket.ClientRequest]:
        """Turn until nothing is ready."""
        self.requests = []
        for _ in range(1000):
            if not self.poll.poll(0):
                return self.requests
            self.turn()
        raise AssertionError("the loop spins")

    def client(self) -> socket.socket:
        """A client that has connected."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(10)
        client.connect(os.fspath(self.path))
        return client

    def answer_all(self, line: control_protocol.Reply) -> None:
        """Send the same reply to every client with a request."""
        for client, _ in self.turns():
            self.control.send(client, line)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that listens."""
    server = Server(tmp_path / "control.sock")
    yield server
    server.control.close()


def answers(client: socket.socket) -> list[control_protocol.Reply]:
    """The replies that a client gets until the end."""
    data = b""
    try:
        while more := client.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return [control_protocol.parse_reply(line) for line in data.splitlines()]


def first(client: socket.socket) -> control_protocol.Reply:
    """The first reply that a client gets."""
    with client.makefile("rb") as lines:
        return control_protocol.parse_reply(lines.readline())


# --- users ----------------------------------------------------------------------------------------


def test_other_users_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is neither the supervisor's user nor root gets a reason, and is not read."""
    monkeypatch.setattr(control_socket, "_uid_of", lambda _: 12345)
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS))
        assert server.turns() == []
        (answer,) = answers(client)
    assert answer == control_protocol.RefusedReply(
        why="Only the supervisor's own user and root may send requests."
    )


def test_the_uid_comes_from_the_kernel(server: Server) -> None:
    """It is that of the process at the other end."""
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS))
        ((known, request),) = server.turns()
        assert known.uid == os.geteuid()
        assert request == STATUS


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "Not a valid request"),
        (b"[1]", "Not a valid request"),
        (b"{}", "Not a valid request"),
        (b'{"v": 1}', "Not a valid request"),
        (b'{"v": 1, "request": "dance"}', "dance"),
        (b'{"v": 1, "request": "scale"}', "list"),
        (b'{"v": 1, "request": "status", "lost": 2}', "lost"),
        (
            b'{"v": 2, "request": "status", "new": 1}',
            "uses version 1 of the control protocol, not 2",
        ),
        (b"\xff\xfe", "Not a valid request"),
        (b"[" * 4000, "Not a valid request"),
    ],
)
def test_an_invalid_request_is_refused_with_a_reason(server: Server, line: bytes, why: str) -> None:
    """The client may send another request."""
    with closing(server.client()) as client:
        client.sendall(line + b"\n")
        ((known, refused),) = server.turns()
        assert isinstance(refused, control_protocol.RefusedReply)
        assert why in refused.why
        server.control.send(known, refused)
        assert first(client) == refused
        client.sendall(control_protocol.encode_line(STATUS))
        assert [each for _, each in server.turns()] == [STATUS]


def test_a_line_may_come_in_pieces(server: Server) -> None:
    """And several at once: each is answered in its turn."""
    with closing(server.client()) as client:
        line = control_protocol.encode_line(control_protocol.QuietRequest(list="resize"))
        client.sendall(line[:5])
        assert server.turns() == []
        client.sendall(line[5:] + line + line[:3])
        assert [each for _, each in server.turns()] == [
            control_protocol.QuietRequest(list="resize")
        ] * 2


def test_one_line_of_one_client_is_read_in_a_turn(server: Server) -> None:
    """A client with many requests does not keep the loop from its work."""
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS) * 50)
        server.turn()
        assert [len(server.turn()) for _ in range(50)] == [1] * 50


def test_a_line_without_an_end_is_refused(server: Server) -> None:
    """After 4,096 bytes the client is answered and dropped."""
    with closing(server.client()) as client:
        client.sendall(b"x" * (control_socket.LINE_BYTES + 1))
        server.answer_all(control_protocol.RefusedReply(why="too long"))
        (answer,) = answers(client)
        assert answer == control_protocol.RefusedReply(why="too long")


def test_a_client_that_has_closed_its_sending_side_is_answered(server: Server) -> None:
    """As with ``echo ... | nc -U``."""
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS))
        client.shutdown(socket.SHUT_WR)
        server.turn()
        ((known, _),) = server.turn()
        server.control.send(known, MUCH)
        server.turns()
        assert answers(client) == [MUCH]


def test_a_request_of_a_client_that_is_gone_still_counts(server: Server) -> None:
    """Leaving does not take a request back."""
    client = server.client()
    client.sendall(control_protocol.encode_line(STATUS))
    client.close()
    server.answer_all(MUCH)
    assert server.turns() == []


# --- slow and dead clients ------------------------------------------------------------------------


def test_a_client_that_does_not_read_holds_up_no_other(server: Server) -> None:
    """Its replies wait, and no further request of it is read."""
    with closing(server.client()) as slow, closing(server.client()) as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(control_protocol.encode_line(STATUS) * 20)
        for _ in range(10):
            server.answer_all(MUCH)
        quick.sendall(control_protocol.encode_line(STATUS))
        server.answer_all(control_protocol.DoneReply())
        assert first(quick) == control_protocol.DoneReply()
        assert server.turns() == []


def test_no_request_is_read_from_a_client_that_does_not_read(server: Server) -> None:
    """Its next one is read when it has read the reply to the last."""
    long = control_protocol.DoneReply(text="x" * 900_000)
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS) * 2)
        ((known, _),) = server.turn() + server.turn()
        server.control.send(known, long)
        assert server.turns() == []
        client.settimeout(0)
        unread = len(control_protocol.encode_line(long))
        for _ in range(1000):
            if not unread:
                break
            with contextlib.suppress(BlockingIOError):
                unread -= len(client.recv(65536))
            server.turn()
        assert [request for _, request in server.requests] == [STATUS]


def test_a_follower_that_does_not_read_is_dropped(server: Server) -> None:
    """When too much waits for it; the loop neither blocks nor spins."""
    with closing(server.client()) as slow:
        slow.sendall(control_protocol.encode_line(control_protocol.LogsRequest(follow=True)))
        ((known, _),) = server.turns()
        known.follows = True
        note = control_protocol.NoteReply(time=0.0, level="info", event="e", text="x" * 60_000)
        for _ in range(40):
            server.control.send_to_followers(note)
        assert server.turns() == []
        assert known.socket.fileno() == -1
        received = slow.makefile("rb").read()
        assert len(received) < 40 * 60_000


def test_a_follower_that_is_gone_is_dropped(server: Server) -> None:
    """Before any log entry is sent to it."""
    client = server.client()
    client.sendall(control_protocol.encode_line(control_protocol.LogsRequest(follow=True)))
    ((known, _),) = server.turns()
    known.follows = True
    client.close()
    server.turns()
    assert known.socket.fileno() == -1


def test_a_follower_may_close_its_sending_side(server: Server) -> None:
    """It gets further log entries, and is dropped when it is gone."""
    client = server.client()
    client.sendall(control_protocol.encode_line(control_protocol.LogsRequest(follow=True)))
    client.shutdown(socket.SHUT_WR)
    server.turn()
    ((known, _),) = server.turn()
    known.follows = True
    server.turns()
    note = control_protocol.NoteReply(time=0.0, level="info", event="e", text="t")
    server.control.send_to_followers(note)
    assert first(client) == note
    client.close()
    server.turns()
    assert known.socket.fileno() == -1


def test_an_idle_client_makes_room_for_a_new_one(server: Server) -> None:
    """Idle connections cannot keep others out."""
    idle = [server.client() for _ in range(control_socket.CLIENTS)]
    server.turns()
    with closing(server.client()) as new:
        new.sendall(control_protocol.encode_line(STATUS))
        server.answer_all(control_protocol.DoneReply())
        assert first(new) == control_protocol.DoneReply()
    assert answers(idle[0]) == []
    for each in idle:
        each.close()


def test_followers_do_not_make_room(server: Server) -> None:
    """If all clients follow the log, a new one is refused with that reason."""
    following = [server.client() for _ in range(control_socket.CLIENTS)]
    for each in following:
        each.sendall(control_protocol.encode_line(control_protocol.LogsRequest(follow=True)))
    for known, _ in server.turns():
        known.follows = True
    with closing(server.client()) as new:
        server.turns()
        (answer,) = answers(new)
        assert isinstance(answer, control_protocol.RefusedReply)
        assert "others follow the log" in answer.why
    for each in following:
        each.close()


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """The kernel refuses every new descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)  # the lowest: all below it are taken
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_is_refused_when_no_descriptor_is_left(server: Server) -> None:
    """Each one: a connection that is not accepted would wake the loop without end."""
    for _ in range(3):
        with closing(server.client()) as client:
            with no_descriptor_left():
                server.turn()
                still_there = server.poll.poll(0)
            assert still_there == []
            (answer,) = answers(client)
            assert isinstance(answer, control_protocol.RefusedReply)
            assert "no descriptor left: raise LimitNOFILE=" in answer.why
    with closing(server.client()) as client:
        client.sendall(control_protocol.encode_line(STATUS))
        server.answer_all(control_protocol.DoneReply())
        assert first(client) == control_protocol.DoneReply()
