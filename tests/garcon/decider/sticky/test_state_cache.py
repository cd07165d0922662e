"""The cache of execution states, and the comparison of states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.decider.execution_state import ExecutionState
from garcon.decider.sticky.state_cache import StateCache
from garcon.decider.sticky.state_diff import difference
from garcon.event import History
from tests.garcon import histories


def kept(run_id: str, started: int) -> ExecutionState:
    """A state that ends with this event."""
    return ExecutionState(run_id, started=started)


def test_a_state_is_used_only_after_its_own_event() -> None:
    """Otherwise another process has decided meanwhile, or this one's answer was lost."""
    cache = StateCache(10)
    cache.put(kept("a", 3))
    cache.put(kept("b", 3))
    found = cache.take("a", 3)
    assert found is not None
    assert found.run_id == "a"
    assert cache.take("b", 9) is None
    assert len(cache) == 0


def test_a_taken_state_is_removed() -> None:
    """A decision that fails leaves no state behind."""
    cache = StateCache(10)
    cache.put(kept("a", 3))
    cache.take("a", 3)
    assert cache.take("a", 3) is None


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(1, 5))
def test_the_cache_is_bounded_and_drops_the_least_recently_used(used: list[str], size: int) -> None:
    """It holds the most recently used states, and no more than its size."""
    cache = StateCache(size)
    for name in used:
        cache.put(kept(name, 1))
    latest = list(dict.fromkeys(reversed(used)))
    assert [name for name in "abcdefgh" if cache.take(name, 1)] == sorted(latest[:size])


def history() -> histories.History:
    """A history with an activity, a result and a timer."""
    made = histories.History({"n": 1})
    made.scheduled("flow_a")
    made.completed("flow_a-1", {"list": [1, 2]})
    made.timer_started("t")
    return made


def test_equal_states_do_not_differ() -> None:
    """Two states of equal events are equal at every depth."""
    assert difference(History(history().events), History(history().events)) is None


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda state: state.activities["flow_a"].clear(), "activities.flow_a.flow_a-1"),
        (lambda state: state.context.update(n=2), "context.n"),
        (lambda state: state.context.pop("n"), "context.n"),
        (lambda state: state.context.workflow_input.clear(), "context.workflow_input.n"),
        (
            lambda state: state.activities["flow_a"]["flow_a-1"].result["list"].append(3),
            "activities.flow_a.flow_a-1",
        ),
    ],
)
def test_a_difference_is_found_and_named(change: object, where: str) -> None:
    """The path leads to the value that differs."""
    changed = History(history().events)
    change(changed)  # type: ignore[operator]
    found = difference(History(history().events), changed)
    assert found is not None
    # The context and the state share the result.
    assert found.startswith((where, "context.list"))


def test_values_of_different_types_differ() -> None:
    """1 is not True, and a list is not a tuple."""
    assert difference({"a": 1}, {"a": True}) == "a"
    assert difference([1], (1,)) == "."
