"""The event cliff: runs that go on in new ones, and flows that do not notice."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity, carrying, runner, task
from garcon.decider import cliff
from garcon.local import LocalSWF
from tests.garcon.deciding import UNCHECKED, Office, chain, count
from tests.garcon.flows import flow, kinds, make

if TYPE_CHECKING:
    from garcon.decider.sticky import Sticky


def runs_of(swf: LocalSWF) -> list[list[dict[str, Any]]]:
    """The histories of all runs, oldest first."""
    runs = [each.run_id for each in swf._threads.service.engine.executions()]
    return sorted(
        (swf.history("workflow", run) for run in runs), key=lambda each: each[0]["eventTimestamp"]
    )


def started(history: list[dict[str, Any]]) -> dict[str, Any]:
    """What a run was started with."""
    found: dict[str, Any] = history[0]["workflowExecutionStartedEventAttributes"]
    return found


@task.decorate(timeout=10)
def add(number: int, sum_: int) -> dict[str, Any]:
    """A result that depends on earlier ones."""
    return {"sum": (sum_ or 0) + number}


def adding(length: int, **members: Any) -> Any:
    """Activities that each add one to what the one before returned."""
    found: dict[str, Any] = {}
    before: list[Any] = []
    for number in range(length):
        work = runner.Sync(add.fill(number="step", sum_="sum"))
        made = make(f"s{number:03}", requires=before, run=work)
        found[f"a{number:03}"], before = made, [made]
    return flow(**found, **members)


@pytest.mark.parametrize("sticky", [UNCHECKED, None])
def test_a_long_flow_goes_on_in_new_runs_and_does_not_notice(sticky: Sticky | None) -> None:
    """Each activity runs once, with the results of all before it and the first run's input."""
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
    """Never works."""
    raise ValueError("broken")


def test_the_execution_keeps_its_deadline() -> None:
    """A new run has what is left of the time, not all of it again."""
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
    """While activities run side by side the run goes on; it continues when they have ended."""
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


def test_what_runs_beside_is_waited_for() -> None:
    """Of two chains, one wants to go on while the other runs: no run ends with something open."""
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
    """The request is in this run's history: it is answered here."""
    with LocalSWF() as swf:
        office = Office(swf, chain(20, continue_at=15))
        office.decider()
        office.start()
        office.run_until(lambda: len(swf.history("workflow")) > 10)
        office.client.request_cancel_workflow_execution(domain="domain", workflowId="workflow")
        last = office.run()
        assert len(runs_of(swf)) == 1
    assert last[-1]["eventType"] == "WorkflowExecutionCanceled"


def test_what_does_not_fit_goes_on_with_one_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a claim store a run that cannot be carried stays, and says so once."""
    monkeypatch.setattr(carrying, "carry", lambda *_: {carrying.CARRIED: "x" * 40_000})
    with LocalSWF() as swf, caplog.at_level(logging.WARNING):
        office = Office(swf, chain(10, continue_at=15))
        office.decider()
        office.start()
        last = office.run()
        assert swf.counters.calls["GetWorkflowExecutionHistory"] == 1
        assert len(runs_of(swf)) == 1
    assert last[-1]["eventType"] == "WorkflowExecutionCompleted"
    (said,) = [each.message for each in caplog.records]
    assert "cannot continue as new" in said
    assert "GARCON_CLAIMS" in said


@pytest.mark.parametrize("members", [{"continue_at": None}, {"continue_at": 0}])
def test_a_flow_may_say_never(members: dict[str, Any]) -> None:
    """None, or nothing at all."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4, **members))
        assert not office.decider()._cliff.limit


def test_flows_with_a_decider_of_their_own_say_when_themselves() -> None:
    """Their code has a state of its own, which nobody else can carry."""
    worker = Office(LocalSWF(), flow(decider=lambda schedule: None)).decider()
    assert worker._cliff.limit is None
    assert Office(LocalSWF(), flow()).decider()._cliff.limit == 10_000


class Long:
    """A history as far as the cliff looks at it."""

    def __init__(self, *, pending: bool) -> None:
        self.pending = pending


def test_near_the_limit_nothing_new_is_begun_until_all_has_ended() -> None:
    """What else is decided is sent; and with nothing open there is no need to hold anything."""
    begin = {"decisionType": "ScheduleActivityTask"}
    other = {"decisionType": "StartTimer"}
    assert kinds(cliff.held([begin, other], Long(pending=True))) == ["StartTimer"]  # type: ignore[arg-type]
    assert len(cliff.held([begin, other], Long(pending=False))) == 2  # type: ignore[arg-type]


def test_holding_leaves_room_for_what_is_open() -> None:
    """1,000 open activities end with 5 events each, before SWF's 25,000."""
    assert cliff.CONTINUE_AT < cliff.HOLD_AT <= 25_000 - 1_000 * 5
