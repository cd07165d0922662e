"""Finding a flow's activities, and the instances that can run."""

from __future__ import annotations

import types
from typing import Any

import pytest

from garcon import activity, event
from tests.garcon.flows import flow, make
from tests.garcon.histories import History


def test_activities_are_found_in_dir_order_and_once() -> None:
    """They come in alphabetical order of their attributes; one under two names comes once."""
    a, b = make("a"), make("b")
    found = activity.find_workflow_activities(flow(second=b, first=a, third=a, other="x"))
    assert found == [a, b]


def test_module_flows_are_flows() -> None:
    """A flow is a module or any object."""
    module = types.ModuleType("flow")
    module.cook = make("cook")  # type: ignore[attr-defined]
    assert [each.name for each in activity.find_workflow_activities(module)] == ["flow_cook"]


def available(flow_object: Any, history: History, context: Any = None) -> list[str]:
    """The ids that can run now."""
    states = event.activity_states_from_events(history.events)
    found = activity.find_available_activities(flow_object, states, context or {})
    return [each.id for each in found]


def test_activities_without_requirements_are_available() -> None:
    """At the start, every activity that requires no other can run."""
    first = make("first")
    second = make("second", requires=[first])
    assert available(flow(a=first, b=second), History()) == ["flow_first-1"]


def test_requirements_are_all_instances_of_all_activities() -> None:
    """One required instance that has not completed blocks the activity."""
    first = make("first", generators=[lambda context: [{"i": i} for i in context["n"]]])
    second = make("second", requires=[first])
    both, history, context = flow(a=first, b=second), History(), {"n": [1, 2]}
    one, two = [each.id for each in first.instances(context)]
    history.scheduled("flow_first", one)
    history.completed(one)
    assert available(both, history, context) == [two]
    history.scheduled("flow_first", two)
    assert available(both, history, context) == []
    history.completed(two)
    assert available(both, history, context) == ["flow_second-1"]


def test_generators_run_after_their_requirements_completed() -> None:
    """A generator may use the results of the activities that its own requires."""
    first = make("first")
    second = make("second", requires=[first], generators=[lambda context: context["found"]])
    assert available(flow(a=second, b=first), History()) == ["flow_first-1"]


def test_equal_values_of_generators_are_one_instance() -> None:
    """Two activities cannot be open under one id."""
    made = make("a", generators=[lambda _: [{"i": 1}, {"i": 1}]])
    assert len(available(flow(a=made), History())) == 1


def test_an_activity_without_instances_completes_after_its_requirements() -> None:
    """No instances before the requirements completed does not mean none later."""
    first = make("first")
    empty = make("empty", requires=[first], generators=[lambda context: context.get("found", [])])
    last = make("last", requires=[empty])
    history = History()
    three = flow(a=first, b=empty, c=last)
    assert available(three, history) == ["flow_first-1"]
    history.scheduled("flow_first")
    history.completed("flow_first-1")
    assert available(three, history) == ["flow_last-1"]


def test_a_timed_out_activity_is_retried() -> None:
    """A lost worker costs a retry, not the workflow."""
    history = History()
    history.scheduled("flow_a")
    history.timed_out("flow_a-1")
    assert available(flow(a=make("a", retry=1)), history) == ["flow_a-1"]
    with pytest.raises(activity.RetriesExhausted):
        available(flow(a=make("a")), history)


def test_uncomplete_is_all_that_has_not_completed() -> None:
    """It includes scheduled, failed and new instances."""
    history = History()
    history.scheduled("flow_a")
    history.completed("flow_a-1")
    history.scheduled("flow_b")
    three = flow(a=make("a"), b=make("b"), c=make("c"))
    states = event.activity_states_from_events(history.events)
    found = activity.find_uncomplete_activities(three, states, {})
    assert [each.id for each in found] == ["flow_b-1", "flow_c-1"]
    assert len(activity.find_activities(three, {})) == 3
