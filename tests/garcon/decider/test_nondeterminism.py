"""A flow without a decider, and running activities that it no longer has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon import runner, task
from garcon.decider import DeciderWorker
from garcon.decider.nondeterminism import NonDeterminism
from garcon.local import LocalSWF
from tests.garcon.flows import flow, kinds, make, scheduled
from tests.garcon.histories import History
from tests.garcon.stage import Stage

if TYPE_CHECKING:
    import pytest

WAIT = ["StartTimer"]


def decided(flow_: Any, history: History) -> tuple[list[dict[str, Any]], list[Exception]]:
    """The decisions of a flow, and the errors it reports."""
    errors: list[Exception] = []
    flow_.on_exception = lambda _, error: errors.append(error)
    return DeciderWorker(flow_, register=False).decide(history.poll()), errors


def old_and_new() -> History:
    """A history in which an activity runs that the flow called ``old``."""
    history = History()
    history.scheduled("flow_old")
    return history


def test_an_activity_renamed_while_it_runs_is_not_begun_again() -> None:
    """The report names the activity, its event and the flow."""
    decisions, (error,) = decided(flow(a=make("new")), old_and_new())
    assert kinds(decisions) == WAIT
    assert isinstance(error, NonDeterminism)
    assert error.event_id == 2
    assert "activity flow_old-1 was scheduled in event 2 and still runs, but flow has no" in str(
        error
    )


def test_the_flow_goes_on_when_the_old_activity_has_ended() -> None:
    """Its result stays in the context."""
    history = old_and_new()
    history.completed("flow_old-1", {"n": 1})
    decisions, errors = decided(flow(a=make("new")), history)
    assert (scheduled(decisions), errors) == (["flow_new-1"], [])


def test_a_workflow_does_not_complete_over_a_running_activity() -> None:
    """The generators no longer return the instance, and all others have completed."""
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
    """A task that does nothing with its argument."""


def test_without_decisions_nothing_is_reported() -> None:
    """The flow's own activity runs, too, so there is nothing to hold back."""
    history = old_and_new()
    history.scheduled("flow_new")
    assert decided(flow(a=make("new")), history) == ([], [])


def test_a_flow_may_be_declared_not_deterministic(caplog: pytest.LogCaptureFixture) -> None:
    """Then it is a warning, and is decided as ever."""
    decisions, errors = decided(flow(a=make("new"), deterministic=False), old_and_new())
    assert (scheduled(decisions), errors) == (["flow_new-1"], [])
    assert "has no such activity" in caplog.text


def test_an_execution_survives_a_renaming() -> None:
    """The new activity begins after the end of the old one, and the workflow completes."""
    old, new = flow(a=make("old")), flow(a=make("new"), on_exception=lambda *_: None)
    with LocalSWF() as swf:
        stage = Stage(swf, new, old).start().work(1)
        stage.redeploy(new)
        stage.signal("look again")
        assert stage.members_of("ActivityTaskScheduled", "activityId") == [
            "flow_old-1",
            "flow_new-1",
        ]
        kinds_ = stage.kinds
    assert kinds_[-1] == "WorkflowExecutionCompleted"
    ended = kinds_.index("ActivityTaskCompleted")
    assert "TimerStarted" in kinds_[:ended]
    assert kinds_[:ended].count("ActivityTaskScheduled") == 1
