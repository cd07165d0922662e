"""Gates of a deploy: the failures that stop new code before it serves, and their reports."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from supervisor import exit_codes
from supervisor.cli.commands.status import status_lines
from supervisor.config.setting_types import HistorySource
from supervisor.core.deploy.deploy_report import HEAD, TAIL, deploy_report
from supervisor.core.failures import Gate
from supervisor.ipc import messages
from supervisor.ipc.messages import Launch, Level, Register, Replay, Serve
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    GOOD,
    Scenario,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import World, simulate

RESTART = (20.0, messages.RestartRequested("SIGHUP"))
GATE: dict[str, Any] = {"gate_replay": HistorySource("last:5")}
DEFAULT_GATE: dict[str, Any] = {"gate_replay": HistorySource("open:20")}

STOPPED: dict[str, tuple[Version, dict[str, Any]]] = {
    "import": (Version(failure=("importing shop failed.\nTraceback\n  File x", 3)), {}),
    "settings": (Version(lists=()), {"pools": {"resize": 2}}),
    "register": (Version(refusal=("The domain is not registered.", 2)), {}),
    "replay": (Version(non_deterministic=True), GATE),
    "canary": (Version(workers=(CRASHES_BOOTING,), repeats=True), {}),
}


def deploy(version: Version, jobs: tuple[WorkerPlan, ...] = (), **chosen: Any) -> World:
    """A pool that is restarted with this code at second 20."""
    scenario = Scenario(versions=(Version(), version), timeline=(RESTART,), jobs=jobs)
    return simulate(scenario, **chosen)


def jobs_of(world: World, generation: int) -> list[type]:
    """The jobs of a generation's workers, in order."""
    return [type(each.job) for each in world.logged(messages.Fork) if each.generation == generation]


# --- the report -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("gate", "case"), STOPPED.items(), ids=STOPPED.keys())
def test_a_failed_deploy_is_one_report(gate: str, case: tuple[Version, dict[str, Any]]) -> None:
    """It names generation, gate, reason, active generation and what to do; the facts say
    the same.
    """
    version, chosen = case
    world = deploy(version, **chosen).finish(200)
    (note,) = world.notes("generation_failed")
    first, *others = note.text.splitlines()
    assert first == f"Generation 2 failed at the {gate} gate."
    assert [each[2:10].strip() for each in others if each[2] != " "] == [
        "gate:",
        "why:",
        "active:",
        "to do:",
    ]
    assert (note.level, note.facts["gate"], note.facts["active"]) == (Level.ERROR, gate, 1)
    assert str(note.facts["why"]) in note.text
    record = world.core._state.deploy
    assert record is not None
    assert (record.generation, record.outcome.value, record.report) == (2, "failed", note.text)
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.desired


def test_a_lost_zygote_is_reported_at_the_gate_that_it_had_reached() -> None:
    """A zygote killed while its canaries work has not failed at the import gate."""
    (note,) = deploy(Version(lost_after=2.0)).finish(200).notes("generation_failed")
    assert note.facts["gate"] == "canary"


def test_a_traceback_keeps_its_first_frames_and_its_end() -> None:
    """The frames in the flow and the error stay; the middle of a long traceback is left out."""
    lines = [f"line {n}" for n in range(HEAD + TAIL + 5)]
    text = deploy_report("Stopped.", gate=Gate.IMPORT, why="\n".join(lines), active=1)
    assert "line 0" in text
    assert f"line {HEAD + TAIL + 4}" in text
    assert "... 5 lines ..." in text
    assert f"line {HEAD}\n" not in text


def test_the_status_shows_the_last_failed_deploy() -> None:
    """It has the report's first line; the JSON has the whole of it."""
    world = deploy(STOPPED["import"][0]).finish(200)
    status = world.core.status(world.now)
    assert status.deploy is not None
    assert status.deploy.report == world.notes("generation_failed")[0].text
    assert "last deploy: Generation 2 failed at the import gate." in status_lines(status, {})


def test_a_good_deploy_is_recorded() -> None:
    """The record has the generation that is active since the last deploy."""
    world = deploy(Version()).finish(200)
    record = world.core._state.deploy
    assert record is not None
    assert (record.generation, record.outcome.value, record.report) == (2, "active", "")
    assert [each.facts["generation"] for each in world.notes("generation_started")] == [1, 2]


# --- registering ----------------------------------------------------------------------------------


def test_new_types_are_noted() -> None:
    """The note has each type that a restart registered on a line of its own."""
    world = simulate().run(1)
    new = ("activity type flow_pack 1.1; 1.0 exists", "activity type flow_send 1.0")
    for event in (messages.Registered(1, new),):
        world.checker.observe(event)
        actions = world.core.handle(event, 1.0)
    (note,) = [each for each in actions if isinstance(each, messages.Note)][:1]
    assert note.event == "types_registered"
    assert note.text.splitlines() == [
        "Generation 1 registered:",
        *(f"  {each}" for each in new),
    ]


# --- replaying ------------------------------------------------------------------------------------


def test_histories_are_replayed_between_registering_and_canaries() -> None:
    """One fork of the candidate replays them; then the canaries start."""
    world = deploy(Version(), **GATE).finish(200)
    assert jobs_of(world, 1)[:3] == [Register, Replay, Serve]
    assert jobs_of(world, 2)[:3] == [Register, Replay, Serve]
    for each in world.logged(messages.Fork):
        assert messages.decode(messages.encode(each)) == each
    assert len(world.notes("histories_replayed")) == 2
    assert set(world.served_by().values()) == {2}


def test_non_deterministic_code_fails_before_any_worker_serves() -> None:
    """The report has the workflow, the event, the recorded decision and the present one."""
    world = deploy(Version(non_deterministic=True), **GATE).finish(200)
    (note,) = world.notes("generation_failed")
    assert (note.facts["workflow_id"], note.facts["event_id"]) == ("w0", 4)
    for part in ("event 4 of workflow w0", "CompleteWorkflowExecution", "FailWorkflowExecution"):
        assert part in note.text
    assert "to do:   restore the decider" in note.text
    assert world.count_serving_forks(2) == 0


def test_a_first_start_with_non_deterministic_code_ends_before_it_serves() -> None:
    """Exit code 3, and no decider has polled: the host may be one of many that are replaced."""
    world = simulate(Scenario(versions=(Version(non_deterministic=True),)), **GATE).finish(60)
    assert world.exit is not None
    assert world.exit.code == exit_codes.FLOW
    assert "event 4 of workflow w0" in world.exit.why
    assert world.count_serving_forks(1) == 0


@pytest.mark.parametrize(
    "chosen", [{"gate_replay": HistorySource("off")}, {"local": True}, {"retired": True}]
)
def test_a_gate_that_is_off_replays_nothing(chosen: dict[str, Any]) -> None:
    """Nor is there anything to replay in a local SWF that has just begun."""
    jobs = jobs_of(simulate(**{**DEFAULT_GATE, **chosen}).run(30), 1)
    assert jobs[:2] == [Register, Serve]


def test_without_deciders_nothing_is_replayed() -> None:
    """A generation without deciders cannot differ from a history."""
    world = deploy(Version(non_deterministic=True), deciders=0, **GATE).finish(200)
    assert jobs_of(world, 2)[:2] == [Register, Serve]
    assert set(world.served_by().values()) == {2}


def test_a_replayer_that_dies_is_tried_again() -> None:
    """Four deaths in a row are forgiven; a fifth is a crash loop."""
    good = deploy(Version(), (GOOD, GOOD, GOOD, *[CRASHES_BOOTING] * 4), **GATE).finish(200)
    assert set(good.served_by().values()) == {2}
    assert "(replaying) crashed" in good.deaths()[0]
    bad = deploy(Version(), (GOOD, GOOD, GOOD, *[CRASHES_BOOTING] * 9), **GATE).finish(200)
    (note,) = bad.notes("generation_failed")
    assert note.facts["gate"] == "replay"
    assert "to do:   check the histories of --gate-replay" in note.text


def test_a_replay_has_a_deadline() -> None:
    """A worker that hangs is killed and replaced five times; then the deploy fails."""
    hangs = (GOOD, GOOD, GOOD, *[WorkerPlan(boot=inf)] * 9)
    world = deploy(Version(), hangs, replay_timeout=10.0, **GATE).finish(200)
    assert len(world.logged(messages.Kill)) == 5
    assert world.notes("generation_failed")[0].facts["gate"] == "replay"
    assert world.lowest == world.desired


# --- the result of a launch hook ------------------------------------------------------------------


def test_a_launch_is_ready_once_a_worker_is() -> None:
    """And stays so in a drain."""
    world = simulate()
    assert world.core.launch() is Launch.PENDING
    assert world.run(30).core.launch() is Launch.READY


def test_a_launch_is_refused_if_its_code_is() -> None:
    """A gate, an import that fails, or settings that cannot be served; not a request to stop."""
    refused = simulate(Scenario(versions=(Version(non_deterministic=True),)), **GATE).finish(60)
    assert refused.core.launch() is Launch.REFUSED
    stopped = simulate(Scenario(timeline=((0.01, messages.DrainRequested(why="SIGTERM")),)))
    assert stopped.finish(60).core.launch() is Launch.PENDING
