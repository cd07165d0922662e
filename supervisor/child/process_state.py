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

# What ``signal`` wraps: its searches for ``enum`` members cost as much as all comparisons.
import _signal  # type: ignore[import-not-found] # the standard library's, without stubs
import contextlib
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

_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


class _Part(NamedTuple):
    """One kind of state: its name in warnings, how to read it, how to put it back."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]


def _handler(number: signal.Signals) -> _Part:
    return _Part(
        f"the handler of {number.name}",
        lambda: _signal.getsignal(number),
        lambda before: signal.signal(number, before),
    )


def _timer(which: int) -> _Part:
    # Only a running timer is read as one: what is left of it changes by itself.
    return _Part(
        "an interval timer",
        lambda: signal.getitimer(which) != (0.0, 0.0),
        lambda _before: signal.setitimer(which, 0),
    )


def _stream(name: str) -> _Part:
    def restore(before: tuple[Any, bool]) -> None:
        setattr(sys, name, before[0])
        if before[0].closed:
            raise ValueError(f"sys.{name} is closed")

    return _Part(
        f"sys.{name}",
        lambda: (stream := getattr(sys, name), getattr(stream, "closed", False)),
        restore,
    )


def _descriptor(number: int) -> _Part:
    # The next connection would get its number, and with it what the process prints.
    copy = os.dup(number)

    def restore(_before: object) -> None:
        if _file(number) is not None and stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(f"a connection has the number {number}")
        os.dup2(copy, number)

    return _Part(f"descriptor {number}", lambda: _file(number), restore)


def _file(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _limit(name: str) -> _Part:
    which = getattr(resource, f"RLIMIT_{name}")
    return _Part(
        f"the limit {name}",
        lambda: resource.getrlimit(which),
        lambda before: resource.setrlimit(which, before),
    )


def _log_handlers() -> _Part:
    # Further handlers may stay: a library adds its own when it is used first.
    own = list(logging.root.handlers)
    return _Part(
        "the handlers of the root logger",
        lambda: all(each in logging.root.handlers for each in own),
        lambda _before: logging.root.handlers.__setitem__(slice(None), own),
    )


def _folder() -> str | None:
    with contextlib.suppress(FileNotFoundError):  # it was removed
        return os.getcwd()  # noqa: PTH109 - a text is compared faster
    return None


def _decimal_context() -> tuple[Any, ...]:
    now = decimal.getcontext()
    traps = tuple(now.traps.values())
    return now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps


def _environment() -> Any:
    return os.environ._data  # type: ignore[attr-defined] # noqa: SLF001 - undecoded: quick


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


def _set_collector(enabled: bool) -> None:  # noqa: FBT001 - the state that was read
    (gc.enable if enabled else gc.disable)()


_FILTERS = _Part("warnings.filters", lambda: warnings.filters, _restore_filters)


def _parts() -> list[_Part]:
    context = decimal.getcontext().copy()
    # ``umask`` cannot be read without being set: it is set to what it was, which restores it.
    mask = os.umask(0o077)
    os.umask(mask)
    return [
        *map(_handler, _SIGNALS),
        *map(_timer, _TIMERS),
        _Part(
            "the signal mask",
            lambda: _signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            lambda before: signal.pthread_sigmask(signal.SIG_SETMASK, before),
        ),
        _Part("the current folder", _folder, os.chdir),
        _Part("the umask", lambda: os.umask(mask), os.umask),
        _Part(
            "the locale",
            lambda: locale.setlocale(locale.LC_ALL),
            lambda before: locale.setlocale(locale.LC_ALL, before),
        ),
        _Part("os.environ", _environment, _restore_environment),
        _FILTERS,
        _Part(
            "the decimal context", _decimal_context, lambda _: decimal.setcontext(context.copy())
        ),
        _stream("stdout"),
        _stream("stderr"),
        _descriptor(1),
        _descriptor(2),
        *map(_limit, ("NOFILE", "AS", "CPU", "FSIZE")),
        _log_handlers(),
        _Part("logging.disable", lambda: logging.root.manager.disable, logging.disable),
        _Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        _Part("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
        _Part("the default timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
        _Part("the garbage collector", gc.isenabled, _set_collector),
    ]


class ProcessState:
    """The state of this process as it is now, for comparison after each task."""

    def __init__(self) -> None:
        self._before = [(part, _snapshot(part.read())) for part in _parts()]
        self._modules = len(sys.modules)
        self._warned: set[tuple[str, str]] = set()

    def restore(self, changed_by: str) -> str:
        """Put back what was changed; a reason for the worker's replacement if that fails.

        Args:
            changed_by: The task's code, for the warning: ``the activity shop_charge``.
        """
        has_imported = len(sys.modules) != self._modules
        changed = [(part, before) for part, before in self._before if part.read() != before]
        if not changed and not has_imported:
            return ""
        self._modules = len(sys.modules)
        if has_imported:
            self._before = [
                (part, _snapshot(part.read()) if part is _FILTERS else before)
                for part, before in self._before
            ]
            changed = [each for each in changed if each[0] is not _FILTERS]
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


def _snapshot(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _restored(part: _Part, before: Any) -> bool:
    try:
        part.restore(before)
    except (OSError, TypeError, ValueError, locale.Error):  # a folder that is gone, a C handler
        return False
    return True
