"""A flow without a decider, and activities that run and that it does not have any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon import runner, task
from garcon.decider import DeciderWorker
from garcon.decider.contradicting import Contradiction
from garcon.local import LocalSWF
from tests.garcon.flows import flow, kinds, make, scheduled
from tests.garcon.histories import History
from tests.garcon.stage import Stage

if TYPE_CHECKING:
    import pytest

WAIT = ["StartTimer"]


def decided(flow_: Any, history: History) -> tuple[list[dict[str, Any]], list[Exception]]:
    """What the flow decides, and what it reports."""
    errors: list[Exception] = []
    flow_.on_exception = lambda _, error: errors.append(error)
    return DeciderWorker(flow_, register=False).decide(history.poll()), errors


def old_and_new() -> History:
    """An activity runs that the flow called ``old``."""
    history = History()
    history.scheduled("flow_old")
    return history


def test_what_runs_under_an_old_name_is_not_begun_under_a_new_one() -> None:
    """An activity was renamed while it ran: the report names it, its event and the flow."""
    decisions, (error,) = decided(flow(a=make("new")), old_and_new())
    assert kinds(decisions) == WAIT
    assert isinstance(error, Contradiction)
    assert error.event_id == 2
    assert "The activity flow_old-1 began with event 2 and runs, and flow has no" in str(error)


def test_when_it_has_ended_the_flow_goes_on() -> None:
    """What has ended is in nobody's way, and its result stays in the context."""
    history = old_and_new()
    history.completed("flow_old-1", {"n": 1})
    decisions, errors = decided(flow(a=make("new")), history)
    assert (scheduled(decisions), errors) == (["flow_new-1"], [])


def test_a_workflow_does_not_complete_over_what_runs() -> None:
    """Its generators do not give it any more, and all that they give has completed."""
    given: list[Any] = [{"n": 1}, {"n": 2}]
    many = make("many", generators=[lambda _: given], run=runner.Sync(number.fill(n="n")))
    flow_ = flow(many=many)
    history = History()
    ids = scheduled(decided(flow_, history)[0])
    for each in ids:
        history.scheduled("flow_many", each)
    history.completed(ids[0])
    del given[1:]
    decisions, errors = decided(flow_, history)
    assert (kinds(decisions), len(errors)) == (WAIT, 1)
    history.completed(ids[1])
    assert kinds(decided(flow_, history)[0]) == ["CompleteWorkflowExecution"]


@task.decorate(timeout=10)
def number(n: int) -> None:
    """Do nothing with it."""


def test_where_nothing_is_decided_nothing_contradicts() -> None:
    """The flow's own activity runs, too: there is nothing to be kept back, and no report."""
    history = old_and_new()
    history.scheduled("flow_new")
    assert decided(flow(a=make("new")), history) == ([], [])


def test_a_flow_may_say_that_it_is_not_deterministic(caplog: pytest.LogCaptureFixture) -> None:
    """Then it is a warning, and is decided as ever."""
    decisions, errors = decided(flow(a=make("new"), deterministic=False), old_and_new())
    assert (scheduled(decisions), errors) == (["flow_new-1"], [])
    assert "has no such activity" in caplog.text


def test_an_execution_lives_through_a_renaming() -> None:
    """Nothing is begun while the old one runs; then the new one is, and the workflow completes."""
    old, new = flow(a=make("old")), flow(a=make("new"), on_exception=lambda *_: None)
    with LocalSWF() as swf:
        stage = Stage(swf, new, old).start().work(1)
        stage.redeploy(new)
        stage.signal("look again")
        assert stage.told("ActivityTaskScheduled", "activityId") == ["flow_old-1", "flow_new-1"]
        kinds_ = stage.kinds
    assert kinds_[-1] == "WorkflowExecutionCompleted"
    ended = kinds_.index("ActivityTaskCompleted")
    assert "TimerStarted" in kinds_[:ended]
    assert kinds_[:ended].count("ActivityTaskScheduled") == 1
