"""Mutations: faults planted in the code by hand, each of which some unit test must notice.

    python -m tests.mutation                  # all, about ten minutes
    python -m tests.mutation parent/shell     # those whose file has this in its path
    python -m tests.mutation --list

For each mutation in ``table`` the script changes a copy of the tree and runs the unit tests of the
changed file there. A mutation is killed if a test fails, and survives if all pass: then a fault of
this kind could be made unnoticed. Real supervisors are not started (``tests/processes``).

The exit code is 1 if one survives, 2 if the tests fail without a mutation.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.table import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutation.mutation import Mutation

ROOT = Path(__file__).parents[2]

PARTS = ("garcon", "supervisor", "tests", "examples", "pyproject.toml")
"""The parts of the tree that tests need."""

OUTPUT = "mutation-output.txt"

LIMIT = 180.0
"""Seconds for the tests of one mutation: one that makes them hang is noticed as well."""


def main(words: Sequence[str] | None = None) -> int:
    """Plant the chosen mutations, one after the other; returns the exit code."""
    given = _parse(words)
    chosen = [each for each in MUTATIONS if given.part in each.file]
    if given.list:
        for mutation in chosen:
            print(f"{mutation.file}: {mutation.name}")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder)
        _copy_tree(tree)
        if not _baseline_passes(tree, chosen):
            return 2
        survivors = [mutation for mutation in chosen if not _is_killed(tree, mutation)]
    _print_score(chosen, survivors)
    return 1 if survivors else 0


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("part", nargs="?", default="", help="part of the path of a file")
    parser.add_argument("--list", action="store_true", help="print the mutations, run nothing")
    return parser.parse_args(words)


def _copy_tree(tree: Path) -> None:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / part)


def _baseline_passes(tree: Path, chosen: Sequence[Mutation]) -> bool:
    """Whether the tests pass without a mutation: else each would count as killed."""
    folders = sorted({folder for mutation in chosen for folder in mutation.tests})
    passed = _tests_pass(tree, folders)
    if not passed:
        print((tree / OUTPUT).read_text(encoding="utf-8"))
    print("unchanged: tests pass" if passed else "unchanged: tests FAIL; nothing can be measured")
    return passed


def _is_killed(tree: Path, mutation: Mutation) -> bool:
    path = tree / mutation.file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutation.apply(original), encoding="utf-8")
    started = time.monotonic()
    try:
        killed = not _tests_pass(tree, mutation.tests)
    finally:
        path.write_text(original, encoding="utf-8")
    fate = "killed  " if killed else "SURVIVED"
    seconds = time.monotonic() - started
    print(f"{fate} {seconds:4.0f} s  {mutation.file}: {mutation.name}", flush=True)
    return killed


def _tests_pass(tree: Path, tests: Sequence[str]) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environ = {**os.environ, "PYTHONPATH": str(tree), "HYPOTHESIS_PROFILE": "default"}
    with (
        (tree / OUTPUT).open("wb") as output,
        subprocess.Popen(
            command,
            cwd=tree,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its processes can be ended with it
        ) as tests_run,
    ):
        try:
            return tests_run.wait(LIMIT) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(tests_run.pid, signal.SIGKILL)


def _print_score(chosen: Sequence[Mutation], survivors: Sequence[Mutation]) -> None:
    planted = Counter(mutation.file for mutation in chosen)
    survived = Counter(mutation.file for mutation in survivors)
    for file, number in planted.items():
        print(f"{number - survived[file]:3d} of {number:2d} killed  {file}")
    print(f"{len(chosen) - len(survivors):3d} of {len(chosen):2d} killed")


if __name__ == "__main__":
    sys.exit(main())
