"""Broken code on disk: after each deploy of it the old code serves, and the next deploy works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon.executions import recorded_history
from tests.processes.deployment import Deployment, good
from tests.processes.harness import local_swf, parsed, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def repaired(deployment: Deployment, version: int = 2) -> None:
    """The old code serves, and good code takes over from it."""
    assert deployment.serves(1)
    deployment.write()
    outcome = deployment.deploy(good(version))
    assert outcome["event"] == "generation_active"
    deployment.pool.wait_for("full_strength", generation=outcome["generation"])
    assert deployment.serves(version)


BROKEN_AT_IMPORT = {
    "a syntax error": ("def (:\n", "SyntaxError"),
    "an import that exits": ("import os\nos._exit(7)\n", "exited 7"),
    "an import that leaves": ("raise SystemExit(1)\n", "ended the program"),
    "a module that is not there": ("import nowhere_to_be_found\n", "No module named"),
    "an import that raises deep inside": (
        "def load():\n    return {}['shop']\n\n\nload()\n",
        "KeyError: 'shop'",
    ),
    "a requirement that is no activity of the flow": (
        good(2)
        + "gone = activity.create(domain, 'other')(name='gone', run=runner.Sync(send_it.fill()))\n"
        + "more = create(name='more', requires=[gone], run=runner.Sync(send_it.fill()))\n"
        + "del gone\n",
        "more",
    ),
}


@pytest.mark.parametrize(("code", "why"), BROKEN_AT_IMPORT.values(), ids=[*BROKEN_AT_IMPORT.keys()])
def test_code_that_cannot_be_imported_is_stopped(
    endpoint: str, tmp_path: Path, code: str, why: str
) -> None:
    """The report names the gate and shows the flow's own frames; the good deploy after it works."""
    with Deployment(tmp_path, endpoint) as deployment:
        outcome = deployment.deploy(code)
        assert (outcome["event"], outcome["gate"]) == ("generation_failed", "import")
        assert why in outcome["message"]
        assert "active:  generation 1" in outcome["message"]
        assert "frozen importlib" not in outcome["message"]
        repaired(deployment)


def test_an_import_that_hangs_is_stopped(endpoint: str, tmp_path: Path) -> None:
    """After the timeout in the settings on disk."""
    with Deployment(tmp_path, endpoint) as deployment:
        deployment.write(import_timeout=2)
        outcome = deployment.deploy("import threading\nthreading.Event().wait()\n")
        assert outcome["gate"] == "import"
        assert "longer than 2 s" in outcome["message"]
        repaired(deployment)


FORGETS = good(2).replace(
    'send = create(name="send", requires=[pack], run=runner.Sync(send_it.fill()), retry=9)\n', ""
)
"""Code without one of the lists."""

NAMES_NOTHING = good(2) + (
    "\ndef decider(schedule):\n    schedule('pack', pack)\n    schedule('send', sned)\n"
)
"""Code whose decider names an activity that is not there."""

OTHER_ORDER = good(2).replace("requires=[pack], ", "").replace('"pack", ', '"pack", requires=[], ')
"""Code that does both at once."""


@pytest.mark.parametrize(
    ("code", "now"),
    [(FORGETS, "CompleteWorkflowExecution"), (NAMES_NOTHING, "sned"), (OTHER_ORDER, "shop_send")],
    ids=["a list that is gone", "an activity that is not there", "another order"],
)
@pytest.mark.parametrize("kept", [False, True], ids=["from SWF", "from files"])
def test_a_decider_that_decides_otherwise_is_stopped(
    endpoint: str, tmp_path: Path, code: str, now: str, *, kept: bool
) -> None:
    """The report has the workflow, the event, the recorded decisions and the new ones."""
    with Deployment(tmp_path, endpoint) as deployment:
        assert deployment.packed() == {1}
        histories = f"{tmp_path}" if kept else "last:5"
        if kept:
            keep_history(deployment, tmp_path)
        deployment.write(gate_replay=histories)
        outcome = deployment.deploy(code)
        assert (outcome["event"], outcome["gate"]) == ("generation_failed", "replay")
        assert outcome["workflow_id"].startswith("test-")
        assert outcome["event_id"] > 0
        assert now in outcome["message"]
        repaired(deployment)


def keep_history(deployment: Deployment, folder: Path) -> None:
    """Keep the history of an execution as ``python -m garcon history`` does."""
    execution = deployment.start()
    assert execution.wait_closed() == "WorkflowExecutionCompleted"
    (folder / "kept.json").write_text(
        recorded_history.dumps(map(recorded_history.plain, execution.history()))
    )


def test_code_that_decides_alike_passes(endpoint: str, tmp_path: Path) -> None:
    """Changed tasks are not a difference; the log has the number of replayed executions."""
    with Deployment(tmp_path, endpoint, gate_replay="last:5") as deployment:
        assert deployment.packed() == {1}
        deployment.restart(good(2))
        replayed = deployment.pool.wait_for("histories_replayed")
        assert (replayed["generation"], replayed["executions"]) == (2, 1)
        assert deployment.outcome()["event"] == "generation_active"


def test_a_folder_that_is_not_there_stops_a_deploy(endpoint: str, tmp_path: Path) -> None:
    """A gate that replays nothing is reported as a mistake."""
    with Deployment(tmp_path, endpoint) as deployment:
        deployment.write(gate_replay=str(tmp_path / "nowhere"))
        deployment.restart(good(2))
        refusal = deployment.pool.err.wait_for(
            lambda line: parsed(line).get("event") == "restart_refused", "the refusal"
        )
        assert "nowhere" in parsed(refusal)["message"]
        repaired(deployment)


DIES_AT_THE_THIRD = (
    good(2)
    + """
done = []


def pack_or_die():
    import os

    done.append(1)
    if len(done) == 3:
        os._exit(3)
    return {"packed": VERSION}


pack.runner = runner.Sync(task.decorate(timeout=60, heartbeat=60)(pack_or_die).fill())
"""
)
"""Each worker dies at its third task."""

EATS_MEMORY = good(2).replace(
    "def pack_it():",
    "def pack_it():\n    import threading\n    eaten = b'x' * (400 << 20)\n"
    "    threading.Event().wait(30)",
)
"""Each task takes 400 MiB and holds them."""


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        (DIES_AT_THE_THIRD, {}),
        (EATS_MEMORY, {"max-memory-hard": "300MiB"}),
        (NAMES_NOTHING, {}),
    ],
    ids=["dies at the third task", "eats memory", "decides nothing"],
)
def test_workers_that_do_no_good_are_stopped(
    endpoint: str, tmp_path: Path, code: str, settings: dict[str, Any]
) -> None:
    """As canaries, or in the probation if they lasted that long; no earlier gate sees them."""
    with Deployment(tmp_path, endpoint, gate_replay="off", **settings) as deployment:
        with deployment.load():
            deployment.restart(code)
            outcome = deployment.outcome()
            if outcome["event"] == "generation_active":
                outcome = deployment.outcome()
                assert outcome["event"] == "generation_rolled_back"
                deployment.pool.wait_for("full_strength", generation=1)
            else:
                assert (outcome["event"], outcome["gate"]) == ("generation_failed", "canary")
        repaired(deployment)


def test_a_zygote_that_is_lost_soon_leads_back(endpoint: str, tmp_path: Path) -> None:
    """In the probation the code before takes its slots back, from the zygote that was kept."""
    with Deployment(tmp_path, endpoint) as deployment:
        assert deployment.deploy(good(2))["event"] == "generation_active"
        deployment.pool.wait_for("full_strength", generation=2)
        deployment.zygote(2).kill()
        outcome = deployment.outcome()
        assert (outcome["event"], outcome["active"]) == ("generation_rolled_back", 1)
        assert outcome["gate"] == "probation"
        deployment.pool.wait_for("full_strength", generation=1)
        repaired(deployment, version=3)


def test_without_a_probation_a_lost_zygote_is_replaced_by_the_code_on_disk(
    endpoint: str, tmp_path: Path
) -> None:
    """With --probation 0 nothing is kept, and the old zygote goes with its last worker."""
    with Deployment(tmp_path, endpoint, probation=0) as deployment:
        old = deployment.zygote(1)
        assert deployment.deploy(good(2))["event"] == "generation_active"
        until(lambda: not old.is_running(), "the end of the old zygote")
        deployment.zygote(2).kill()
        outcome = deployment.outcome()
        assert (outcome["event"], outcome["generation"]) == ("generation_active", 3)
