"""The shape of the tree in figures: ``python -m tests.measures``. CONTRIBUTING.md quotes them."""

from __future__ import annotations

import ast
import functools
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
PACKAGES = ("garcon", "supervisor")
QUESTION = re.compile(r"(Who|What|Which|When|Whether|How|Where|Why|Whose)\b")
"""A docstring that begins so has a clause for its subject, and not a noun."""


class FileShape(NamedTuple):
    """What is measured in one file: its docstring, its classes, and the lines of its functions."""

    docstring: str
    classes: tuple[str, ...]
    functions: tuple[int, ...]


def files() -> list[Path]:
    """Every source file of both packages."""
    return sorted(each for package in PACKAGES for each in (ROOT / package).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def shape_of(path: Path) -> FileShape:
    """A file's shape; the file is read once, for all measures."""
    tree = tree_of(path)
    classes, functions = list[str](), list[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            classes.append(node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.append((node.end_lineno or node.lineno) - node.lineno + 1)
    return FileShape(ast.get_docstring(tree) or "", tuple(classes), tuple(functions))


def modules_at_the_root(package: str) -> int:
    """Modules beside a package's folders, dunder files left out."""
    return sum(not each.name.startswith("__") for each in (ROOT / package).glob("*.py"))


def repeated_stems() -> dict[str, list[str]]:
    """File names that stand in more than one place, with these places."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in files():
        if not path.name.startswith("__"):
            places[path.stem].append(str(path.relative_to(ROOT)))
    return {stem: found for stem, found in places.items() if len(found) > 1}


def repeated_classes() -> dict[str, list[str]]:
    """Names that two classes of one package share, with their files."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in files():
        package = path.relative_to(ROOT).parts[0]
        for name in shape_of(path).classes:
            places[package, name].append(str(path.relative_to(ROOT)))
    return {name: found for (_, name), found in places.items() if len(found) > 1}


def questioning_modules() -> list[str]:
    """Modules whose docstring begins with a question word."""
    return [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in files()
        if QUESTION.match(text := shape_of(path).docstring)
    ]


def lengths_of_functions() -> Iterator[int]:
    """Lines of each function and method."""
    for path in files():
        yield from shape_of(path).functions


def lengths_of_files() -> Iterator[int]:
    """Lines of each file."""
    for path in files():
        yield len(path.read_text(encoding="utf-8").splitlines())


def spread(values: Iterable[int]) -> str:
    """Median, ninth decile and maximum."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):g} / {ordered[len(ordered) * 9 // 10]} / {ordered[-1]}"


def main() -> None:
    """Print every figure, and below it what it counts where that is short."""
    print(f"files                                   {len(files())}")
    for package in PACKAGES:
        print(f"modules at the root of {package:<17}{modules_at_the_root(package)}")
    print(f"lines of a file, median / p90 / max     {spread(lengths_of_files())}")
    print(f"lines of a function, median / p90 / max {spread(lengths_of_functions())}")
    for title, found in (
        ("file names used more than once", list(repeated_stems())),
        ("class names used twice in a package", list(repeated_classes())),
        ("modules that begin with a question", questioning_modules()),
    ):
        print(f"{title:<40}{len(found)}")
        for each in found:
            print(f"    {each}")


if __name__ == "__main__":
    main()
