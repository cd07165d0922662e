"""A connection to a supervisor's control socket, from the outside."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Self

from supervisor import whereabouts
from supervisor.messages import asks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 10.0
"""Seconds for an answer: a supervisor answers in milliseconds, and one that is stopped never."""

NOT_DONE, NOBODY = 1, 2
"""Exit codes: the supervisor refused or failed; there is none to be asked."""


class Failed(Exception):
    """It was not done; the message is a sentence, ``code`` the exit code."""

    def __init__(self, why: str, code: int = NOT_DONE) -> None:
        super().__init__(why)
        self.code = code


class Supervisor:
    """One that runs. Raises ``Failed`` if none answers at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE)
        try:
            self._socket.connect(os.fspath(path))
        except OSError as error:
            self._socket.close()
            raise self._silent(error.strerror or str(error)) from error
        self._lines = self._socket.makefile("rb")
        self._overheard: list[asks.Told] = []  # notes that came before an answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, request: asks.Ask) -> None:
        """Ask for something. Raises ``Failed``."""
        try:
            self._socket.sendall(asks.as_line(request))
        except (BrokenPipeError, ConnectionResetError):
            return  # it may have turned us away, and said why before it closed: ``answer`` hears it
        except OSError as error:
            raise self._silent(error.strerror or str(error)) from error

    def answer(self) -> asks.Answer:
        """The next answer. Raises ``Failed`` if there is none, or if it is a refusal."""
        said = self._hear()
        if said is None:
            raise Failed("The supervisor ended before it had answered.")
        if isinstance(said, asks.Refused):
            raise Failed(said.why)
        return said

    def done(self, request: asks.Ask) -> asks.Done:
        """Ask for something that is to be done. Raises ``Failed``."""
        self.ask(request)
        while not isinstance(said := self.answer(), asks.Done):
            if isinstance(said, asks.Told):
                self._overheard.append(said)
        return said

    def follow(self) -> None:
        """Get the notes from now on, too."""
        self.done(asks.AskLogs(follow=True))
        self._overheard.clear()

    def notes(self) -> Iterator[asks.Told]:
        """The notes as they come, until the supervisor's end."""
        yield from self._overheard
        self._socket.settimeout(None)
        while (said := self._hear()) is not None:
            if isinstance(said, asks.Told):
                yield said

    def _hear(self) -> asks.Answer | None:
        try:
            line = self._lines.readline()
        except TimeoutError as error:
            raise self._silent(f"it has not said a word for {PATIENCE:g} s") from error
        except OSError:
            return None
        try:
            return asks.heard(line) if line else None
        except asks.Nonsense as error:
            raise Failed(str(error)) from error

    def _silent(self, why: str) -> Failed:
        return Failed(f"No supervisor answers at {self._path}: {why}.", NOBODY)


def connect(given: argparse.Namespace) -> Supervisor:
    """The supervisor that is meant. Raises ``Failed``."""
    return Supervisor(_path(given))


def _path(given: argparse.Namespace) -> Path:
    flow = given.flow or os.environ.get("GARCON_FLOW")
    control = given.control or os.environ.get("GARCON_CONTROL")
    if not flow and not control:
        return _only_one()
    path = whereabouts.socket_of(flow or "", control, os.environ, os.geteuid())
    if path is None:
        raise Failed("Which control socket? Give --control PATH.", NOBODY)
    return path


def _only_one() -> Path:
    """Where there is but one, it is the one that is meant."""
    folder = whereabouts.folder(os.environ, os.geteuid())
    there = sorted(folder.glob("garcon-*.sock")) if folder else []
    found = [each for each in there if not _is_left_behind(each)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(each) for each in found)
    what = f"There are several: {names}" if found else "None is where they usually are"
    raise Failed(f"Which supervisor? {what}. Give --flow or --control PATH.", NOBODY)


def _is_left_behind(path: Path) -> bool:
    """Whether nobody listens there any more: a supervisor that is killed leaves its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PATIENCE)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False  # somebody may be there; who asks hears why not
    return False
