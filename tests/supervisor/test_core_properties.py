"""Stories that are drawn, each watched by the judge in ``tests/laws.py``.

What must hold:

1. A token is reported exactly when its holder died with it, once; never one that a living worker
   holds or has finished.
2. Unless draining, a worker is asked to leave only after its heir is ready; a bad candidate costs
   the current generation no seat and no rest.
3. Never two current workers on a seat; no fork but reporters while draining.
4. A candidate that cannot boot is given up after a bounded number of forks, and a good generation
   serves afterwards.
5. Only known, living workers are signalled; KILL once. Patience is never lengthened.
6. The next deadline lies ahead after every event, and something is always due until the exit.
7. A drain ends: within poll and task when all cooperate, within patience when none does.
8. After the last fault all seats fill again.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor import messages
from supervisor.messages import Stale, Staleness
from supervisor.settings import Settings
from supervisor.surges import Surge
from tests.fates import (
    CRASHES_BOOTING,
    GOOD,
    LONG_POLL,
    End,
    Fate,
    Helper,
    Murder,
    Orders,
    Plan,
    Script,
    Version,
    ZygoteMurder,
    farewells,
    limited,
    plans,
    quarters,
    scripts,
    versions,
)
from tests.stories import ENOUGH, PATIENT, healed, many
from tests.world import tell

if TYPE_CHECKING:
    from tests.world import World

RESTART = messages.RestartAsked("SIGHUP")
DRAIN = messages.DrainAsked("SIGTERM")

helpers = st.builds(
    Helper,
    ready=quarters(0, 3) | st.just(float("inf")),
    closes=quarters(0, 200) | st.just(float("inf")),
    completed=st.booleans(),
    lost_after=quarters(0, 200) | st.just(float("inf")),
    heeds=st.booleans(),
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
            (Fate(boot=float("inf")),),
            (Fate(end=End.IN_BOOT),),
            (Fate(forks=False),),
            (Fate(end=End.IN_POLL, after=4.75),),
            (Fate(end=End.IN_BOOT), Fate(boot=float("inf")), Fate(forks=False)),
        ]
    ),
    forever=st.just(value=True),
) | st.sampled_from(
    [
        Version(imports=float("inf")),
        Version(failure=("SyntaxError", 3)),
        Version(refusal=("no such domain", 2)),
        Version(lost_after=2.0),
    ]
)


unborn = st.sampled_from(
    [Fate(end=End.IN_BOOT), Fate(forks=False), Fate(boot=float("inf")), Fate(boot=9.0)]
)
"""Workers that do not get as far as their first poll, or take their time."""


def exit_code(world: World) -> int:
    """The program's; it must have ended."""
    assert world.exit is not None, "the program ends"
    return world.exit.code


def restarts(times: list[float]) -> Orders:
    """A restart at each of these times, or what is left of them when they coincide."""
    return tuple((each, RESTART) for each in sorted(times))


# --- 1 to 6: the laws, in any story ---------------------------------------------------------------


@many
@given(scripts(leaving=True), st.integers(1, 3), st.integers(0, 2))
def test_no_story_breaks_a_law(script: Script, workers: int, deciders: int) -> None:
    """Whatever befalls whom in whatever order, no law is broken to the end of the story.

    And every death that was told is in the count.
    """
    world = tell(script, workers=workers, deciders=deciders).finish(ENOUGH)
    assert sum(world.core.status(world.now).deaths.values()) == len(world.notes("worker_died"))


@many
@given(scripts(leaving=True), helpers, helpers, local_settings)
def test_no_story_with_attendants_breaks_a_law(
    script: Script, endpoint: Helper, starter: Helper, settings: dict[str, Any]
) -> None:
    """The same with an SWF of our own and executions to start, whatever becomes of them."""
    tell(replace(script, endpoint=endpoint, starter=starter), **settings).finish(ENOUGH)


# An elder dies on its way out, for the second time at that seat, as its generation returns.
RETURNS_TO_ITS_DEAD = Script(
    fates=(GOOD, GOOD, Fate(forks=False), Fate(boot=inf, stuck=60.0)),
    orders=((16.25, RESTART), (49.0, ZygoteMurder(1))),
    lag=2.0,
)


@many
@given(scripts(leaving=True), st.lists(helpers, max_size=4))
@example(RETURNS_TO_ITS_DEAD, [])
def test_no_story_with_a_companion_breaks_a_law(script: Script, fates: list[Helper]) -> None:
    """The same with an attendant that stays, however often it is lost."""
    tell(replace(script, companions=tuple(fates)), ec2="on").finish(ENOUGH)


# A reporter that never says a word, of a generation that is kept for its sake alone.
SILENT_REPORTER = Script(
    fates=(CRASHES_BOOTING,),
    versions=(Version(), Version(refusal=("SWF refuses it", 2)), Version(imports=inf)),
    plans=(Plan(timeout=5.0, swells=0.0),),
    errands=(GOOD, GOOD, Fate(boot=inf)),
    orders=((1.5, ZygoteMurder(0)),),
)


@many
@given(scripts(leaving=True))
@example(SILENT_REPORTER)
def test_the_same_story_is_told_the_same_way(script: Script) -> None:
    """Same events, same actions: a run can be repeated."""
    assert tell(script).run(ENOUGH).log == tell(script).run(ENOUGH).log


# --- 1: reports -----------------------------------------------------------------------------------


@many
@given(
    st.lists(st.sampled_from([GOOD, *(Fate(end=each) for each in End)]), max_size=12),
    st.lists(plans(), max_size=20),
)
def test_a_task_is_reported_when_its_holder_died_with_it(
    fates: list[Fate], plans: list[Plan]
) -> None:
    """With good reporters SWF hears of each such task once, and of no other.

    What SWF itself has called gone is the exception.
    """
    world = tell(Script(fates=tuple(fates), plans=tuple(plans)), **PATIENT).finish(ENOUGH)
    gone = [each.worker for each in world.said(Stale) if each.why is Staleness.GONE]
    died = [each.facts for each in world.notes("worker_died") if "workflow_id" in each.facts]
    owed = [each["workflow_id"] for each in died if each["worker"] not in gone]
    told = [each.facts["workflow_id"] for each in world.notes("reported")]
    late = [each.facts["workflow_id"] for each in world.notes("report_needless")]
    assert set(owed) <= set(told + late)
    assert len(set(told + late)) == len(told + late)


# --- 2: restarts cost nothing ---------------------------------------------------------------------


@many
@given(
    st.lists(versions() | hopeless, max_size=4),
    st.lists(quarters(10, 300), max_size=4),
    st.lists(plans(swells=False), max_size=8),
)
def test_strength_never_dips_for_a_restart(
    others: list[Version], times: list[float], plans: list[Plan]
) -> None:
    """Good workers of a good generation never make room before a ready heir stands in."""
    good = [
        replace(each, workers=(), forever=False) if not each.forever else each for each in others
    ]
    script = Script(versions=(Version(), *good), plans=tuple(plans), orders=restarts(times))
    world = tell(replace(script, plans=tuple(replace(p, timeout=60.0) for p in plans))).finish(600)
    assert world.lowest == world.wanted
    assert world.exit is None


@many
@given(
    st.lists(st.integers(0, 2).map(lambda n: Fate(tires=n)) | unborn, max_size=20),
    st.lists(plans(swells=False), max_size=20),
    st.integers(1, 12),
    st.lists(quarters(10, 300), max_size=2),
)
def test_strength_never_dips_for_recycling(
    fates: list[Fate], tasks: list[Plan], workers: int, times: list[float]
) -> None:
    """Tired workers stay until an heir is ready, however many heirs fail, and in restarts too."""
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    script = Script(fates=tuple(fates), plans=in_time, orders=restarts(times))
    world = tell(script, workers=workers, **PATIENT).finish(ENOUGH)
    assert world.lowest == world.wanted


@many
@given(
    st.lists(st.sampled_from([GOOD, Fate(heedless=True), Fate(hangs=True)]), max_size=6),
    st.lists(plans(swells=False), max_size=12),
    quarters(0.25, 40),
)
def test_nobody_is_ended_for_a_stale_task_that_it_answered_in_time(
    fates: list[Fate], tasks: list[Plan], grace: float
) -> None:
    """Of stale tasks only those are ended that are in hand when the grace is over."""
    longer = tuple(replace(each, timeout=None) for each in tasks)
    world = tell(Script(fates=tuple(fates), plans=longer), cancel_grace=grace).finish(ENOUGH)
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


@many
@given(scripts(leaving=True), st.booleans())
def test_a_finished_result_never_becomes_a_failure(script: Script, local: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever killed its worker: a task with an answer left is reported with it or not at all.

    Nobody knows the answer of one that the kernel does not give back: its task is reported before.
    """
    plans = tuple(replace(each, answering=20.0) for each in script.plans)
    world = tell(replace(script, plans=plans), local=local).finish(ENOUGH)
    held: dict[int, str] = {}
    left: dict[str, messages.Answer] = {}
    for _, each in world.log:
        match each:
            case messages.Working(worker=worker, task=task):
                held[worker] = task.token
            case messages.Exited(worker=worker, post=messages.PostMortem(answer=answer)) if answer:
                left[held[worker]] = answer
            case messages.Fork(job=messages.Report(task=task, answer=answer)):
                assert left.get(task.token, answer) == answer
            case _:
                pass


@many
@given(hopeless, quarters(20, 80), st.integers(0, 2))
def test_a_bad_candidate_costs_no_rest(version: Version, at: float, nth: int) -> None:
    """A good worker that is killed beside a failing candidate is replaced in the same moment."""
    world = tell(Script(versions=(Version(), version), orders=((10.0, RESTART),))).run(at)
    killed = next(each for each in world.said(messages.Fork) if each.worker == 2 + nth)
    world.processes[killed.worker].die(-9)
    world.run(at + 0.5)
    refill = max(
        (each for each in world.said(messages.Fork) if each.job == killed.job),
        key=lambda each: (each.generation == 1, each.worker),
    )
    assert world.when(refill) == at


# --- 4: candidates that cannot boot ---------------------------------------------------------------


@many
@given(hopeless, st.integers(1, 4))
def test_a_candidate_that_cannot_boot_is_given_up(version: Version, workers: int) -> None:
    """Bounded forks, one line why, and a good generation serves."""
    script = Script(versions=(Version(), version), orders=((20.0, RESTART),))
    world = tell(script, workers=workers).finish(ENOUGH)
    assert len(world.notes("generation_abandoned")) == 1
    assert world.serves(2) <= 2 + 2 + world.settings.proving_deaths
    assert set(world.served_by().values()) == {1}


@many
@given(st.lists(hopeless | st.just(Version()), max_size=5))
def test_the_last_good_version_serves(deploys: list[Version]) -> None:
    """However good and bad deploys follow one another: the last good one holds all seats."""
    times = [20.0 + 250.0 * n for n in range(len(deploys))]
    world = tell(Script(versions=(Version(), *deploys), orders=restarts(times))).finish(ENOUGH)
    good = [n for n, each in enumerate([Version(), *deploys], 1) if each == Version()]
    assert set(world.served_by().values()) == {good[-1]}
    assert world.strength() == world.wanted


# --- 5: patience ----------------------------------------------------------------------------------


@many
@given(quarters(2, 200), quarters(0, 60), st.sampled_from([5.0, 20.0, 60.0]))
def test_being_told_to_leave_never_lengthens_patience(
    drain: float, waits: float, timeout: float
) -> None:
    """A hung task is killed at the same moment or earlier when a drain comes along."""
    hung = Plan(waits=waits, lasts=float("inf"), timeout=timeout)
    plain = Script(plans=(hung,), fates=(Fate(hangs=True),))
    quiet = tell(plain, workers=1, deciders=0).run(ENOUGH)
    told = tell(replace(plain, orders=((drain, DRAIN),)), workers=1, deciders=0).run(ENOUGH)
    kills = [each for each in told.said(messages.Kill) if each.worker == 2]
    if kills:
        assert told.when(kills[0]) <= quiet.when(quiet.said(messages.Kill)[0])


# --- 7: drains end --------------------------------------------------------------------------------


@many
@given(quarters(0, 120), st.lists(plans(swells=False), max_size=8), st.booleans())
def test_a_drain_ends_when_all_cooperate(at: float, tasks: list[Plan], no_sticky: bool) -> None:  # noqa: FBT001 - drawn
    """Within a long poll and a task, or three of a sticky decider: the one in hand and one of each
    list, and the seconds for which it polls its own again. Nobody is killed, the exit code is 0.
    """
    script = Script(
        plans=tuple(replace(each, timeout=60.0) for each in tasks), orders=((at, DRAIN),)
    )
    world = tell(script, no_sticky=no_sticky).finish()
    longest = max((each.lasts + each.answering for each in tasks), default=0.0)
    sticky = 0 if no_sticky else 2 * longest + world.settings.sticky_schedule_to_start
    assert world.now <= at + LONG_POLL + longest + sticky + 1
    assert exit_code(world) == 0
    assert not world.said(messages.Kill)


@many
@given(
    quarters(0, 120),
    st.lists(st.sampled_from([5.0, 20.0, 60.0]), max_size=8),
    st.builds(Fate, hangs=st.booleans(), deaf=st.booleans(), heeds=st.just(value=False)),
)
def test_a_drain_ends_when_nobody_cooperates(at: float, timeouts: list[float], fate: Fate) -> None:
    """Within the patience of a poll and of one task, and the seconds that ends take."""
    deaf_ones = (replace(fate, stuck=9.0),) * 50
    tasks = tuple(Plan(timeout=each) for each in timeouts)
    world = tell(Script(fates=deaf_ones, plans=tasks, orders=((at, DRAIN),)), deciders=0).finish()
    chosen = world.settings
    task = max(timeouts, default=0) + chosen.work_margin
    seconds = chosen.leave_patience + chosen.reap_patience + 3
    assert world.now <= at + chosen.poll_patience + task + seconds


UNLIMITED = messages.RestartAsked("SIGHUP", Settings(flow="flow", workers=3, surge=Surge("1")))


@many
@given(scripts(), quarters(0, 300), farewells(), st.sampled_from([1.0, 30.0]))
@example(Script(orders=((62.5, UNLIMITED),)), 290.0, DRAIN, 1.0)
def test_a_limit_ends_the_program(
    script: Script, at: float, farewell: messages.Event, limit: float
) -> None:
    """With a limit the end comes at the limit, plus reaping and the reports of what was cut."""
    # Later than the first generation serves: one that never does has exit codes of its own.
    told = (*script.orders, (at, farewell))
    orders = tuple((20.0 + when, limited(each, limit)) for when, each in told)
    script = replace(script, orders=orders, lag=0.0, errands=())
    world = tell(script, drain_timeout=limit).finish(ENOUGH)
    chosen = world.settings
    assert exit_code(world) in (0, 1, 4)
    assert world.now <= 20 + max(at, 300) + limit + chosen.reap_patience + 2


@many
@given(scripts(leaving=True), st.sampled_from([None, 5.0]))
def test_the_exit_code_tells_how_it_ended(script: Script, drain_timeout: float | None) -> None:
    """0 is clean, 1 abandoned something, anything else was an error and said so."""
    world = tell(script, drain_timeout=drain_timeout).finish(ENOUGH)
    if world.exit is None:
        return
    errors = [each for each in world.notes("stopping") if each.level == messages.Level.ERROR]
    assert (world.exit.code > 1) == bool(errors)
    assert world.exit.code > 0 or not world.notes("task_abandoned")


# --- 8: all heals ---------------------------------------------------------------------------------


@many
@given(scripts(), st.integers(1, 3), st.integers(0, 2))
@example(Script(orders=((20.0, ZygoteMurder(0)), (20.0, Murder(0)), (20.0, RESTART))), 2, 1)
def test_after_the_last_fault_all_seats_fill_again(
    script: Script, workers: int, deciders: int
) -> None:
    """Whatever happened since the first generation served: in the end one serves every seat."""
    world = healed(script, workers, deciders)
    assert world.served_by()
