"""Reduced states: what may be gone on from, what is kept, how they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.decider.comparing import difference
from garcon.decider.reduced import Cache, Reduced
from garcon.event import History
from tests.garcon import histories


def kept(run_id: str, started: int) -> Reduced:
    """A state that ends with this event."""
    return Reduced(run_id, started=started)


def test_a_state_is_gone_on_from_only_after_its_own_event() -> None:
    """Somebody else has decided meanwhile, or our answer was lost: then it is of no use."""
    cache = Cache(10)
    cache.keep(kept("a", 3))
    cache.keep(kept("b", 3))
    found = cache.take("a", 3)
    assert found is not None
    assert found.run_id == "a"
    assert cache.take("b", 9) is None
    assert len(cache) == 0


def test_taking_removes() -> None:
    """A decision that goes wrong leaves no state behind."""
    cache = Cache(10)
    cache.keep(kept("a", 3))
    cache.take("a", 3)
    assert cache.take("a", 3) is None


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(1, 5))
def test_the_cache_is_bounded_and_drops_the_oldest(used: list[str], size: int) -> None:
    """It holds those used last, and no more than it may."""
    cache = Cache(size)
    for name in used:
        cache.keep(kept(name, 1))
    latest = list(dict.fromkeys(reversed(used)))
    assert [name for name in "abcdefgh" if cache.take(name, 1)] == sorted(latest[:size])


def history() -> histories.History:
    """A history with a bit of everything."""
    made = histories.History({"n": 1})
    made.scheduled("flow_a")
    made.completed("flow_a-1", {"list": [1, 2]})
    made.timer_started("t")
    return made


def test_equal_states_do_not_differ() -> None:
    """However deep they are."""
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
    """The path leads to what differs."""
    spoilt = History(history().events)
    change(spoilt)  # type: ignore[operator]
    found = difference(History(history().events), spoilt)
    assert found is not None
    # The context and the state share the result.
    assert found.startswith((where, "context.list"))


def test_other_types_differ() -> None:
    """1 is not True, and a list is no tuple."""
    assert difference({"a": 1}, {"a": True}) == "a"
    assert difference([1], (1,)) == "."
