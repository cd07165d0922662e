"""The outermost edge of the program: errors become exit codes."""

from __future__ import annotations

import os
import sys

import pytest

from supervisor import __main__
from supervisor.__main__ import main
from supervisor.cli import check, commands, sources
from supervisor.parent import privileges


def test_an_internal_error_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is 70, with a traceback: a service manager does not take it for abandoned tasks."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sources, "read", fail)
    assert main(["--check"]) == 70
    assert "Internal error: the supervisor exits." in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_an_error_of_a_command_is_not_one_of_the_supervisor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An engineer who reads it at night does not take the pool for lost."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(commands, "run", fail)
    assert main(["status"]) == 70
    assert "Internal error: this command ends." in caplog.text


def test_an_interrupted_check_or_command_has_no_traceback() -> None:
    """Ctrl-C is an answer, too: exit code 130, as in a shell."""

    def interrupt() -> int:
        raise KeyboardInterrupt

    assert __main__._print_answer(interrupt) == 130


@pytest.mark.parametrize(("uid", "users"), [(0, ["app"]), (1000, [])])
def test_a_check_by_root_imports_the_flow_as_the_user(
    monkeypatch: pytest.MonkeyPatch, uid: int, users: list[str]
) -> None:
    """Root is given up before the import, as at a start; other users check as themselves."""
    become: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(privileges, "become", lambda name, *_: become.append(name))
    monkeypatch.setattr(check, "run", lambda _parsed: 0)
    assert main(["--check", "--flow", "shop", "--user", "app"]) == 0
    assert become == users


def test_a_check_for_a_user_who_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The start would be refused by the same sentence."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert main(["--check", "--flow", "shop", "--user", "no such user"]) == 2
    assert "this host has no such user" in capsys.readouterr().err


def test_the_exit_code_holds_if_the_reader_has_closed_the_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that failed exits with its code, though its error cannot be written."""
    reader, writer = os.pipe()
    os.close(reader)

    def fail() -> int:
        sys.stdout.write("The deploy has failed.\n")
        return 1

    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert __main__._print_answer(fail) == 1
