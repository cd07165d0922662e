"""The control socket with real clients: who may connect, what is bounded, who is dropped."""

from __future__ import annotations

import os
import resource
import select
import socket
import stat
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from supervisor import control, whereabouts
from supervisor.messages import asks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = asks.AskStatus()
MUCH = asks.Done(text="x" * 60_000)


class Server:
    """A control socket in a loop of its own, which turns when it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.poll = select.poll()
        self.control = control.Control(control.listen(path), self.poll)
        self.asked: list[control.Asked] = []

    def turn(self) -> list[control.Asked]:
        """Everything that is ready, once; returns what was asked for."""
        asked = [each for ready in self.poll.poll(0) for each in self.control.hear(*ready)]
        self.asked += asked
        return asked

    def turns(self) -> list[control.Asked]:
        """Turn until nothing is ready."""
        self.asked = []
        for _ in range(1000):
            if not self.poll.poll(0):
                return self.asked
            self.turn()
        raise AssertionError("the loop spins")

    def client(self) -> socket.socket:
        """Somebody who connects."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(10)
        client.connect(os.fspath(self.path))
        return client

    def answer_all(self, line: asks.Answer) -> None:
        """Say the same to everybody who has asked."""
        for client, _ in self.turns():
            self.control.say(client, line)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that listens."""
    server = Server(tmp_path / "control.sock")
    yield server
    server.control.close()


def answers(client: socket.socket) -> list[asks.Answer]:
    """What a client is told up to the end."""
    data = b""
    try:
        while more := client.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return [asks.heard(line) for line in data.splitlines()]


def first(client: socket.socket) -> asks.Answer:
    """The first line that a client is told."""
    with client.makefile("rb") as lines:
        return asks.heard(lines.readline())


# --- who may, and where ---------------------------------------------------------------------------


def test_only_its_owner_may_open_the_socket(server: Server) -> None:
    """Mode 0600, whatever the umask of the program; the socket is gone at the end."""
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    server.control.close()
    assert not server.path.exists()
    server.control = control.Control(None, server.poll)


def test_the_umask_is_as_it_was(tmp_path: Path) -> None:
    """What the program writes later has the mode that it would have had."""
    before = os.umask(0o027)
    try:
        control.listen(tmp_path / "control.sock").close()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_strangers_are_turned_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is neither the supervisor's user nor root is told so, and not heard."""
    monkeypatch.setattr(control, "_user_of", lambda _: 12345)
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS))
        assert server.turns() == []
        (answer,) = answers(client)
    assert answer == asks.Refused(why="Only the supervisor's own user and root may ask.")


def test_the_kernel_says_who_has_come(server: Server) -> None:
    """The user of the process at the other end."""
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS))
        ((known, asked),) = server.turns()
        assert known.user == os.geteuid()
        assert asked == STATUS


def test_a_living_supervisors_socket_is_not_taken(server: Server) -> None:
    """The second is told what to do, and the first is still heard."""
    with pytest.raises(control.Taken, match="Another supervisor listens at"):
        control.listen(server.path)
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS))
        assert len(server.turns()) == 1


def test_what_a_dead_supervisor_left_is_replaced(tmp_path: Path) -> None:
    """Its socket is still there, its lock is not held any more."""
    path = tmp_path / "control.sock"
    left = control.listen(path)
    left.socket.close()
    os.close(left.lock)
    assert path.exists()
    control.listen(path).close()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """A path that was mistyped costs nobody a file."""
    path = tmp_path / "precious"
    path.write_text("precious")
    with pytest.raises(control.CannotListen, match="is no socket"):
        control.listen(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "why"), [("x" * 120, "longer than 107 bytes"), ("no/such/folder", "No such file")]
)
def test_a_bad_place_is_a_sentence(tmp_path: Path, name: str, why: str) -> None:
    """It names the path and what is wrong with it."""
    with pytest.raises(control.CannotListen, match=why) as raised:
        control.listen(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_a_place_that_nobody_chose_is_no_reason_not_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the usual place is taken, a warning says that no command reaches this supervisor."""
    monkeypatch.setattr(whereabouts, "_ROOT", -1)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first = control.listen_for("mine", None)
    assert first
    assert first.path == tmp_path / "garcon-mine.sock"
    assert control.listen_for("mine", None) is None
    assert "No command reaches this supervisor." in caplog.text
    with pytest.raises(control.Taken):
        control.listen_for("mine", str(first.path))
    first.close()


def test_the_usual_place_is_named_after_the_flow() -> None:
    """In /run for root, for others in the folder that is theirs alone; else there is none."""
    for flow, user, environ, there in [
        ("shop", 0, {}, "/run/garcon-shop.sock"),
        ("examples.coffee:Order", 0, {}, "/run/garcon-examples.coffee-Order.sock"),
        ("shop", 1000, {"XDG_RUNTIME_DIR": "/run/user/1000"}, "/run/user/1000/garcon-shop.sock"),
        ("shop", 1000, {}, "None"),
    ]:
        assert str(whereabouts.socket_of(flow, None, environ, user)) == there
    assert whereabouts.socket_of("shop", "none", {}, 0) is None
    assert str(whereabouts.socket_of("shop", "/a/b", {}, 0)) == "/a/b"


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "That is no request"),
        (b"[1]", "That is no request"),
        (b"{}", "That is no request"),
        (b'{"v": 1}', "That is no request"),
        (b'{"v": 1, "ask": "dance"}', "dance"),
        (b'{"v": 1, "ask": "scale"}', "list"),
        (b'{"v": 1, "ask": "status", "lost": 2}', "lost"),
        (b'{"v": 2, "ask": "status", "new": 1}', "speaks version 1 of the control protocol, not 2"),
        (b"\xff\xfe", "That is no request"),
        (b"[" * 4000, "That is no request"),
    ],
)
def test_nonsense_is_answered_with_a_sentence(server: Server, line: bytes, why: str) -> None:
    """It says what was not understood, and the client may try again."""
    with closing(server.client()) as client:
        client.sendall(line + b"\n")
        ((known, refused),) = server.turns()
        assert isinstance(refused, asks.Refused)
        assert why in refused.why
        server.control.say(known, refused)
        assert first(client) == refused
        client.sendall(asks.as_line(STATUS))
        assert [each for _, each in server.turns()] == [STATUS]


def test_a_line_may_come_in_pieces(server: Server) -> None:
    """And several at once: each is answered in its turn."""
    with closing(server.client()) as client:
        line = asks.as_line(asks.AskQuiet(list="resize"))
        client.sendall(line[:5])
        assert server.turns() == []
        client.sendall(line[5:] + line + line[:3])
        assert [each for _, each in server.turns()] == [asks.AskQuiet(list="resize")] * 2


def test_one_line_of_one_client_is_heard_in_a_turn(server: Server) -> None:
    """Who asks much does not keep the loop from its work."""
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS) * 50)
        server.turn()
        assert [len(server.turn()) for _ in range(50)] == [1] * 50


def test_a_line_without_an_end_is_refused(server: Server) -> None:
    """After so many bytes nobody waits for its newline; the client is answered and dropped."""
    with closing(server.client()) as client:
        client.sendall(b"x" * (control.LINE_BYTES + 1))
        server.answer_all(asks.Refused(why="too long"))
        (answer,) = answers(client)
        assert answer == asks.Refused(why="too long")


def test_who_has_said_its_last_word_is_still_answered(server: Server) -> None:
    """``echo ... | nc -U``: the writing half is closed before the answer is there."""
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS))
        client.shutdown(socket.SHUT_WR)
        server.turn()
        ((known, _),) = server.turn()
        server.control.say(known, MUCH)
        server.turns()
        assert answers(client) == [MUCH]


def test_what_somebody_asked_who_is_gone_is_still_asked(server: Server) -> None:
    """A request is not taken back by leaving; nobody is there for the answer."""
    client = server.client()
    client.sendall(asks.as_line(STATUS))
    client.close()
    server.answer_all(MUCH)
    assert server.turns() == []


# --- slow and dead clients ------------------------------------------------------------------------


def test_a_client_that_does_not_read_is_not_waited_for(server: Server) -> None:
    """What it does not read waits, and it is not heard; others are served meanwhile."""
    with closing(server.client()) as slow, closing(server.client()) as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(asks.as_line(STATUS) * 20)
        for _ in range(10):
            server.answer_all(MUCH)
        quick.sendall(asks.as_line(STATUS))
        server.answer_all(asks.Done())
        assert first(quick) == asks.Done()
        assert server.turns() == []


def test_a_follower_that_does_not_read_is_dropped(server: Server) -> None:
    """When more waits for it than may; the loop never blocks and never spins."""
    with closing(server.client()) as slow:
        slow.sendall(asks.as_line(asks.AskLogs(follow=True)))
        ((known, _),) = server.turns()
        known.follows = True
        note = asks.Told(time=0.0, level="info", event="e", text="x" * 60_000)
        for _ in range(40):
            server.control.tell(note)
        assert server.turns() == []
        assert known.socket.fileno() == -1
        heard = slow.makefile("rb").read()
        assert len(heard) < 40 * 60_000


def test_a_follower_that_is_gone_is_forgotten(server: Server) -> None:
    """Without a note to notice it by."""
    client = server.client()
    client.sendall(asks.as_line(asks.AskLogs(follow=True)))
    ((known, _),) = server.turns()
    known.follows = True
    client.close()
    server.turns()
    assert known.socket.fileno() == -1


def test_a_follower_may_close_its_writing_half(server: Server) -> None:
    """It goes on hearing notes, and is forgotten when it is gone."""
    client = server.client()
    client.sendall(asks.as_line(asks.AskLogs(follow=True)))
    client.shutdown(socket.SHUT_WR)
    server.turn()
    ((known, _),) = server.turn()
    known.follows = True
    server.turns()
    note = asks.Told(time=0.0, level="info", event="e", text="t")
    server.control.tell(note)
    assert first(client) == note
    client.close()
    server.turns()
    assert known.socket.fileno() == -1


def test_an_idle_client_makes_room_for_a_new_one(server: Server) -> None:
    """Connections that say nothing cannot keep others out."""
    idle = [server.client() for _ in range(control.CLIENTS)]
    server.turns()
    with closing(server.client()) as new:
        new.sendall(asks.as_line(STATUS))
        server.answer_all(asks.Done())
        assert first(new) == asks.Done()
    assert answers(idle[0]) == []
    for each in idle:
        each.close()


def test_followers_do_not_make_room(server: Server) -> None:
    """Where all who are there follow, a new one is told so."""
    following = [server.client() for _ in range(control.CLIENTS)]
    for each in following:
        each.sendall(asks.as_line(asks.AskLogs(follow=True)))
    for known, _ in server.turns():
        known.follows = True
    with closing(server.client()) as new:
        server.turns()
        (answer,) = answers(new)
        assert isinstance(answer, asks.Refused)
        assert "others follow the log" in answer.why
    for each in following:
        each.close()


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Whoever opens something now is refused by the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)  # the lowest: all below it are taken
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_comes_when_no_descriptor_is_left_is_turned_away(server: Server) -> None:
    """With a sentence, each of them: left at the door they would wake the loop without end."""
    for _ in range(3):
        with closing(server.client()) as client:
            with no_descriptor_left():
                server.turn()
                still_there = server.poll.poll(0)
            assert still_there == []
            (answer,) = answers(client)
            assert isinstance(answer, asks.Refused)
            assert "no descriptor left: raise LimitNOFILE=" in answer.why
    with closing(server.client()) as client:
        client.sendall(asks.as_line(STATUS))
        server.answer_all(asks.Done())
        assert first(client) == asks.Done()
