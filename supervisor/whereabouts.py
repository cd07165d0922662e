"""Where a supervisor's control socket is: what the supervisor and the commands must agree on.

1. ``--control PATH`` says it, ``none`` means none.
2. Else it is named after the flow, in ``/run`` for root and in ``$XDG_RUNTIME_DIR`` for others:
   both are empty after a boot, and nobody else may write there. Without such a folder there is
   none: where all may write, somebody else could listen in its place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "none"

LONGEST = 107
"""Bytes of a socket's path (unix(7): ``sun_path`` has 108, one of them the end)."""

_ROOT = 0


def folder(environ: Mapping[str, str], user: int) -> Path | None:
    """Where the sockets are that are not named."""
    if user == _ROOT:
        return Path("/run")
    named = environ.get("XDG_RUNTIME_DIR")
    return Path(named) if named else None


def socket_of(flow: str, given: str | None, environ: Mapping[str, str], user: int) -> Path | None:
    """The socket of a flow's supervisor that was given this path; ``None`` for none."""
    if given is not None:
        return None if given == NONE else Path(given)
    where = folder(environ, user)
    return where / f"garcon-{re.sub(r'[^A-Za-z0-9_.-]', '-', flow)}.sock" if where else None
