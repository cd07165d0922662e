"""The inputs of an engine in a file, so that a stopped server continues where it was.

The engine is deterministic: the same settings, seed and inputs give the same histories, tokens
and timers. So the file holds inputs, not state, and reading it means giving them to a new engine.

- A file belongs to one version of garcon and one choice of settings; another is refused with a
  sentence, since its inputs would lead elsewhere.
- What changes nothing is not kept: refused calls, reads, and polls that ended empty. A poll keeps
  its place among the inputs from the moment it was made, and is written when it gets a task (or
  becomes a ghost, which may get one).
- An input is in the file before its answer leaves, so the end of the process loses nothing that a
  client was told. A crash of the machine may lose the last moments: SQLite does not wait for the
  disk here, and would make each call a hundred times slower if it did.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
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
        origin: what the inputs depend on (version, settings, seed); equal for the file's life.

    Raises:
        JournalError: the file is no journal, or one of another origin.
    """

    def __init__(self, path: Path, origin: Mapping[str, str]) -> None:
        self.path = path
        self._places = 0
        self._pending: list[tuple[int, float, str, str]] = []
        try:
            self._file = sqlite3.connect(path, isolation_level=None)
            self._file.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise JournalError(f"{path} cannot be used to keep state: {error}.") from error
        try:
            self._check(path, {"format": str(FORMAT), **origin})
        except BaseException:
            self._file.close()
            raise

    def _check(self, path: Path, origin: Mapping[str, str]) -> None:
        written = dict(self._file.execute("SELECT name, value FROM origin"))
        if not written:
            self._file.executemany("INSERT INTO origin VALUES (?, ?)", origin.items())
        elif written != origin:
            name = next(name for name in origin if written.get(name) != origin[name])
            raise JournalError(
                f"{path} was written with {name} {written.get(name)}, and this is {name} "
                f"{origin[name]}: start it as it was started then, or choose a new file."
            )

    def entries(self) -> Iterator[Entry]:
        """All inputs in the order in which they came; to be read before the first is added."""
        rows = self._file.execute("SELECT place, at, what, params FROM inputs ORDER BY place")
        for place, at, what, params in rows:
            self._places = place
            yield Entry(place, at, what, json.loads(params))

    def reserve(self) -> int:
        """A place for an input that may be written later, or never."""
        self._places += 1
        return self._places

    def write(self, at: float, what: str, params: Mapping[str, Any], place: int = 0) -> None:
        """Add an input, at its reserved place if it has one; `flush` makes it last."""
        row = (place or self.reserve(), at, what, json.dumps(params))
        self._pending.append(row)

    def flush(self) -> None:
        """Put into the file what was written since last time, all or nothing."""
        if self._pending:
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?)", self._pending)
            self._file.execute("COMMIT")
            self._pending = []

    def close(self) -> None:
        """Put everything in order and let go of the file."""
        self.flush()
        self._file.close()
