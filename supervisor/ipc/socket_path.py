"""The path of a control socket, for the supervisor that listens and the commands that connect.

1. ``--control PATH`` names it; ``none`` means no socket.
2. Otherwise it is named after the flow, in ``/run`` for root and in ``$XDG_RUNTIME_DIR`` for other
   users: both folders are empty after a boot, and no other user may write there.
3. Without such a folder, as in most containers, it is in ``/tmp/garcon-UID``. Anybody may make that
   folder first and listen there, so both sides use it only if it is private: a folder of this
   user's, not a link, with mode 0700.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "none"

LONGEST = 107
"""Bytes of a socket's path (unix(7): ``sun_path`` has 108, one of them the final zero)."""

_ROOT = 0

SHARED = Path("/tmp")  # noqa: S108 - rule 3
"""The folder in which every user may write, and none may remove what another has made."""


def folder(environ: Mapping[str, str], user: int) -> Path:
    """The folder of sockets whose path is not given."""
    if user == _ROOT:
        return Path("/run")
    named = environ.get("XDG_RUNTIME_DIR")
    return Path(named) if named else fallback(user)


def fallback(user: int) -> Path:
    """The folder of rule 3."""
    return SHARED / f"garcon-{user}"


def is_untrusted(where: Path, user: int) -> bool:
    """Whether this is the folder of rule 3, exists, and is not private."""
    if where != fallback(user):
        return False
    try:
        found = where.lstat()
    except FileNotFoundError:
        return False
    is_open = stat.S_IMODE(found.st_mode) & 0o077
    return not stat.S_ISDIR(found.st_mode) or found.st_uid != user or bool(is_open)


def socket_of(flow: str, given: str | None, environ: Mapping[str, str], user: int) -> Path | None:
    """The path of a flow's control socket, ``given`` or the default; ``None`` for no socket."""
    if given is not None:
        return None if given == NONE else Path(given)
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", flow)
    return folder(environ, user) / f"garcon-{name}.sock"
