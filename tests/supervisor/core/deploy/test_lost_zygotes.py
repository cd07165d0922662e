"""Zygotes that hang: they are ended, and their workers go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.ipc import messages
from tests.supervisor.simulation.scenarios import (
    HangZygote,
    KillWorker,
    KillZygote,
    Scenario,
)
from tests.supervisor.simulation.world import simulate

if TYPE_CHECKING:
    from tests.supervisor.simulation.scenarios import OutsideEvent
    from tests.supervisor.simulation.world import World

HANGS = (20.0, HangZygote(0))
DIES = (21.0, KillWorker(1))
RESTART = messages.RestartRequested("SIGHUP")


def pool(*timeline: tuple[float, OutsideEvent], **settings: float) -> World:
    """A pool of four workers of one list, in which this happens."""
    return simulate(Scenario(timeline=timeline), workers=4, deciders=0, **settings)


def test_a_zygote_that_hangs_is_ended_and_the_next_generation_takes_over() -> None:
    """Two requests have waited for ``boot_timeout`` each; the workers that live have gone on."""
    world = pool(HANGS, DIES).finish(200)
    (lost,) = world.notes("zygote_lost")
    assert "it has let requests for workers wait for 61 s" in lost.text
    assert "starting a new one" in lost.text
    assert 21.0 + 60 < world.when(lost) < 21.0 + 62
    assert world.when(messages.RetireGeneration(1)) == world.when(lost)
    assert set(world.served_by().values()) == {2}
    assert len(world.notes("worker_died")) == 3, "the one that was killed, and two not forked"


def test_many_requests_that_wait_together_do_not_make_it_sooner() -> None:
    """The host may swap: each gets the time twice."""
    deaths = tuple((21.0, KillWorker(n)) for n in range(4))
    world = pool(HANGS, *deaths).run(80)
    assert len(world.notes("worker_died")) == 8
    assert world.notes("zygote_lost") == []
    assert world.run(85).notes("zygote_lost")


def test_a_zygote_that_goes_on_is_kept() -> None:
    """A worker that got ready after the first late one shows that it forks."""
    world = pool(HANGS, DIES).run(40)
    world.zygotes[1].hangs = False
    world.run(60)
    world.zygotes[1].hangs = True
    world.later(0, lambda: next(each for each in world.processes.values() if each.alive).die(-9))
    world.run(115)
    assert len(world.notes("worker_died")) == 4
    assert world.notes("zygote_lost") == []


def test_in_probation_the_previous_generation_comes_back() -> None:
    """Its zygote forks."""
    world = pool((20.0, RESTART), (28.0, HangZygote(1)), (29.0, KillWorker(2)), probation=300.0)
    world.finish(200)
    assert "rolling back to generation 1" in world.notes("zygote_lost")[0].text
    assert world.notes("generation_rolled_back")
    assert set(world.served_by().values()) == {1}


def test_the_zygote_that_is_kept_for_a_rollback_is_left_alone() -> None:
    """A restart came while its second request waited; it ends with the probation."""
    world = pool(HANGS, DIES, (60.0, RESTART), probation=300.0).run(200)
    assert world.notes("generation_active")[-1].facts["generation"] == 2
    assert world.logged(messages.RetireGeneration) == []
    world.finish(400)
    assert world.logged(messages.RetireGeneration) == [messages.RetireGeneration(1)]


def test_a_candidate_whose_zygote_hangs_is_given_up() -> None:
    """Its first job is its first request: the active generation goes on."""
    world = pool((20.0, RESTART), (21.1, HangZygote(1))).finish(400)
    (failed,) = world.notes("generation_failed")
    assert "it has let requests for workers wait" in failed.text
    assert set(world.served_by().values()) == {1}


def test_a_drain_says_that_nothing_is_started() -> None:
    """The loss is logged all the same: reports of dead workers can no longer be sent."""
    world = pool((20.5, messages.DrainRequested("SIGTERM")), (22.0, KillZygote(0))).finish(200)
    (lost,) = world.notes("zygote_lost")
    assert lost.text.endswith("cannot be replaced; the supervisor is draining.")
