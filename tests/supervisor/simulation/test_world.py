"""Tests of the fake itself: the checker finds faults, and the world follows the shell's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisor.config.setting_types import Surge
from supervisor.config.settings import Settings
from supervisor.ipc import messages
from supervisor.ipc.messages import (
    DumpStacks,
    Fail,
    Fork,
    Kill,
    Register,
    Report,
    Serve,
    Slot,
    Terminate,
)
from tests.supervisor.simulation import invariants
from tests.supervisor.simulation.scenarios import (
    End,
    KillWorker,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.worker_observations import ObservedSlot
from tests.supervisor.simulation.world import ALL_POLL, DECIDER, NO_GATE, RESIZE, World, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(flow="flow", gate_replay=NO_GATE)
TASK = messages.Task("t1", "w1", "r1")
REPORT = Report(TASK, RESIZE.role, Fail("WorkerDied: test"))

# In the world of these tests 1 has registered and left, 2 decides, 3 and 4 resize; 4 holds t1.
FORBIDDEN: dict[str, list[messages.Action]] = {
    "an unknown worker is killed": [Kill(99, "")],
    "a dead worker is killed": [Kill(1, "")],
    "killed before its stacks are asked for": [Kill(2, "")],
    "killed as soon as its stacks are asked for": [DumpStacks(2), Kill(2, "")],
    "asked for its stacks twice": [DumpStacks(2), DumpStacks(2)],
    "a dead worker is asked for its stacks": [DumpStacks(1)],
    "a dead worker is asked to leave": [Terminate(1)],
    "a worker without a replacement is asked to leave": [Terminate(2)],
    "a slot is taken": [Fork(9, 1, Serve(Slot(DECIDER, 0)))],
    "a number is used again": [Fork(1, 1, Serve(Slot(DECIDER, 7)))],
    "an unknown zygote forks": [Fork(9, 2, Serve(Slot(DECIDER, 7)))],
    "registering beside other workers": [Fork(9, 1, Register(types=True))],
    "a replacement that no worker wants": [Fork(9, 1, Serve(Slot(RESIZE, 1)))],
    "a living worker's task is reported": [Fork(9, 1, REPORT)],
    "a generation is left out": [messages.StartGeneration(3, SETTINGS)],
    "two candidates": [messages.StartGeneration(n, SETTINGS) for n in (2, 3)],
    "settings of no generation are applied": [messages.ApplySettings(SETTINGS)],
    "settings that apply are applied": [messages.ApplySettings(Settings(flow="flow", workers=2))],
    "rolled back to an unknown generation": [
        messages.Note(messages.Level.ERROR, "generation_rolled_back", "", {"active": 2})
    ],
    "retired twice": [messages.RetireGeneration(1), messages.RetireGeneration(1)],
    "an unknown sidecar is stopped": [messages.StopSidecar("unknown")],
    "started twice": [messages.StartSidecar("x"), messages.StartSidecar("x")],
    "a running sidecar is started again": [messages.StartSidecar("ec2")] * 2,
    "the program exits before its workers": [messages.Exit(0, "")],
    "a living worker is noted as dead": [
        messages.Note(messages.Level.WARNING, "worker_died", "", {"worker": 2})
    ],
}


@pytest.fixture
def world() -> World:
    """A pool at work."""
    task_plans = (
        TaskPlan(waits=50),
        TaskPlan(waits=50),
        TaskPlan(waits=2, lasts=500, timeout=None),
    )
    return simulate(Scenario(tasks=task_plans), **ALL_POLL).run(10)


@pytest.mark.parametrize("actions", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_checker_finds_forbidden_actions(world: World, actions: list[messages.Action]) -> None:
    """Every invariant raises at the action that breaks it."""
    for action in actions[:-1]:
        world.checker.check(action)
    with pytest.raises(invariants.InvariantBroken):
        world.checker.check(actions[-1])


WANTS_REPLACEMENT = messages.WantsReplacement(4, "old")
REPLACEMENT = Fork(9, 1, Serve(Slot(RESIZE, 1)))


def test_the_checker_allows_a_replacement(world: World) -> None:
    """One, for which the worker is asked to leave when it is ready."""
    world.checker.observe(WANTS_REPLACEMENT)
    world.checker.check(REPLACEMENT)
    with pytest.raises(invariants.InvariantBroken, match="the replacement of 4 is ready"):
        world.checker.check(Terminate(4))
    world.checker.observe(messages.Polling(9))
    world.checker.check(Terminate(4))


RESTART = messages.RestartRequested("SIGHUP")


def rolling(**settings_of: Any) -> World:
    """A pool in the middle of a rolling restart, with retiring workers in their last polls."""
    return simulate(Scenario(timeline=((20.0, RESTART),)), **settings_of).run(30)


def test_the_checker_finds_a_replacement_without_room() -> None:
    """A pool of three has two retiring workers beside it: with a surge of two that is all."""
    world = rolling(workers=2, surge=Surge("2"))
    free = Fork(99, 2, Serve(Slot(RESIZE, 1)))
    with pytest.raises(invariants.InvariantBroken, match="waits for room"):
        world.checker.check(free)
    world.checker.observe(messages.Exited(2, 0))
    world.checker.check(free)


def test_the_checker_finds_a_previous_zygote_ended_in_probation() -> None:
    """It is kept for a rollback."""
    world = rolling(probation=50.0)
    with pytest.raises(invariants.InvariantBroken, match="kept for a rollback"):
        world.checker.check(messages.RetireGeneration(1))
    world.checker.now = world.checker.activated_at + 50.0
    world.checker.check(messages.RetireGeneration(1))


def test_the_checker_finds_a_rollback_after_the_probation() -> None:
    """After the probation there is no rollback."""
    world = rolling(probation=50.0)
    back = messages.Note(messages.Level.ERROR, "generation_rolled_back", "", {"active": 1})
    world.checker.now = world.checker.activated_at + 60.0
    with pytest.raises(invariants.InvariantBroken, match="is in probation"):
        world.checker.check(back)
    world.checker.now = world.checker.activated_at + 40.0
    world.checker.check(back)
    assert world.checker.active == 1


def test_the_checker_knows_the_replacements_after_a_rollback() -> None:
    """A worker of the failed code leaves for one of the previous code, and for no other."""
    world = simulate(
        Scenario(versions=(Version(), Version(lost_after=12.0)), timeline=((20.0, RESTART),))
    )
    world.run(33.25)
    assert world.checker.active == 1
    theirs = next(n for n, each in world.checker.living.items() if each.generation == 2)
    with pytest.raises(invariants.InvariantBroken, match="is ready, or its slot is gone"):
        world.checker.check(Terminate(theirs))


def test_the_checker_finds_too_many_replacements(world: World) -> None:
    """One at a slot, and one at a time for a list of two."""
    world.checker.observe(WANTS_REPLACEMENT)
    world.checker.observe(messages.WantsReplacement(3, "old"))
    world.checker.check(REPLACEMENT)
    with pytest.raises(invariants.InvariantBroken, match="for one worker that wants it"):
        world.checker.check(Fork(10, 1, Serve(Slot(RESIZE, 1))))
    with pytest.raises(invariants.InvariantBroken, match="recycles 1 at once"):
        world.checker.check(Fork(10, 1, Serve(Slot(RESIZE, 0))))


def test_the_checker_finds_a_wrong_permit() -> None:
    """One for a worker that polls or works, and the withdrawal of one from a worker that idles."""
    world = simulate().run(10)
    (parked,) = [number for number, each in world.checker.living.items() if each.parked]
    (poller,) = {number for number in world.checker.living if number > 1} - {parked, 2}
    with pytest.raises(invariants.InvariantBroken, match="for a parked worker"):
        world.checker.check(messages.GrantPermit(poller))
    with pytest.raises(invariants.InvariantBroken, match="for a busy worker"):
        world.checker.check(messages.WithdrawPermit(parked))
    world.checker.check(messages.GrantPermit(parked))


def test_the_checker_finds_a_list_without_a_poll() -> None:
    """Its only poller works, and no permit goes to the parked worker."""
    world = simulate().run(10)
    (poller,) = [
        n for n, each in world.checker.living.items() if each.polls and each.serves(RESIZE)
    ]
    world.checker.observe(messages.Working(poller, world.task(RESIZE.role, 60.0)))
    with pytest.raises(invariants.InvariantBroken, match="is polled"):
        world.checker.check_turn(world.core)


def test_the_checker_finds_a_wrong_kill(world: World) -> None:
    """A second kill, a signal after it, or a kill too soon for a stale task."""
    world.checker.observe(messages.Stale(4, messages.Staleness.CANCEL))
    world.checker.check(DumpStacks(4))
    world.checker.now += 1.0
    with pytest.raises(invariants.InvariantBroken, match="had its grace"):
        world.checker.check(Kill(4, "its task was canceled, and it went on"))
    world.checker.check(DumpStacks(2))
    world.checker.now += 1.0
    world.checker.check(Kill(2, ""))
    for action in (Kill(2, ""), Terminate(2), DumpStacks(2)):
        with pytest.raises(invariants.InvariantBroken):
            world.checker.check(action)


def test_the_checker_finds_a_worker_over_the_memory_limit(world: World) -> None:
    """A worker over the hard limit is killed in the same turn."""
    world.checker.observe(messages.MemoryExceeded(4, 1 << 30))
    with pytest.raises(invariants.InvariantBroken, match="exceeds its memory"):
        world.checker.check_turn(world.core)


def test_the_checker_finds_a_kill_of_a_worker_that_went_on(world: World) -> None:
    """The stacks are asked for anew after a worker has sent something."""
    world.checker.check(DumpStacks(4))
    world.checker.observe(messages.Done(4, messages.Result.COMPLETED))
    world.checker.now += 1.0
    with pytest.raises(invariants.InvariantBroken, match="has not gone on"):
        world.checker.check(Kill(4, "past its own timeout"))


LEFT = messages.PostMortem(answer=messages.Complete("1"))
ANSWERS: dict[str, tuple[list[messages.Event], messages.Answer]] = {
    "a death": ([messages.Exited(4, -9)], Fail("WorkerDied: x")),
    "a death before the beginning": (
        [messages.Exited(4, -9, messages.PostMortem(started=False))],
        Fail("NotStarted: x"),
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


@pytest.mark.parametrize(("events", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_checker_knows_the_right_answer(
    world: World, events: list[messages.Event], expected: messages.Answer
) -> None:
    """That answer, and none of the others."""
    for event in events:
        world.checker.observe(event)
    others = [each for _, each in ANSWERS.values() if each != expected]
    for wrong in (*others, messages.ReturnTask(), Fail("Interrupted: x"), messages.Complete("2")):
        with pytest.raises(invariants.InvariantBroken, match="is the right answer"):
            world.checker.check(Fork(8, 1, Report(TASK, RESIZE.role, wrong)))
    world.checker.check(Fork(8, 1, Report(TASK, RESIZE.role, expected)))


def test_the_checker_finds_a_report_of_a_closed_task(world: World) -> None:
    """SWF no longer knows such a task."""
    world.checker.observe(messages.Stale(4, messages.Staleness.CLOSED))
    world.checker.observe(messages.Exited(4, -9))
    with pytest.raises(invariants.InvariantBroken, match="the worker of t1 died"):
        world.checker.check(Fork(8, 1, REPORT))


def test_the_checker_knows_interrupted_workers(world: World) -> None:
    """A worker killed in a stop, and not for being late, was interrupted."""
    world.checker.observe(messages.StopRequested("SIGQUIT"))
    world.checker.check(Kill(4, "SIGQUIT"))
    world.checker.observe(messages.Exited(4, -9))
    with pytest.raises(invariants.InvariantBroken, match="is the right answer"):
        world.checker.check(Fork(8, 1, REPORT))
    world.checker.check(Fork(8, 1, Report(TASK, RESIZE.role, Fail("Interrupted: x"))))


def test_the_checker_finds_forks_in_a_drain(world: World) -> None:
    """Once a drain was requested, only reporters may be forked."""
    world.checker.observe(messages.Exited(4, -9))
    world.checker.observe(messages.DrainRequested("SIGTERM"))
    world.checker.check(Fork(8, 1, REPORT))
    with pytest.raises(invariants.InvariantBroken, match="only reporters"):
        world.checker.check(Fork(9, 1, Serve(Slot(RESIZE, 1))))


def test_the_checker_finds_a_second_report(world: World) -> None:
    """A task is not reported again, nor by two reporters at once."""
    world.checker.observe(messages.Exited(4, -9))
    world.checker.check(Fork(8, 1, REPORT))
    with pytest.raises(invariants.InvariantBroken, match="one reporter at a time"):
        world.checker.check(Fork(9, 1, REPORT))
    world.checker.observe(messages.Done(8, messages.Result.FAILED))
    with pytest.raises(invariants.InvariantBroken, match="reported once"):
        world.checker.check(Fork(9, 1, REPORT))


@pytest.mark.parametrize(("early_deaths", "seconds"), [(3, "0.5"), (4, "1.0"), (5, "15.0")])
def test_the_checker_finds_a_wait_cut_short(world: World, early_deaths: int, seconds: str) -> None:
    """After early deaths the slot must back off, and longer in a crash loop."""
    world.checker.observe(messages.Exited(4, -9))
    at_slot = ObservedSlot(early_deaths=early_deaths, died_at=9.5)
    world.checker.slots_seen[1, Slot(RESIZE, 1)] = at_slot
    with pytest.raises(invariants.InvariantBroken, match=f"backs off for {seconds} s"):
        world.checker.check(Fork(9, 1, Serve(Slot(RESIZE, 1))))


def test_the_checker_finds_a_list_degraded_too_early(world: World) -> None:
    """A slot of it must be in a crash loop."""
    facts: dict[str, Any] = {"generation": 1, "task_list": RESIZE.name, "slot": 1}
    note = messages.Note(messages.Level.ERROR, "list_degraded", "", facts)
    world.checker.slots_seen[1, Slot(RESIZE, 1)] = ObservedSlot(early_deaths=4)
    with pytest.raises(invariants.InvariantBroken, match="is in a crash loop"):
        world.checker.check(note)
    world.checker.slots_seen[1, Slot(RESIZE, 1)].early_deaths = 5
    world.checker.check(note)


@pytest.mark.parametrize("deadline", [9.0, 10.0, float("inf")])
def test_the_checker_finds_a_bad_deadline(
    world: World, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadline that is past, now, or never is refused."""
    world.checker.now = 10.0
    monkeypatch.setattr(world.core, "next_deadline", lambda: deadline)
    with pytest.raises(invariants.InvariantBroken):
        world.checker.check_turn(world.core)


@pytest.mark.parametrize(
    "forget",
    [
        lambda checker: checker.deaths_noted.clear(),
        lambda checker: checker.deaths_noted.update([4]),
        lambda checker: checker.deaths_noted.update([2]),
        lambda checker: checker.settled.clear(),
        lambda checker: checker.settled.update(["t1"]),
        lambda checker: checker.settled.update(["t9"]),
    ],
)
def test_the_checker_finds_what_was_forgotten(
    world: World, forget: Callable[[invariants.Checker], None]
) -> None:
    """At the end every death was noted once, and every owed report settled once."""
    world.processes[4].die(-9)
    world.finish(20)
    forget(world.checker)
    with pytest.raises(invariants.InvariantBroken):
        world.checker.finish()


def test_last_messages_come_before_the_death() -> None:
    """A message that a process sends in the moment of its death arrives first."""
    world = simulate(Scenario(workers=(WorkerPlan(end=End.AFTER_TASK),), tasks=(TaskPlan(),))).run(
        60
    )
    last = [each for _, each in world.log if getattr(each, "worker", 0) == 2]
    done = last.index(messages.Done(2, messages.Result.COMPLETED))
    assert isinstance(last[done + 1], messages.Exited)


def test_messages_cross_a_signal_on_its_way() -> None:
    """A worker that is asked to leave sends messages until the signal arrives."""
    timeline = ((2.5, messages.DrainRequested("SIGTERM")),)
    world = simulate(Scenario(tasks=(TaskPlan(waits=0.9),) * 3, timeline=timeline)).run(10)
    asked_to_leave = world.when(Terminate(2))
    assert any(at > asked_to_leave for at, each in world.log if isinstance(each, messages.Working))


def test_a_kill_from_outside_is_a_death_like_any_other() -> None:
    """It reaches the core as an exit status."""
    world = simulate(Scenario(timeline=((20.0, KillWorker(1)),))).run(30)
    assert (3, -9) in [(each.worker, each.status) for each in world.logged(messages.Exited)]


def test_a_rule_without_a_deadline_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a rule acts at a moment that was no deadline, the world raises."""
    world = simulate(Scenario(workers=(WorkerPlan(boot=float("inf")),))).run(5)
    monkeypatch.setattr(world.core, "next_deadline", lambda: 1000.0)
    with pytest.raises(AssertionError, match="no deadline said so"):
        world.run(2000)


def test_a_spinning_core_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the deadline never moves on, the scenario ends with an error."""
    world = simulate().run(5)
    monkeypatch.setattr("tests.supervisor.simulation.world.MANY_TURNS", 100)
    monkeypatch.setattr(world.checker, "check_turn", lambda _core: None)
    monkeypatch.setattr(world.core, "next_deadline", lambda: 5.0)
    with pytest.raises(AssertionError, match="spins"):
        world.run(2000)


def test_a_late_shell_is_late() -> None:
    """With a lag every event reaches the core that much later."""
    prompt, late = simulate(), simulate(Scenario(lag=2.0))
    prompt.run(20)
    late.run(20)
    ready = messages.GenerationReady(1, World.lists)
    assert late.when(ready) == prompt.when(ready) + 2.0
