"""Properties of deciders, whatever SWF does."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import event
from garcon.decider.nondeterminism import NonDeterminism
from garcon.history.event_types import EVENT_TYPES
from tests.garcon.flows import flow, make
from tests.garcon.programs import requiring, speaking
from tests.garcon.world import Hang, World

pytestmark = pytest.mark.slow


def diamond() -> Any:
    """Four activities, one of them generated, with retries."""
    first = make("first", retry=1)
    left = make("left", requires=[first], retry=1, generators=[lambda c: _turns(c["n"])])
    right = make("right", requires=[first])
    return flow(a=make("last", requires=[left, right]), b=left, c=right, d=first)


def custom() -> Any:
    """A similar flow with a decider of its own."""
    one, many = make("one", retry=1), make("many", generators=[lambda c: _turns(c["n"])])

    def decider(schedule: Any, context: Any) -> None:
        first = schedule("first", one)
        between = schedule("between", many, requires=[first])
        if first.ready:
            schedule("beside", one, input={"n": context["n"]})
        schedule("last", one, requires=[between])

    return flow(a=one, b=many, decider=decider)


def _turns(number: int) -> Any:
    return [{"i": i} for i in range(number)]


RUNS = {"diamond": 1 + 2 + 1 + 1, "custom": 1 + 2 + 1 + 1}
BOUNDED = settings(max_examples=60)


def chooser(data: Any) -> Any:
    """Lets hypothesis choose the outcomes."""
    return lambda options: data.draw(st.sampled_from(options))


@pytest.mark.parametrize("make_flow", [diamond, custom])
@BOUNDED
@given(data=st.data(), faults=st.integers(0, 6))
def test_every_execution_closes(make_flow: Any, data: Any, faults: int) -> None:
    """Whatever fails, times out or is refused, no execution hangs and none loops."""
    world = World(make_flow(), chooser(data), faults)
    closed = world.run()
    if not faults:
        assert closed == "CompleteWorkflowExecution"
        assert len(world.runs) == RUNS[make_flow.__name__]


def live(make_flow: Any, seed: int) -> World:
    """A random execution of a random flow, closed or about to hang."""
    chance = random.Random(seed)
    world = World(make_flow(chance), fates(chance), chance.randint(0, 9))
    world.run()
    return world


def fates(chance: random.Random) -> Any:
    """Lets chance choose the outcomes; most are successes."""

    def choose(options: list[Any]) -> Any:
        is_success = options[0] is None and chance.random() < 2 / 3
        return None if is_success else chance.choice(options)

    return choose


@pytest.mark.parametrize("flows", [requiring, speaking])
@settings(BOUNDED, max_examples=100)
@given(seed=st.integers(0, 2**32))
def test_no_flow_hangs_whatever_happens(flows: Any, seed: int) -> None:
    """An open execution has something that runs, or waits for a signal; and it closes."""
    errors = getattr(live(flows, seed).flow, "errors", [])
    assert not [each for each in errors if isinstance(each, NonDeterminism)]


def test_reading_three_kinds_of_events_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same property fails for a fold that knows scheduled, failed and completed only."""
    known = ("Scheduled", "Failed", "Completed")
    three = {f"ActivityTask{each}" for each in known} | {"WorkflowExecutionStarted"}
    takes = {kind: take for kind, take in event.History._takes.items() if kind in three}
    monkeypatch.setattr(event.History, "_takes", takes)

    def live_often() -> None:
        for seed in range(100):
            live(requiring, seed)

    with pytest.raises(Hang):
        live_often()


def test_the_worlds_have_all_types_of_events() -> None:
    """The property is tested with every event type that an open execution may have."""
    seen: set[str] = set()
    for seed in range(700):
        seen.update(each["eventType"] for each in live(speaking, seed).history.events)
    closed = ("Completed", "Failed", "TimedOut", "Canceled", "ContinuedAsNew", "Terminated")
    assert EVENT_TYPES - seen == {f"WorkflowExecution{each}" for each in closed}


def first_of(options: list[Any]) -> Any:
    """No fault, and the first possible outcome."""
    return options[0]


def test_without_faults_everything_runs_once() -> None:
    """A completed activity is not scheduled again."""
    world = World(diamond(), first_of, 0)
    assert world.run() == "CompleteWorkflowExecution"
    assert set(world.runs.values()) == {1}


def test_the_world_detects_a_hang() -> None:
    """A decider that waits for something that never comes is detected."""
    world = World(diamond(), first_of, 0)
    world.worker.decide = lambda *_: []  # type: ignore[method-assign]
    with pytest.raises(Hang):
        world.run()


def test_the_world_detects_an_endless_loop() -> None:
    """A decider that repeats a refused decision forever is detected."""
    fates = itertools.chain(["OPERATION_NOT_PERMITTED"] * 10_000)
    world = World(flow(), lambda _: next(fates), 10_000)
    close = [{"decisionType": "CompleteWorkflowExecution"}]
    close[0]["completeWorkflowExecutionDecisionAttributes"] = {}  # type: ignore[assignment]
    world.worker.decide = lambda *_: close  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="spins"):
        world.run()
