"""Private files that appear whole: written aside, locked, and renamed into place."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def open_private(path: Path) -> int:
    """A new or emptied file that only its owner may read; returns its descriptor.

    Raises ``OSError``; a symbolic link at ``path`` is refused.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def replace_locked(path: Path, data: bytes, aside: Path) -> int:
    """Put a file with this content at ``path``; returns a descriptor that holds its lock.

    The content is written to ``aside``, in the same folder. Readers of ``path`` see the old file or
    the new one, never a part. Not synced: the file outlives the process, not a power failure.
    Raises ``OSError`` and leaves the old file in place.
    """
    descriptor = open_private(aside)
    try:
        # Locked before the rename: afterwards another process could lock the file first. The lock
        # belongs to the open file, so it moves with the rename and ends with the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        while data:  # a disk that fills up takes a part, and refuses the next
            data = data[os.write(descriptor, data) :]
        aside.rename(path)
    except OSError:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    return descriptor


def try_lock(descriptor: int, kind: int) -> bool:
    """Whether this file's lock (``LOCK_EX`` or ``LOCK_SH``) is ours now; does not wait."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
