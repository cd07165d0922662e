"""The releases in ``--check``: which one would serve, which are kept, and their builds.

A kept release is checked by itself, with its own interpreter: ``--check --retired`` as it would be
started, so that one that could not be served is found before it is needed.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.config import releases
from supervisor.ipc.conventions import SERVING_CHANNEL
from supervisor.ipc.messages import RETIRED
from supervisor.parent import retired_command

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.releases import Releases
    from supervisor.config.settings import Settings
    from supervisor.ipc.messages import Loaded, SwfEndpoint, TaskList

_BUILD = re.compile(r"^Its build is (\S+)\.$", re.MULTILINE)


@dataclass(frozen=True)
class CheckedRelease:
    """The findings of a check of a kept release.

    Attributes:
        name: The release's.
        build: Its build; empty if it cannot be served.
        fault: Why it cannot be served.
    """

    name: str
    build: str = ""
    fault: str = ""


def found(settings: Settings) -> Releases | None:
    """The releases; ``None`` without ``--releases``. The settings' check has found them before."""
    if not settings.releases:
        return None
    return releases.find(settings.releases)


def check_kept(
    settings: Settings, swf: SwfEndpoint, found: Releases, loaded: Loaded
) -> list[CheckedRelease]:
    """Check the releases that are kept; those with the serving one's build do not count."""
    checked: list[CheckedRelease] = []
    for folder in found.older:
        if len(checked) == settings.keep_builds:
            break
        release = _check(settings, swf, folder, loaded.task_lists)
        if release.fault or release.build != loaded.build:
            checked.append(release)
    return checked


def _check(
    settings: Settings, swf: SwfEndpoint, folder: Path, served: tuple[TaskList, ...]
) -> CheckedRelease:
    variables = retired_command.variables(settings, swf, RETIRED + folder.name, os.environ)
    del variables[SERVING_CHANNEL]
    words = retired_command.words(settings, folder, served)
    try:
        done = subprocess.run(  # noqa: S603 - the command of this host's own release
            [releases.python_of(folder), "-m", "supervisor", *words, "--check"],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * settings.import_timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return CheckedRelease(folder.name, fault=str(error))
    build = _BUILD.search(done.stdout)
    if done.returncode:
        return CheckedRelease(folder.name, fault=done.stderr.strip().removeprefix("supervisor: "))
    return CheckedRelease(folder.name, build[1] if build else "")
