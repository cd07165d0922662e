"""What holds for the whole tree: who may import whom, and how tests are written."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CHILDREN = {
    *("zygote", "flow", "worker", "hands", "leaving", "attendants"),
    *("registrar", "replayer", "reporter", "insisting", "poison", "place"),
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


def imports_within(package: str) -> dict[str, set[str]]:
    """Which rooms (modules and folders) of a package each of its rooms imports."""
    rooms: dict[str, set[str]] = {}
    for path in python_files(package):
        room = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        names = (each.split(".") for each in imported(path, at_run_time_only=True))
        theirs = {parts[1] for parts in names if parts[0] == package and len(parts) > 1}
        rooms.setdefault(room, set()).update(theirs - {room})
    return {room: theirs & rooms.keys() for room, theirs in rooms.items()}


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_imports_go_one_way(package: str) -> None:
    """No room of a package imports, over whatever detour, one that imports it."""
    sorter = TopologicalSorter(imports_within(package))
    assert list(sorter.static_order())  # raises CycleError and names the circle


def test_the_order_of_garcon_is_that_of_the_architecture() -> None:
    """task, runner, activity, event, decider: each imports only what stands before it."""
    order = ["task", "runner", "activity", "event", "decider", "local", "workflow"]
    rooms = imports_within("garcon")
    for place, room in enumerate(order):
        assert not rooms[room] & set(order[place + 1 :]), room


def test_the_supervising_process_imports_nothing_of_its_children() -> None:
    """What runs in the supervisor's own process cannot be taken down by user code."""
    rooms = imports_within("supervisor")
    reached, ahead = set[str](), {"__main__"}
    while ahead:
        room = ahead.pop()
        reached.add(room)
        ahead |= rooms[room] - reached
    assert {"core", "shell", "spawner"} <= reached
    assert not reached & CHILDREN


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_every_room_is_named_in_the_architecture(package: str) -> None:
    """A newcomer finds each module and folder in the package's table, and none that is gone."""
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / package).iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    assert _told_rooms(package) == there - {"__init__.py", "__pycache__/"}


def _told_rooms(package: str) -> set[str]:
    """What stands in the first column of the architecture's table of this package."""
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    first = lines.index(f"| {package}/ | what it holds |")
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[first + 2 :])
    return {name for row in rows for name in re.findall(r"`(.+?)`", row.split("|")[1])}


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


def test_what_others_wrote_is_never_code() -> None:
    """Nothing is unpickled or evaluated; modules are imported by name where users name them."""
    named_by_users = {"garcon/workflow/flows.py", "supervisor/flow.py", "garcon/local/__init__.py"}
    found = []
    for path in python_files("garcon", "supervisor"):
        name = str(path.relative_to(ROOT))
        calls = {
            ast.unparse(node.func).rpartition(".")[2]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("re.")
        }
        modules = {each.split(".")[0] for each in imported(path)}
        found += [f"{name} {each}" for each in modules & {"pickle", "marshal", "shelve", "dill"}]
        found += [f"{name} {each}" for each in calls & {"eval", "exec", "compile", "__import__"}]
        if "import_module" in calls and name not in named_by_users:
            found.append(f"{name} import_module")
    assert found == []


def test_core_has_no_io() -> None:
    """The core imports messages, settings and pure parts of the standard library, nothing else."""
    ours = {"core", "messages", "settings", "per_list", "exits"}
    pure = {"__future__", "typing", "dataclasses", "enum", "math", "random", "collections"}
    pure |= {"functools", "itertools", "operator", "signal", "msgspec"}  # signal: names of numbers
    for path in python_files("supervisor/core"):
        for name in imported(path, at_run_time_only=True):
            parts = name.split(".")
            is_ours = parts[0] == "supervisor" and parts[1] in ours
            assert is_ours or parts[0] in pure, f"{path.name} imports {name}"


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
