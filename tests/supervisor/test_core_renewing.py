"""The core's stories: settings that were read again for a restart."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from supervisor import messages
from supervisor.core.renewing import RENEWABLE, changed, renewed
from supervisor.histories import Histories
from supervisor.messages import Level
from supervisor.settings import Settings
from tests.fates import Fate, Plan, Script, Version
from tests.world import DECIDER, RESIZE, World, tell

BEFORE = Settings(flow="flow", workers=2)


def reloaded(*orders: tuple[float, messages.Event], **more: Any) -> World:
    """A pool of one decider and two workers with these orders."""
    return tell(Script(orders=orders, **more))


def restart(**chosen: Any) -> messages.RestartAsked:
    """A restart that finds these settings."""
    return messages.RestartAsked("SIGHUP", msgspec.structs.replace(BEFORE, **chosen))


# --- which of them --------------------------------------------------------------------------------


def test_what_can_be_taken_up_are_settings() -> None:
    """No name is a slip of the pen, and none decides what or where is served."""
    assert set(Settings.__struct_fields__) >= RENEWABLE
    assert not RENEWABLE & {"flow", "domain", "name", "region", "endpoint_url", "local", "spool"}


def test_only_what_can_be_taken_up_is() -> None:
    """The others stay as they were."""
    new = Settings(flow="other", workers=7, spool="/spool", max_tasks=9)
    assert renewed(BEFORE, new) == Settings(flow="flow", workers=7, max_tasks=9)
    assert renewed(BEFORE, None) == BEFORE
    assert changed(BEFORE, new) == ("flow", "workers", "spool", "max_tasks")
    assert changed(BEFORE, None) == ()


# --- when -----------------------------------------------------------------------------------------


def test_new_sizes_hold_with_the_new_generation() -> None:
    """More workers, no fewer meanwhile, and the line says what changed."""
    world = reloaded((20.0, restart(workers=4, deciders=2))).finish(200)
    assert world.strength() == {DECIDER: 2, RESIZE: 4}
    assert world.core._state.settings.workers == 4
    assert "workers 4 (was 2)" in world.notes("generation_current")[1].text
    assert [each.settings.workers for each in world.said(messages.TakeUp)] == [4]


def test_a_smaller_pool_lets_elders_go_without_heirs() -> None:
    """Seats that are no more: who sat there leaves when the new code serves."""
    world = reloaded((20.0, restart(workers=1))).finish(200)
    assert world.strength() == {DECIDER: 1, RESIZE: 1}
    assert world.notes("worker_died") == []


def test_a_pool_of_none_drains_its_list() -> None:
    """A list that other hosts serve from now on."""
    world = reloaded((20.0, restart(pools={"resize": 0}))).finish(200)
    assert world.strength() == {DECIDER: 1}


@pytest.mark.parametrize("chosen", [{"pools": {"nope": 1}}, {"workers": 0, "deciders": 0}])
def test_settings_that_cannot_be_served_stop_the_deploy(chosen: dict[str, Any]) -> None:
    """The old ones go on holding, the old code goes on serving."""
    world = reloaded((20.0, restart(**chosen))).finish(200)
    assert world.notes("generation_abandoned")[0].facts["gate"] == "settings"
    assert world.core._state.settings == BEFORE
    assert world.said(messages.TakeUp) == []
    assert world.lowest == world.wanted


def test_a_stopped_deploy_changes_no_setting() -> None:
    """Code that cannot be imported brings none of its settings."""
    broken = Version(failure=("SyntaxError", 3))
    world = reloaded((20.0, restart(workers=4)), versions=(Version(), broken)).finish(200)
    assert world.core._state.settings == BEFORE
    assert world.strength() == {DECIDER: 1, RESIZE: 2}


def test_code_that_returns_brings_its_settings_back() -> None:
    """Both the code and the sizes of before hold again."""
    trips = Version(lost_after=15.0)
    world = reloaded((20.0, restart(workers=4)), versions=(Version(), trips)).finish(300)
    assert len(world.notes("generation_returned")) == 1
    assert world.strength() == {DECIDER: 1, RESIZE: 2}
    assert [each.settings.workers for each in world.said(messages.TakeUp)] == [4, 2]


def test_the_limits_of_the_candidate_are_its_own() -> None:
    """How long it may import is as its settings say."""
    slow = Version(imports=50.0)
    world = reloaded((20.0, restart(import_patience=10.0)), versions=(Version(), slow)).finish(200)
    assert "longer than 10 s" in world.notes("generation_abandoned")[0].text


def test_the_patience_with_an_errand_is_the_candidates_own() -> None:
    """Who gives the replay gate more time has it with this restart, not with the next one."""
    slow = (Fate(), Fate(), *[Fate(boot=150.0)] * 4)
    gate = {"gate_replay": Histories("last:5")}
    stopped = reloaded((20.0, restart(**gate)), errands=slow).finish(600)
    assert stopped.notes("generation_abandoned")[0].facts["gate"] == "replay"
    patient = restart(**gate, replay_patience=200.0)
    assert reloaded((20.0, patient), errands=slow).finish(600).judge.current == 2


def test_canaries_are_judged_by_the_settings_that_they_come_with() -> None:
    """How long they have to last, and how many failures are forgiven."""
    lasts = reloaded((20.0, restart(lasting=30.0))).run(60)
    assert lasts.when(lasts.notes("generation_current")[1]) == 21.0 + 0.625 + 30.0
    fails = Version(workers=(Fate(fails=True),), forever=True)
    quick = (Plan(waits=0.25, lasts=0.25),) * 400
    for patience, serving in ((3, 1), (999, 2)):
        order = (20.0, restart(trial_failures=patience, deciders=0, probation=0.0))
        world = reloaded(order, versions=(Version(), fails), plans=quick).finish(200)
        assert world.judge.current == serving


def test_what_needs_a_new_supervisor_is_named() -> None:
    """A warning, and the rest is taken up all the same."""
    world = reloaded((20.0, restart(flow="other", workers=3, spool="/spool"))).finish(200)
    (note,) = world.notes("settings_kept")
    assert (note.level, note.facts["settings"]) == (Level.WARNING, "flow, spool")
    assert world.core._state.settings == msgspec.structs.replace(BEFORE, workers=3)


def test_of_restarts_meanwhile_the_last_ones_settings_are_remembered() -> None:
    """Three wishes during a restart are one more restart, with what was read last."""
    orders = [(20.0 + n, restart(workers=2 + n)) for n in range(4)]
    world = reloaded(*orders).finish(300)
    assert len(world.said(messages.StartGeneration)) == 3
    assert world.strength()[RESIZE] == 5


def test_the_code_on_disk_after_a_lost_zygote_gets_the_settings_in_force() -> None:
    """Nobody asked for a restart, so nobody has read them again."""
    versions = (Version(), Version(lost_after=200.0))
    world = reloaded((20.0, restart(workers=3)), versions=versions).finish(500)
    assert [each.settings.workers for each in world.said(messages.StartGeneration)] == [2, 3, 3]


def test_limits_of_workers_ride_on_their_generation() -> None:
    """A worker of the old code keeps what it was told; the new ones are told anew."""
    world = reloaded((20.0, restart(max_tasks=9)), fates=(Fate(),)).finish(100)
    told = [each.settings.max_tasks for each in world.said(messages.StartGeneration)]
    assert told == [None, 9]
