"""The choice of the supervisor that a command is for."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

from supervisor.ipc import socket_path
from supervisor.ipc.control_client import NO_SUPERVISOR, TIMEOUT, CommandFailed, Connection

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def connect(given: argparse.Namespace) -> Connection:
    """Connect to the supervisor that the options choose. Raises ``CommandFailed``."""
    return Connection(_named_socket(given) or _only_socket())


def connect_to_change(given: argparse.Namespace) -> Connection:
    """As ``connect``, but a supervisor that no option names must be confirmed on the terminal."""
    path = _named_socket(given)
    if path is None:
        path = _only_socket()
        _confirm(given.command, path)
    return Connection(path)


def _confirm(command: str, path: Path) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandFailed(
            f"'{command}' needs a named target: give --flow or --control. {path} is running.",
            NO_SUPERVISOR,
        )
    print(f"{command}: the supervisor at {path}? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandFailed("Not confirmed: nothing was changed.")


def _named_socket(given: argparse.Namespace) -> Path | None:
    """The socket that the options or the environment name; ``None`` if they name none."""
    flow = given.flow or os.environ.get("GARCON_FLOW")
    control = given.control or os.environ.get("GARCON_CONTROL")
    if not flow and not control:
        return None
    path = socket_path.socket_of(flow or "", control, os.environ, os.geteuid())
    if path is None:
        raise CommandFailed("There is no control socket: give --control PATH.", NO_SUPERVISOR)
    if not control:
        _check_folder(path.parent)
    return path


def _check_folder(folder: Path) -> None:
    if socket_path.is_untrusted(folder, os.geteuid()):
        raise CommandFailed(
            f"The folder {folder} is not a private folder of this user: another user may listen"
            " there. Give --control PATH.",
            NO_SUPERVISOR,
        )


def _only_socket() -> Path:
    """The socket in the default folder, if only one supervisor listens there."""
    folder = socket_path.folder(os.environ, os.geteuid())
    _check_folder(folder)
    sockets = sorted(folder.glob("garcon-*.sock"))
    found = [path for path in sockets if not _is_stale(path)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandFailed(
            f"No supervisor has a control socket in {folder}. Give --control PATH.", NO_SUPERVISOR
        )
    names = ", ".join(str(each) for each in found)
    raise CommandFailed(
        f"Several supervisors are running: {names}. Give --flow or --control PATH.", NO_SUPERVISOR
    )


def _is_stale(path: Path) -> bool:
    """Whether no supervisor listens any longer: a killed one leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(TIMEOUT)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False  # it may be busy or another user's: the command itself reports why
    return False
