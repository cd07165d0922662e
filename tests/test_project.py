"""Rules of the whole tree: imports, sizes, names, and the form of tests."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import measures

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).parent.parent

KNOWS_THE_FLOW = {"child", "sidecars"}
"""Folders of processes that import garcon, boto3 or the user's flow."""

SUPERVISING = {
    "__main__",
    "cli",
    "config",
    "core",
    "parent",
    "ipc",
    "logs",
    "exit_codes",
    "backoff",
    "process_memory",
}
"""Rooms that the supervising process imports."""


EVALUATED = re.compile(r"\b(eval|exec|compile|__import__|import_module)\b")
"""Names of functions that make code of what they are given."""


def python_files(*folders: str) -> list[Path]:
    """Every source file below these folders."""
    return sorted(each for folder in folders for each in (ROOT / folder).rglob("*.py"))


@functools.cache
def imported(path: Path, *, at_run_time_only: bool = False) -> frozenset[str]:
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
    return frozenset(names)


def calls_in(text: str) -> list[tuple[int, str]]:
    """The calls of a file: the line of each, and what is called."""
    return [
        (node.lineno, ast.unparse(node.func))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    ]


def _typing_blocks(tree: ast.AST) -> set[ast.AST]:
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {inner for block in blocks for inner in ast.walk(block)}


def module_of(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_within(package: str) -> dict[str, set[str]]:
    """Each module of a package and the modules of it that it imports, in functions too."""
    modules = {module_of(path): path for path in python_files(package)}
    return {
        module: {each for name in imported(path) if (each := _module_in(name, modules)) != module}
        - {""}
        for module, path in modules.items()
    }


def _module_in(name: str, modules: Collection[str]) -> str:
    """The module that an imported name is, or stands in; empty if it is none of these."""
    return next((each for each in (name, name.rpartition(".")[0]) if each in modules), "")


def rooms_of(modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """Each room (a folder or module at a package's root) and the rooms that it imports."""
    rooms: dict[str, set[str]] = {}
    for module, theirs in modules.items():
        room = _room(module)
        rooms.setdefault(room, set()).update({_room(each) for each in theirs} - {room})
    return rooms


def _room(module: str) -> str:
    return ([*module.split("."), "__init__"])[1]


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_no_modules_import_each_other(package: str) -> None:
    """No module imports one that imports it, over whatever detour; ``TYPE_CHECKING`` counts."""
    sorter = TopologicalSorter(imports_within(package))
    assert list(sorter.static_order())  # raises CycleError and names the circle


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_imports_between_folders_go_one_way(package: str) -> None:
    """No folder imports, over whatever detour, one that imports it."""
    sorter = TopologicalSorter(rooms_of(imports_within(package)))
    assert list(sorter.static_order())


def test_the_order_of_garcon_is_that_of_the_architecture() -> None:
    """Each room of garcon imports only rooms that stand before it."""
    order = ["task", "runner", "activity", "event", "decider", "local", "executions"]
    rooms = rooms_of(imports_within("garcon"))
    for place, room in enumerate(order):
        assert not rooms[room] & set(order[place + 1 :]), room


def test_the_supervising_process_imports_no_folder_that_knows_the_flow() -> None:
    """Nothing in the supervisor's own process can be taken down by user code."""
    rooms = rooms_of(imports_within("supervisor"))
    reached, ahead = set[str](), {"__main__"}
    while ahead:
        room = ahead.pop()
        reached.add(room)
        ahead |= rooms[room] - reached
    assert reached - {"__init__"} == SUPERVISING
    assert not reached & KNOWS_THE_FLOW


def test_children_do_not_import_the_supervising_process() -> None:
    """A worker or a sidecar holds nothing of the process that started it."""
    rooms = rooms_of(imports_within("supervisor"))
    for room in KNOWS_THE_FLOW:
        assert not rooms[room] & {"parent", "core", "cli"}, room


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_a_root_has_at_most_a_dozen_modules(package: str) -> None:
    """Folders show the architecture, not a flat list of files."""
    modules = [each for each in (ROOT / package).glob("*.py") if not each.name.startswith("__")]
    assert len(modules) <= 12


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", ["garcon", "supervisor"])
def test_every_room_is_named_in_the_architecture(package: str) -> None:
    """A newcomer finds each folder and root module in its table, and none that is gone."""
    folder = ROOT / package
    folders = {f"{path.parent.relative_to(folder)}/" for path in folder.rglob("*/__init__.py")}
    modules = {path.name for path in folder.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert _rooms_named(package) == folders | modules


def _rooms_named(package: str) -> set[str]:
    """The first column of the architecture's table of this package."""
    lines = ARCHITECTURE.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"| folder of `{package}/`"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[first + 2 :])
    return {name for row in rows for name in re.findall(r"`(.+?)`", row.split("|")[1])}


def test_the_ways_through_the_code_lead_through_files_that_exist() -> None:
    """Each of the five ways is a list of at most eight rooms, and every room is there."""
    ways = ARCHITECTURE.partition("## Five ways through the code")[2].partition("\n## ")[0]
    found = re.findall(r"^### .*?(?=^### |\Z)", ways, re.MULTILINE | re.DOTALL)
    assert len(found) == 5
    for way in found:
        rooms = re.findall(r"`((?:garcon|supervisor)/\S+\.py)`", way)
        assert 0 < len(rooms) <= 8, way.splitlines()[0]
        assert [each for each in rooms if not (ROOT / each).exists()] == []


def test_garcon_never_imports_the_supervisor() -> None:
    """The library knows nothing of processes."""
    assert [
        str(path)
        for path in python_files("garcon")
        if any(name.split(".")[0] == "supervisor" for name in imported(path))
    ] == []


def test_only_children_import_garcon() -> None:
    """Of the supervisor's folders only those of its children know garcon and AWS."""
    known = {
        _room(module_of(path))
        for path in python_files("supervisor")
        if any(name.split(".")[0] in {"garcon", "boto3", "botocore"} for name in imported(path))
    }
    assert known == KNOWS_THE_FLOW


def test_what_others_wrote_is_never_code() -> None:
    """Nothing is unpickled or evaluated; modules are imported by name where users name them."""
    named_by_users = {
        "garcon/executions/flows.py",
        "supervisor/child/flow_loader.py",
        "garcon/local/__init__.py",
    }
    found = []
    for path in python_files("garcon", "supervisor"):
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        calls = {
            called.rpartition(".")[2]
            for _, called in calls_in(text if EVALUATED.search(text) else "")
            if not called.startswith("re.")
        }
        modules = {each.split(".")[0] for each in imported(path)}
        found += [f"{name} {each}" for each in modules & {"pickle", "marshal", "shelve", "dill"}]
        found += [f"{name} {each}" for each in calls & {"eval", "exec", "compile", "__import__"}]
        if "import_module" in calls and name not in named_by_users:
            found.append(f"{name} import_module")
    assert found == []


def test_core_has_no_io() -> None:
    """The core imports messages, settings and pure parts of the standard library, nothing else."""
    ours = ("core.", "ipc.messages", "config.", "exit_codes", "backoff")
    pure = {"__future__", "typing", "dataclasses", "enum", "math", "random", "collections"}
    pure |= {"bisect", "functools", "itertools", "operator"}
    pure |= {"signal", "msgspec"}  # signal: names of numbers
    for path in python_files("supervisor/core"):
        for name in imported(path, at_run_time_only=True):
            is_ours = f"{name}.".startswith(tuple(f"supervisor.{each}" for each in ours))
            assert is_ours or name.split(".")[0] in pure, f"{path.name} imports {name}"


def test_the_supervising_process_stays_free_of_user_code_and_aws() -> None:
    """Importing the shell and the core brings neither boto3 nor garcon nor psutil."""
    script = (
        "import sys, supervisor.parent.shell, supervisor.core, supervisor.cli.options;"
        "print([m for m in ('boto3', 'botocore', 'garcon', 'psutil', 'rich') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    assert told.stdout.decode().strip() == "[]"


def test_every_test_says_in_one_sentence_what_must_hold() -> None:
    """A test without a sentence does not show what broke."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files("tests")
        for node in _definitions(ast.parse(_text_with(path, "def test_")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def _definitions(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a module and of its classes, which is where pytest finds tests."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [*tree.body, *(node for each in classes for node in each.body)]


def test_no_test_sleeps() -> None:
    """Tests wait for a message, a line or end-of-file, never for time to pass.

    An event that is never set is a sleep, too; the flows of ``tests/processes`` take time by it.
    """
    sleeping = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files("tests")
        if "benchmarks" not in path.parts
        for line, called in calls_in(_text_with(path, "sleep(", "Event().wait("))
        if called in {"time.sleep", "sleep"}
        or (called.endswith("Event().wait") and path.name.startswith("test_"))
    ]
    assert sleeping == []


def _text_with(path: Path, *words: str) -> str:
    """The text of a file that has one of these words, which is quicker than to parse them all."""
    text = path.read_text(encoding="utf-8")
    return text if any(each in text for each in words) else ""


def test_names_stay_few() -> None:
    """No class name stands twice in a package, and at most six file names in the tree."""
    assert measures.repeated_classes() == {}
    assert len(measures.repeated_stems()) <= 6


def test_no_module_docstring_is_a_question() -> None:
    """A file says what it is: its docstring begins with a noun, not with a clause."""
    assert measures.questioning_modules() == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """A file of one idea can be read at one sitting."""
    assert max(measures.lengths_of_files()) <= 400
    assert max(measures.lengths_of_functions()) <= 40
