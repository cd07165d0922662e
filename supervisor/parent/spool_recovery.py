"""Recovery from the spool: reports of tasks whose worker and supervisor are both dead.

Rules of this file:

1. A living supervisor reports the tasks of its dead workers itself, and knows more about them. So a
   task is recovered only if both locks are free: the worker's, on the task's file, and the
   supervisor's, on a lock file that the task's file names.
2. A supervisor that recovers a task writes the name of its own lock file into it, so that the next
   one leaves the task alone.
3. Nothing is recovered from a folder in which others may write: they could forge answers.
4. A file that is not readable is logged and left alone; the others are recovered.
5. The kernel announces no free lock. So the spool is scanned again every few seconds while there
   are tasks of other supervisors in it, or orphans of a dead one may take some; else never.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import json
import os
import stat
import time
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from supervisor.ipc import private_files, spool
from supervisor.ipc.messages import Answer, Fail, Report, ReturnTask, Role
from supervisor.ipc.spool import SUFFIX, SpooledTask
from supervisor.logs import log

if TYPE_CHECKING:
    from typing import BinaryIO

_ROOT = 0
"""A spool may be root's folder as well as ours: root could read and write every folder anyway."""

STALE_SECONDS = 3600.0
"""Age at which an unfinished file belongs to a dead process: writing one takes a millisecond."""

SCAN_SECONDS = 3.0
"""Seconds between two scans. A task waits that long, and a scan reads a few small files."""

SUPERVISOR = ".supervisor-"
"""The beginning of the names of supervisors' lock files."""


class Finding(enum.Enum):
    """The outcome of one file that asks for no report."""

    OTHER = "another flow's, our own or a supervisor's"
    LATER = "its worker or its supervisor lives"
    NOTHING = "it needs no further scan"


_decoder = msgspec.json.Decoder(SpooledTask)


@dataclass(frozen=True)
class SupervisorLock:
    """A locked file in the spool that shows that this supervisor is alive."""

    file: Path
    descriptor: int

    @classmethod
    def acquire(cls, folder: str) -> SupervisorLock | None:
        """Make and lock the file; ``None``, with an error in the log, if that is not possible.

        The name begins and ends like an unfinished file's, so that a look removes the file of
        a supervisor that was killed.
        """
        file = Path(folder) / f"{SUPERVISOR}{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}"
        try:
            _make_folder(folder)
            with contextlib.ExitStack() as undo:
                made = cls(file, private_files.open_private(file))
                undo.callback(made.release)
                fcntl.flock(made.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                undo.pop_all()
        except OSError as error:
            log.LOGGER.error(
                "The supervisor cannot lock a file in the spool %s: %s. A second supervisor of this"
                " flow, started meanwhile, may report tasks of dead workers as well.",
                folder,
                error.strerror or error,
            )
            return None
        return made

    def release(self) -> None:
        """Leave the remaining tasks, and the lists noted in the file, to the next supervisor."""
        with contextlib.suppress(OSError):
            if not os.fstat(self.descriptor).st_size:
                self.file.unlink()
        os.close(self.descriptor)


class SpoolWatch:
    """Looks for tasks of dead workers of other supervisors: at the start, and while any may come.

    An orphan of a killed supervisor finishes its task and its open poll. If it dies in them, its
    file is found here (rule 5).

    Args:
        folder: The spool; a missing one is made.
        owner: Owner of the tasks.
        supervisor_lock: Name of the caller's lock file: while that is locked, no other supervisor
            reports these tasks. Without one (empty) there is only the first scan.
        poll_timeout: Seconds in which an orphan may still take a task.
    """

    def __init__(
        self, folder: str, owner: spool.Owner, supervisor_lock: str, poll_timeout: float = 0.0
    ) -> None:
        self.next_scan = inf
        self._folder = folder
        self._owner = owner
        self._supervisor_lock = supervisor_lock
        self._watch_seconds = poll_timeout if _has_dead_supervisor(folder) else 0.0
        self._until: float | None = None
        self._done: set[Path] = set()  # reported, or not readable and logged

    def scan(self, now: float) -> tuple[Report, ...]:
        """The reports to make now; sets ``next_scan``."""
        reports, is_waiting = [], False
        paths = _task_paths(self._folder)
        if self._until is None:
            self._until = now + self._watch_seconds
        for path in paths:
            if path not in self._done:
                found = _recover_file(path, self._owner, self._supervisor_lock)
                is_waiting |= found is Finding.LATER
                if found is not Finding.LATER and found is not Finding.OTHER:
                    self._done.add(path)
                if isinstance(found, Report):
                    reports.append(found)
        is_waiting |= now < self._until
        self.next_scan = now + SCAN_SECONDS if is_waiting and self._supervisor_lock else inf
        return tuple(reports)


def supervisors_files(folder: str) -> list[Path]:
    """The lock files of supervisors in a spool that can be trusted."""
    with contextlib.suppress(OSError):  # it is missing, or not ours: the first scan logs it
        if not _others_may_write(Path(folder)):
            return sorted(Path(folder).glob(f"{SUPERVISOR}*{SUFFIX}"))
    return []


def _task_paths(folder: str) -> list[Path]:
    """The files of a spool that can be trusted, with those of supervisors; makes the folder."""
    try:
        _make_folder(folder)
        if _others_may_write(Path(folder)):
            log.LOGGER.error(
                "Other users may write to the spool %s, so its tasks are not reported: their"
                " answers may be forged. Close it: chmod 700.",
                folder,
            )
            return []
        return sorted(path for path in Path(folder).iterdir() if path.suffix == SUFFIX)
    except OSError as error:
        log.LOGGER.error("%s", spool.failure_text(Path(folder), error))
        return []


def _has_dead_supervisor(folder: str) -> bool:
    return not all(map(_is_locked, supervisors_files(folder)))


def _make_folder(folder: str) -> None:
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def _others_may_write(folder: Path) -> bool:
    found = folder.stat()
    writable = bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return writable or found.st_uid not in (_ROOT, os.geteuid())


def _recover_file(path: Path, owner: spool.Owner, supervisor_lock: str) -> Report | Finding:
    """The report that one file asks for, if any; an error concerns this file alone."""
    try:
        if not path.name.startswith("."):
            return _recover_task(path, owner, supervisor_lock)
        _remove_stale(path)
    except FileNotFoundError:
        pass  # its worker, or a reporter, has removed or renamed it meanwhile
    except (msgspec.DecodeError, RecursionError) as error:
        log.LOGGER.error("%s is not a task's file (%s); it is left alone.", path, error)
        return Finding.NOTHING
    except OSError as error:
        log.LOGGER.error(
            "%s cannot be recovered: %s. Correct that and restart: then its task is reported.",
            path,
            error.strerror or error,
        )
        return Finding.NOTHING
    return Finding.OTHER


def _remove_stale(path: Path) -> None:
    """Remove an unfinished file, or a lock file, of a dead process."""
    # A young file's lock is not even tried: its maker may be about to take it, without waiting.
    if time.time() - path.stat().st_mtime > STALE_SECONDS:
        with path.open("rb") as file:
            if private_files.try_lock(file.fileno(), fcntl.LOCK_SH):
                path.unlink()


def _recover_task(path: Path, owner: spool.Owner, supervisor_lock: str) -> Report | Finding:
    with path.open("rb") as file:
        spooled = _decoder.decode(file.read())
        is_ours = supervisor_lock and spooled.supervisor_lock == supervisor_lock
        if spooled.owner != owner or is_ours:
            return Finding.OTHER
        if _has_supervisor(spooled, path) or not _take(file, path):
            return Finding.LATER
        report = _report(spooled, path)
        if report and supervisor_lock:
            _sign(spooled, path, supervisor_lock)
        return report or Finding.NOTHING


def _has_supervisor(spooled: SpooledTask, path: Path) -> bool:
    """Whether the supervisor that reports the task is alive."""
    return bool(spooled.supervisor_lock) and _is_locked(path.parent / spooled.supervisor_lock)


def _is_locked(supervisor_lock: Path) -> bool:
    try:
        with supervisor_lock.open("rb") as file:
            # Shared: two supervisors that look at once do not take each other for the owner.
            return not private_files.try_lock(file.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
    except OSError:  # another user's, as of a supervisor that ran as root: it is left alone
        return True


def _take(file: BinaryIO, path: Path) -> bool:
    """Whether the task's worker is dead; then the file stays locked by us until it is closed."""
    # Opened first, locked second: in between its worker may have replaced the file, so a lock of
    # ours on the old one proves nothing: compare the inode numbers.
    is_locked = private_files.try_lock(file.fileno(), fcntl.LOCK_EX)
    return is_locked and os.fstat(file.fileno()).st_ino == path.stat().st_ino


def _sign(spooled: SpooledTask, path: Path, supervisor_lock: str) -> None:
    """Write our lock file's name into the task's file; on a full disk others may report it too."""
    try:
        ours = msgspec.structs.replace(spooled, supervisor_lock=supervisor_lock)
        os.close(spool.write(path.parent, ours))
    except OSError as error:
        log.LOGGER.error("%s", spool.failure_text(path.parent, error))


def _report(spooled: SpooledTask, path: Path) -> Report | None:
    within = None
    if spooled.task.timeout is not None:
        within = spooled.since + spooled.task.timeout - time.time()
        if within <= 0:
            log.LOGGER.info(
                "A spooled task of workflow %s has timed out; its file is removed.",
                spooled.task.workflow_id,
            )
            path.unlink(missing_ok=True)
            return None
    why = "the supervisor died, and the worker with it"
    return Report(spooled.task, spooled.role, spooled.answer or _lost(spooled, why), why, within)


def _lost(spooled: SpooledTask, why: str) -> Answer:
    if spooled.role is Role.DECIDER:
        return ReturnTask()
    details = {"pid": spooled.pid, "host": os.uname().nodename, "spooled": True}
    return Fail(f"WorkerDied: {why}", json.dumps(details))
