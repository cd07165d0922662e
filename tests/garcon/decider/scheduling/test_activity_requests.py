"""The ``schedule`` function that a custom decider calls."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from garcon import activity, decider, event, runner, task, utils
from tests.garcon.flows import kinds, make, scheduled
from tests.garcon.histories import History


class Turn:
    """One run of a decider over a history."""

    def __init__(self, history: History | None = None, context: Any = None) -> None:
        self.decisions: list[dict[str, Any]] = []
        self.progress = decider.ScheduleContext()
        self.states = event.activity_states_from_events((history or History()).events)
        self.context = context or {}

    def schedule(self, *args: Any, **kwargs: Any) -> activity.ActivityState:
        """Schedule, as a flow's decider does."""
        return decider.schedule(
            self.decisions, self.progress, self.states, self.context, *args, **kwargs
        )


def done(*ids: str, result: Any = None) -> History:
    """A history in which these uses of flow_a completed."""
    history = History()
    for each in ids:
        history.scheduled("flow_a", each)
        history.completed(each, result)
    return history


def test_a_new_use_is_scheduled_under_its_id() -> None:
    """The id is {name}-1-{schedule id}, as in running executions."""
    turn = Turn()
    state = turn.schedule("first", make("a"))
    assert scheduled(turn.decisions) == ["flow_a-1-first"]
    assert not turn.progress.completed
    assert not state.ready


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_running_or_completed_use_needs_no_instance(is_ready: bool) -> None:  # noqa: FBT001 - parametrized
    """A decider requests all that it ever scheduled at every decision, so this must be cheap."""
    made = make("a")
    made.instances = None  # type: ignore[method-assign, assignment]
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    if is_ready:
        history.completed("flow_a-1-x", {"n": 1})
    turn = Turn(history)
    state = turn.schedule("x", made)
    assert (state.ready, turn.progress.completed) == (is_ready, is_ready)
    assert [each.activity_id for each in state.uses] == ["flow_a-1-x"]
    assert turn.decisions == []


def test_a_running_use_is_left_alone() -> None:
    """A scheduled use is not scheduled again, and is not ready."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-first")
    turn = Turn(history)
    assert not turn.schedule("first", make("a")).ready
    assert (turn.decisions, turn.progress.completed) == ([], False)


def test_a_completed_use_has_its_result() -> None:
    """The result is the activity's; the use no longer keeps the workflow open."""
    turn = Turn(done("flow_a-1-first", result={"n": 1}))
    state = turn.schedule("first", make("a"))
    assert (state.result, turn.decisions, turn.progress.completed) == ({"n": 1}, [], True)


def test_one_activity_can_be_used_under_several_ids() -> None:
    """The schedule id distinguishes the uses."""
    turn = Turn(done("flow_a-1-first"))
    made = make("a")
    turn.schedule("first", made)
    turn.schedule("second", made)
    assert scheduled(turn.decisions) == ["flow_a-1-second"]


def test_generated_instances_are_all_scheduled_and_merged() -> None:
    """Each instance has its key in its id; together they have one result."""
    made = make("a", generators=[lambda context: [{"i": i} for i in range(context["n"])]])
    ids = [f"flow_a-{utils.create_dictionary_key({'i': i})}-all" for i in (0, 1)]
    turn = Turn(context={"n": 2})
    turn.schedule("all", made)
    assert scheduled(turn.decisions) == ids
    history = History()
    for number, each in enumerate(ids):
        history.scheduled("flow_a", each)
        history.completed(each, {f"r{number}": number})
    assert Turn(history, {"n": 2}).schedule("all", made).result == {"r0": 0, "r1": 1}
    half = Turn(done(ids[0]), {"n": 2})
    assert not half.schedule("all", made).ready
    assert scheduled(half.decisions) == [ids[1]]


def test_no_instances_are_complete() -> None:
    """An activity whose generator returns nothing is complete."""
    turn = Turn()
    state = turn.schedule("none", make("a", generators=[lambda _: []]))
    assert (state.result, turn.progress.completed) == ({}, True)


def test_requirements_come_first() -> None:
    """An activity with an open requirement is not scheduled, and its generators do not run."""
    turn = Turn()
    waiting = turn.schedule("first", make("a"))
    later = make("b", generators=[lambda context: context["from a"]])
    with pytest.raises(activity.ActivityInstanceNotReadyException):
        turn.schedule("second", later, requires=[waiting])
    assert scheduled(turn.decisions) == ["flow_a-1-first"]
    assert not turn.progress.completed


def test_a_missing_requirement_keeps_the_workflow_open() -> None:
    """The workflow stays open even if the decider catches the exception and goes on."""
    turn = Turn()
    with pytest.raises(activity.ActivityInstanceNotReadyException):
        turn.schedule("x", make("a"), requires=[activity.ActivityState("elsewhere")])
    assert not turn.progress.completed


def test_ensure_requirements_passes_completed_states() -> None:
    """Completed states, or none at all, let the decider go on; a running one does not."""
    turn = Turn(done("flow_a-1-x"))
    ready, running = turn.schedule("x", make("a")), turn.schedule("y", make("a"))
    for enough in ([ready], [], None):
        decider.ensure_requirements(enough)
    waiting: list[Any] = [[ready, running], [ready, None]]  # None: as in the released library
    for requires in waiting:
        with pytest.raises(activity.ActivityInstanceNotReadyException):
            decider.ensure_requirements(requires)


def test_input_is_on_top_of_the_context() -> None:
    """The activity receives context and input; on the same key the input wins."""

    @task.decorate()
    def work(a: Any, b: Any) -> None:
        raise AssertionError

    turn = Turn(context={"a": 1, "b": 1})
    turn.schedule("x", make("w", run=runner.Sync(work.fill(a="a", b="b"))), input={"b": 2})
    attributes = turn.decisions[0]["scheduleActivityTaskDecisionAttributes"]
    sent = json.loads(attributes["input"])
    assert {key: sent[key] for key in "ab"} == {"a": 1, "b": 2}


def test_failures_are_retried_up_to_the_limit() -> None:
    """Retries work as in flows without a decider."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.timed_out("flow_a-1-x")
    turn = Turn(history)
    turn.schedule("x", make("a", retry=1))
    assert scheduled(turn.decisions) == ["flow_a-1-x"]
    with pytest.raises(activity.RetriesExhausted):
        turn.schedule("x", make("a"))


def test_a_failure_with_may_fail_does_not_keep_the_workflow_open() -> None:
    """The state has the failure, and the workflow may complete."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.failed("flow_a-1-x", "burnt")
    turn = Turn(history)
    assert str(turn.schedule("x", make("a"), may_fail=True).failed) == "burnt"
    assert turn.progress.completed


def test_refused_uses_wait_or_end_the_workflow() -> None:
    """A transient refusal holds the use back without a decision; a permanent one is raised."""
    history = History()
    history.refused("flow_a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED", "flow_a-1-x")
    history.refused("flow_a", "ACTIVITY_TYPE_DEPRECATED", "flow_a-1-y")
    turn = Turn(history)
    turn.schedule("x", make("a"))
    assert (kinds(turn.decisions), turn.progress.completed) == ([], False)
    with pytest.raises(activity.ActivityImpossible, match="ACTIVITY_TYPE_DEPRECATED"):
        turn.schedule("y", make("a"))


def test_long_schedule_ids_are_found_again() -> None:
    """An id beyond SWF's 256 characters is shortened the same way each time."""
    long = "x" * 300
    turn = Turn()
    turn.schedule(long, make("a"))
    (found,) = scheduled(turn.decisions)
    key = hashlib.sha1(f"flow_a-1-{long}".encode(), usedforsecurity=False).hexdigest()
    assert (len(found), found.endswith(key)) == (256, True)
    assert Turn(done(found, result=5)).schedule(long, make("a")).result == 5
