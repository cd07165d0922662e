"""Process-wide state that a task may change, restored before its answer and the next task.

Rules:

1. All tasks of a worker share its process: a changed folder, locale or signal handler would change
   the next task, too. The state is compared after each task, before its answer is sent, and put
   back as it was.
2. The log has one warning for each activity and kind of state.
3. A state that cannot be put back makes the worker ask for its replacement.
4. A module that a task imports may add warning filters for good; such filters stay.
"""

from __future__ import annotations

# What ``signal`` and ``locale`` wrap: their searches for ``enum`` members cost as much as all else.
import _locale
import _signal  # type: ignore[import-not-found] # the standard library's, without stubs
import decimal
import gc
import locale
import logging
import os
import resource
import signal
import socket
import stat
import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM)

_LIMITS = {
    "NOFILE": resource.RLIMIT_NOFILE,
    "AS": resource.RLIMIT_AS,
    "CPU": resource.RLIMIT_CPU,
    "FSIZE": resource.RLIMIT_FSIZE,
}

_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_NO_TIMER = (0.0, 0.0)


class _Part(NamedTuple):
    """One kind of state: its name in warnings, and how to put an earlier value back."""

    name: str
    restore: Callable[[Any], object]


class ProcessState:
    """The state of this process as it is now, for comparison after each task."""

    def __init__(self) -> None:
        # ``umask`` cannot be read without being set: it is set to what it was, which restores it.
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._log_handlers = list(logging.root.handlers)
        self._parts = _parts(self._log_handlers)
        self._before = tuple(map(_snapshot, self._values()))
        self._modules = len(sys.modules)
        self._warned: set[tuple[str, str]] = set()

    def _values(self) -> tuple[Any, ...]:
        """The value of each part, in the order of ``_parts``.

        One function, and nearly all that it calls is in C: its code and data have left the
        processor's caches when a task is over, and to fetch them costs more than to execute them.
        """
        # The last but one are the flags, which change with every rounding.
        *decimals, _flags, traps = decimal.Context.__reduce__(decimal.getcontext())[1]
        stdout, stderr = sys.stdout, sys.stderr
        handlers = logging.root.handlers
        return (
            *map(_signal.getsignal, _SIGNALS),
            # Only a running timer is read as one: what is left of it changes by itself.
            signal.getitimer(signal.ITIMER_REAL) != _NO_TIMER,
            signal.getitimer(signal.ITIMER_VIRTUAL) != _NO_TIMER,
            signal.getitimer(signal.ITIMER_PROF) != _NO_TIMER,
            _signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            _folder(),
            os.umask(self._mask),
            _locale.setlocale(locale.LC_ALL),
            os.environ._data,  # type: ignore[attr-defined] # noqa: SLF001 - undecoded: quick
            warnings.filters,
            (decimals, traps),
            (stdout, getattr(stdout, "closed", False)),
            (stderr, getattr(stderr, "closed", False)),
            _file(1),
            _file(2),
            *map(resource.getrlimit, _LIMITS.values()),
            # A library may add its own when it is used first.
            handlers == self._log_handlers or all(map(handlers.__contains__, self._log_handlers)),
            logging.root.manager.disable,
            sys.getrecursionlimit(),
            sys.getswitchinterval(),
            socket.getdefaulttimeout(),
            gc.isenabled(),
        )

    def restore(self, changed_by: str) -> str:
        """Put back what was changed; a reason for the worker's replacement if that fails.

        Args:
            changed_by: The task's code, for the warning: ``the activity shop_charge``.
        """
        now, has_imported = self._values(), len(sys.modules) != self._modules
        if now == self._before and not has_imported:
            return ""
        return self._put_back(now, changed_by, has_imported=has_imported)

    def _put_back(self, now: tuple[Any, ...], changed_by: str, *, has_imported: bool) -> str:
        self._modules = len(sys.modules)
        if has_imported:
            self._before = tuple(
                _snapshot(value) if part.name == _FILTERS else before
                for part, before, value in zip(self._parts, self._before, now, strict=True)
            )
        changed = [
            (part, before)
            for part, before, value in zip(self._parts, self._before, now, strict=True)
            if value != before
        ]
        failed = [part.name for part, before in changed if not _restored(part, before)]
        self._warn(changed_by, [part.name for part, _ in changed])
        return f"{changed_by} changed {' and '.join(failed)} for good" if failed else ""

    def _warn(self, changed_by: str, names: list[str]) -> None:
        new = [name for name in dict.fromkeys(names) if (changed_by, name) not in self._warned]
        if not new:
            return
        self._warned.update((changed_by, name) for name in new)
        log.LOGGER.warning(
            "%s%s changed %s, which belongs to the whole process. It is put back after each task.",
            changed_by[0].upper(),
            changed_by[1:],
            ", ".join(new),
        )


_FILTERS = "warnings.filters"


def _parts(log_handlers: list[logging.Handler]) -> list[_Part]:
    """All parts, in the order of ``ProcessState._values``."""
    context = decimal.getcontext().copy()
    return [
        *map(_handler, _SIGNALS),
        *map(_timer, _TIMERS),
        _Part("the signal mask", lambda mask: signal.pthread_sigmask(signal.SIG_SETMASK, mask)),
        _Part("the current folder", os.chdir),
        _Part("the umask", os.umask),
        _Part("the locale", lambda before: locale.setlocale(locale.LC_ALL, before)),
        _Part("os.environ", _restore_environment),
        _Part(_FILTERS, _restore_filters),
        _Part("the decimal context", lambda _before: decimal.setcontext(context.copy())),
        *map(_stream, ("stdout", "stderr")),
        *map(_descriptor, (1, 2)),
        *map(_limit, _LIMITS),
        _Part("the handlers of the root logger", lambda _before: _set_log_handlers(log_handlers)),
        _Part("logging.disable", logging.disable),
        _Part("the recursion limit", sys.setrecursionlimit),
        _Part("the switch interval", sys.setswitchinterval),
        _Part("the default timeout of sockets", socket.setdefaulttimeout),
        _Part("the garbage collector", _set_collector),
    ]


def _handler(number: signal.Signals) -> _Part:
    return _Part(f"the handler of {number.name}", lambda before: signal.signal(number, before))


def _timer(which: int) -> _Part:
    return _Part("an interval timer", lambda _before: signal.setitimer(which, 0))


def _stream(name: str) -> _Part:
    def restore(before: tuple[Any, bool]) -> None:
        setattr(sys, name, before[0])
        if before[0].closed:
            raise ValueError(f"sys.{name} is closed")

    return _Part(f"sys.{name}", restore)


def _descriptor(number: int) -> _Part:
    # The next connection would get its number, and with it what the process prints.
    copy = os.dup(number)

    def restore(_before: object) -> None:
        if _file(number) is not None and stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(f"a connection has the number {number}")
        os.dup2(copy, number)

    return _Part(f"descriptor {number}", restore)


def _file(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _limit(name: str) -> _Part:
    return _Part(f"the limit {name}", lambda before: resource.setrlimit(_LIMITS[name], before))


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a text is compared faster
    except FileNotFoundError:  # it was removed
        return None


def _restore_environment(before: dict[Any, Any]) -> None:
    values = {os.fsdecode(name): os.fsdecode(value) for name, value in before.items()}
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    for name, value in values.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _restore_filters(before: list[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index] # a list, whatever its stubs say
    warnings._filters_mutated()  # type: ignore[attr-defined] # noqa: SLF001 - for the C code's cache


def _set_log_handlers(handlers: list[logging.Handler]) -> None:
    logging.root.handlers[:] = handlers


def _set_collector(enabled: bool) -> None:  # noqa: FBT001 - the state that was read
    (gc.enable if enabled else gc.disable)()


def _snapshot(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _restored(part: _Part, before: Any) -> bool:
    try:
        part.restore(before)
    except (OSError, TypeError, ValueError, locale.Error):  # a folder that is gone, a C handler
        return False
    return True
