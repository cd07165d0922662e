"""The frontier: the activities to check, found from the previous view."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.activity import ActivityState, FlowProgress
from garcon.decider.frontier import Frontier, Graph
from tests.garcon.flows import make


def turns(context: Any) -> list[dict[str, int]]:
    """A generator whose turns depend on results."""
    return [{"i": i} for i in range(context.get("n", 1))]


@st.composite
def graphs(draw: Any) -> list[Any]:
    """Activities that require earlier ones; some with generators, some requiring a foreign one."""
    made: list[Any] = []
    stranger = make("stranger")
    for number in range(draw(st.integers(1, 9))):
        requires = draw(st.lists(st.sampled_from(made), max_size=3)) if made else []
        if draw(st.integers(0, 9)) == 0:
            requires = [*requires, stranger]
        generators = [turns] if draw(st.integers(0, 4)) == 0 else []
        made.append(make(f"a{number}", requires=requires, generators=generators))
    found: list[Any] = draw(st.permutations(made))
    return found


def state(activity_id: str, last: int) -> ActivityState:
    """A state whose last entry is this."""
    made = ActivityState(activity_id)
    made.add_state(last)
    return made


@settings(max_examples=60)
@given(activities=graphs(), data=st.data())
def test_a_frontier_finds_the_same_as_a_check_of_everything(
    activities: list[Any], data: Any
) -> None:
    """Any activities may have completed, in any order and since any previous view."""
    frontier = Frontier(Graph(activities))
    states: dict[str, dict[str, ActivityState]] = {}
    context: dict[str, Any] = {}
    for _ in range(12):
        view, full = frontier.view(states, context), FlowProgress(states, context)
        expected = [each for each in activities if list(full.available(each))]
        assert [each for each in view.live if list(view.available(each))] == expected
        assert view.all_completed == all(full.completed(each) for each in activities)
        for each in expected[: data.draw(st.integers(0, 3))]:
            for instance in full.available(each):
                states.setdefault(each.name, {})[instance.id] = state(instance.id, 2)
        context["n"] = data.draw(st.integers(0, 3))


def test_a_long_chain_has_one_live_activity() -> None:
    """However long it is, and in whichever order it is listed."""
    chain: list[Any] = []
    for number in range(3000):
        chain.append(make(f"a{number}", requires=chain[-1:]))
    frontier = Frontier(Graph(list(reversed(chain))))
    states: dict[str, dict[str, ActivityState]] = {}
    for each in chain[:5]:
        assert frontier.view(states, {}).live == [each]
        states[each.name] = {f"{each.name}-1": state(f"{each.name}-1", 2)}
    states.update({each.name: {f"{each.name}-1": state("x", 2)} for each in chain})
    view = frontier.view(states, {})
    assert view.live == []
    assert view.all_completed


def test_activities_that_wait_for_each_other_are_never_live() -> None:
    """A circle is never checked, and the flow is not complete."""
    one, other = make("one"), make("other")
    one.requires, other.requires = [other], [one]
    view = Frontier(Graph([one, other])).view({}, {})
    assert view.live == []
    assert not view.all_completed
