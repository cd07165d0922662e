"""The spool: tokens and answers on disk, so that they survive the supervisor's own death.

Rules of this file:

1. A task in hand is a file of its own, named after its token: written when the task is taken,
   written anew when its answer is there, removed when SWF has accepted the answer or lost the task.
2. A task is taken up at a supervisor's start if its worker and its supervisor are both gone: a
   supervisor that lives still owes SWF the report of a dead worker, and knows better what to say.
   Both show by a lock (flock) that they live, which ends with the process, however it ends. The
   worker's is on the task's file, the supervisor's on a file of its own that the task's file names.
   Who takes up a task writes its own name there.
3. A file appears whole or not at all: it is written beside, locked, and renamed into its place.
   Only its owner can read it: it holds what the flow's results hold. Nothing is taken up from a
   folder in which others may write.
4. A disk that is full or missing costs a sentence in the log and this protection, never a task. A
   file that cannot be read hides no other.
5. It is not synced to the platter: it outlives processes, not the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from supervisor import log
from supervisor.messages import Answer, Fail, HandBack, Place, Report, Role, Task
from supervisor.messages.base import Value

if TYPE_CHECKING:
    from typing import BinaryIO

SUFFIX = ".task"

_TRUSTED = frozenset({0, os.geteuid()})
"""Whose folder a spool may be: root could read it all the same."""

STALE_SECONDS = 3600.0
"""Seconds after which an unfinished file is a dead process's: writing one takes a millisecond."""


class Owner(Value, frozen=True):
    """Whose tasks these are: one folder may serve several flows, regions and accounts."""

    flow: str
    place: Place


class Held(Value, frozen=True):
    """What a file says: a task, who holds it since when (seconds since the epoch), its answer.

    ``presence`` names the file whose lock tells that the supervisor lives that owes the report.
    """

    owner: Owner
    task: Task
    role: Role
    pid: int
    since: float
    answer: Answer | None = None
    presence: str = ""  # empty: that supervisor could not make one


_decoder = msgspec.json.Decoder(Held)


class Spool:
    """A worker's side.

    Args:
        folder: Where the files are; ``None`` keeps nothing.
        owner: Whose tasks these are.
        role: What the worker serves.
        presence: Its supervisor's, see ``Held``.
    """

    def __init__(self, folder: str | None, owner: Owner, role: Role, presence: str = "") -> None:
        self._folder = Path(folder) if folder else None
        self._owner = owner
        self._role = role
        self._presence = presence
        self._held: Held | None = None
        self._lock: int | None = None  # the descriptor of the task's file, locked
        self._healthy = True

    def take(self, task: Task) -> None:
        """The task is in hand."""
        if self._folder:
            since = time.time()
            self._held = Held(
                self._owner, task, self._role, os.getpid(), since, presence=self._presence
            )
            self._write(self._folder, self._held)

    def keep(self, answer: Answer) -> None:
        """The task has its answer."""
        if self._folder and self._held:
            self._held = msgspec.structs.replace(self._held, answer=answer)
            self._write(self._folder, self._held)

    def done(self) -> None:
        """SWF has the answer, or will not have it."""
        if self._folder and self._held:
            forget(str(self._folder), self._held.task)
            self._release()
            self._held = None

    def _write(self, folder: Path, held: Held) -> None:
        try:
            written = _write(folder, held)
        except OSError as error:
            self._trouble(error)
        else:
            self._release()
            self._lock = written
            self._healthy = True

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _trouble(self, error: OSError) -> None:
        if self._healthy:
            log.LOGGER.error("%s", _sentence(self._folder, error))
        self._healthy = False


def _write(folder: Path, held: Held) -> int:
    """Write a file of the task, and return its descriptor, which holds the lock."""
    beside = folder / f".{held.pid}-{path(folder, held.task).name}"
    descriptor = _open_private(beside)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = msgspec.json.encode(held)
        while data:
            data = data[os.write(descriptor, data) :]
        beside.rename(path(folder, held.task))
    except OSError:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    return descriptor


def _open_private(name: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(name, flags, 0o600)


def path(folder: Path, task: Task) -> Path:
    """The file of a task. A token is too long for a name, and not for everybody's eyes."""
    return folder / (hashlib.sha256(task.token.encode()).hexdigest()[:40] + SUFFIX)


def forget(folder: str | None, task: Task) -> None:
    """The task is answered, or lost for good: remove its file, if there is one."""
    if folder:
        with contextlib.suppress(OSError):
            path(Path(folder), task).unlink()


# --- the supervisor's side ------------------------------------------------------------------------


@dataclass(frozen=True)
class Presence:
    """The file by whose lock others see that a supervisor lives."""

    file: Path
    lock: int

    def close(self) -> None:
        """The supervisor leaves: what it still owes is its successor's."""
        with contextlib.suppress(OSError):
            self.file.unlink()
        os.close(self.lock)


def appear(folder: str) -> Presence | None:
    """Show that a supervisor lives; ``None``, and a sentence in the log, if that cannot be.

    Its name is like an unfinished file's: what is left of a killed one is removed like these.
    """
    file = Path(folder) / f".supervisor-{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}"
    try:
        _make(folder)
        with contextlib.ExitStack() as undo:
            presence = Presence(file, _open_private(file))
            undo.callback(presence.close)
            fcntl.flock(presence.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            undo.pop_all()
    except OSError as error:
        log.LOGGER.error(
            "This supervisor cannot lock a file of its own in the spool %s: %s. One that begins"
            " meanwhile may report tasks of its dead workers, too.",
            folder,
            error.strerror or error,
        )
        return None
    return presence


def collect(folder: str, owner: Owner, presence: str = "") -> tuple[Report, ...]:
    """What dead supervisors' workers left of this owner's tasks. Makes the folder if need be.

    The reports are from now on owed by who collects, as long as its ``presence`` is locked.
    """
    try:
        _make(folder)
        if _others_may_write(Path(folder)):
            log.LOGGER.error(
                "Others may write to the spool %s, so what is in it is not taken up: an answer to a"
                " task may be anybody's. Close it: chmod 700.",
                folder,
            )
            return ()
        names = sorted(Path(folder).iterdir())
    except OSError as error:
        log.LOGGER.error("%s", _sentence(Path(folder), error))
        return ()
    found = [_looked_into(name, owner, presence) for name in names if name.suffix == SUFFIX]
    return tuple(report for report in found if report)


def _make(folder: str) -> None:
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def _others_may_write(folder: Path) -> bool:
    found = folder.stat()
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) or found.st_uid not in _TRUSTED


def _looked_into(name: Path, owner: Owner, presence: str) -> Report | None:
    """What one file asks for. Whatever is wrong with it, the others are looked into as well."""
    try:
        if not name.name.startswith("."):
            return _taken_up(name, owner, presence)
        _tidy(name)
    except FileNotFoundError:
        pass  # somebody has answered its task meanwhile, or finished writing it
    except (msgspec.DecodeError, RecursionError) as error:
        log.LOGGER.error("%s is no file of a task (%s); it is left alone.", name, error)
    except OSError as error:
        log.LOGGER.error(
            "%s cannot be taken up: %s. Mend that, and the next start reports its task.",
            name,
            error.strerror or error,
        )
    return None


def _tidy(name: Path) -> None:
    """Remove an unfinished file, or the presence, of a dead process.

    A young one's lock is not even tried: whoever made it may be about to take it.
    """
    if time.time() - name.stat().st_mtime > STALE_SECONDS:
        with name.open("rb") as file:
            if _locked(file, fcntl.LOCK_SH):
                name.unlink()


def _taken_up(name: Path, owner: Owner, presence: str) -> Report | None:
    with name.open("rb") as file:
        held = _decoder.decode(file.read())
        if held.owner != owner or _is_owed(held, name) or not _is_free(file, name):
            return None
        report = _reported(held, name)
        if report and presence:
            _sign(held, name, presence)
        return report


def _is_owed(held: Held, name: Path) -> bool:
    """Whether the supervisor lives that would report the task."""
    if not held.presence:
        return False
    try:
        with (name.parent / held.presence).open("rb") as file:
            return not _locked(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _is_free(file: BinaryIO, name: Path) -> bool:
    """Whether nobody holds the task of this file; from then on we do, until it is closed."""
    # Its holder may have put a new file into its place since we opened this one.
    return _locked(file, fcntl.LOCK_EX) and os.fstat(file.fileno()).st_ino == name.stat().st_ino


def _sign(held: Held, name: Path, presence: str) -> None:
    """From now on we owe the report of this task. If the disk is full, somebody else may, too."""
    try:
        os.close(_write(name.parent, msgspec.structs.replace(held, presence=presence)))
    except OSError as error:
        log.LOGGER.error("%s", _sentence(name.parent, error))


def _locked(file: BinaryIO, how: int) -> bool:
    """Whether we have this lock now; those who only ask share it (``LOCK_SH``)."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reported(held: Held, name: Path) -> Report | None:
    within = None
    if held.task.timeout is not None:
        within = held.since + held.task.timeout - time.time()
        if within <= 0:
            log.LOGGER.info("A spooled task of %s has timed out.", held.task.workflow_id)
            name.unlink(missing_ok=True)
            return None
    why = "the supervisor died, and the worker with it"
    return Report(held.task, held.role, held.answer or _lost(held, why), why, within)


def _lost(held: Held, why: str) -> Answer:
    if held.role is Role.DECIDER:
        return HandBack()
    details = {"pid": held.pid, "host": os.uname().nodename, "spooled": True}
    return Fail(f"WorkerDied: {why}", json.dumps(details))


def _sentence(folder: Path | None, error: OSError) -> str:
    return (
        f"The spool {folder} cannot be used: {error.strerror or error}. Work goes on, but results"
        " do not survive the supervisor's death until there is room and permission to write there."
    )
