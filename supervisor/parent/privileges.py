"""``--user``: from root to the user that runs the supervisor and all tasks.

Root is given up before the first process of the flow starts, and for good: user, group and the
groups of the user. The control socket was bound before, in a folder of root's.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.config.settings import SettingsError

if TYPE_CHECKING:
    from supervisor.parent.control_listener import Listener

_ROOT = 0


def become(name: str, spool: str | None, listener: Listener | None) -> None:
    """Run as this user from now on, who gets the socket and the spool. Raises ``SettingsError``."""
    account = _account(name)
    if os.geteuid() == account.pw_uid:
        return
    if os.geteuid() != _ROOT:
        raise SettingsError(
            f"--user {name}: only root can become another user. Start the supervisor as root, or as"
            f" {name} without --user."
        )
    try:
        if listener:
            for path in (listener.path, Path(f"{listener.path}.lock")):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        if spool:
            _give_folder(Path(spool), account)
        os.initgroups(name, account.pw_gid)
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)  # last: it needs root
    except OSError as error:
        raise SettingsError(f"--user {name}: {error}.") from error
    if not os.access(sys.executable, os.X_OK):
        raise SettingsError(f"--user {name}: this user may not run {sys.executable}.")
    os.environ.update(HOME=account.pw_dir, USER=name, LOGNAME=name)


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise SettingsError(f"--user {name}: this host has no such user.") from None


def _give_folder(folder: Path, account: pwd.struct_passwd) -> None:
    """Make a missing folder, or take a private one of root's; any other is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Opened, so that no one can put a link to another folder in its place before the change.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_uid == _ROOT and not found.st_mode & 0o077:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
    finally:
        os.close(descriptor)
