"""What holds for deciders whatever SWF does."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.garcon.flows import flow, make
from tests.garcon.world import Hang, World


def diamond() -> Any:
    """Four activities, one of them generated, with retries."""
    first = make("first", retry=1)
    left = make("left", requires=[first], retry=1, generators=[lambda c: _turns(c["n"])])
    right = make("right", requires=[first])
    return flow(a=make("last", requires=[left, right]), b=left, c=right, d=first)


def custom() -> Any:
    """The like with a decider of its own."""
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


@pytest.mark.parametrize("make_flow", [diamond, custom])
@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.data(), faults=st.integers(0, 6))
def test_every_execution_closes(make_flow: Any, data: Any, faults: int) -> None:
    """Whatever fails, times out or is refused: no execution hangs, and none spins."""

    def choose(options: list[str]) -> str:
        found: str = data.draw(st.sampled_from(options))
        return found

    world = World(make_flow(), choose, faults)
    closed = world.run()
    if not faults:
        assert closed == "CompleteWorkflowExecution"
    if closed == "CompleteWorkflowExecution":
        assert len(world.runs) == RUNS[make_flow.__name__]


def first_of(options: list[str]) -> str:
    """No fault, and the first that can happen."""
    return options[0]


def test_without_faults_everything_runs_once() -> None:
    """Nothing is scheduled twice that completed."""
    world = World(diamond(), first_of, 0)
    assert world.run() == "CompleteWorkflowExecution"
    assert set(world.runs.values()) == {1}


def test_the_world_notices_a_hang() -> None:
    """A decider that waits for what never comes is found out."""
    world = World(diamond(), first_of, 0)
    world.worker.decide = lambda *_: []  # type: ignore[method-assign]
    with pytest.raises(Hang):
        world.run()


def test_the_world_notices_a_spin() -> None:
    """A decider that tries the impossible for ever is found out."""
    fates = itertools.chain(["OPERATION_NOT_PERMITTED"] * 10_000)
    world = World(flow(), lambda _: next(fates), 10_000)
    close = [{"decisionType": "CompleteWorkflowExecution"}]
    close[0]["completeWorkflowExecutionDecisionAttributes"] = {}  # type: ignore[assignment]
    world.worker.decide = lambda *_: close  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="spins"):
        world.run()
