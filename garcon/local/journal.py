"""The inputs of an engine in a file, so that a stopped server continues where it was.

The engine is deterministic: the same settings, seed and inputs give the same histories, tokens
and timers. So the file holds inputs, not state, and reading it means giving them to a new engine.

- A file belongs to one version of garcon and one choice of settings; another is refused with a
  sentence, since its inputs would lead elsewhere. The seed is the file's own, so that who does
  not care for it need not remember it.
- A file belongs to one process at a time: SQLite's exclusive lock, which ends with its process.
- What changes nothing is not kept: refused calls, reads, and polls that ended empty. A poll keeps
  its place among the inputs from the moment it was made, and is written when it gets a task (or
  becomes a ghost, which may get one).
- An input is in the file before its answer leaves, so the end of the process loses nothing that a
  client was told. A crash of the machine may lose the last moments: SQLite does not wait for the
  disk here, and would make each call a hundred times slower if it did.
- An input that cannot be written (the disk is full) ends the service: what it answered would be
  gone after a restart.
- A database of something else is left as it is.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garcon.errors import GarconError

FORMAT = 1
"""Goes up when the meaning of the tables changes."""

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS origin (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (
    place INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, params TEXT NOT NULL
);
"""


class JournalError(GarconError):
    """The file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: at what time, which operation or event, with what members."""

    place: int
    at: float
    what: str
    params: dict[str, Any]


class Journal:
    """The file.

    Args:
        path: where it is, or is to be.
        origin: what the inputs depend on (version, settings); equal for the file's life.
        seed: what ids are made from; None takes the file's, or a new one for a new file.

    Attributes:
        seed: the file's.

    Raises:
        JournalError: the file is no journal, one of another origin, or another process's.
    """

    def __init__(self, path: Path, origin: Mapping[str, str], seed: int | None = None) -> None:
        self.path = path
        self._places = 0
        self._pending: list[tuple[int, float, str, str]] = []
        self._file = _connect(path)
        try:
            _prepare(self._file, path)
            self.seed = self._agree({"format": str(FORMAT), **origin}, seed)
        except sqlite3.Error as error:
            self._file.close()
            raise _unusable(path, error) from error
        except JournalError:
            self._file.close()
            raise

    def _agree(self, origin: Mapping[str, str], seed: int | None) -> int:
        written = dict(self._file.execute("SELECT name, value FROM origin"))
        if not written:
            written = {**origin, "seed": str(chosen_seed(seed))}
            self._insert("INSERT INTO origin VALUES (?, ?)", written.items())
        wanted = origin if seed is None else {**origin, "seed": str(seed)}
        for name, value in wanted.items():
            if written.get(name) != value:
                raise JournalError(
                    f"{self.path} was written with {name} {written.get(name)}, and this is {name} "
                    f"{value}: start it as it was started then, or choose a new file."
                )
        return int(written["seed"])

    def entries(self) -> Iterator[Entry]:
        """All inputs in the order in which they came; to be read before the first is added.

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
        """Add an input, at its reserved place if it has one; `flush` makes it last."""
        row = (place or self.reserve(), at, what, json.dumps(params))
        self._pending.append(row)

    def flush(self) -> None:
        """Put into the file what was written since last time, all or nothing.

        Raises:
            JournalError: it cannot be written; the file is closed.
        """
        rows, self._pending = self._pending, []
        if not rows:
            return
        try:
            self._insert("INSERT INTO inputs VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._file.close()
            raise JournalError(
                f"{self.path} cannot be written: {error}. What was answered before is in it: make "
                "it writable, and start again."
            ) from error

    def _insert(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(statement, rows)
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Put everything in order and let go of the file."""
        self.flush()
        self._file.close()


def chosen_seed(seed: int | None) -> int:
    """The seed that was asked for, else one that nobody has had."""
    return random.SystemRandom().getrandbits(32) if seed is None else seed


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, isolation_level=None, timeout=0)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error


def _prepare(file: sqlite3.Connection, path: Path) -> None:
    """Take hold of the file, and make the tables if it is new."""
    file.execute("PRAGMA locking_mode = EXCLUSIVE")
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    if tables and "origin" not in tables:
        raise JournalError(f"{path} is a database of something else: choose a new file.")
    file.executescript(SCHEMA)


def _unusable(path: Path, error: sqlite3.Error) -> JournalError:
    if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return JournalError(f"{path} is in use by another process: stop it, or choose a new file.")
    why = _why_closed(path) if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN else ""
    return JournalError(f"{path} cannot keep the state: {why or error}. Choose another file.")


def _why_closed(path: Path) -> str:
    """The system's word for why a file cannot be opened; SQLite does not pass it on."""
    try:
        path.open("ab").close()
    except OSError as error:
        return error.strerror or ""
    return ""


def _read(place: int, at: Any, what: str, params: Any) -> Entry:
    if not isinstance(at, float) or not isinstance(params, dict):
        raise TypeError(f"what stands at {place} is no input")
    return Entry(place, at, what, params)
