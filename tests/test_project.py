"""What holds for the whole tree: who may import whom, and how tests are written."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Who may import whom, of our own modules; a module may import what stands in rows above its own.
GARCON_ORDER = [
    {"limits", "utils", "log", "param", "payload", "context", "client"},
    {"task"},
    {"runner"},
    {"activity"},
    {"event"},
    {"decider"},
]
SUPERVISOR_ORDER = [
    {"messages", "settings"},
    {"core", "channel", "kernel", "children", "log", "options", "outage"},
    {"shell", "check"},
    {"__main__"},
]
CHILDREN = {
    *("zygote", "flow", "worker", "hands", "leaving", "attendants"),
    *("registrar", "reporter", "insisting", "poison"),
}
"""Modules of the supervisor's children: they alone know garcon and the user's flow."""


def python_files(*folders: str) -> list[Path]:
    """Every source file below these folders."""
    return sorted(each for folder in folders for each in (ROOT / folder).rglob("*.py"))


def imported(path: Path, *, at_run_time_only: bool = False) -> set[str]:
    """The dotted names that a file imports, ``if TYPE_CHECKING`` blocks left out if asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _typing_blocks(tree) if at_run_time_only else set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


def _typing_blocks(tree: ast.AST) -> set[ast.AST]:
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {inner for block in blocks for inner in ast.walk(block)}


def rank(order: list[set[str]], module: str) -> int | None:
    """The row in which a module stands."""
    return next((row for row, names in enumerate(order) if module in names), None)


def wrong_imports(package: str, order: list[set[str]]) -> list[str]:
    """Imports within a package that point upwards."""
    wrong = []
    for path in python_files(package):
        module = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        own = rank(order, module)
        for name in imported(path, at_run_time_only=True):
            parts = name.split(".")
            theirs = rank(order, parts[1]) if parts[0] == package and len(parts) > 1 else None
            if own is not None and theirs is not None and parts[1] != module and theirs > own:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    return wrong


def test_garcon_imports_one_way() -> None:
    """Each module of garcon imports only what the architecture puts below it."""
    assert wrong_imports("garcon", GARCON_ORDER) == []


def test_supervisor_imports_one_way() -> None:
    """Each module of the supervisor's own process imports only what is below it."""
    assert wrong_imports("supervisor", SUPERVISOR_ORDER) == []


def test_garcon_never_imports_the_supervisor() -> None:
    """The library knows nothing of processes."""
    assert [
        str(path)
        for path in python_files("garcon")
        if any(name.split(".")[0] == "supervisor" for name in imported(path))
    ] == []


def test_only_children_import_garcon() -> None:
    """Of the supervisor's modules only those of its children know garcon and AWS."""
    known = {
        path.relative_to(ROOT / "supervisor").parts[0].removesuffix(".py")
        for path in python_files("supervisor")
        if any(name.split(".")[0] in {"garcon", "boto3", "botocore"} for name in imported(path))
    }
    assert known <= CHILDREN


def test_core_has_no_io() -> None:
    """The core imports messages, settings and pure parts of the standard library, nothing else."""
    pure = {"__future__", "typing", "dataclasses", "enum", "math", "random", "collections"}
    pure |= {"functools", "itertools", "operator", "signal", "msgspec"}  # signal: names of numbers
    for path in python_files("supervisor/core"):
        for name in imported(path, at_run_time_only=True):
            parts = name.split(".")
            ours = parts[0] == "supervisor" and parts[1] in {"core", "messages", "settings"}
            assert ours or parts[0] in pure, f"{path.name} imports {name}"


def test_the_supervising_process_stays_free_of_user_code_and_aws() -> None:
    """Importing the shell and the core brings neither boto3 nor garcon nor psutil."""
    script = (
        "import sys, supervisor.shell, supervisor.core, supervisor.options;"
        "print([m for m in ('boto3', 'botocore', 'garcon', 'psutil', 'rich') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    assert told.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("path", python_files("tests"), ids=lambda path: path.stem)
def test_every_test_says_in_one_sentence_what_must_hold(path: Path) -> None:
    """A test without a sentence does not tell what broke."""
    silent = [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_test_sleeps() -> None:
    """Tests wait for a message, a line or end-of-file, never for time to pass."""
    sleeping = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("tests")
        if "benchmarks" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]
    assert sleeping == []
