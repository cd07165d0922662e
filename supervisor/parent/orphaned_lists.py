"""Private lists of deciders whose supervisor has ended: its successor's deciders poll them.

Otherwise each execution of those deciders waits once, for ``sticky_schedule_to_start``, before SWF
uses the flow's own list.

Rules of this file:

1. A supervisor notes each decider's list in its lock file in the spool: first its flow and SWF,
   then a list a line. The file stays after a drain, too: executions that were not decided during it
   still name these lists.
2. The lists of a dead supervisor of the same flow and SWF go to its successor, the latest first,
   and its file is removed: a third supervisor must not poll them, too. Lists that no execution
   names any more cost nothing: a decider polls one private list, whatever its name.
3. An orphan may still hold its last poll. Two processes on one list harm nothing: a kept state is
   used only if it continues the task, and an orphan polls no further.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

import msgspec

from supervisor.ipc import private_files
from supervisor.ipc.messages import Role, Serve
from supervisor.ipc.spool import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from supervisor.ipc.messages import Fork

LONGEST = 1 << 20
"""Bytes of a file that are read: ten thousand deciders."""

_owner = msgspec.json.Decoder(Owner)


class ListNotes:
    """Notes which private lists the deciders of this supervisor poll.

    Args:
        descriptor: Of the lock file.
        owner: The flow and SWF.
        prefix: Part of the lists' names, unique to this supervisor.
    """

    def __init__(self, descriptor: int, owner: Owner, prefix: str) -> None:
        self._descriptor = descriptor
        self._prefix = prefix
        self._owner: Owner | None = owner  # until it is written, before the first list

    def note(self, fork: Fork) -> None:
        """Note the list of a decider that is forked."""
        if isinstance(fork.job, Serve) and fork.job.slot.task_list.role is Role.DECIDER:
            if self._owner:
                self._write(msgspec.json.encode(self._owner))
                self._owner = None
            self._write(self._name(fork.worker, fork.job.private_list).encode())

    def _name(self, worker: int, taken_over: int | str) -> str:
        if isinstance(taken_over, str):
            return taken_over
        return f"{self._prefix}-{taken_over or worker}@{os.uname().nodename}"

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk costs this protection only
            os.write(self._descriptor, line + b"\n")


def take(paths: Iterable[Path], owner: Owner) -> tuple[str, ...]:
    """The lists that dead supervisors of this owner have noted, the latest first.

    Args:
        paths: The supervisors' lock files.
        owner: The flow and SWF.
    """
    return tuple(name for path in paths for name in _take_from(path, owner))


def _take_from(path: Path, owner: Owner) -> list[str]:
    try:
        with path.open("rb") as file:
            if not private_files.try_lock(file.fileno(), fcntl.LOCK_SH):
                return []
            first, *names = file.read(LONGEST).decode().splitlines() or [""]
        if not first or _owner.decode(first) != owner:
            return []
        path.unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return []
    return list(dict.fromkeys(reversed(names)))
