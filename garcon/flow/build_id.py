"""Build ids: a name for a flow's code, the same on every host that has the same code.

By default it is a digest of the flow's own source files:

1. The modules of its top package that its import loaded: a package is deployed as a whole, and what
   a decision calls is imported by then.
2. The other modules below the folder that holds that package, as a helper beside a one-file flow.
   Installed packages (``site-packages``) are not the flow's own; their versions are deployed with
   the host.
3. Names are relative to that folder, so the place of a release does not count. A changed comment
   makes another build, which fits what the earlier one began.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

CHARACTERS = 12
"""Of the default id: 48 bits, too many for two builds of one flow to meet."""

LONGEST = 64

_ID = re.compile(rf"[A-Za-z0-9._+-]{{1,{LONGEST}}}")
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_LIBRARIES = frozenset({"garcon", "supervisor"})


def check_build_id(text: str) -> str:
    """The id, if it can be part of a task list's name.

    Raises:
        ValueError: It cannot.
    """
    if not _ID.fullmatch(text):
        raise ValueError(
            f"expected a build id of 1 to {LONGEST} letters, digits, dots, dashes, underscores or"
            " plus signs, such as 2026-11-29.3"
        )
    return text


def default_build_id(module: str) -> str:
    """The digest of the source files of a flow.

    Args:
        module: The name of the flow's module, which is imported.

    Returns:
        The id; empty if the flow has no source files, as one that was typed in.
    """
    top = module.partition(".")[0]
    root = _root(sys.modules.get(top))
    if root is None:
        return ""
    digest = hashlib.sha256()
    for name, path in sorted(_own_files(root, top)):
        digest.update(f"{name}\0".encode(errors="replace"))
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:CHARACTERS]


def _root(top: ModuleType | None) -> Path | None:
    """The folder that holds the top package."""
    if top is None:
        return None
    if file := getattr(top, "__file__", None):
        path = Path(file).absolute()
        return path.parents[1] if hasattr(top, "__path__") else path.parent
    folders = [*getattr(top, "__path__", ())]  # a namespace package has no file
    return Path(folders[0]).absolute().parent if folders else None


def _own_files(root: Path, top: str) -> Iterator[tuple[str, Path]]:
    is_installed = not _INSTALLED.isdisjoint(root.parts)
    for name, module in list(sys.modules.items()):
        package = name.partition(".")[0]
        path = _source(module)
        if path is None or not path.is_relative_to(root):
            continue
        relative = path.relative_to(root)
        if package == top or not (is_installed or _is_foreign(package, relative)):
            yield str(relative), path


def _is_foreign(package: str, relative: Path) -> bool:
    return package in _LIBRARIES or not _INSTALLED.isdisjoint(relative.parts)


def _source(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return None
    path = Path(file).absolute()
    return path if path.is_file() else None
