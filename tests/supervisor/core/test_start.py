"""Scenarios of the start, and of sidecars."""

from __future__ import annotations

from math import inf

import pytest

from supervisor.ipc import messages
from supervisor.ipc.messages import Register, Serve
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    KillWorker,
    Scenario,
    SidecarPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, DECIDER, LISTS, RESIZE, simulate

# --- the first generation -------------------------------------------------------------------------


def test_the_start_is_import_register_serve() -> None:
    """The zygote imports, one fork registers, and only then every slot gets its worker."""
    world = simulate().run(2)
    jobs = [each.job for each in world.logged(messages.Fork)]
    assert jobs[0] == Register(types=True)
    assert [type(job) for job in jobs[1:]] == [Serve] * 3
    assert world.when(messages.Registered(1)) <= world.when(world.logged(messages.Fork)[1])
    assert world.strength() == world.desired


def test_without_deciders_no_types_are_registered() -> None:
    """A host that only runs activities asks only for the domain."""
    fork = simulate(deciders=0).run(2).logged(messages.Fork)[0]
    assert fork.job == Register(types=False)


def test_full_strength_is_noted_once() -> None:
    """The note that people and tests wait for comes once, though workers die later."""
    world = simulate(Scenario(workers=(WorkerPlan(), WorkerPlan(status=1)))).run(2)
    world.die(messages.Exited(2, -9))
    world.processes[2].alive = False
    assert world.run(100).strength() == world.desired
    assert len(world.notes("full_strength")) == 1


@pytest.mark.parametrize(
    ("version", "settings", "code", "why"),
    [
        (Version(failure=("No module named 'flow'", 3)), {}, 3, "No module named 'flow'"),
        (Version(imports=inf), {}, 3, "longer than 120 s"),
        (Version(refusal=("The domain is not registered", 2)), {}, 2, "domain"),
        (Version(), {"pools": {"nope": 1}}, 2, "--pool nope"),
        (Version(), {"workers": 0, "deciders": 0}, 2, "every pool has zero slots"),
    ],
)
def test_a_first_generation_that_fails_ends_the_program(
    version: Version, settings: dict[str, object], code: int, why: str
) -> None:
    """Its sentence and exit code are the program's, and no worker was forked to serve."""
    world = simulate(Scenario(versions=(version,)), **settings).finish(200)
    assert world.exit is not None
    assert world.exit.code == code
    assert why in world.exit.why
    assert world.count_serving_forks(1) == 0


def test_a_first_zygote_that_is_killed_is_tried_again() -> None:
    """No process could be had, or it was killed: a failed spawn is like a death."""
    lost = Version(failure=("no process for a zygote: ENOMEM", 4))
    world = simulate(Scenario(versions=(lost, lost, Version()))).finish(60)
    assert world.strength() == world.desired
    starts = [world.when(each) for each in world.logged(messages.StartGeneration)]
    assert starts[1] == 1.0
    assert 0.25 <= starts[2] - starts[1] - 1.0 <= 0.6
    assert "The next one starts at once." in world.notes("generation_failed")[0].text


def test_a_first_zygote_that_is_always_lost_ends_the_program() -> None:
    """After ``crash_loop_deaths`` of them: exit 4, with the cause."""
    lost = Version(failure=("no process for a zygote: ENOMEM", 4))
    world = simulate(Scenario(versions=(lost,) * 9), crash_loop_deaths=3).finish(60)
    assert world.exit == messages.Exit(4, "no process for a zygote: ENOMEM")
    assert len(world.logged(messages.StartGeneration)) == 3


def test_a_registrar_that_dies_is_tried_again() -> None:
    """A few accidents while registering are forgiven."""
    world = simulate(Scenario(jobs=(CRASHES_BOOTING, WorkerPlan(forks=False)))).finish(60)
    assert world.strength() == world.desired


def test_registering_is_given_up_after_some_deaths() -> None:
    """Five deaths in a row of a registering worker are a crash loop: exit 4, with the cause."""
    world = simulate(Scenario(jobs=(CRASHES_BOOTING,) * 9)).finish(60)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "SIGSEGV" in world.exit.why
    assert len(world.logged(messages.Fork)) == 5


def test_registering_that_hangs_is_killed() -> None:
    """A registering worker has ``register_timeout`` seconds, then another one is forked."""
    world = simulate(Scenario(jobs=(WorkerPlan(boot=float("inf")),)), register_timeout=20.0).finish(
        60
    )
    assert [each.worker for each in world.logged(messages.Kill)] == [1]
    assert world.strength() == world.desired


# --- a day's work ---------------------------------------------------------------------------------


def test_an_idle_pool_is_left_alone() -> None:
    """In an hour of empty polls no worker is killed, asked to leave or forked."""
    world = simulate().run(10)
    before = len(world.logged(messages.Fork))
    world.finish(3600)
    assert len(world.logged(messages.Fork)) == before
    assert not world.logged(messages.Kill)
    assert not world.logged(messages.Terminate)


def test_the_pool_has_a_snapshot() -> None:
    """It has the desired and ready workers of each list; the status has the rest."""
    world = simulate(**ALL_POLL)
    assert world.core.pool() == ()
    world.run(2)
    assert [(each.task_list, each.desired, each.ready) for each in world.core.pool()] == [
        (LISTS[0], 1, 1),
        (LISTS[1], 2, 2),
    ]
    status = world.core.status(world.now)
    assert [each.status for each in status.generations] == ["active"]
    assert {each.stage for each in status.workers} == {"polling"}


# --- endpoint and starter -------------------------------------------------------------------------


def test_the_local_swf_comes_first() -> None:
    """With ``local`` the first generation waits for the endpoint."""
    world = simulate(Scenario(endpoint=SidecarPlan(ready=3.0)), local=True).run(10)
    ready = world.when(messages.SidecarReady("local_endpoint", "http://127.0.0.1:1"))
    assert world.when(world.logged(messages.StartGeneration)[0]) == ready == 3.0


@pytest.mark.parametrize(
    "endpoint",
    [SidecarPlan(lost_after=30.0), SidecarPlan(ready=float("inf")), SidecarPlan(lost_after=0.0)],
)
def test_without_the_local_swf_the_program_ends(endpoint: SidecarPlan) -> None:
    """An endpoint that is lost or never ready is exit 4."""
    world = simulate(Scenario(endpoint=endpoint), local=True).finish(300)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "local SWF" in world.exit.why


def test_the_endpoint_is_stopped_last() -> None:
    """The exit comes after workers and starter have gone, and then the endpoint."""
    world = simulate(local=True, start=("1",)).run(5)
    world.ask(messages.DrainRequested("SIGTERM"))
    world.finish(200)
    stopped = [each.name for each in world.logged(messages.StopSidecar)]
    assert stopped == ["starter", "local_endpoint"]
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_a_sidecar_that_does_not_end_is_not_waited_for() -> None:
    """A hung endpoint costs ``sidecar_timeout`` seconds and a warning, no more."""
    world = simulate(Scenario(endpoint=SidecarPlan(obeys=False)), local=True).run(5)
    world.ask(messages.StopRequested("SIGQUIT"))
    world.finish(60)
    assert world.exit is not None
    assert world.exit.code == 0
    stage_timeout = world.settings.sidecar_timeout
    assert world.now == world.when(messages.StopSidecar("local_endpoint")) + stage_timeout
    assert len(world.notes("sidecar_left_behind")) == 1


def test_the_starter_starts_once_at_full_strength() -> None:
    """Executions are started when all slots are served, and not again after a crash."""
    world = simulate(Scenario(workers=(WorkerPlan(boot=9.0),)), start=("1", "2")).run(5)
    assert not world.logged(messages.StartSidecar)
    world.run(20)
    world.processes[3].die(-9)
    world.finish(60)
    assert world.logged(messages.StartSidecar) == [messages.StartSidecar("starter")]


def test_the_starter_starts_in_the_turn_of_full_strength() -> None:
    """Even if new code becomes active in that turn and its canaries fill the pool."""
    hung, restart = WorkerPlan(boot=inf), messages.RestartRequested("SIGHUP")
    world = simulate(
        Scenario(workers=(hung,), timeline=((10.0, restart),)), workers=1, start=("1",)
    ).run(30)
    (_, current) = world.notes("generation_active")
    assert world.when(current) == world.when(messages.StartSidecar("starter"))


@pytest.mark.parametrize(
    ("starter", "code"),
    [
        (SidecarPlan(closes=20.0), 0),
        (SidecarPlan(closes=20.0, completed=False), 1),
        (SidecarPlan(lost_after=20.0), 1),
    ],
)
def test_once_ends_with_the_executions(starter: SidecarPlan, code: int) -> None:
    """With ``once`` the pool drains when all have closed: 0 if all completed, else 1."""
    world = simulate(Scenario(starter=starter), start=("1",), once=True).finish(300)
    assert world.exit is not None
    assert world.exit.code == code
    assert len(world.notes("draining")) == 1


def test_once_ends_when_a_list_cannot_keep_its_workers() -> None:
    """The executions start when the pool is full, which it never gets: exit code 4, and why."""
    crashing = Version(crashing_lists=(RESIZE,))
    world = simulate(Scenario(versions=(crashing,)), start=("1",), once=True).finish(60)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "no execution was started, for flow_resize cannot keep its workers" in world.exit.why
    assert "SIGSEGV" in world.exit.why
    assert not world.logged(messages.StartSidecar)


def test_once_goes_on_when_a_list_is_degraded_after_the_start() -> None:
    """Its other worker serves the executions, which end by themselves."""
    plans = (*(WorkerPlan(),) * 3, *(CRASHES_BOOTING,) * 20)
    scenario = Scenario(
        workers=plans, starter=SidecarPlan(closes=60.0), timeline=((20.0, KillWorker(2)),)
    )
    world = simulate(scenario, start=("1",), once=True).finish(300)
    assert world.notes("list_degraded")
    assert world.exit is not None
    assert world.exit.code == 0


def test_once_does_not_wait_for_another_zygote() -> None:
    """One that ends before the import would end again: exit code 4 at once, with its end."""
    lost = Version(failure=("its zygote exited 1", 4))
    world = simulate(Scenario(versions=(lost,) * 9), start=("1",), once=True).finish(60)
    assert world.exit == messages.Exit(4, "its zygote exited 1")
    assert len(world.logged(messages.StartGeneration)) == 1


def test_once_cut_short_by_a_signal_is_not_a_success() -> None:
    """The executions had not closed when the drain began: exit code 1."""
    timeline = ((10.0, messages.DrainRequested("SIGTERM")),)
    world = simulate(
        Scenario(starter=SidecarPlan(closes=500.0), timeline=timeline), start=("1",), once=True
    )
    world.finish(300)
    assert world.exit is not None
    assert world.exit.code == 1


@pytest.mark.parametrize("starter", [SidecarPlan(closes=20.0), SidecarPlan(lost_after=20.0)])
def test_without_once_the_pool_outlives_the_executions(starter: SidecarPlan) -> None:
    """Whatever happens to the starter, the workers go on."""
    world = simulate(Scenario(starter=starter), start=("1",)).finish(300)
    assert world.exit is None
    assert world.strength() == world.desired
    assert len(world.notes("sidecar_lost")) == (starter.closes > 300)


def test_an_unknown_event_is_an_error() -> None:
    """An object that is not an event raises, and is not ignored."""
    with pytest.raises(TypeError, match="not an event"):
        simulate().core.handle(messages.Exit(0, "no event"), 1.0)  # type: ignore[arg-type]


def test_messages_of_unknown_senders_change_nothing() -> None:
    """A message of an unknown or dead sender is ignored."""
    world = simulate().run(5)
    task = world.task(DECIDER.role, None)
    for event in (
        messages.Polling(99),
        messages.Working(99, task),
        messages.Done(99, messages.Result.COMPLETED),
        messages.Registered(99),
        messages.FlowRefused(99, "no", 2),
        messages.Exited(99, -9),
        messages.ForkFailed(99, "no"),
        messages.GenerationReady(9, LISTS),
        messages.GenerationReady(1, LISTS),
        messages.GenerationLost(9, "no", 3),
        messages.SidecarReady("unknown"),
        messages.SidecarLost("unknown", 1),
    ):
        assert world.core.handle(event, 5.0) == []


def test_the_sampler_starts_with_the_first_code_that_serves() -> None:
    """It needs the flow's name, and runs only where it was asked for."""
    world = simulate(Scenario(), sample_executions=50).finish(30)
    started = [each.name for each in world.logged(messages.StartSidecar)]
    assert started == ["sampler"]
    plain = simulate(Scenario()).finish(30)
    assert list(plain.logged(messages.StartSidecar)) == []
