"""A worker's end in the copy of a zygote."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from supervisor import channel, will, worker, zygote

if TYPE_CHECKING:
    from collections.abc import Callable

CAME_BACK = 99
"""Exit code of a worker that was let back into the code that forked it."""


def last_code(body: Callable[[], int]) -> int:
    """The exit code of a worker with this life, whose output nobody reads."""
    reader, unread = os.pipe()
    os.close(reader)
    ours, theirs = channel.pair()
    child = os.fork()
    if child == 0:
        os.dup2(unread, 1)
        os.dup2(unread, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - for this process's life
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 - same
        worker.run = lambda *_: body()
        nothing: Any = SimpleNamespace()
        try:
            zygote._live(nothing, nothing, zygote.Dowry(theirs, will.make()))
        finally:
            os._exit(CAME_BACK)
    os.close(unread)
    theirs.close()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ours.close()
    return code


@pytest.mark.parametrize("code", [0, 3])
def test_a_worker_whose_log_nobody_reads_keeps_its_exit_code(code: int) -> None:
    """What a task printed cannot be written any more, nor can the complaint about it."""

    def prints() -> int:
        print("lost", file=sys.stdout)  # noqa: T201 - as a task does
        return code

    assert last_code(prints) == code
