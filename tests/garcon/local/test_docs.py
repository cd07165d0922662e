"""docs/local.md: its examples run, and its table is the one that the suite checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples import coffee
from garcon.local import LocalSWF, recording
from tests.garcon.local.conformance.moto_differences import MOTO_DIFFERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "local.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path) -> None:
    """All Python of the page, in one file, passes as tests with the plugin alone."""
    examples = "\n\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
    (tmp_path / "test_page.py").write_text(examples, encoding="utf-8")
    histories = tmp_path / "tests" / "histories"
    histories.mkdir(parents=True)
    with LocalSWF() as swf:
        outcome = swf.run(coffee, {"order": "Ann"})
        events = recording.fetch(swf.client(), coffee.domain, outcome.workflow_id)
    recording.write(events, histories / "order-17.json")
    # An installed project brings the plugin by its entry point; it may be registered once.
    plugins = (
        "-p",
        "no:garcon_local",
        "-p",
        "garcon.local.pytest_plugin",
        "-p",
        "no:cacheprovider",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "test_page.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_page_lists_every_difference_from_moto() -> None:
    """The rows of the table are the sentences that the conformance suite checks, each once."""
    table = TEXT[TEXT.index("| moto |") : TEXT.index("## What it costs")]
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:] if line]
    assert sorted(rows) == sorted(set(MOTO_DIFFERS.values()))
