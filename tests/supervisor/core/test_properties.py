"""Random scenarios, each checked by the checker of ``tests/supervisor/simulation``.

Properties:

1. A task is reported exactly if its worker died with it, once; never one that a living worker
   has in progress or has finished.
2. Unless draining, a worker is asked to leave only after its replacement is ready; a bad candidate
   costs the active generation no slot and no wait.
3. A slot never has two workers of the active generation; a drain forks reporters only.
4. A candidate that cannot boot is given up after a bounded number of forks, and a good generation
   serves afterwards.
5. Only known, living workers get signals, and KILL once. No deadline is prolonged.
6. The next deadline lies ahead after every event, and there is one until the exit.
7. A drain ends: within a poll and a task if all workers cooperate, else within their deadlines.
8. After the last fault all slots are filled again.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config.setting_types import Surge
from supervisor.config.settings import Settings
from supervisor.ipc import messages
from supervisor.ipc.messages import Stale, Staleness
from tests.supervisor.simulation.property_tests import (
    ENOUGH,
    NEVER_GIVES_UP,
    many,
    run_until_healed,
)
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    GOOD,
    LONG_POLL,
    End,
    KillWorker,
    KillZygote,
    Scenario,
    SidecarPlan,
    TaskPlan,
    Timeline,
    Version,
    WorkerPlan,
    endings,
    limited,
    quarters,
    scenarios,
    task_plans,
    versions,
)
from tests.supervisor.simulation.world import simulate

if TYPE_CHECKING:
    from tests.supervisor.simulation.world import World

pytestmark = pytest.mark.slow

RESTART = messages.RestartRequested("SIGHUP")
DRAIN = messages.DrainRequested("SIGTERM")

sidecars = st.builds(
    SidecarPlan,
    ready=quarters(0, 3) | st.just(float("inf")),
    closes=quarters(0, 200) | st.just(float("inf")),
    completed=st.booleans(),
    lost_after=quarters(0, 200) | st.just(float("inf")),
    obeys=st.booleans(),
)

local_settings = st.fixed_dictionaries(
    {
        "local": st.just(value=True),
        "start": st.just(("1",)),
        "once": st.booleans(),
        "drain_timeout": st.sampled_from([None, 5.0, 40.0]),
    }
)

hopeless = st.builds(
    Version,
    imports=quarters(0.25, 5),
    workers=st.sampled_from(
        [
            (WorkerPlan(boot=float("inf")),),
            (WorkerPlan(end=End.IN_BOOT),),
            (WorkerPlan(forks=False),),
            (WorkerPlan(end=End.IN_POLL, after=4.75),),
            (
                WorkerPlan(end=End.IN_BOOT),
                WorkerPlan(boot=float("inf")),
                WorkerPlan(forks=False),
            ),
        ]
    ),
    repeats=st.just(value=True),
) | st.sampled_from(
    [
        Version(imports=float("inf")),
        Version(failure=("SyntaxError", 3)),
        Version(refusal=("no such domain", 2)),
        Version(lost_after=2.0),
    ]
)


dead_at_birth = st.sampled_from(
    [
        WorkerPlan(end=End.IN_BOOT),
        WorkerPlan(forks=False),
        WorkerPlan(boot=float("inf")),
        WorkerPlan(boot=9.0),
    ]
)
"""Workers that die before their first poll, or boot slowly."""


def exit_code(world: World) -> int:
    """The program's exit code; it must have ended."""
    assert world.exit is not None, "the program ends"
    return world.exit.code


def slot_of(fork: messages.Fork) -> messages.Slot | None:
    """The slot that a worker was forked for; None if it has a job."""
    return fork.job.slot if isinstance(fork.job, messages.Serve) else None


def restarts(times: list[float]) -> Timeline:
    """A restart at each of these times."""
    return tuple((each, RESTART) for each in sorted(times))


# --- 1 to 6: the invariants, in any scenario ------------------------------------------------------


@many
@given(scenarios(leaving=True), st.integers(1, 3), st.integers(0, 2))
def test_no_scenario_breaks_an_invariant(scenario: Scenario, workers: int, deciders: int) -> None:
    """Whatever happens in whatever order, no invariant breaks, and every death noted is counted."""
    world = simulate(scenario, workers=workers, deciders=deciders).finish(ENOUGH)
    assert sum(world.core.status(world.now).deaths.values()) == len(world.notes("worker_died"))


@many
@given(scenarios(leaving=True), sidecars, sidecars, local_settings)
def test_no_scenario_with_a_local_swf_breaks_an_invariant(
    scenario: Scenario, endpoint: SidecarPlan, starter: SidecarPlan, settings: dict[str, Any]
) -> None:
    """The same with a local SWF and executions to start, whatever happens to their sidecars."""
    simulate(replace(scenario, endpoint=endpoint, starter=starter), **settings).finish(ENOUGH)


# A retiring worker dies, the second one at that slot, as its generation becomes active again.
ROLLS_BACK_TO_ITS_DEAD = Scenario(
    workers=(GOOD, GOOD, WorkerPlan(forks=False), WorkerPlan(boot=inf, unreaped_for=60.0)),
    timeline=((16.25, RESTART), (49.0, KillZygote(1))),
    lag=2.0,
)


@many
@given(scenarios(leaving=True), st.lists(sidecars, max_size=4))
@example(ROLLS_BACK_TO_ITS_DEAD, [])
def test_no_scenario_with_a_restarted_sidecar_breaks_an_invariant(
    scenario: Scenario, worker_plans: list[SidecarPlan]
) -> None:
    """The same with a sidecar that is started again, however often it is lost."""
    simulate(replace(scenario, sidecars=tuple(worker_plans)), ec2="on").finish(ENOUGH)


# A reporter that never sends a message, of a generation that is kept for it alone.
SILENT_REPORTER = Scenario(
    workers=(CRASHES_BOOTING,),
    versions=(Version(), Version(refusal=("SWF refuses it", 2)), Version(imports=inf)),
    tasks=(TaskPlan(timeout=5.0, too_big_at=0.0),),
    jobs=(GOOD, GOOD, WorkerPlan(boot=inf)),
    timeline=((1.5, KillZygote(0)),),
)


@many
@given(scenarios(leaving=True))
@example(SILENT_REPORTER)
def test_the_same_events_give_the_same_actions(scenario: Scenario) -> None:
    """So a run can be repeated."""
    assert simulate(scenario).run(ENOUGH).log == simulate(scenario).run(ENOUGH).log


# --- 1: reports -----------------------------------------------------------------------------------


@many
@given(
    st.lists(st.sampled_from([GOOD, *(WorkerPlan(end=each) for each in End)]), max_size=12),
    st.lists(task_plans(), max_size=20),
)
def test_a_task_is_reported_if_its_worker_died_with_it(
    worker_plans: list[WorkerPlan], task_plans: list[TaskPlan]
) -> None:
    """With good reporters SWF gets one answer for each such task, and for no other.

    Tasks that SWF itself has closed are the exception.
    """
    world = simulate(
        Scenario(workers=tuple(worker_plans), tasks=tuple(task_plans)), **NEVER_GIVES_UP
    ).finish(ENOUGH)
    gone = [each.worker for each in world.logged(Stale) if each.why is Staleness.CLOSED]
    died = [each.facts for each in world.notes("worker_died") if "workflow_id" in each.facts]
    owed = [each["workflow_id"] for each in died if each["worker"] not in gone]
    reported = [each.facts["workflow_id"] for each in world.notes("reported")]
    late = [each.facts["workflow_id"] for each in world.notes("report_unneeded")]
    assert set(owed) <= set(reported + late)
    assert len(set(reported + late)) == len(reported + late)


# --- 2: restarts cost nothing ---------------------------------------------------------------------


@many
@given(
    st.lists(versions() | hopeless, max_size=4),
    st.lists(quarters(10, 300), max_size=4),
    st.lists(task_plans(too_big_at=False), max_size=8),
)
def test_strength_never_dips_for_a_restart(
    others: list[Version], times: list[float], task_plans: list[TaskPlan]
) -> None:
    """Good workers of a good generation never leave before their replacements are ready."""
    good = [
        replace(each, workers=(), repeats=False) if not each.repeats else each for each in others
    ]
    scenario = Scenario(
        versions=(Version(), *good), tasks=tuple(task_plans), timeline=restarts(times)
    )
    world = simulate(
        replace(scenario, tasks=tuple(replace(p, timeout=60.0) for p in task_plans))
    ).finish(600)
    assert world.lowest == world.desired
    assert world.exit is None


@many
@given(
    st.lists(
        st.integers(0, 2).map(lambda n: WorkerPlan(retires_after=n)) | dead_at_birth, max_size=20
    ),
    st.lists(task_plans(too_big_at=False), max_size=20),
    st.integers(1, 12),
    st.lists(quarters(10, 300), max_size=2),
)
def test_strength_never_dips_for_recycling(
    worker_plans: list[WorkerPlan], tasks: list[TaskPlan], workers: int, times: list[float]
) -> None:
    """Workers stay until a replacement is ready, however many replacements fail, and in restarts
    too.
    """
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    scenario = Scenario(workers=tuple(worker_plans), tasks=in_time, timeline=restarts(times))
    world = simulate(scenario, workers=workers, **NEVER_GIVES_UP).finish(ENOUGH)
    assert world.lowest == world.desired


@many
@given(
    st.lists(
        st.sampled_from([GOOD, WorkerPlan(ignores_stale=True), WorkerPlan(hangs=True)]), max_size=6
    ),
    st.lists(task_plans(too_big_at=False), max_size=12),
    quarters(0.25, 40),
)
def test_no_worker_is_killed_for_a_stale_task_that_it_answered_in_time(
    worker_plans: list[WorkerPlan], tasks: list[TaskPlan], grace: float
) -> None:
    """Only stale tasks that are in progress when the grace is over cost their workers' lives."""
    longer = tuple(replace(each, timeout=None) for each in tasks)
    world = simulate(
        Scenario(workers=tuple(worker_plans), tasks=longer), cancel_grace=grace
    ).finish(ENOUGH)
    for place, (at, stale) in enumerate(world.log):
        if isinstance(stale, Stale):
            # In the order of the log: the answer to the task before may bear the same time.
            came, end = next(
                (t, each)
                for t, each in world.log[place:]
                if isinstance(each, messages.Done | messages.Kill) and each.worker == stale.worker
            )
            answered = isinstance(end, messages.Done)
            assert came <= at + grace + 0.5 if answered else came >= at + grace


# A worker is counted as dead with its result, and ends while its report is attempted again.
UNREAPED = Scenario(
    workers=(WorkerPlan(unreaped_for=10.0),),
    tasks=(TaskPlan(waits=0.0, lasts=0.0, timeout=None, too_big_at=0.0),),
    jobs=(GOOD, CRASHES_BOOTING),
)


@many
@given(scenarios(leaving=True), st.booleans())
@example(UNREAPED, False)  # noqa: FBT003 - as drawn
def test_a_finished_result_never_becomes_a_failure(scenario: Scenario, local: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever killed its worker: a task with an answer left is reported with it or not at all.

    The exception is a worker that the kernel does not reap: its task is reported before.
    """
    task_plans = tuple(replace(each, answering=20.0) for each in scenario.tasks)
    world = simulate(replace(scenario, tasks=task_plans), local=local).finish(ENOUGH)
    tokens: dict[int, str] = {}
    left: dict[str, messages.Answer] = {}
    reported = set[str]()
    for _, each in world.log:
        match each:
            case messages.Working(worker=worker, task=task):
                tokens[worker] = task.token
            case messages.Exited(worker=worker, post=messages.PostMortem(answer=answer)) if answer:
                if tokens[worker] not in reported:
                    left[tokens[worker]] = answer
            case messages.Fork(job=messages.Report(task=task, answer=answer)):
                reported.add(task.token)
                assert left.get(task.token, answer) == answer
            case _:
                pass


@many
@given(hopeless, quarters(20, 80), st.integers(0, 2))
def test_a_bad_candidate_costs_no_wait(version: Version, at: float, nth: int) -> None:
    """A good worker that is killed beside a failing candidate is replaced at once."""
    world = simulate(Scenario(versions=(Version(), version), timeline=((10.0, RESTART),))).run(at)
    killed = next(each for each in world.logged(messages.Fork) if each.worker == 2 + nth)
    world.processes[killed.worker].die(-9)
    world.run(at + 0.5)
    refill = max(
        (each for each in world.logged(messages.Fork) if slot_of(each) == slot_of(killed)),
        key=lambda each: (each.generation == 1, each.worker),
    )
    assert world.when(refill) == at


# --- 4: candidates that cannot boot ---------------------------------------------------------------


@many
@given(hopeless, st.integers(1, 4))
def test_a_candidate_that_cannot_boot_is_given_up(version: Version, workers: int) -> None:
    """Bounded forks, one note, and a good generation serves."""
    scenario = Scenario(versions=(Version(), version), timeline=((20.0, RESTART),))
    world = simulate(scenario, workers=workers).finish(ENOUGH)
    assert len(world.notes("generation_failed")) == 1
    assert world.count_serving_forks(2) <= 1 + world.settings.crash_loop_deaths
    assert set(world.served_by().values()) == {1}


@many
@given(st.lists(hopeless | st.just(Version()), max_size=5))
def test_the_last_good_version_serves(deploys: list[Version]) -> None:
    """However good and bad deploys follow one another, the last good one has all slots."""
    times = [20.0 + 250.0 * n for n in range(len(deploys))]
    world = simulate(Scenario(versions=(Version(), *deploys), timeline=restarts(times))).finish(
        ENOUGH
    )
    good = [n for n, each in enumerate([Version(), *deploys], 1) if each == Version()]
    assert set(world.served_by().values()) == {good[-1]}
    assert world.strength() == world.desired


# --- 5: deadlines ---------------------------------------------------------------------------------


@many
@given(quarters(2, 200), quarters(0, 60), st.sampled_from([5.0, 20.0, 60.0]))
def test_a_request_to_leave_never_prolongs_a_deadline(
    drain: float, waits: float, timeout: float
) -> None:
    """A hung task is killed at the same moment or earlier if a drain comes along."""
    hung = TaskPlan(waits=waits, lasts=float("inf"), timeout=timeout)
    plain = Scenario(tasks=(hung,), workers=(WorkerPlan(hangs=True),))
    quiet = simulate(plain, workers=1, deciders=0).run(ENOUGH)
    drained = simulate(replace(plain, timeline=((drain, DRAIN),)), workers=1, deciders=0).run(
        ENOUGH
    )
    kills = [each for each in drained.logged(messages.Kill) if each.worker == 2]
    if kills:
        assert drained.when(kills[0]) <= quiet.when(quiet.logged(messages.Kill)[0])


# --- 7: drains end --------------------------------------------------------------------------------


@many
@given(quarters(0, 120), st.lists(task_plans(too_big_at=False), max_size=8), st.booleans())
def test_a_drain_ends_if_all_workers_cooperate(
    at: float,
    tasks: list[TaskPlan],
    sticky: bool,  # noqa: FBT001 - drawn
) -> None:
    """Within a long poll and a task; of a sticky decider three tasks: the one in progress, one of
    each list, and the seconds for which it polls its own list again. No kill, exit code 0.
    """
    scenario = Scenario(
        tasks=tuple(replace(each, timeout=60.0) for each in tasks), timeline=((at, DRAIN),)
    )
    world = simulate(scenario, sticky=sticky).finish()
    longest = max((each.lasts + each.answering for each in tasks), default=0.0)
    two_lists = 2 * longest + world.settings.sticky_schedule_to_start if sticky else 0
    assert world.now <= at + LONG_POLL + longest + two_lists + 1
    assert exit_code(world) == 0
    assert not world.logged(messages.Kill)


@many
@given(
    quarters(0, 120),
    st.lists(st.sampled_from([5.0, 20.0, 60.0]), max_size=8),
    st.builds(
        WorkerPlan, hangs=st.booleans(), poll_hangs=st.booleans(), obeys=st.just(value=False)
    ),
)
def test_a_drain_ends_if_no_worker_cooperates(
    at: float, timeouts: list[float], worker_plan: WorkerPlan
) -> None:
    """Within the deadlines of a poll and of one task, and the seconds that kills take."""
    deaf_ones = (replace(worker_plan, unreaped_for=9.0),) * 50
    tasks = tuple(TaskPlan(timeout=each) for each in timeouts)
    world = simulate(
        Scenario(workers=deaf_ones, tasks=tasks, timeline=((at, DRAIN),)), deciders=0
    ).finish()
    chosen = world.settings
    task = max(timeouts, default=0) + chosen.task_margin
    seconds = chosen.exit_timeout + chosen.reap_timeout + 3
    assert world.now <= at + chosen.poll_timeout + task + seconds


UNLIMITED = messages.RestartRequested("SIGHUP", Settings(flow="flow", workers=3, surge=Surge("1")))


@many
@given(scenarios(), quarters(0, 300), endings(), st.sampled_from([1.0, 30.0]))
@example(Scenario(timeline=((62.5, UNLIMITED),)), 290.0, DRAIN, 1.0)
def test_a_limit_ends_the_program(
    scenario: Scenario, at: float, ending: messages.Event, limit: float
) -> None:
    """The end comes at the limit, plus reaping and the reports of tasks that were cut short."""
    # Later than the first generation serves: one that never does has exit codes of its own.
    events = (*scenario.timeline, (at, ending))
    timeline = tuple((20.0 + when, limited(each, limit)) for when, each in events)
    scenario = replace(scenario, timeline=timeline, lag=0.0, jobs=())
    world = simulate(scenario, drain_timeout=limit).finish(ENOUGH)
    chosen = world.settings
    assert exit_code(world) in (0, 1, 4)
    assert world.now <= 20 + max(at, 300) + limit + chosen.reap_timeout + 2


@many
@given(scenarios(leaving=True), st.sampled_from([None, 5.0]))
def test_the_exit_code_says_how_the_program_ended(
    scenario: Scenario, drain_timeout: float | None
) -> None:
    """0 is clean, 1 abandoned a task, and any other code comes with an error in the log."""
    world = simulate(scenario, drain_timeout=drain_timeout).finish(ENOUGH)
    if world.exit is None:
        return
    errors = [each for each in world.notes("stopping") if each.level == messages.Level.ERROR]
    assert (world.exit.code > 1) == bool(errors)
    assert world.exit.code > 0 or not world.notes("task_abandoned")


# --- 8: all heals ---------------------------------------------------------------------------------


@many
@given(scenarios(), st.integers(1, 3), st.integers(0, 2))
@example(Scenario(timeline=((20.0, KillZygote(0)), (20.0, KillWorker(0)), (20.0, RESTART))), 2, 1)
def test_after_the_last_fault_all_slots_are_filled(
    scenario: Scenario, workers: int, deciders: int
) -> None:
    """Whatever happened since the first generation was active, in the end one serves every slot."""
    world = run_until_healed(scenario, workers, deciders)
    assert world.served_by()
