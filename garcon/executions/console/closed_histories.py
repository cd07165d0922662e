"""The file that keeps the histories of closed executions, which never change.

Rules:

1. The file is its owner's alone (mode 0600): histories hold inputs and results.
2. A history is found by endpoint, domain, workflow id and run id, and by the time of its start if
   that is known: a local SWF that starts again with its seed gives the same run ids again.
3. A file that cannot be read or written costs calls to SWF, and no answer.
4. Beyond ``LARGEST`` bytes those used longest ago are dropped.
"""

import json
import logging
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from garcon.executions.recorded_history import Events
from garcon.executions.values import Execution

LARGEST = 256 * 2**20
"""Bytes of all histories, compressed: some ten thousand of 500 events."""

SAME_START = 0.002
"""Seconds between two readings of one start: SWF's clock counts milliseconds."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS history (
    place TEXT, domain TEXT, workflow_id TEXT, run_id TEXT, used REAL, content BLOB,
    PRIMARY KEY (place, domain, workflow_id, run_id)
)
"""
_FIND = """
SELECT content FROM history WHERE place = ? AND domain = ? AND workflow_id = ? AND run_id = ?
"""
_TOUCH = """
UPDATE history SET used = ? WHERE place = ? AND domain = ? AND workflow_id = ? AND run_id = ?
"""
_EXCESS = """
DELETE FROM history WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, SUM(LENGTH(content)) OVER (ORDER BY used DESC, rowid) AS size FROM history
    ) WHERE size > ?
)
"""

_logger = logging.getLogger(__name__)

T = TypeVar("T")


class ClosedHistories:
    """The histories of one endpoint and domain in the file.

    Args:
        path: The file; made if it is missing.
        place: The endpoint and its region.
        domain: The domain.
    """

    def __init__(self, path: Path, place: str, domain: str) -> None:
        self._path = path
        self._of = (place, domain)
        self._lock = threading.Lock()
        self._is_broken = False

    def get(self, run: Execution, started: float | None = None) -> Events | None:
        """The history of a closed run; ``None`` if the file does not have it."""
        content = self._guarded(lambda file: self._read(file, self._key(run)))
        if content is None:
            return None
        events: Events = json.loads(zlib.decompress(content))
        known = started is None or abs(events[0]["eventTimestamp"] - started) < SAME_START
        return events if known else None

    def put(self, run: Execution, events: Events) -> None:
        """Keep the history of a closed run."""
        content = zlib.compress(json.dumps(events).encode())
        self._guarded(lambda file: self._write(file, self._key(run), content))

    def _key(self, run: Execution) -> tuple[str, ...]:
        return (*self._of, run.workflow_id, run.run_id)

    def _read(self, file: sqlite3.Connection, key: tuple[str, ...]) -> bytes | None:
        found = file.execute(_FIND, key).fetchone()
        file.execute(_TOUCH, (time.time(), *key))
        return found[0] if found else None

    def _write(self, file: sqlite3.Connection, key: tuple[str, ...], content: bytes) -> None:
        values = (*key, time.time(), content)
        file.execute("INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?)", values)
        file.execute(_EXCESS, (LARGEST,))

    def _guarded(self, use: Callable[[sqlite3.Connection], T]) -> T | None:
        """Use the file; ``None`` if that fails, which is logged once."""
        with self._lock:
            if self._is_broken:
                return None
            try:
                with closing(self._opened()) as file, file:
                    return use(file)
            except (sqlite3.Error, OSError) as error:
                self._is_broken = True
                _logger.warning(
                    "The file of closed histories %s cannot be used: %s. Histories are read from "
                    "SWF each time. Remove the file, or choose another with --cache.",
                    self._path,
                    error,
                )
                return None

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made before SQLite does, which would follow the umask; its journal takes the same mode.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        file = sqlite3.connect(self._path, timeout=5)
        try:
            file.execute(_SCHEMA)
        except sqlite3.Error:
            file.close()  # the file is not a database, or is locked
            raise
        return file


def default_path() -> Path:
    """The file below the user's folder for caches (XDG Base Directory Specification)."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "garcon" / "histories.sqlite"
