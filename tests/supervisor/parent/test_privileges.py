"""``--user``: root is given up for good, and only root can become another user."""

from __future__ import annotations

import os
import pwd
import sys
from typing import TYPE_CHECKING

import pytest

from supervisor.config.settings import SettingsError
from supervisor.parent import control_listener, privileges

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")


def in_a_child(do: Callable[[], object]) -> str:
    """The effects on a process of its own, which may give root up."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            text = repr(do())
        except Exception as error:  # noqa: BLE001 - the test reads it
            text = str(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        told = file.read()
    os.waitpid(child, 0)
    return told


@needs_root
def test_root_is_given_up_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User, group and groups are the user's, nothing brings root back, and the paths are theirs."""
    monkeypatch.setattr(sys, "executable", "/bin/sh")  # this interpreter may be in root's home
    account = pwd.getpwnam("nobody")
    listener = control_listener.listen(tmp_path / "control.sock")
    spool = tmp_path / "spool"

    def become() -> object:
        privileges.become("nobody", str(spool), listener)
        with pytest.raises(PermissionError):
            os.setuid(0)
        return os.getresuid(), os.getresgid(), 0 in os.getgroups(), os.environ["USER"]

    uid, gid = account.pw_uid, account.pw_gid
    assert in_a_child(become) == repr(((uid,) * 3, (gid,) * 3, False, "nobody"))
    assert {listener.path.stat().st_uid, spool.stat().st_uid} == {uid}
    listener.close()


@needs_root
def test_a_folder_that_is_open_to_others_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder such as /var that was given by mistake stays root's."""
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o755)
    assert in_a_child(lambda: privileges.become("nobody", str(spool), None)) == "None"
    assert spool.stat().st_uid == 0


@needs_root
def test_a_user_who_may_not_run_python_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker would fail to start."""
    tmp_path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    told = in_a_child(lambda: privileges.become("nobody", None, None))
    assert f"this user may not run {tmp_path / 'python'}" in told


def test_a_user_who_is_not_there_is_refused() -> None:
    """The sentence names the user."""
    with pytest.raises(SettingsError, match="no-such-user: this host has no such user"):
        privileges.become("no-such-user", None, None)


def test_only_root_can_become_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says how to start instead."""
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(SettingsError, match="only root can become another user"):
        privileges.become("nobody", None, None)


def test_the_user_who_starts_it_may_be_named() -> None:
    """Nothing changes."""
    before = os.getresuid()
    privileges.become(pwd.getpwuid(os.geteuid()).pw_name, None, None)
    assert os.getresuid() == before
