"""Which supervisor a command speaks to, where nobody says it, and how it hears a refusal."""

from __future__ import annotations

import contextlib
import socket
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from supervisor import whereabouts
from supervisor.commands.asking import NOT_DONE, Failed, Supervisor, connect
from supervisor.messages import asks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANY = Namespace(flow=None, control=None)
"""Said by neither option."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sockets are that are not named."""
    monkeypatch.setattr(whereabouts, "folder", lambda *_: tmp_path)
    for each in ("GARCON_FLOW", "GARCON_CONTROL"):
        monkeypatch.delenv(each, raising=False)
    return tmp_path


@contextlib.contextmanager
def listening(path: Path) -> Iterator[None]:
    """A supervisor's ear; its socket stays when it is gone."""
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(path))
        ear.listen()
        yield


def test_the_only_one_is_meant(folder: Path) -> None:
    """Whatever supervisors that were killed have left beside it."""
    with listening(folder / "garcon-dead.sock"):
        pass
    with listening(folder / "garcon-shop.sock"), connect(ANY):
        pass


def test_of_two_one_must_be_named(folder: Path) -> None:
    """They are told."""
    with (
        listening(folder / "garcon-shop.sock"),
        listening(folder / "garcon-album.sock"),
        pytest.raises(Failed, match=r"There are several: .*garcon-album.sock, .*garcon-shop.sock"),
    ):
        connect(ANY)


def test_nobody_is_where_they_usually_are(folder: Path) -> None:
    """A socket that was left behind is nobody."""
    with listening(folder / "garcon-dead.sock"):
        pass
    with pytest.raises(Failed, match="None is where they usually are"):
        connect(ANY)


# --- turned away ----------------------------------------------------------------------------------


@pytest.mark.parametrize("quicker", ["supervisor", "client"])
def test_a_refusal_at_the_door_is_heard(tmp_path: Path, quicker: str) -> None:
    """Whether the supervisor closed before the request was said, or with the request unread."""
    with closing(socket.socket(socket.AF_UNIX)) as ear:
        ear.bind(str(tmp_path / "control.sock"))
        ear.listen()
        with Supervisor(tmp_path / "control.sock") as supervisor:
            if quicker == "client":
                supervisor.ask(asks.AskStatus())
            with closing(ear.accept()[0]) as accepted:
                accepted.send(asks.as_line(asks.Refused(why="No room.")))
            if quicker == "supervisor":
                supervisor.ask(asks.AskStatus())
            with pytest.raises(Failed, match="No room") as refused:
                supervisor.answer()
    assert refused.value.code == NOT_DONE


def test_who_is_turned_away_without_a_word_is_told_that_it_was_not_answered(
    tmp_path: Path,
) -> None:
    """There was somebody, and no answer."""
    with closing(socket.socket(socket.AF_UNIX)) as ear:
        ear.bind(str(tmp_path / "control.sock"))
        ear.listen()
        with Supervisor(tmp_path / "control.sock") as supervisor:
            ear.accept()[0].close()
            with pytest.raises(Failed, match="ended before it had answered"):
                supervisor.done(asks.AskStatus())
