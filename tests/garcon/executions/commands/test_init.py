"""``garcon init``: the project that it writes works as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from garcon.executions.commands import main

ROOT = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects are written into an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_new_project_passes_its_own_test() -> None:
    """``init``, and then ``pytest``, passes."""
    assert main(["init", "orders", "--example", "coffee"]) == 0
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd="orders",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 passed" in ended.stdout, ended.stdout
    assert {each.name for each in Path("orders").iterdir()} >= {"Makefile", "coffee.py"}


def test_the_coffee_shop_of_a_project_is_that_of_the_examples() -> None:
    """The package has a copy of its own: links do not survive each archive."""
    assert main(["init", "orders", "--example", "coffee"]) == 0
    example = (ROOT / "examples" / "coffee.py").read_text()
    assert Path("orders/coffee.py").read_text() == example.replace("examples.coffee", "coffee")


@pytest.mark.parametrize("name", ["my-flow", "1st", "class", "a/b", ".."])
def test_a_name_that_is_no_module_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The flow is imported by this name."""
    assert main(["init", name]) != 0
    assert "not a module name" in capsys.readouterr().err


def test_nothing_that_exists_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    """The files that are there are named, and none is written."""
    Path("orders").mkdir()
    Path("orders/Makefile").write_text("mine")
    assert main(["init", "orders"]) != 0
    assert "orders/Makefile exists already" in capsys.readouterr().err
    assert [each.name for each in Path("orders").iterdir()] == ["Makefile"]
