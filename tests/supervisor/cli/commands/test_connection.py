"""A command finds its supervisor without options, and reads a refusal."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from supervisor.cli.commands.connection import connect, connect_to_change
from supervisor.ipc import control_client, socket_path
from supervisor.ipc.control_client import NO_SUPERVISOR, NOT_DONE, CommandFailed, Connection
from supervisor.ipc.messages import control_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANY = Namespace(flow=None, control=None)
"""A command without options."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder of control sockets."""
    monkeypatch.setattr(socket_path, "folder", lambda *_: tmp_path)
    for each in ("GARCON_FLOW", "GARCON_CONTROL"):
        monkeypatch.delenv(each, raising=False)
    return tmp_path


@contextlib.contextmanager
def listening(path: Path) -> Iterator[None]:
    """A supervisor that listens; its socket stays when it is gone."""
    with socket.socket(socket.AF_UNIX) as inbox:
        inbox.bind(str(path))
        inbox.listen()
        yield


def test_the_only_supervisor_is_chosen(folder: Path) -> None:
    """Sockets that killed supervisors have left behind do not count."""
    with listening(folder / "garcon-dead.sock"):
        pass
    with listening(folder / "garcon-shop.sock"), connect(ANY):
        pass


def test_of_two_supervisors_one_must_be_named(folder: Path) -> None:
    """The error lists their sockets and the options."""
    with (
        listening(folder / "garcon-shop.sock"),
        listening(folder / "garcon-album.sock"),
        pytest.raises(CommandFailed, match=r"running: .*garcon-album.sock, .*garcon-shop.sock"),
    ):
        connect(ANY)


def test_no_supervisor_is_an_error_with_the_folder(folder: Path) -> None:
    """A socket that was left behind does not count as a supervisor."""
    with listening(folder / "garcon-dead.sock"):
        pass
    with pytest.raises(CommandFailed, match=f"No supervisor has a control socket in {folder}"):
        connect(ANY)


@pytest.mark.parametrize(
    ("answer", "terminal", "why"),
    [
        ("y\n", True, None),
        ("\n", True, "Not confirmed"),
        ("", True, "Not confirmed"),
        ("y\n", False, "'stop' needs a named target: give --flow or --control"),
    ],
)
def test_a_change_of_an_unnamed_supervisor_is_confirmed_on_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, why: str | None, *, terminal: bool
) -> None:
    """Without a terminal, or without a yes, nothing is sent; the question names the socket."""
    stdin, stderr = io.StringIO(answer), io.StringIO()
    for name, stream in (("stdin", stdin), ("stderr", stderr)):
        monkeypatch.setattr(stream, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, name, stream)
    refused = pytest.raises(CommandFailed, match=why) if why else contextlib.nullcontext()
    with listening(folder / "garcon-shop.sock"), refused:
        connect_to_change(Namespace(flow=None, control=None, command="stop")).__exit__()
    asked = f"stop: the supervisor at {folder / 'garcon-shop.sock'}? [y/N] "
    assert stderr.getvalue() == (asked if terminal else "")


def test_a_folder_that_another_user_may_have_made_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command sends nothing to a socket in it."""
    monkeypatch.setattr(socket_path, "SHARED", tmp_path)
    open_folder = socket_path.fallback(os.geteuid())
    open_folder.mkdir(mode=0o755)
    monkeypatch.setattr(socket_path, "folder", lambda *_: open_folder)
    for flow in (None, "shop"):
        with pytest.raises(CommandFailed, match="is not a private folder"):
            connect(Namespace(flow=flow, control=None))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("quicker", ["supervisor", "client"])
def test_a_refusal_of_the_connection_is_read(tmp_path: Path, quicker: str) -> None:
    """It is read if the supervisor closed before the request was sent, and if after it."""
    with closing(socket.socket(socket.AF_UNIX)) as inbox:
        inbox.bind(str(tmp_path / "control.sock"))
        inbox.listen()
        with Connection(tmp_path / "control.sock") as connection:
            if quicker == "client":
                connection.send(control_protocol.StatusRequest())
            with closing(inbox.accept()[0]) as accepted:
                accepted.send(
                    control_protocol.encode_line(control_protocol.RefusedReply(why="No room."))
                )
            if quicker == "supervisor":
                connection.send(control_protocol.StatusRequest())
            with pytest.raises(CommandFailed, match="No room") as refused:
                connection.receive()
    assert refused.value.code == NOT_DONE


def test_a_closed_connection_without_a_reply_is_an_error(tmp_path: Path) -> None:
    """The message does not claim that no supervisor is there."""
    with closing(socket.socket(socket.AF_UNIX)) as inbox:
        inbox.bind(str(tmp_path / "control.sock"))
        inbox.listen()
        with Connection(tmp_path / "control.sock") as connection:
            inbox.accept()[0].close()
            with pytest.raises(CommandFailed, match="closed the connection without a reply"):
                connection.call(control_protocol.StatusRequest())


def test_a_stranger_that_sends_without_end_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path that was named may be that of another program: its line is bounded, and refused."""
    monkeypatch.setattr(control_client, "LONGEST_REPLY", 1_000)
    with closing(socket.socket(socket.AF_UNIX)) as inbox:
        inbox.bind(str(tmp_path / "control.sock"))
        inbox.listen()
        with (
            Connection(tmp_path / "control.sock") as connection,
            closing(inbox.accept()[0]) as accepted,
        ):
            accepted.send(b"x" * 2_000)
            with pytest.raises(CommandFailed, match="Not a valid reply of a supervisor"):
                connection.receive()


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """It is what a shell passes on for bytes that are not UTF-8, and names no task list."""
    path = tmp_path / "control.sock"
    refusal = pytest.raises(CommandFailed, match="is UTF-8 text")
    with listening(path), Connection(path) as connection, refusal as refused:
        connection.call(control_protocol.QuietRequest("\udcff"))
    assert refused.value.code == NO_SUPERVISOR
