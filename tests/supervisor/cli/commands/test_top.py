"""``top``: what each key shows, and the end."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from argparse import Namespace

import pytest

from supervisor.cli.commands import status, top
from supervisor.ipc.control_client import CommandFailed
from tests.processes.harness import environment
from tests.supervisor.cli.commands.test_status import STATUS

ANY = Namespace(interval=1.0)


@pytest.mark.parametrize(
    ("view", "shown", "hidden"),
    [
        ("a", ("task list", "stage", "album_resize-1 of album-17"), ()),
        ("l", ("task list",), ("stage",)),
        ("w", ("stage",), ("task list",)),
        ("t", ("timeout", "album_resize-1"), ("task list", "stage")),
    ],
)
def test_a_key_chooses_the_view(
    monkeypatch: pytest.MonkeyPatch, view: str, shown: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    """Each view has its own tables, and the keys below them."""
    monkeypatch.setattr(status, "fetch", lambda _given: STATUS)
    text = top.screen(ANY, view, 40)
    assert [each for each in shown if each not in text] == []
    assert [each for each in hidden if each in text] == []
    assert text.endswith("q quit")


def test_a_screen_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines beyond the terminal's height are counted, not printed."""
    monkeypatch.setattr(status, "fetch", lambda _given: STATUS)
    lines = top.screen(ANY, "a", 10).splitlines()
    assert len(lines) == 10
    assert "more lines" in lines[-3]


def test_a_supervisor_that_has_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen has the sentence, and the next look may find another one."""

    def fail(_given: Namespace) -> None:
        raise CommandFailed("No supervisor answers at /run/x.sock: Connection refused.")

    monkeypatch.setattr(status, "fetch", fail)
    assert "No supervisor answers" in top.screen(ANY, "a", 40)


def test_without_a_terminal_another_command_is_named() -> None:
    """A program gets a sentence and exit code 1, not control sequences."""
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", "top", "--control", "/nowhere/x.sock"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env=environment(),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "status --json" in done.stderr


def test_without_a_supervisor_the_terminal_stays_as_it_is() -> None:
    """The sentence is printed, and no other screen was opened."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "supervisor", "top", "--control", "/nowhere/x.sock"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=40,
            check=False,
            env=environment(),
        )
        os.write(theirs, b"end")
        os.close(theirs)
        assert terminal.read(999) == b"end"
    assert done.returncode == 2
    assert "No supervisor answers" in done.stderr
