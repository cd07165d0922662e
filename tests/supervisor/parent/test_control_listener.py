"""The listening control socket: its path, its mode, its lock."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import socket_path
from supervisor.parent import control_listener

if TYPE_CHECKING:
    from pathlib import Path


def test_the_socket_is_its_owners_alone_and_removed_at_the_end(tmp_path: Path) -> None:
    """Mode 0600 under any umask."""
    before = os.umask(0)
    try:
        listener = control_listener.listen(tmp_path / "control.sock")
    finally:
        os.umask(before)
    assert stat.S_IMODE(listener.path.stat().st_mode) == 0o600
    listener.close()
    assert not listener.path.exists()


def test_the_umask_is_restored(tmp_path: Path) -> None:
    """Files that the program writes later have the mode that they would have had."""
    before = os.umask(0o027)
    try:
        control_listener.listen(tmp_path / "control.sock").close()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_living_supervisors_socket_is_not_taken(tmp_path: Path) -> None:
    """The second supervisor gets an error that says what to do; the first still listens."""
    first = control_listener.listen(tmp_path / "control.sock")
    with pytest.raises(control_listener.Taken, match="Another supervisor listens at"):
        control_listener.listen(first.path)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        client.connect(os.fspath(first.path))
        first.socket.accept()[0].close()
    first.close()


def test_a_dead_supervisors_socket_is_replaced(tmp_path: Path) -> None:
    """Its path exists, but its lock is free."""
    path = tmp_path / "control.sock"
    dead = control_listener.listen(path)
    dead.socket.close()
    os.close(dead.lock)
    assert path.exists()
    control_listener.listen(path).close()


def test_a_file_that_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    """A mistyped path must not delete a file."""
    path = tmp_path / "precious"
    path.write_text("precious")
    with pytest.raises(control_listener.CannotListen, match="is not a socket"):
        control_listener.listen(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "why"), [("x" * 120, "longer than 107 bytes"), ("no/such/folder", "No such file")]
)
def test_an_impossible_path_is_an_error_that_names_it(tmp_path: Path, name: str, why: str) -> None:
    """The text has the path and the cause."""
    with pytest.raises(control_listener.CannotListen, match=why) as raised:
        control_listener.listen(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_a_taken_default_path_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A taken path that was given is an error."""
    monkeypatch.setattr(socket_path, "_ROOT", -1)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first = control_listener.listen_for("mine", None)
    assert first
    assert first.path == tmp_path / "garcon-mine.sock"
    assert control_listener.listen_for("mine", None) is None
    assert "No command reaches this supervisor." in caplog.text
    with pytest.raises(control_listener.Taken):
        control_listener.listen_for("mine", str(first.path))
    first.close()


def test_the_default_path_is_named_after_the_flow() -> None:
    """In /run for root, in the user's own runtime folder for others, else in a private one."""
    for flow, user, environ, path in [
        ("shop", 0, {}, "/run/garcon-shop.sock"),
        ("examples.coffee:Order", 0, {}, "/run/garcon-examples.coffee-Order.sock"),
        ("shop", 1000, {"XDG_RUNTIME_DIR": "/run/user/1000"}, "/run/user/1000/garcon-shop.sock"),
        ("shop", 1000, {}, "/tmp/garcon-1000/garcon-shop.sock"),  # noqa: S108 - a text,
    ]:
        assert str(socket_path.socket_of(flow, None, environ, user)) == path
    assert socket_path.socket_of("shop", "none", {}, 0) is None
    assert str(socket_path.socket_of("shop", "/a/b", {}, 0)) == "/a/b"


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /tmp, for a user without a runtime folder."""
    monkeypatch.setattr(socket_path, "_ROOT", -1)
    monkeypatch.setattr(socket_path, "SHARED", tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return socket_path.fallback(os.geteuid())


def test_without_a_runtime_folder_the_socket_is_in_a_private_one(shared: Path) -> None:
    """It is made with mode 0700, and used again by the next supervisor."""
    for _ in range(2):
        listener = control_listener.listen_for("mine", None)
        assert listener
        assert listener.path == shared / "garcon-mine.sock"
        assert stat.S_IMODE(shared.stat().st_mode) == 0o700
        listener.close()


@pytest.mark.parametrize("how", ["open", "link", "file"])
def test_a_folder_that_another_user_may_have_made_is_not_used(
    shared: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder open to others, a link or a file there: no socket, and a warning that says why."""
    if how == "open":
        shared.mkdir(mode=0o755)
    elif how == "link":
        (shared.parent / "elsewhere").mkdir(mode=0o700)
        shared.symlink_to(shared.parent / "elsewhere")
    else:
        shared.touch(mode=0o600)
    assert control_listener.listen_for("mine", None) is None
    assert "is not a private folder of this user" in caplog.text
