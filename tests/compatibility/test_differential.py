"""The same small uses of the library on the released garcon and on this one: the outcomes agree.

The release is installed aside, from the package index; where that is not to be had, the test is
skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MIGRATING = ROOT / "docs/migrating.md"

DIFFERENCES = {
    "`ActivityWorker(activities=[…])` with an unknown name": {"worker of an unknown name"},
    "`ActivityWorker(activities=[…]).activities`": {"worker's activities"},
    "`Activity.pool_size` before any instance was made": {"pool size"},
    "an argument with a default that `fill()` does not name": {
        "fill leaves a default",
        "arguments of a call, by names",
    },
    "an argument that only `**kwargs` takes": {"fill into **rest"},
    "`generator=[…]`, as the reference writes it": {"generator, the older name"},
    "a decorated task that is not filled": {"input: not filled", "requirements, not filled"},
    "calls that 1.1.1 cannot make": {
        "External's requirements",
        "a task list in a task list",
        "activities of an object",
        "fill keyword-only",
        "fill the context argument",
        "fill without activity",
        "namespace of a number",
        "namespace of pairs",
    },
    "an input or a result that is not a JSON object": {
        "context: a list",
        "input is a list",
        "merged: a text",
        "result is a list",
        "result is a text",
        "result is null",
        "run: input that is not JSON",
    },
    "a result that JSON does not have (NaN, a set)": {"run: NaN", "run: not JSON"},
    "an error without a text": {"run: raises without a text"},
    "`.result` of an activity that completed with `null` or nothing": {
        "result null",
        "state: completed without a result",
    },
    "`ActivityState.get_last_state()` of a new state": {"state: last of none"},
    "setting a falsy result twice": {"state: set twice, falsy"},
    "a log context with a domain alone": {"logger of a domain"},
    "timed-out, cancelled and refused activities": {"timed out", "cancelled"},
    "`requires=[None]` when nothing else runs": {"own: requires [None]"},
    "`schedule()` of one id twice, or with an empty id": {"own: one id twice", "own: an empty id"},
    "a decider that raises after it has scheduled": {"own: raises later"},
    "an activity that is two attributes of a flow": {"workflow activities, one twice"},
}
"""Uses whose outcomes differ, by the line of ``docs/migrating.md`` that gives the reason."""


def outcomes(path: Path) -> dict[str, str]:
    """The output of the printer with the garcon of this folder."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))
    }
    environment |= {
        "PYTHONPATH": str(path),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL_SWF": "http://127.0.0.1:9",  # nothing listens there
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = subprocess.run(
        [sys.executable, str(HERE / "printer.py"), *sorted(map(str, HERE.glob("*_uses.py")))],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = [line for line in ended.stdout.splitlines() if " -> " in line]
    return dict(line.split(" -> ", 1) for line in lines)


@pytest.mark.slow
def test_both_garcons_agree(tmp_path: Path) -> None:
    """Each use has one outcome, but for the listed differences; the guide has the figures."""
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path)]
    try:
        subprocess.run([*install, "garcon==1.1.1"], check=True, capture_output=True, timeout=90)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("the released garcon is not to be had")
    released, ours = outcomes(tmp_path), outcomes(ROOT)
    assert released.keys() == ours.keys()
    differing = {
        name: (released[name], ours[name]) for name in ours if released[name] != ours[name]
    }
    listed: set[str] = set().union(*DIFFERENCES.values())
    assert {name: differing[name] for name in differing.keys() - listed} == {}
    assert listed - differing.keys() == set()
    agreeing = len(ours) - len(differing)
    text = " ".join(MIGRATING.read_text().split())
    assert f"{len(ours)} small uses" in text
    assert f"{agreeing} agree" in text


@pytest.mark.parametrize("line", DIFFERENCES)
def test_each_difference_has_a_line_in_the_guide(line: str) -> None:
    """Whoever migrates can read it there."""
    assert f"| {line} |" in MIGRATING.read_text()
