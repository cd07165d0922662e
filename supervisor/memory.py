"""How much memory a process holds, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes of memory that a process holds (RSS), what it shares with others included; 0 if it is
    gone (proc(5), ``statm``).
    """
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
