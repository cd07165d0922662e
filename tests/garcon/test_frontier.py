"""The frontier: what is worth a look, found from the look before."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.activity import ActivityState, Progress
from garcon.decider.frontier import Frontier, Graph
from tests.garcon.flows import make


def turns(context: Any) -> list[dict[str, int]]:
    """A generator whose turns depend on results."""
    return [{"i": i} for i in range(context.get("n", 1))]


@st.composite
def graphs(draw: Any) -> list[Any]:
    """Activities that require earlier ones; some generated, some requiring a stranger."""
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
    """A state like this."""
    made = ActivityState(activity_id)
    made.add_state(last)
    return made


@settings(max_examples=60)
@given(activities=graphs(), data=st.data())
def test_a_frontier_sees_what_looking_at_everything_sees(activities: list[Any], data: Any) -> None:
    """Whatever has completed, in whatever order, and whenever one looked before."""
    frontier = Frontier(Graph(activities))
    states: dict[str, dict[str, ActivityState]] = {}
    context: dict[str, Any] = {}
    for _ in range(12):
        view, full = frontier.look(states, context), Progress(states, context)
        wanted = [each for each in activities if list(full.available(each))]
        assert [each for each in view.live if list(view.available(each))] == wanted
        assert view.all_completed == all(full.completed(each) for each in activities)
        for each in wanted[: data.draw(st.integers(0, 3))]:
            for instance in full.available(each):
                states.setdefault(each.name, {})[instance.id] = state(instance.id, 2)
        context["n"] = data.draw(st.integers(0, 3))


def test_a_long_chain_has_one_that_is_live() -> None:
    """However long it is, and from whichever end its names are read."""
    chain: list[Any] = []
    for number in range(3000):
        chain.append(make(f"a{number}", requires=chain[-1:]))
    frontier = Frontier(Graph(list(reversed(chain))))
    states: dict[str, dict[str, ActivityState]] = {}
    for each in chain[:5]:
        assert frontier.look(states, {}).live == [each]
        states[each.name] = {f"{each.name}-1": state(f"{each.name}-1", 2)}
    states.update({each.name: {f"{each.name}-1": state("x", 2)} for each in chain})
    view = frontier.look(states, {})
    assert view.live == []
    assert view.all_completed


def test_activities_that_wait_for_each_other_are_never_live() -> None:
    """A circle is not looked into, and nothing is said to be complete."""
    one, other = make("one"), make("other")
    one.requires, other.requires = [other], [one]
    view = Frontier(Graph([one, other])).look({}, {})
    assert view.live == []
    assert not view.all_completed
