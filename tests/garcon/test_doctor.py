"""The doctor: what a flow of garcon 1.x will do differently."""

from __future__ import annotations

import json
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

from garcon import doctor
from garcon.executions.commands import main

MIGRATING = Path(__file__).parents[2] / "docs/migrating.md"

HEALTHY = """
from unittest.mock import MagicMock
import boto3
from garcon import activity, runner, task
from garcon import decider as deciders
domain, name = "shop", "orders"
create = activity.create(domain, name)

@task.decorate(timeout=30)
def pay(activity, amount, currency=None):
    return {"paid": amount}

charge = create(name="charge", run=runner.Sync(pay.fill(amount="amount")), retry=2)
"""

ILL = {
    "warning": "@task.decorate(timeout=0)\ndef slow(activity): pass\n",
    "refused": "decider = 3",
    "new-attribute": "tags = ['a']",
    "client-is-a-stand-in": "client = MagicMock()",
    "client-waits-too-short": "client = boto3.client('swf', region_name='us-east-1')",
    "decider-may-change": (
        "import random\n"
        "def decider(schedule):\n"
        "    def pick(): return random.random()\n"
        "    if pick() > 0.5: schedule('s', charge)\n"
    ),
    "activity-twice": "same = charge",
    "never-retried": "once = create(name='once', run=runner.Sync(pay.fill(amount='k')))",
    "no-tasks": "empty = create(name='empty', run=runner.Async(), retry=1)",
    "default-holds": (
        "@task.decorate(timeout=30)\n"
        "def send(activity, to, copies=3): pass\n"
        "mail = create(name='mail', run=runner.Sync(send.fill(to='to')), retry=1)\n"
    ),
    "not-filled": (
        "@task.decorate(timeout=30)\n"
        "def whole(context, activity): pass\n"
        "all_of_it = create(name='whole', run=runner.Sync(whole), retry=1)\n"
    ),
    "async-task": (
        "@task.timeout(30)\n"
        "async def wait(context, activity): pass\n"
        "waits = create(name='waits', run=runner.Sync(wait), retry=1)\n"
    ),
    "hidden-timeout": (
        "def hiding(fn):\n"
        "    def inner(context, activity): return fn(context, activity)\n"
        "    return inner\n"
        "@hiding\n"
        "@task.timeout(7200)\n"
        "def long(context, activity): pass\n"
        "job = create(name='job', run=runner.Sync(long), retry=1)\n"
    ),
    "default-timeout": (
        "def plain(context, activity): pass\n"
        "job = create(name='job', run=runner.Sync(plain), retry=1)\n"
    ),
    "own-worker": "class Mine(deciders.DeciderWorker):\n    def register(self): pass\n",
    "own-loop": "class Mine(activity.Activity):\n    def run(self, identity=None): return False\n",
    "generator-option": (
        "each = create(name='each', run=runner.Sync(pay.fill(amount='k')), retry=1,\n"
        "              generator=[lambda context: [{'k': 1}]])\n"
    ),
    "chosen-activities": "def serve(flow): activity.ActivityWorker(flow, activities=['x']).run()\n",
    "result-not-json": "def found(context, activity): return {'ids': {1, 2}}\n",
}
"""For each code some lines that give a flow this finding alone."""


@pytest.fixture
def flow_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a flow whose module has this text; returns it with the warnings of its import."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    path = tmp_path / "flow_of_a_patient.py"

    def load(text: str) -> tuple[Any, list[warnings.WarningMessage]]:
        path.write_text(text)
        module = types.ModuleType(path.stem)
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, path.stem, module)
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            exec(compile(text, path, "exec"), vars(module))  # noqa: S102 - as the import does
        return module, raised

    return load


def test_a_healthy_flow_has_no_findings(flow_of: Any) -> None:
    """A flow whose tasks have timeouts and whose activities are retried is as it was."""
    assert doctor.examine(*flow_of(HEALTHY)) == []


@pytest.mark.parametrize("code", ILL)
def test_each_rule_finds_its_difference_and_nothing_else(flow_of: Any, code: str) -> None:
    """A finding names its subject, the difference and what to do."""
    (finding,) = doctor.examine(*flow_of(HEALTHY + ILL[code]))
    assert finding.code == code
    assert finding.subject
    assert finding.to_do.endswith(".")
    assert f"`{code}`" in MIGRATING.read_text()


def test_a_flow_that_is_an_object_is_examined_with_its_module(flow_of: Any) -> None:
    """The source of its class's module counts."""
    text = f"{HEALTHY}{ILL['result-not-json']}class Orders:\n    domain, name = 'd', 'n'\n"
    module, _ = flow_of(f"{text}    charge = charge\n")
    assert [each.code for each in doctor.examine(module.Orders())] == ["result-not-json"]


def test_the_command_s_exit_code_says_whether_there_are_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 for none, 1 for some, 2 for what is not a flow; --json has the same as the text."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "healthy_patient.py").write_text(HEALTHY)
    (tmp_path / "ill_patient.py").write_text(HEALTHY + ILL["new-attribute"])
    assert main(["doctor", "healthy_patient"]) == 0
    assert capsys.readouterr().out == "healthy_patient: no findings\n"
    assert main(["doctor", "--flow", "ill_patient"]) == 1
    assert "To do: Rename it" in capsys.readouterr().out
    assert main(["doctor", "ill_patient", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in found["findings"]] == ["new-attribute"]
    assert main(["doctor"]) == 2
