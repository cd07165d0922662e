"""Scenarios of restarts that bring new settings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from supervisor.config.setting_types import HistorySource
from supervisor.config.settings import Settings
from supervisor.core.deploy.settings_reload import RENEWABLE, changed, renewed
from supervisor.ipc import messages
from supervisor.ipc.messages import Level
from tests.supervisor.simulation.scenarios import Scenario, TaskPlan, Version, WorkerPlan
from tests.supervisor.simulation.world import DECIDER, NO_GATE, RESIZE, World, simulate

BEFORE = Settings(flow="flow", workers=2, gate_replay=NO_GATE)


def reloaded(*timeline: tuple[float, messages.Event], **more: Any) -> World:
    """A pool of one decider and two workers with these outside events."""
    return simulate(Scenario(timeline=timeline, **more))


def restart(**chosen: Any) -> messages.RestartRequested:
    """A restart that finds these settings."""
    return messages.RestartRequested("SIGHUP", msgspec.structs.replace(BEFORE, **chosen))


# --- which of them --------------------------------------------------------------------------------


def test_renewable_names_are_settings() -> None:
    """Every name is a setting's, and none decides what is served or where."""
    assert set(Settings.__struct_fields__) >= RENEWABLE
    assert not RENEWABLE & {"flow", "domain", "name", "region", "endpoint_url", "local", "spool"}


def test_only_renewable_settings_are_renewed() -> None:
    """The others keep their old values."""
    new = msgspec.structs.replace(BEFORE, flow="other", workers=7, spool="/spool", max_tasks=9)
    assert renewed(BEFORE, new) == msgspec.structs.replace(BEFORE, workers=7, max_tasks=9)
    assert renewed(BEFORE, None) == BEFORE
    assert changed(BEFORE, new) == ("flow", "workers", "spool", "max_tasks")
    assert changed(BEFORE, None) == ()


# --- when -----------------------------------------------------------------------------------------


def test_new_sizes_apply_with_the_new_generation() -> None:
    """The pool grows without a dip, and the note says what changed."""
    world = reloaded((20.0, restart(workers=4, deciders=2))).finish(200)
    assert world.strength() == {DECIDER: 2, RESIZE: 4}
    assert world.core._state.settings.workers == 4
    assert "workers 4 (was 2)" in world.notes("generation_active")[1].text
    assert [each.settings.workers for each in world.logged(messages.ApplySettings)] == [4]


def test_a_smaller_pool_needs_no_replacements() -> None:
    """Workers of slots that are gone leave when the new code is active."""
    world = reloaded((20.0, restart(workers=1))).finish(200)
    assert world.strength() == {DECIDER: 1, RESIZE: 1}
    assert world.notes("worker_died") == []


def test_a_pool_of_zero_drains_its_list() -> None:
    """Other hosts may serve the list."""
    world = reloaded((20.0, restart(pools={"resize": 0}))).finish(200)
    assert world.strength() == {DECIDER: 1}


@pytest.mark.parametrize("chosen", [{"pools": {"nope": 1}}, {"workers": 0, "deciders": 0}])
def test_settings_that_cannot_be_served_stop_the_deploy(chosen: dict[str, Any]) -> None:
    """The old settings still apply, and the old code goes on."""
    world = reloaded((20.0, restart(**chosen))).finish(200)
    assert world.notes("generation_failed")[0].facts["gate"] == "settings"
    assert world.core._state.settings == BEFORE
    assert world.logged(messages.ApplySettings) == []
    assert world.lowest == world.desired


def test_a_failed_deploy_changes_no_setting() -> None:
    """Code that cannot be imported brings none of its settings."""
    broken = Version(failure=("SyntaxError", 3))
    world = reloaded((20.0, restart(workers=4)), versions=(Version(), broken)).finish(200)
    assert world.core._state.settings == BEFORE
    assert world.strength() == {DECIDER: 1, RESIZE: 2}


def test_a_rollback_restores_the_settings() -> None:
    """Both the code and the sizes of before are back."""
    loses_its_zygote = Version(lost_after=15.0)
    world = reloaded((20.0, restart(workers=4)), versions=(Version(), loses_its_zygote)).finish(300)
    assert len(world.notes("generation_rolled_back")) == 1
    assert world.strength() == {DECIDER: 1, RESIZE: 2}
    assert [each.settings.workers for each in world.logged(messages.ApplySettings)] == [4, 2]


def test_a_candidates_import_timeout_is_its_own() -> None:
    """The time for its import is that of its own settings."""
    slow = Version(imports=50.0)
    world = reloaded((20.0, restart(import_timeout=10.0)), versions=(Version(), slow)).finish(200)
    assert "longer than 10 s" in world.notes("generation_failed")[0].text


def test_a_candidates_job_timeout_is_its_own() -> None:
    """A longer time for the replay gate applies to this restart, not only to the next one."""
    slow = (WorkerPlan(), WorkerPlan(), *[WorkerPlan(boot=150.0)] * 6)
    gate = {"gate_replay": HistorySource("last:5")}
    stopped = reloaded((20.0, restart(**gate)), jobs=slow).finish(900)
    assert stopped.notes("generation_failed")[0].facts["gate"] == "replay"
    patient = restart(**gate, replay_timeout=200.0)
    assert reloaded((20.0, patient), jobs=slow).finish(600).checker.active == 2


def test_canaries_are_judged_by_their_own_settings() -> None:
    """Their uptime and the number of failed tasks are those of the new settings."""
    lasts = reloaded((20.0, restart(min_uptime=30.0))).run(60)
    assert lasts.when(lasts.notes("generation_active")[1]) == 21.0 + 0.625 + 30.0
    fails = Version(workers=(WorkerPlan(fails=True),), repeats=True)
    quick = (TaskPlan(waits=0.25, lasts=0.25),) * 400
    for stage_timeout, serving in ((3, 1), (999, 2)):
        order = (20.0, restart(min_failed_tasks=stage_timeout, deciders=0, probation=0.0))
        world = reloaded(order, versions=(Version(), fails), tasks=quick).finish(200)
        assert world.checker.active == serving


def test_settings_that_need_a_new_supervisor_are_named() -> None:
    """A warning names them, and the other settings apply all the same."""
    world = reloaded((20.0, restart(flow="other", workers=3, spool="/spool"))).finish(200)
    (note,) = world.notes("settings_kept")
    assert (note.level, note.facts["settings"]) == (Level.WARNING, "flow, spool")
    assert world.core._state.settings == msgspec.structs.replace(BEFORE, workers=3)


def test_of_restarts_meanwhile_the_last_ones_settings_are_remembered() -> None:
    """Three requests during a restart make one more restart, with the settings read last."""
    timeline = [(20.0 + n, restart(workers=2 + n)) for n in range(4)]
    world = reloaded(*timeline).finish(300)
    assert len(world.logged(messages.StartGeneration)) == 3
    assert world.strength()[RESIZE] == 5


def test_after_a_lost_zygote_the_settings_stay() -> None:
    """No restart was requested, so the settings were not read again."""
    versions = (Version(), Version(lost_after=200.0))
    world = reloaded((20.0, restart(workers=3)), versions=versions).finish(500)
    assert [each.settings.workers for each in world.logged(messages.StartGeneration)] == [2, 3, 3]


def test_limits_of_workers_belong_to_their_generation() -> None:
    """Workers of the old code keep their limits; those of the new code get the new ones."""
    world = reloaded((20.0, restart(max_tasks=9)), workers=(WorkerPlan(),)).finish(100)
    limits = [each.settings.max_tasks for each in world.logged(messages.StartGeneration)]
    assert limits == [None, 9]
