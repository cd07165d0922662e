"""A real systemd of one's own: ``systemd --user`` in its own namespaces, where a host permits it.

It needs root, a control group hierarchy to write to (cgroup v2) and ``/run/systemd/system``, which
says that systemd runs the host. All of that is made in private mounts, so the host sees nothing of
it but a control group, which is removed at the end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tests.processes.harness import LIMIT, Program, environment, until

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEMD = Path("/lib/systemd/systemd")

BEGIN = """
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/$GROUP || exit 77
echo $$ > /sys/fs/cgroup/$GROUP/cgroup.procs || exit 77
mount -t tmpfs none /run && mkdir -p /run/systemd/system || exit 77
/lib/systemd/systemd --user --log-target=console
exit 77
"""
"""Systemd is not to be process 1 of the namespace: there it takes itself for the whole system's."""

END = """
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
find /sys/fs/cgroup/$GROUP -depth -type d -exec rmdir {} +
test ! -e /sys/fs/cgroup/$GROUP
"""


class Unavailable(Exception):
    """No systemd can be run here; the message says why."""


class UserSystemd:
    """Speaks to it through ``systemctl``, in its namespaces: it answers no one else.

    Args:
        program: The shell that makes the namespaces.
        variables: The environment that systemd has.
    """

    def __init__(self, program: Program, variables: dict[str, str]) -> None:
        self._program = program
        self._variables = variables

    def ctl(self, *argv: str) -> str:
        """The output of ``systemctl``; it must succeed."""
        done = self._run(*argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shows(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.ctl("show", unit, "--value", "-p", name).strip()

    def is_up(self) -> bool:
        """Whether it answers."""
        return bool(self._program.below()) and self._run("list-units").returncode == 0

    def _run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *("nsenter", f"--target={self._program.below()[0].pid}", "--mount", "--pid"),
                *("systemctl", "--user", "--no-pager", *argv),
            ],
            env=environment(**self._variables),
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )


class _Namespaced(Program):
    def command(self, *argv: str) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", *argv]


@contextlib.contextmanager
def running(home: Path, units: dict[str, str]) -> Iterator[UserSystemd]:
    """A systemd that knows these files of units and ends with the block. Raises ``Unavailable``."""
    if os.geteuid() != 0:
        raise Unavailable("only root can give systemd a control group of its own here")
    if not SYSTEMD.exists() or shutil.which("unshare") is None:
        raise Unavailable("systemd and unshare are not installed")
    (home / "run").mkdir(mode=0o700, parents=True)
    for name, text in units.items():
        path = home / ".config" / "systemd" / "user" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    group = {"GROUP": f"garcon-test-{uuid.uuid4().hex[:8]}"}
    variables = {"XDG_RUNTIME_DIR": str(home / "run"), "HOME": str(home)}
    with _Namespaced("sh", "-c", BEGIN, **variables, **group) as program:
        systemd = UserSystemd(program, variables)
        try:
            _wait_until_up(systemd, program)
            yield systemd
        finally:
            program.process.kill()
            program.wait()
            until(lambda: _is_removed(group), "the control group is removed")


def _wait_until_up(systemd: UserSystemd, program: Program) -> None:
    try:
        until(lambda: systemd.is_up() or program.process.poll() is not None, "an answer")
    except AssertionError as error:
        raise Unavailable(f"systemd does not answer here: {error}") from error
    if program.process.poll() is not None:
        raise Unavailable(f"systemd does not run here: {program.err.rest()[-500:]}")


def _is_removed(group: dict[str, str]) -> bool:
    """Whether its control group is gone; the kernel gives it free when the last process is."""
    command = ["unshare", "--mount", "sh", "-c", END]
    done = subprocess.run(
        command, env=environment(**group), check=False, capture_output=True, timeout=LIMIT
    )
    return done.returncode == 0
