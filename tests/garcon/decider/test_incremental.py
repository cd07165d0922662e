"""An interrupted fold of a history: its state equals that of folding everything at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.decider.execution_state import ExecutionState
from garcon.decider.sticky.state_diff import difference
from garcon.event import History
from tests.garcon.decider.test_decider_properties import custom, diamond
from tests.garcon.world import World


def whole(events: list[dict[str, Any]]) -> ExecutionState:
    """The state of all events, folded at once."""
    made = ExecutionState("run")
    made.add(events, len(events))
    return made


@pytest.mark.parametrize("make_flow", [diamond, custom])
@settings(max_examples=40)
@given(data=st.data(), faults=st.integers(0, 6))
def test_a_history_cut_anywhere_folds_to_the_same_state(
    make_flow: Any, data: Any, faults: int
) -> None:
    """Whatever happens in an execution, and wherever its history is cut."""

    def choose(options: list[str]) -> str:
        found: str = data.draw(st.sampled_from(options))
        return found

    world = World(make_flow(), choose, faults)
    world.run()
    events = world.history.events
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=6)) | {len(events)})
    state, known = ExecutionState("run"), 0
    for cut in cuts:
        state.add(events[known:cut], cut)
        known = cut
    assert difference(state.history, whole(events).history) is None
    assert state.started == len(events)


def test_a_missing_event_is_a_difference() -> None:
    """A state without the last event differs."""
    world = World(diamond(), lambda options: options[0], 0)
    world.run()
    events = world.history.events
    assert difference(History(events), History(events[:-1])) is not None
