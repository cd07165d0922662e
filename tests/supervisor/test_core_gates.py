"""The core's stories: what stops new code before it serves, and how that is told."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from supervisor import messages
from supervisor.commands.status import picture
from supervisor.core.generation import Gate
from supervisor.core.outcome import HEAD, TAIL, report
from supervisor.histories import Histories
from supervisor.messages import Level, Register, Replay, Serve
from tests.fates import CRASHES_BOOTING, GOOD, Fate, Script, Version
from tests.world import World, tell

RESTART = (20.0, messages.RestartAsked("SIGHUP"))
GATE: dict[str, Any] = {"gate_replay": Histories("last:5")}

STOPPED: dict[str, tuple[Version, dict[str, Any]]] = {
    "import": (Version(failure=("importing shop failed.\nTraceback\n  File x", 3)), {}),
    "settings": (Version(lists=()), {"pools": {"resize": 2}}),
    "register": (Version(refusal=("The domain is not registered.", 2)), {}),
    "replay": (Version(contradicts=True), GATE),
    "canary": (Version(workers=(CRASHES_BOOTING,), forever=True), {}),
}


def deploy(version: Version, errands: tuple[Fate, ...] = (), **chosen: Any) -> World:
    """A pool that is restarted with this code at second 20."""
    script = Script(versions=(Version(), version), orders=(RESTART,), errands=errands)
    return tell(script, **chosen)


def jobs(world: World, generation: int) -> list[type]:
    """What the workers of a generation were forked for, in order."""
    return [type(each.job) for each in world.said(messages.Fork) if each.generation == generation]


# --- the report -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("gate", "story"), STOPPED.items(), ids=STOPPED.keys())
def test_a_stopped_deploy_is_one_report(gate: str, story: tuple[Version, dict[str, Any]]) -> None:
    """It names generation, gate, reason, who goes on and what to do; facts say the same."""
    version, chosen = story
    world = deploy(version, **chosen).finish(200)
    (note,) = world.notes("generation_abandoned")
    first, *others = note.text.splitlines()
    assert first == f"Generation 2 was stopped at the {gate} gate."
    assert [each[2:10].strip() for each in others if each[2] != " "] == [
        "gate:",
        "why:",
        "serving:",
        "to do:",
    ]
    assert (note.level, note.facts["gate"], note.facts["serving"]) == (Level.ERROR, gate, 1)
    assert str(note.facts["why"]) in note.text
    kept = world.core._state.deploy
    assert kept is not None
    assert (kept.generation, kept.outcome.value, kept.report) == (2, "abandoned", note.text)
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.wanted


def test_a_lost_zygote_is_told_at_the_gate_where_it_was() -> None:
    """Killed while its canaries were at work: that is no import that failed."""
    (note,) = deploy(Version(lost_after=2.0)).finish(200).notes("generation_abandoned")
    assert note.facts["gate"] == "canary"


def test_a_traceback_keeps_its_first_frames_and_its_end() -> None:
    """Where in the flow, and what was raised; the middle of a long one is left out."""
    lines = [f"line {n}" for n in range(HEAD + TAIL + 5)]
    text = report("Stopped.", gate=Gate.IMPORT, why="\n".join(lines), serving="generation 1")
    assert "line 0" in text
    assert f"line {HEAD + TAIL + 4}" in text
    assert "... 5 lines ..." in text
    assert f"line {HEAD}\n" not in text


def test_who_asks_for_the_status_is_shown_the_last_stopped_deploy() -> None:
    """The report's first line; the whole of it is in the JSON."""
    world = deploy(STOPPED["import"][0]).finish(200)
    status = world.core.status(world.now)
    assert status.deploy is not None
    assert status.deploy.report == world.notes("generation_abandoned")[0].text
    assert "last deploy: Generation 2 was stopped at the import gate." in picture(status, {})


def test_a_good_deploy_is_kept_as_such() -> None:
    """Whoever asks is told which generation serves since the last one."""
    world = deploy(Version()).finish(200)
    kept = world.core._state.deploy
    assert kept is not None
    assert (kept.generation, kept.outcome.value, kept.report) == (2, "current", "")
    assert [each.facts["generation"] for each in world.notes("generation_started")] == [1, 2]


# --- registering ----------------------------------------------------------------------------------


def test_new_types_are_told() -> None:
    """What a restart registered, each type on a line of its own."""
    world = tell().run(1)
    new = ("activity type flow_pack 1.1; 1.0 is there", "activity type flow_send 1.0")
    for event in (messages.Registered(1, new),):
        world.judge.heard(event)
        actions = world.core.handle(event, 1.0)
    (note,) = [each for each in actions if isinstance(each, messages.Note)][:1]
    assert note.event == "types_registered"
    assert note.text.splitlines() == [
        "Generation 1 has registered:",
        *(f"  {each}" for each in new),
    ]


# --- replaying ------------------------------------------------------------------------------------


def test_histories_are_decided_again_between_registering_and_canaries() -> None:
    """One fork of the candidate does it; who passes goes on."""
    world = deploy(Version(), **GATE).finish(200)
    assert jobs(world, 1)[:2] == [Register, Serve]
    assert jobs(world, 2)[:3] == [Register, Replay, Serve]
    for each in world.said(messages.Fork):
        assert messages.decode(messages.encode(each)) == each
    assert len(world.notes("histories_replayed")) == 1
    assert set(world.served_by().values()) == {2}


def test_a_contradiction_stops_new_code_before_anybody_serves() -> None:
    """The report has the workflow, the event, what was decided then and what is decided now."""
    world = deploy(Version(contradicts=True), **GATE).finish(200)
    (note,) = world.notes("generation_abandoned")
    assert (note.facts["workflow_id"], note.facts["event_id"]) == ("w0", 4)
    for part in ("event 4 of workflow w0", "CompleteWorkflowExecution", "FailWorkflowExecution"):
        assert part in note.text
    assert "to do:   restore the decider" in note.text
    assert world.serves(2) == 0


def test_without_deciders_nothing_is_replayed() -> None:
    """Who decides nothing contradicts nobody."""
    world = deploy(Version(contradicts=True), deciders=0, **GATE).finish(200)
    assert jobs(world, 2)[:2] == [Register, Serve]
    assert set(world.served_by().values()) == {2}


def test_a_replayer_that_dies_is_tried_again() -> None:
    """Two accidents are forgiven, a third death is none."""
    good = deploy(Version(), (GOOD, GOOD, CRASHES_BOOTING, CRASHES_BOOTING), **GATE).finish(200)
    assert set(good.served_by().values()) == {2}
    assert "The replaying worker" in good.deaths()[0]
    bad = deploy(Version(), (GOOD, GOOD, *[CRASHES_BOOTING] * 9), **GATE).finish(200)
    (note,) = bad.notes("generation_abandoned")
    assert note.facts["gate"] == "replay"
    assert "to do:   see to the histories of --gate-replay" in note.text


def test_a_replay_has_its_patience() -> None:
    """One that hangs is killed and tried again; then the deploy is stopped."""
    hangs = (GOOD, GOOD, *[Fate(boot=inf)] * 9)
    world = deploy(Version(), hangs, replay_patience=10.0, **GATE).finish(200)
    assert len(world.said(messages.Kill)) == 3
    assert world.notes("generation_abandoned")[0].facts["gate"] == "replay"
    assert world.lowest == world.wanted
