"""The memory of a process: resident for limits, unique for people.

A forked worker shares most of its pages with its zygote. *Resident* memory counts them in full, and
is cheap to read; the OOM killer ranks processes by it, and limits are compared with it. *Unique*
memory leaves shared pages out: it is what the end of the worker gives back.

psutil is imported by the first call: most supervisors never ask.
"""

from __future__ import annotations


def resident(pid: int) -> int:
    """Resident bytes (RSS) of a process; 0 if it is dead."""
    import psutil  # noqa: PLC0415 - see the module's text

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def unique_with_children(pid: int) -> int | None:
    """The unique bytes of a process and of all below it, together; ``None`` if it is dead."""
    import psutil  # noqa: PLC0415 - see the module's text

    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return None
    sizes = [unique(each) for each in (pid, *(each.pid for each in below))]
    return None if sizes[0] is None else sum(size or 0 for size in sizes)


def unique(pid: int) -> int | None:
    """Bytes that no other process shares (USS); ``None`` if it is dead or another user's.

    The kernel walks all pages of the process for it, which takes milliseconds.
    """
    import psutil  # noqa: PLC0415 - see the module's text

    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return None
