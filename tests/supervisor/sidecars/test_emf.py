"""The file of ``--emf``: lines stay whole on a disk that fills up."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from supervisor.sidecars.emf import MetricsFile

if TYPE_CHECKING:
    from pathlib import Path


def test_a_line_that_a_full_disk_has_cut_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent that reads the file loses the cut line alone."""
    write, room = os.write, [4]

    def fill(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    file = MetricsFile(str(tmp_path / "metrics"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fill)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                file.append("{first}\n")
    file.append("{second}\n")
    file.append("{third}\n")
    assert (tmp_path / "metrics").read_text() == "{fir\n{second}\n{third}\n"
