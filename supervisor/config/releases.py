"""Releases of a flow's code: folders in one folder, of which one serves and older ones are kept.

Rules of this file:

1. A release is a subfolder whose name does not begin with a dot. Names order releases, numbers in
   them as numbers: times of files change when a folder is copied into an image.
2. The release that the link ``current`` leads to serves; without the link the newest one does. The
   link lies in the folder of the releases, or beside it.
3. Those that are older than the serving one may be kept. Newer ones may be unfinished.
4. A release has its own environment if it has one of ``PYTHONS``.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from supervisor.config.setting_types import HistorySource
from supervisor.config.settings import Settings, SettingsError

CURRENT = "current"
"""The link to the release that serves."""

PYTHONS = (".venv/bin/python", "venv/bin/python")
"""The interpreter of a release's own environment."""

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Releases:
    """The releases to serve.

    Attributes:
        serving: The folder of the one that serves.
        older: Folders of the older ones, which may be served as retired code, the newest first.
        names: The names of all in the folder.
    """

    serving: Path
    older: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()


def find(folder: str) -> Releases:
    """The release that serves, and the older ones. Raises ``SettingsError``."""
    top = Path(folder).absolute()
    try:
        names = [each.name for each in top.iterdir() if each.is_dir() and not each.is_symlink()]
        serving = _current(top)
    except OSError as error:
        raise SettingsError(
            f"--releases {folder} cannot be read: {error.strerror}. Name the folder that holds a"
            " folder for each release."
        ) from error
    names = sorted((each for each in names if not each.startswith(".")), key=order)
    if serving is None and not names:
        raise SettingsError(
            f"--releases {folder} holds no release: put each into a folder of its own there, as"
            f" {top / '2026-11-29'}."
        )
    serving = serving or top / names[-1]
    older = [each for each in reversed(names) if order(each) < order(serving.name)]
    return Releases(serving, tuple(top / each for each in older), tuple(names))


def _current(top: Path) -> Path | None:
    """The release that the link leads to; ``None`` without a link."""
    for link in (top / CURRENT, top.parent / CURRENT):
        if link.is_symlink():
            target = link.resolve()
            # Beside the folder it may be a link of something else.
            if link.parent == top or target.parent == top.resolve():
                if not target.is_dir():
                    raise SettingsError(
                        f"{link} leads to {target}, which is not a folder. Let it lead to the"
                        " release that is to serve: ln -sfn RELEASE current."
                    )
                return target
    return None


def order(name: str) -> tuple[list[tuple[int, str]], str]:
    """The key that sorts names of releases: numbers in them count as numbers."""
    parts = _NUMBER.split(name)
    return [(int(each), "") if each.isdecimal() else (-1, each) for each in parts if each], name


def python_of(folder: str | Path | None) -> str:
    """The interpreter of a release: that of its own environment, else that of this process.

    A broken one counts: with other packages than its own the release would be other code.
    """
    own = (os.path.join(folder, each) for each in PYTHONS) if folder else ()  # noqa: PTH118 - text
    return next(filter(os.path.lexists, own), sys.executable)


def with_absolute_paths(settings: Settings) -> Settings:
    """The settings with the paths that hold in the release's folder, too.

    Raises ``SettingsError`` for a relative one if the working folder is gone, as after a deploy.
    """
    if not settings.folder and not settings.releases:
        return settings
    try:
        return _with_absolute_paths(settings)
    except FileNotFoundError as error:
        raise SettingsError(
            "The working folder is gone, and a setting names a path in it: give absolute paths."
        ) from error


def _with_absolute_paths(settings: Settings) -> Settings:
    paths = {
        name: str(Path(path).absolute())
        for name in ("folder", "releases", "spool")
        if (path := getattr(settings, name))
    }
    histories = settings.gate_replay
    if histories.folder is not None:
        histories = HistorySource(Path(histories.folder).absolute())
    return msgspec.structs.replace(settings, gate_replay=histories, **paths)
