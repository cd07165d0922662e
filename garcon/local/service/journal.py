"""The inputs of an engine in a file, so that a stopped server continues from its state.

The engine is deterministic: the same settings, seed and inputs give the same histories, tokens
and timers. So the file holds inputs, not state, and reading it repeats them on a new engine.

- A file belongs to one version of garcon and one set of settings; others are refused, since the
  inputs would lead to another state. The seed is the file's own.
- A file belongs to one process at a time: SQLite's exclusive lock, which ends with the process.
- A new file is readable by its owner only: it holds the inputs and results of workflows.
- Inputs without an effect are not kept: refused calls, reads, and polls that ended empty. A poll
  keeps its place among the inputs from the moment it was made, and is written when it gets a task
  (or becomes a ghost, which may get one).
- An input is in the file before its answer is sent, so the end of the process loses nothing that a
  client knows of. A crash of the machine may lose the last moments: SQLite does not wait for the
  disk here, which would make each call a hundred times slower.
- An input that cannot be written (the disk is full) ends the service: its answers would be gone
  after a restart.
- A database of another program is left unchanged.
"""

import json
import os
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garcon.errors import GarconError

FORMAT = 1
"""Version of the tables; raise it when their meaning changes."""

OWNER_ONLY = 0o600
"""Mode of a new file."""

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS origin (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (
    place INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, params TEXT NOT NULL
);
"""


class JournalError(GarconError):
    """The file cannot be used; the message has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One input: its time, its operation or event, and its members."""

    place: int
    at: float
    what: str
    params: dict[str, Any]


class Journal:
    """The file.

    Args:
        path: path of the file, which may be new.
        origin: version and settings that the inputs depend on; the same for the file's life.
        seed: source of ids; None takes the file's, or a new one for a new file.

    Attributes:
        seed: the file's.

    Raises:
        JournalError: the file is not a journal, has another origin, or is in use.
    """

    def __init__(self, path: Path, origin: Mapping[str, str], seed: int | None = None) -> None:
        self.path = path
        self._places = 0
        self._pending: list[tuple[int, float, str, str]] = []
        self._file = _connect(path)
        try:
            _prepare(self._file, path)
            self.seed = self._check_origin({"format": str(FORMAT), **origin}, seed)
        except BaseException as error:
            self._file.close()
            if isinstance(error, sqlite3.Error):
                raise _unusable(path, error) from error
            raise

    def _check_origin(self, origin: Mapping[str, str], seed: int | None) -> int:
        written = dict(self._file.execute("SELECT name, value FROM origin"))
        if not written:
            written = {**origin, "seed": str(choose_seed(seed))}
            self._insert("INSERT INTO origin VALUES (?, ?)", written.items())
        present = origin if seed is None else {**origin, "seed": str(seed)}
        for name, value in present.items():
            if written.get(name) != value:
                raise JournalError(
                    f"{self.path} was written with {name} {written.get(name)}, and this is {name} "
                    f"{value}: start with the same settings, or choose a new file."
                )
        return int(written["seed"])

    def entries(self) -> Iterator[JournalEntry]:
        """All inputs in order; read them before the first is added.

        Raises:
            JournalError: the file is damaged.
        """
        try:
            rows = self._file.execute("SELECT place, at, what, params FROM inputs ORDER BY place")
            for place, at, what, params in rows:
                entry = _read(place, at, what, json.loads(params))
                self._places = place
                yield entry
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise JournalError(
                f"{self.path} is damaged after input {self._places}: {error}. Choose a new file."
            ) from error

    def reserve(self) -> int:
        """A place for an input that may be written later, or never."""
        self._places += 1
        return self._places

    def write(self, at: float, what: str, params: Mapping[str, Any], place: int = 0) -> None:
        """Add an input, at its reserved place if it has one; `flush` puts it into the file."""
        row = (place or self.reserve(), at, what, json.dumps(params))
        self._pending.append(row)

    def flush(self) -> None:
        """Put the inputs since the last flush into the file, all or none.

        Raises:
            JournalError: the file cannot be written; it is closed.
        """
        rows, self._pending = self._pending, []
        if not rows:
            return
        try:
            self._insert("INSERT INTO inputs VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._file.close()
            raise JournalError(
                f"{self.path} cannot be written: {error}. It holds all calls that were answered: "
                "make it writable, and start again."
            ) from error

    def _insert(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(statement, rows)
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Flush and close the file.

        Raises:
            JournalError: the file cannot be written.
        """
        try:
            self.flush()
        finally:
            self._file.close()


def choose_seed(seed: int | None) -> int:
    """The given seed, or a random one for None."""
    return random.SystemRandom().getrandbits(32) if seed is None else seed


def _connect(path: Path) -> sqlite3.Connection:
    _create(path)
    try:
        return sqlite3.connect(path, isolation_level=None, timeout=0)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error


def _create(path: Path) -> None:
    """Create a missing file for its owner only; SQLite gives its log beside it the same mode."""
    # O_EXCL: an existing file must not be opened here. To close it again would drop the locks that
    # this process holds on it through SQLite (they belong to the process, not to the descriptor).
    # Other errors are reported by SQLite's own attempt.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))


def _prepare(file: sqlite3.Connection, path: Path) -> None:
    """Lock the file, and create the tables in a new one."""
    file.execute("PRAGMA locking_mode = EXCLUSIVE")
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    if tables and "origin" not in tables:
        raise JournalError(f"{path} is a database of another program: choose a new file.")
    file.executescript(SCHEMA)


def _unusable(path: Path, error: sqlite3.Error) -> JournalError:
    if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return JournalError(f"{path} is in use by another process: stop it, or choose a new file.")
    cause = _os_error(path) if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN else ""
    return JournalError(f"{path} cannot keep the state: {cause or error}. Choose another file.")


def _os_error(path: Path) -> str:
    """The system's reason for a file that cannot be opened; SQLite does not pass it on."""
    try:
        path.open("ab").close()
    except OSError as error:
        return error.strerror or ""
    return ""


def _read(place: int, at: Any, what: str, params: Any) -> JournalEntry:
    if not isinstance(at, float) or not isinstance(params, dict):
        raise TypeError(f"the row at {place} is not an input")
    return JournalEntry(place, at, what, params)
