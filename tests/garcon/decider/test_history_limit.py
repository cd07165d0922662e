"""Runs that continue as new before their history is full, and flows that do not notice."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity, runner, task
from garcon.decider import history_limit
from garcon.history import continuation
from garcon.local import LocalSWF
from tests.garcon.decider.sticky_deciders import UNCHECKED, Office, chain, count
from tests.garcon.flows import flow, kinds, make

if TYPE_CHECKING:
    from garcon.decider.sticky.stickiness import Sticky


def runs_of(swf: LocalSWF) -> list[list[dict[str, Any]]]:
    """The histories of all runs, oldest first."""
    runs = [each.run_id for each in swf._threads.service.engine.executions()]
    return sorted(
        (swf.history("workflow", run) for run in runs), key=lambda each: each[0]["eventTimestamp"]
    )


def started(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The attributes that a run was started with."""
    found: dict[str, Any] = history[0]["workflowExecutionStartedEventAttributes"]
    return found


@task.decorate(timeout=10)
def add(number: int, sum_: int) -> dict[str, Any]:
    """A result that depends on earlier ones."""
    return {"sum": (sum_ or 0) + number}


def adding(length: int, **members: Any) -> Any:
    """Activities that each add one to the result before."""
    found: dict[str, Any] = {}
    before: list[Any] = []
    for number in range(length):
        work = runner.Sync(add.fill(number="step", sum_="sum"))
        made = make(f"s{number:03}", requires=before, run=work)
        found[f"a{number:03}"], before = made, [made]
    return flow(**found, **members)


@pytest.mark.parametrize("sticky", [UNCHECKED, None])
def test_a_long_flow_continues_in_new_runs_and_does_not_notice(sticky: Sticky | None) -> None:
    """Each activity runs once, with all results before it and the first run's input."""
    with LocalSWF() as swf:
        office = Office(swf, adding(20, continue_at=30), sticky)
        office.decider()
        office.start(input='{"step": 2}', tagList=["a tag"])
        last = office.run()
        runs = runs_of(swf)
    assert last[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert len(runs) == 4
    assert max(len(each) for each in runs) < 40
    done = [count(each, "ActivityTaskCompleted") for each in runs]
    assert sum(done) == 20
    results = [
        json.loads(each["activityTaskCompletedEventAttributes"]["result"])["sum"]
        for history in runs
        for each in history
        if each["eventType"] == "ActivityTaskCompleted"
    ]
    assert results == list(range(2, 42, 2))
    for history in runs:
        assert started(history)["tagList"] == ["a tag"]
        assert started(history)["workflowType"] == {"name": "flow", "version": "1.0"}
        assert started(history)["taskList"] == {"name": "flow"}


def test_retries_are_counted_over_runs() -> None:
    """An activity that failed in one run has one retry less in the next."""
    fails = make("b", retry=2, run=runner.Sync(break_.fill()))
    before = make("a")
    fails.requires = [before]
    with LocalSWF() as swf:
        office = Office(swf, flow(a=before, b=fails, continue_at=12))
        office.decider()
        office.start()
        last = office.run()
        runs = runs_of(swf)
    assert last[-1]["eventType"] == "WorkflowExecutionFailed"
    assert len(runs) > 1
    assert sum(count(each, "ActivityTaskFailed") for each in runs) == 3


@task.decorate(timeout=10)
def break_() -> None:
    """Always fails."""
    raise ValueError("broken")


def test_the_execution_keeps_its_deadline() -> None:
    """A new run has the rest of the time, not all of it again."""
    with LocalSWF() as swf:
        office = Office(swf, chain(12, continue_at=30))
        office.decider()
        office.start(executionStartToCloseTimeout="1000")
        office.run_until(lambda: len(swf.history("workflow")) > 20)
        swf.advance(100)
        office.run()
        timeouts = [int(started(each)["executionStartToCloseTimeout"]) for each in runs_of(swf)]
    assert timeouts[0] == 1000
    assert 890 <= timeouts[1] <= 901
    assert timeouts == sorted(timeouts, reverse=True)


def test_nothing_open_is_lost() -> None:
    """A run continues as new only when its parallel activities have ended."""
    first = make("first")
    fan = make("fan", requires=[first], generators=[lambda _: [{"n": n} for n in range(8)]])
    with LocalSWF() as swf:
        office = Office(swf, flow(a=first, b=fan, c=make("last", requires=[fan]), continue_at=15))
        office.decider()
        office.start()
        last = office.run()
        runs = runs_of(swf)
    assert last[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert len(runs) == 2
    assert count(runs[0], "ActivityTaskCompleted") == 9
    assert count(runs[1], "ActivityTaskCompleted") == 1


def test_parallel_chains_are_waited_for() -> None:
    """No run ends while an activity of the other chain is open."""
    one, other = chain(6), chain(6, prefix="t")
    with LocalSWF() as swf:
        steps = {
            name: each
            for made in (one, other)
            for name, each in vars(made).items()
            if isinstance(each, activity.Activity)
        }
        office = Office(swf, flow(**steps, continue_at=10))
        office.decider()
        office.start()
        office.run()
        runs = runs_of(swf)
    for history in runs:
        assert count(history, "ActivityTaskScheduled") == count(history, "ActivityTaskCompleted")
    assert sum(count(each, "ActivityTaskCompleted") for each in runs) == 12


def test_a_cancelled_execution_does_not_continue() -> None:
    """The request is in this run's history, so this run closes as cancelled."""
    with LocalSWF() as swf:
        office = Office(swf, chain(20, continue_at=15))
        office.decider()
        office.start()
        office.run_until(lambda: len(swf.history("workflow")) > 10)
        office.client.request_cancel_workflow_execution(domain="domain", workflowId="workflow")
        last = office.run()
        assert len(runs_of(swf)) == 1
    assert last[-1]["eventType"] == "WorkflowExecutionCanceled"


def test_a_run_that_does_not_fit_goes_on_with_one_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a claim store the run goes on, and the warning is logged once."""
    monkeypatch.setattr(continuation, "carry", lambda *_: {continuation.CARRIED: "x" * 40_000})
    with LocalSWF() as swf, caplog.at_level(logging.WARNING):
        office = Office(swf, chain(10, continue_at=15))
        office.decider()
        office.start()
        last = office.run()
        assert swf.counters.calls["GetWorkflowExecutionHistory"] == 1
        assert len(runs_of(swf)) == 1
    assert last[-1]["eventType"] == "WorkflowExecutionCompleted"
    (message,) = [each.message for each in caplog.records]
    assert "cannot continue as new" in message
    assert "GARCON_CLAIMS" in message


@pytest.mark.parametrize("members", [{"continue_at": None}, {"continue_at": 0}])
def test_continuing_can_be_turned_off(members: dict[str, Any]) -> None:
    """By ``continue_at`` of None or 0."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4, **members))
        assert not office.decider()._history_limit.limit


def test_flows_with_a_decider_continue_by_their_own_decision() -> None:
    """Their code has a state that cannot be carried."""
    worker = Office(LocalSWF(), flow(decider=lambda schedule: None)).decider()
    assert worker._history_limit.limit is None
    assert Office(LocalSWF(), flow()).decider()._history_limit.limit == 10_000


class Long:
    """The part of a long history that the limit reads."""

    def __init__(self, *, pending: bool) -> None:
        self.pending = pending


def test_near_the_limit_nothing_new_is_begun_until_nothing_is_open() -> None:
    """Other decisions are sent; with nothing open, all decisions are."""
    begin = {"decisionType": "ScheduleActivityTask"}
    other = {"decisionType": "StartTimer"}
    assert kinds(history_limit.without_new([begin, other], Long(pending=True))) == ["StartTimer"]  # type: ignore[arg-type]
    assert len(history_limit.without_new([begin, other], Long(pending=False))) == 2  # type: ignore[arg-type]


def test_the_limit_leaves_room_for_open_activities() -> None:
    """1,000 open activities end with 5 events each, before SWF's 25,000."""
    assert history_limit.CONTINUE_AT < history_limit.HOLD_AT <= 25_000 - 1_000 * 5
