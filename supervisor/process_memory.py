"""The memory of a process: resident for limits, unique for people.

A forked worker shares most of its pages with its zygote. *Resident* memory counts them in full, and
is cheap to read; the OOM killer ranks processes by it, and limits are compared with it. *Unique*
memory leaves shared pages out: it is what the end of the worker gives back.

psutil is imported by the first call: most supervisors never ask. It opens a file for each answer.
So without a descriptor left there is none, as for a dead process: the pool must not end with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import psutil

    T = TypeVar("T")


def resident(pid: int) -> int:
    """Resident bytes (RSS) of a process; 0 if it is dead."""
    return _asked(pid, lambda process: int(process.memory_info().rss)) or 0


def unique_with_children(pid: int) -> int | None:
    """The unique bytes of a process and of all below it, together; ``None`` if it is dead."""
    below = _asked(pid, lambda process: process.children(recursive=True)) or ()
    sizes = [unique(each) for each in (pid, *(each.pid for each in below))]
    return None if sizes[0] is None else sum(size or 0 for size in sizes)


def unique(pid: int) -> int | None:
    """Bytes that no other process shares (USS); ``None`` if it is dead or another user's.

    The kernel walks all pages of the process for it, which takes milliseconds.
    """
    return _asked(pid, lambda process: int(process.memory_full_info().uss))


def _asked(pid: int, question: Callable[[psutil.Process], T]) -> T | None:
    """The answer about a process; ``None`` if there is none."""
    try:
        import psutil  # noqa: PLC0415 - see the module's text
    except (ImportError, OSError):  # it is a dependency: no descriptor is left for its files
        return None
    try:
        return question(psutil.Process(pid))
    except (psutil.Error, OSError):  # OSError, but for a few, is passed on as it came
        return None
