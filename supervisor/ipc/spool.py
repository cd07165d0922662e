"""The spool: tokens and answers on disk, so that they survive the death of the supervisor.

Rules of this file:

1. A task in progress, or waiting in a decider, is one file, named after its token: written when the
   task is received, replaced when its answer is ready, removed when SWF has accepted the answer or
   closed the task. That of a task that was handed out is removed by the sidecar that keeps it.
2. A worker holds a lock (flock) on the file of its task. The kernel ends the lock with the process,
   so a file without a lock belongs to a dead worker.
3. A file appears whole or not at all, and only its owner can read it: it holds the flow's results.
4. If the spool is not writable, log it once and go on without crash protection. A task never fails
   for it.
5. Nothing is synced: the spool outlives processes, not the machine.

``supervisor.parent.spool_recovery`` reads what dead workers have left.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

import msgspec

from supervisor.ipc import private_files
from supervisor.ipc.messages import Answer, Role, SwfEndpoint, Task
from supervisor.ipc.messages.base import Value
from supervisor.logs import log

SUFFIX = ".task"


class Owner(Value, frozen=True):
    """The flow and the SWF that a task belongs to: one spool may serve several of each."""

    flow: str
    swf: SwfEndpoint


class SpooledTask(Value, frozen=True):
    """The content of a file.

    Attributes:
        owner: The flow and SWF that the task belongs to.
        task: The task, with its token.
        role: The kind of the task.
        pid: Of the worker that took it.
        since: When the worker took it, in seconds since the epoch.
        answer: The answer, once the worker has one.
        supervisor_lock: Name of the lock file of the supervisor that reports the task if its worker
            dies; empty if that supervisor could not make one.
    """

    owner: Owner
    task: Task
    role: Role
    pid: int
    since: float
    answer: Answer | None = None
    supervisor_lock: str = ""


class Spool:
    """A worker's side.

    Args:
        folder: Holds the files; ``None`` switches the spool off.
        owner: The flow and SWF of the worker's tasks.
        role: The kind of its tasks.
        supervisor_lock: See ``SpooledTask``.
    """

    def __init__(
        self, folder: str | None, owner: Owner, role: Role, supervisor_lock: str = ""
    ) -> None:
        self._folder = Path(folder) if folder else None
        self._owner = owner
        self._role = role
        self._supervisor_lock = supervisor_lock
        self._spooled: SpooledTask | None = None
        self._locked: int | None = None  # the descriptor of the task's file
        self._writable = True
        self._waiting: dict[str, tuple[SpooledTask, int]] = {}  # by token, with the file's lock

    def record_waiting(self, task: Task) -> None:
        """The worker has received this decision task, and may be at another; from any thread."""
        if self._folder:
            spooled = self._file_of(task)
            with contextlib.suppress(OSError):  # logged when the task is taken
                self._waiting[task.token] = spooled, write(self._folder, spooled)

    def record_task(self, task: Task) -> None:
        """The worker has taken this task."""
        if not self._folder:
            return
        if task.token in self._waiting:
            self._spooled, self._locked = self._waiting.pop(task.token)
        else:
            self._spooled = self._file_of(task)
            self._write(self._folder, self._spooled)

    def _file_of(self, task: Task) -> SpooledTask:
        return SpooledTask(
            self._owner,
            task,
            self._role,
            os.getpid(),
            time.time(),
            supervisor_lock=self._supervisor_lock,
        )

    def record_answer(self, answer: Answer) -> None:
        """The worker has this answer to its task."""
        if self._folder and self._spooled:
            self._spooled = msgspec.structs.replace(self._spooled, answer=answer)
            self._write(self._folder, self._spooled)

    def clear(self) -> None:
        """SWF has accepted the answer, or closed the task."""
        if self._folder and self._spooled:
            remove(str(self._folder), self._spooled.task)
            self._unlock()
            self._spooled = None

    def leave(self) -> None:
        """Another program answers the task: its file stays for the process that keeps it."""
        self._unlock()
        self._spooled = None

    def _write(self, folder: Path, spooled: SpooledTask) -> None:
        try:
            locked = write(folder, spooled)
        except OSError as error:
            if self._writable:
                log.LOGGER.error("%s", failure_text(folder, error))
            self._writable = False
        else:
            self._unlock()  # of the file that was replaced: there is always one that is locked
            self._locked = locked
            self._writable = True

    def _unlock(self) -> None:
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None


def write(folder: Path, spooled: SpooledTask) -> int:
    """Write or replace the file of a task; returns a descriptor that holds its lock.

    Raises ``OSError``.
    """
    path = path_of(folder, spooled.task)
    aside = folder / f".{spooled.pid}-{path.name}"
    return private_files.replace_locked(path, msgspec.json.encode(spooled), aside)


def path_of(folder: Path, task: Task) -> Path:
    """The file of a task. A token is too long for a file's name, and a secret."""
    return folder / (hashlib.sha256(task.token.encode()).hexdigest()[:40] + SUFFIX)


def remove(folder: str | None, task: Task) -> None:
    """Remove the file of a task that is answered or lost for good, if there is one."""
    if folder:
        with contextlib.suppress(OSError):
            path_of(Path(folder), task).unlink()


def failure_text(folder: Path, error: OSError) -> str:
    """The log line of a spool that is not usable."""
    return (
        f"The spool {folder} is not usable: {error.strerror or error}. Tasks go on, but a result"
        " does not survive the supervisor's death: make room, or give write permission."
    )
