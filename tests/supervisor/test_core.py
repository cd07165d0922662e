"""The core's stories: the start, and attendants."""

from __future__ import annotations

from math import inf

import pytest

from supervisor import messages
from supervisor.messages import Register, Serve
from tests.fates import CRASHES_BOOTING, Fate, Helper, Script, Version
from tests.world import DECIDER, LISTS, tell

# --- the first generation -------------------------------------------------------------------------


def test_the_start_is_import_register_serve() -> None:
    """The zygote imports, one fork registers, and only then every seat gets its worker."""
    world = tell().run(2)
    jobs = [each.job for each in world.said(messages.Fork)]
    assert jobs[0] == Register(types=True)
    assert [type(job) for job in jobs[1:]] == [Serve] * 3
    assert world.when(messages.Registered(1)) <= world.when(world.said(messages.Fork)[1])
    assert world.strength() == world.wanted


def test_without_deciders_no_types_are_registered() -> None:
    """Who only runs activities asks no more than whether the domain is there."""
    fork = tell(deciders=0).run(2).said(messages.Fork)[0]
    assert fork.job == Register(types=False)


def test_full_strength_is_told_once() -> None:
    """The line that people and tests wait for comes once, though workers die later."""
    world = tell(Script(fates=(Fate(), Fate(status=1)))).run(2)
    world.die(messages.Exited(2, -9))
    world.processes[2].alive = False
    assert world.run(100).strength() == world.wanted
    assert len(world.notes("full_strength")) == 1


@pytest.mark.parametrize(
    ("version", "settings", "code", "why"),
    [
        (Version(failure=("No module named 'flow'", 3)), {}, 3, "No module named 'flow'"),
        (Version(imports=inf), {}, 3, "longer than 120 s"),
        (Version(refusal=("The domain is not registered", 2)), {}, 2, "domain"),
        (Version(), {"pools": {"nope": 1}}, 2, "--pool nope"),
        (Version(), {"workers": 0, "deciders": 0}, 2, "every pool has zero seats"),
    ],
)
def test_a_first_generation_that_fails_ends_the_program(
    version: Version, settings: dict[str, object], code: int, why: str
) -> None:
    """Its own sentence and exit code are the program's; nobody was forked to serve."""
    world = tell(Script(versions=(version,)), **settings).finish(200)
    assert world.exit is not None
    assert world.exit.code == code
    assert why in world.exit.why
    assert world.serves(1) == 0


def test_a_first_zygote_that_is_lost_without_a_word_is_tried_again() -> None:
    """No process could be had, or somebody killed it: a failed spawn is like a death."""
    lost = Version(failure=("no process for a zygote: ENOMEM", 4))
    world = tell(Script(versions=(lost, lost, Version()))).finish(60)
    assert world.strength() == world.wanted
    starts = [world.when(each) for each in world.said(messages.StartGeneration)]
    assert 0.25 <= starts[1] - 1.0 <= 0.6
    assert 0.5 <= starts[2] - starts[1] - 1.0 <= 1.1
    assert "The next one is tried in" in world.notes("generation_abandoned")[0].text


def test_a_first_zygote_that_is_always_lost_ends_the_program() -> None:
    """After ``generation_tries`` of them: exit 4, with the cause."""
    lost = Version(failure=("no process for a zygote: ENOMEM", 4))
    world = tell(Script(versions=(lost,) * 9), generation_tries=3).finish(60)
    assert world.exit == messages.Exit(4, "no process for a zygote: ENOMEM")
    assert len(world.said(messages.StartGeneration)) == 3


def test_a_registrar_that_dies_is_tried_again() -> None:
    """Two accidents while registering are forgiven."""
    world = tell(Script(errands=(CRASHES_BOOTING, Fate(forks=False)))).finish(60)
    assert world.strength() == world.wanted


def test_registering_is_given_up_after_some_deaths() -> None:
    """The third death of a registrar is no accident: exit 4, with its cause."""
    world = tell(Script(errands=(CRASHES_BOOTING,) * 9)).finish(60)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "SIGSEGV" in world.exit.why
    assert len(world.said(messages.Fork)) == 3


def test_registering_that_hangs_is_killed() -> None:
    """A registrar has ``register_patience`` seconds, then another one tries."""
    world = tell(Script(errands=(Fate(boot=float("inf")),)), register_patience=20.0).finish(60)
    assert [each.worker for each in world.said(messages.Kill)] == [1]
    assert world.strength() == world.wanted


# --- a day's work ---------------------------------------------------------------------------------


def test_an_idle_pool_is_left_alone() -> None:
    """In an hour of empty polls nobody is killed, told to leave or forked."""
    world = tell().run(10)
    before = len(world.said(messages.Fork))
    world.finish(3600)
    assert len(world.said(messages.Fork)) == before
    assert not world.said(messages.Kill)
    assert not world.said(messages.Terminate)


def test_the_pool_can_be_looked_at() -> None:
    """What is wanted and ready is told for each list, and the whole state to who asks."""
    world = tell()
    assert world.core.pool() == ()
    world.run(2)
    assert [(each.task_list, each.wanted, each.ready) for each in world.core.pool()] == [
        (LISTS[0], 1, 1),
        (LISTS[1], 2, 2),
    ]
    status = world.core.status(world.now)
    assert [each.standing for each in status.generations] == ["current"]
    assert {each.stage for each in status.workers} == {"polling"}


# --- endpoint and starter -------------------------------------------------------------------------


def test_the_local_swf_comes_first() -> None:
    """With ``local`` the first generation waits for the endpoint."""
    world = tell(Script(endpoint=Helper(ready=3.0)), local=True).run(10)
    ready = world.when(messages.AttendantReady("endpoint", "http://127.0.0.1:1"))
    assert world.when(world.said(messages.StartGeneration)[0]) == ready == 3.0


@pytest.mark.parametrize(
    "endpoint", [Helper(lost_after=30.0), Helper(ready=float("inf")), Helper(lost_after=0.0)]
)
def test_without_the_local_swf_the_program_ends(endpoint: Helper) -> None:
    """An endpoint that is lost or never ready is exit 4."""
    world = tell(Script(endpoint=endpoint), local=True).finish(300)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "local SWF" in world.exit.why


def test_the_endpoint_is_stopped_last() -> None:
    """The exit comes after workers and starter have gone, and then the endpoint."""
    world = tell(local=True, start=("1",)).run(5)
    world.ask(messages.DrainAsked("SIGTERM"))
    world.finish(200)
    stopped = [each.name for each in world.said(messages.StopAttendant)]
    assert stopped == ["starter", "endpoint"]
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_an_attendant_that_does_not_end_is_not_waited_for() -> None:
    """A deaf endpoint costs ``attendant_patience`` seconds and a warning, no more."""
    world = tell(Script(endpoint=Helper(heeds=False)), local=True).run(5)
    world.ask(messages.StopAsked("SIGQUIT"))
    world.finish(60)
    assert world.exit is not None
    assert world.exit.code == 0
    patience = world.settings.attendant_patience
    assert world.now == world.when(messages.StopAttendant("endpoint")) + patience
    assert len(world.notes("attendant_left_behind")) == 1


def test_the_starter_starts_once_at_full_strength() -> None:
    """Executions are started when all seats are served, and not again after a crash."""
    world = tell(Script(fates=(Fate(boot=9.0),)), start=("1", "2")).run(5)
    assert not world.said(messages.StartAttendant)
    world.run(20)
    world.processes[3].die(-9)
    world.finish(60)
    assert world.said(messages.StartAttendant) == [messages.StartAttendant("starter")]


def test_the_starter_does_not_wait_for_a_turn_more() -> None:
    """It starts in the turn in which new code takes over a pool that its canaries fill."""
    hung, restart = Fate(boot=inf), messages.RestartAsked("SIGHUP")
    world = tell(Script(fates=(hung,), orders=((10.0, restart),)), workers=1, start=("1",)).run(30)
    (_, current) = world.notes("generation_current")
    assert world.when(current) == world.when(messages.StartAttendant("starter"))


@pytest.mark.parametrize(
    ("starter", "code"),
    [
        (Helper(closes=20.0), 0),
        (Helper(closes=20.0, completed=False), 1),
        (Helper(lost_after=20.0), 1),
    ],
)
def test_once_ends_with_the_executions(starter: Helper, code: int) -> None:
    """With ``once`` the pool drains when all have closed: 0 if all completed, else 1."""
    world = tell(Script(starter=starter), start=("1",), once=True).finish(300)
    assert world.exit is not None
    assert world.exit.code == code
    assert len(world.notes("draining")) == 1


def test_once_cut_short_by_a_signal_is_no_success() -> None:
    """Who drains before the executions have closed has not seen them complete: exit code 1."""
    orders = ((10.0, messages.DrainAsked("SIGTERM")),)
    world = tell(Script(starter=Helper(closes=500.0), orders=orders), start=("1",), once=True)
    world.finish(300)
    assert world.exit is not None
    assert world.exit.code == 1


@pytest.mark.parametrize("starter", [Helper(closes=20.0), Helper(lost_after=20.0)])
def test_without_once_the_pool_outlives_the_executions(starter: Helper) -> None:
    """Whatever becomes of the starter: the workers go on."""
    world = tell(Script(starter=starter), start=("1",)).finish(300)
    assert world.exit is None
    assert world.strength() == world.wanted
    assert len(world.notes("attendant_lost")) == (starter.closes > 300)


def test_an_unknown_event_is_an_error() -> None:
    """What is no event is refused loudly, not ignored."""
    with pytest.raises(TypeError, match="not an event"):
        tell().core.handle(messages.Exit(0, "no event"), 1.0)  # type: ignore[arg-type]


def test_words_of_strangers_change_nothing() -> None:
    """Who is not known, or no more, is not listened to."""
    world = tell().run(5)
    task = world.task(DECIDER.role, None)
    for event in (
        messages.Polling(99),
        messages.Working(99, task),
        messages.Done(99, messages.Result.COMPLETED),
        messages.Registered(99),
        messages.Refused(99, "no", 2),
        messages.Exited(99, -9),
        messages.ForkFailed(99, "no"),
        messages.GenerationReady(9, LISTS),
        messages.GenerationReady(1, LISTS),
        messages.GenerationLost(9, "no", 3),
        messages.AttendantReady("nobody"),
        messages.AttendantLost("nobody", 1),
    ):
        assert world.core.handle(event, 5.0) == []
