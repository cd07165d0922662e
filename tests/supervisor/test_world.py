"""The fake itself: does the judge see faults, and does the world follow the shell's order?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisor import messages
from supervisor.messages import (
    DumpStacks,
    Fail,
    Fork,
    Kill,
    Register,
    Report,
    Seat,
    Serve,
    Terminate,
)
from supervisor.settings import Settings
from supervisor.surges import Surge
from tests import laws
from tests.fates import End, Fate, Murder, Plan, Script, Version
from tests.lives import Rest
from tests.world import DECIDER, RESIZE, World, tell

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(flow="flow")
TASK = messages.Task("t1", "w1", "r1")
REPORT = Report(TASK, RESIZE.role, Fail("WorkerDied: test"))

# In the world of these tests 1 has registered and left, 2 decides, 3 and 4 resize; 4 holds t1.
FORBIDDEN: dict[str, list[messages.Action]] = {
    "a stranger is killed": [Kill(99, "")],
    "a dead one is killed": [Kill(1, "")],
    "killed before its stacks are asked for": [Kill(2, "")],
    "killed as soon as its stacks are asked for": [DumpStacks(2), Kill(2, "")],
    "asked for its stacks twice": [DumpStacks(2), DumpStacks(2)],
    "a dead one is asked for its stacks": [DumpStacks(1)],
    "a dead one is told to leave": [Terminate(1)],
    "told to leave without an heir": [Terminate(2)],
    "a seat is taken": [Fork(9, 1, Serve(Seat(DECIDER, 0)))],
    "a number comes again": [Fork(1, 1, Serve(Seat(DECIDER, 7)))],
    "an unknown zygote forks": [Fork(9, 2, Serve(Seat(DECIDER, 7)))],
    "registered beside others": [Fork(9, 1, Register(types=True))],
    "an heir for one that is not tired": [Fork(9, 1, Serve(Seat(RESIZE, 1)))],
    "a living one's task is reported": [Fork(9, 1, REPORT)],
    "a generation is left out": [messages.StartGeneration(3, SETTINGS)],
    "two candidates": [messages.StartGeneration(n, SETTINGS) for n in (2, 3)],
    "settings of nobody are taken up": [messages.TakeUp(SETTINGS)],
    "settings in force are taken up": [messages.TakeUp(Settings(flow="flow", workers=2))],
    "a stranger returns": [messages.Note(40, "generation_returned", "", {"serving": 2})],  # type: ignore[arg-type]
    "retired twice": [messages.RetireGeneration(1), messages.RetireGeneration(1)],
    "a stranger is stopped": [messages.StopAttendant("nobody")],
    "started twice": [messages.StartAttendant("x"), messages.StartAttendant("x")],
    "a companion is started twice": [messages.StartAttendant("ec2")] * 2,
    "somebody is left behind": [messages.Exit(0, "")],
    "a living one is noted as dead": [messages.Note(30, "worker_died", "", {"worker": 2})],  # type: ignore[arg-type]
}


@pytest.fixture
def world() -> World:
    """A pool at work."""
    plans = (Plan(waits=50), Plan(waits=50), Plan(waits=2, lasts=500, timeout=None))
    return tell(Script(plans=plans)).run(10)


@pytest.mark.parametrize("actions", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_judge_sees_what_is_forbidden(world: World, actions: list[messages.Action]) -> None:
    """Every law is a law: who breaks it is stopped at the action that did."""
    for action in actions[:-1]:
        world.judge.wished(action)
    with pytest.raises(laws.Broken):
        world.judge.wished(actions[-1])


TIRED = messages.Tired(4, "old")
HEIR = Fork(9, 1, Serve(Seat(RESIZE, 1)))


def test_the_judge_lets_a_tired_one_have_an_heir(world: World) -> None:
    """One, which it makes room for when it is ready."""
    world.judge.heard(TIRED)
    world.judge.wished(HEIR)
    with pytest.raises(laws.Broken, match="the heir of 4 is ready"):
        world.judge.wished(Terminate(4))
    world.judge.heard(messages.Polling(9))
    world.judge.wished(Terminate(4))


RESTART = messages.RestartAsked("SIGHUP")


def rolling(**chosen: Any) -> World:
    """A pool in the middle of a rolling restart, with elders in their last polls."""
    return tell(Script(orders=((20.0, RESTART),)), **chosen).run(30)


def test_the_judge_sees_an_heir_for_whom_there_is_no_room() -> None:
    """Beside a pool of three there are two canaries' elders: with a surge of two that is all."""
    world = rolling(workers=2, surge=Surge("2"))
    free = Fork(99, 2, Serve(Seat(RESIZE, 1)))
    with pytest.raises(laws.Broken, match="waits for room"):
        world.judge.wished(free)
    world.judge.heard(messages.Exited(2, 0))
    world.judge.wished(free)


def test_the_judge_sees_the_way_back_cut_off() -> None:
    """The zygote of the code before is not ended while the new one is on probation."""
    world = rolling(probation=50.0)
    with pytest.raises(laws.Broken, match="kept to return to"):
        world.judge.wished(messages.RetireGeneration(1))
    world.judge.now = world.judge.promoted_at + 50.0
    world.judge.wished(messages.RetireGeneration(1))


def test_the_judge_sees_a_return_that_comes_too_late() -> None:
    """After the probation there is no way back."""
    world = rolling(probation=50.0)
    back = messages.Note(messages.Level.ERROR, "generation_returned", "", {"serving": 1})
    world.judge.now = world.judge.promoted_at + 60.0
    with pytest.raises(laws.Broken, match="is on probation"):
        world.judge.wished(back)
    world.judge.now = world.judge.promoted_at + 40.0
    world.judge.wished(back)
    assert world.judge.current == 1


def test_the_judge_knows_who_inherits_after_a_return() -> None:
    """The worker of the tripped code gives way to one of the code before, and to no other."""
    world = tell(Script(versions=(Version(), Version(lost_after=12.0)), orders=((20.0, RESTART),)))
    world.run(33.25)
    assert world.judge.current == 1
    theirs = next(n for n, each in world.judge.living.items() if each.generation == 2)
    with pytest.raises(laws.Broken, match="is ready, or its seat is gone"):
        world.judge.wished(Terminate(theirs))


def test_the_judge_sees_too_many_heirs(world: World) -> None:
    """One at a seat, and no more beside a list of two than one."""
    world.judge.heard(TIRED)
    world.judge.heard(messages.Tired(3, "old"))
    world.judge.wished(HEIR)
    with pytest.raises(laws.Broken, match="one tired worker at most"):
        world.judge.wished(Fork(10, 1, Serve(Seat(RESIZE, 1))))
    with pytest.raises(laws.Broken, match="recycles 1 at once"):
        world.judge.wished(Fork(10, 1, Serve(Seat(RESIZE, 0))))


def test_the_judge_sees_a_wrong_kill(world: World) -> None:
    """Killed twice, told to leave after it, too soon for a stale task, or not at all if too big."""
    world.judge.heard(messages.Stale(4, messages.Staleness.CANCEL))
    world.judge.wished(DumpStacks(4))
    world.judge.now += 1.0
    with pytest.raises(laws.Broken, match="had its grace"):
        world.judge.wished(Kill(4, "its task was canceled, and it went on"))
    world.judge.wished(DumpStacks(2))
    world.judge.now += 1.0
    world.judge.wished(Kill(2, ""))
    for action in (Kill(2, ""), Terminate(2), DumpStacks(2)):
        with pytest.raises(laws.Broken):
            world.judge.wished(action)


def test_the_judge_sees_that_somebody_is_too_big_to_live(world: World) -> None:
    """Whoever is over the hard limit is killed in the same turn."""
    world.judge.heard(messages.TooBig(4, 1 << 30))
    with pytest.raises(laws.Broken, match="too big to live"):
        world.judge.over(world.core)


def test_the_judge_sees_a_kill_of_one_who_went_on(world: World) -> None:
    """Stacks are asked for anew if a worker spoke since."""
    world.judge.wished(DumpStacks(4))
    world.judge.heard(messages.Done(4, messages.Result.COMPLETED))
    world.judge.now += 1.0
    with pytest.raises(laws.Broken, match="has not gone on"):
        world.judge.wished(Kill(4, "past its own timeout"))


LEFT = messages.PostMortem(answer=messages.Complete("1"))
DUES: dict[str, tuple[list[messages.Event], messages.Answer]] = {
    "a death": ([messages.Exited(4, -9)], Fail("WorkerDied: x")),
    "a death before the beginning": (
        [messages.Exited(4, -9, messages.PostMortem(begun=False))],
        Fail("Unbegun: x"),
    ),
    "a result": ([messages.Exited(4, -9, LEFT)], messages.Complete("1")),
    "canceled": (
        [messages.Stale(4, messages.Staleness.CANCEL), messages.Exited(4, -9)],
        messages.Cancel("x"),
    ),
    "canceled with a result": (
        [messages.Stale(4, messages.Staleness.CANCEL), messages.Exited(4, -9, LEFT)],
        messages.Complete("1"),
    ),
}


@pytest.mark.parametrize(("events", "due"), DUES.values(), ids=DUES.keys())
def test_the_judge_knows_what_is_due(
    world: World, events: list[messages.Event], due: messages.Answer
) -> None:
    """That answer and none of the others."""
    for event in events:
        world.judge.heard(event)
    others = [each for _, each in DUES.values() if each != due]
    for wrong in (*others, messages.HandBack(), Fail("Interrupted: x"), messages.Complete("2")):
        with pytest.raises(laws.Broken, match="is due"):
            world.judge.wished(Fork(8, 1, Report(TASK, RESIZE.role, wrong)))
    world.judge.wished(Fork(8, 1, Report(TASK, RESIZE.role, due)))


def test_the_judge_sees_a_report_of_what_is_gone(world: World) -> None:
    """SWF knows such a task no more."""
    world.judge.heard(messages.Stale(4, messages.Staleness.GONE))
    world.judge.heard(messages.Exited(4, -9))
    with pytest.raises(laws.Broken, match="the holder of t1 died"):
        world.judge.wished(Fork(8, 1, REPORT))


def test_the_judge_knows_who_was_cut_short(world: World) -> None:
    """Killed in a stop and not for being late: interrupted."""
    world.judge.heard(messages.StopAsked("SIGQUIT"))
    world.judge.wished(Kill(4, "SIGQUIT"))
    world.judge.heard(messages.Exited(4, -9))
    with pytest.raises(laws.Broken, match="is due"):
        world.judge.wished(Fork(8, 1, REPORT))
    world.judge.wished(Fork(8, 1, Report(TASK, RESIZE.role, Fail("Interrupted: x"))))


def test_the_judge_sees_forks_while_leaving(world: World) -> None:
    """Once a drain was asked for, only reporters may be forked."""
    world.judge.heard(messages.Exited(4, -9))
    world.judge.heard(messages.DrainAsked("SIGTERM"))
    world.judge.wished(Fork(8, 1, REPORT))
    with pytest.raises(laws.Broken, match="nobody but reporters"):
        world.judge.wished(Fork(9, 1, Serve(Seat(RESIZE, 1))))


def test_the_judge_sees_a_second_report(world: World) -> None:
    """A token that was reported is not reported again; nor by two at once."""
    world.judge.heard(messages.Exited(4, -9))
    world.judge.wished(Fork(8, 1, REPORT))
    with pytest.raises(laws.Broken, match="one reporter at a time"):
        world.judge.wished(Fork(9, 1, REPORT))
    world.judge.heard(messages.Done(8, messages.Result.FAILED))
    with pytest.raises(laws.Broken, match="reported once"):
        world.judge.wished(Fork(9, 1, REPORT))


def test_the_judge_sees_a_rest_cut_short(world: World) -> None:
    """After an early death the seat must rest."""
    world.judge.rests[1, Seat(RESIZE, 1)] = Rest(early_deaths=3, died_at=9.5)
    world.judge.heard(messages.Exited(4, -9))
    world.judge.rests[1, Seat(RESIZE, 1)] = Rest(early_deaths=3, died_at=9.5)
    with pytest.raises(laws.Broken, match=r"rests 0\.5 s"):
        world.judge.wished(Fork(9, 1, Serve(Seat(RESIZE, 1))))


@pytest.mark.parametrize("deadline", [9.0, 10.0, float("inf")])
def test_the_judge_sees_a_bad_deadline(
    world: World, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadline that is past, now, or never is refused."""
    world.judge.now = 10.0
    monkeypatch.setattr(world.core, "next_deadline", lambda: deadline)
    with pytest.raises(laws.Broken):
        world.judge.over(world.core)


@pytest.mark.parametrize(
    "forget",
    [
        lambda judge: judge.deaths_noted.clear(),
        lambda judge: judge.deaths_noted.update([4]),
        lambda judge: judge.deaths_noted.update([2]),
        lambda judge: judge.settled.clear(),
        lambda judge: judge.settled.update(["t1"]),
        lambda judge: judge.settled.update(["t9"]),
    ],
)
def test_the_judge_sees_what_was_forgotten(
    world: World, forget: Callable[[laws.Judge], None]
) -> None:
    """At the end every death was noted once, and every task of the dead settled once."""
    world.processes[4].die(-9)
    world.finish(20)
    forget(world.judge)
    with pytest.raises(laws.Broken):
        world.judge.finish()


def test_last_words_come_before_the_death() -> None:
    """What a process says in the moment of its death is heard first."""
    world = tell(Script(fates=(Fate(end=End.AFTER_TASK),), plans=(Plan(),))).run(60)
    last = [each for _, each in world.log if getattr(each, "worker", 0) == 2]
    done = last.index(messages.Done(2, messages.Result.COMPLETED))
    assert isinstance(last[done + 1], messages.Exited)


def test_words_cross_a_signal_on_its_way() -> None:
    """A worker that is told to leave says what it says until the signal lands."""
    orders = ((2.5, messages.DrainAsked("SIGTERM")),)
    world = tell(Script(plans=(Plan(waits=0.9),) * 3, orders=orders)).run(10)
    told = world.when(Terminate(2))
    assert any(at > told for at, each in world.log if isinstance(each, messages.Working))


def test_a_murder_is_a_death_like_any_other() -> None:
    """Kill -9 from outside reaches the core as an exit status."""
    world = tell(Script(orders=((20.0, Murder(1)),))).run(30)
    assert (3, -9) in [(each.worker, each.status) for each in world.said(messages.Exited)]


def test_a_rule_without_a_deadline_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a rule acts at a moment that no deadline told, the world says so."""
    world = tell(Script(fates=(Fate(boot=float("inf")),))).run(5)
    monkeypatch.setattr(world.core, "next_deadline", lambda: 1000.0)
    with pytest.raises(AssertionError, match="no deadline said so"):
        world.run(2000)


def test_a_spinning_core_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the deadline never moves on, the story ends with an error and not never."""
    world = tell().run(5)
    monkeypatch.setattr("tests.world.MANY_TURNS", 100)
    monkeypatch.setattr(world.judge, "over", lambda _core: None)
    monkeypatch.setattr(world.core, "next_deadline", lambda: 5.0)
    with pytest.raises(AssertionError, match="spins"):
        world.run(2000)


def test_a_late_shell_is_late() -> None:
    """With a lag everything reaches the core that much later."""
    prompt, late = tell(), tell(Script(lag=2.0))
    prompt.run(20)
    late.run(20)
    ready = messages.GenerationReady(1, World.lists)
    assert late.when(ready) == prompt.when(ready) + 2.0
