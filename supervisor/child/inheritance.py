"""State that a worker inherits from the flow's import, and what is done about it after the fork.

Rules:

1. Exit handlers of the import (``atexit``, ``weakref.finalize``) belong to the zygote: in a worker
   they would remove what the other workers still use. A worker runs those that it registered.
2. Random generators would give every worker the same numbers. ``random`` reseeds itself after a
   fork; the legacy generator of ``numpy.random`` is reseeded here.
3. Open sockets and database files are shared by all workers: the import is warned about them.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import stat
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SQLITE = b"SQLite format 3\0"


def disown() -> None:
    """Let this forked process neither run the import's exit handlers nor draw its numbers."""
    _forget_exit_handlers()
    numbers = getattr(sys.modules.get("numpy"), "random", None)
    if numbers is not None:
        numbers.seed()


def _forget_exit_handlers() -> None:
    atexit._clear()  # noqa: SLF001 - there is no public way
    finalize: Any = weakref.finalize
    for inherited in list(finalize._registry):  # noqa: SLF001 - as above
        inherited.atexit = False
    if finalize._registered_with_atexit:  # noqa: SLF001 - or this worker's own would not run
        atexit.register(finalize._exitfunc)  # noqa: SLF001 - as above
    if workers := sys.modules.get("multiprocessing.util"):
        # It does nothing about what another process began, and ends this worker's own.
        atexit.register(workers._exit_function)  # noqa: SLF001 - as above


# --- warnings about the import --------------------------------------------------------------------


def open_connections(own: Iterable[int]) -> Iterator[str]:
    """A text for each socket and SQLite database that the import left open.

    Args:
        own: Descriptors of the zygote itself.
    """
    for entry in sorted(Path("/proc/self/fd").iterdir()):
        number = int(entry.name)
        if number in own:
            continue
        with contextlib.suppress(OSError):  # closed meanwhile, such as the folder's own
            if text := _connection(number, entry):
                yield text


def _connection(number: int, entry: Path) -> str:
    mode = os.fstat(number).st_mode
    if stat.S_ISSOCK(mode):
        return _peer(number)
    if stat.S_ISREG(mode) and _begins_with(number, _SQLITE):
        return f"the database {entry.readlink()}"
    return ""


def _begins_with(number: int, head: bytes) -> bool:
    return os.pread(number, len(head), 0) == head


def _peer(number: int) -> str:
    with socket.socket(fileno=os.dup(number)) as copy:
        try:
            peer = copy.getpeername()
        except OSError:  # it listens, or is not connected
            return f"a socket at {_address(copy.getsockname())}" if copy.getsockname() else ""
    return f"a connection to {_address(peer)}" if peer else ""


def _address(name: Any) -> str:
    return ":".join(map(str, name[:2])) if isinstance(name, tuple) else os.fsdecode(name)
