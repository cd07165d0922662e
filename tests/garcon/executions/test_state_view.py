"""The state of an execution: what is open in it, and its text."""

from __future__ import annotations

from datetime import UTC, datetime

from garcon.executions import Execution, PendingKind, Status, state_view
from garcon.executions.pending import pending
from garcon.history import exposed_state
from tests.garcon.executions.scenarios import Scenario, everything
from tests.garcon.executions.served_flow import START, served

RUN = Execution("order-17", "run")


def at(seconds: float) -> datetime:
    """A time after the start."""
    return datetime.fromtimestamp(START + seconds, UTC)


def text(scenario: Scenario) -> list[str]:
    """The state in lines, ten seconds after the last event."""
    now = datetime.fromtimestamp(scenario.now + 10, UTC)
    return state_view.lines(state_view.view(RUN, scenario.events), "flow", now)


def test_an_activity_has_attempt_worker_and_deadline() -> None:
    """The deadline is the earliest of the timeouts that still count."""
    scenario = Scenario()
    timeouts = {
        "scheduleToStartTimeout": "100",
        "scheduleToCloseTimeout": "130",
        "startToCloseTimeout": "60",
        "heartbeatTimeout": "NONE",
    }
    for number in (1, 2):
        scheduled = scenario.after(1).scheduled("flow_grind")
        scenario.events[scheduled - 1]["activityTaskScheduledEventAttributes"] |= timeouts
        (found,) = pending(scenario.events)
        assert (found.since, found.until, found.attempt) == (
            at(scenario.now - START),
            found.until,
            number,
        )
        assert found.until == datetime.fromtimestamp(scenario.now + 100, UTC)
        assert (found.started, found.task_list) == (None, "flow_grind")
        scenario.after(90).started(scheduled)
        (found,) = pending(scenario.events)
        assert found.until == datetime.fromtimestamp(scenario.now + 40, UTC)
        assert found.worker == "host:1"
        if number == 1:
            scenario.ended("Failed", scheduled, reason="x")
            assert pending(scenario.events) == []
    assert text(scenario)[-1].startswith(
        "  activity grind-1, attempt 2 is worked on since 10.0 s by host:1; until 2023-11-14 22:"
    )


def test_timers_retries_children_and_lambdas_are_open() -> None:
    """A retry has its activity's name; the waits of the library are not shown."""
    scenario = Scenario()
    number = scenario.scheduled("flow_grind")
    scenario.ended("Failed", number)
    scenario.timer_started("garcon-retry-flow_grind-1", "30")
    scenario.timer_started("tea", "240")
    scenario.timer_started("garcon-wait", "5")
    scenario.add("StartChildWorkflowExecutionInitiated", workflowId="order-17-kid")
    scenario.add("LambdaFunctionScheduled", id="l")
    scenario.add("DecisionTaskScheduled", taskList={"name": "flow"})
    found = pending(scenario.events)
    assert [each.kind for each in found] == [
        PendingKind.RETRY,
        PendingKind.TIMER,
        PendingKind.CHILD,
        PendingKind.LAMBDA,
        PendingKind.DECISION,
    ]
    assert (found[0].id, found[0].attempt, found[0].until) == ("flow_grind-1", 2, at(30))
    assert text(scenario)[2:] == [
        "  retry grind-1, attempt 2 is due at 2023-11-14 22:13:50 UTC",
        "  timer tea fires at 2023-11-14 22:17:20 UTC",
        "  child order-17-kid runs since 10.0 s",
        "  lambda l runs since 10.0 s",
        "  decision waits since 10.0 s in flow",
    ]


def test_a_closed_execution_shows_what_was_exposed_and_nothing_open() -> None:
    """Whatever was open when it closed."""
    scenario = everything()
    context = exposed_state.merged(None, {"progress": "3 of 4", "cups": [1, 2]})
    member = "decisionTaskCompletedEventAttributes"
    next(each for each in scenario.events if member in each)[member]["executionContext"] = context
    head, exposed, *values = text(scenario)
    assert head.startswith("order-17 failed at 2023-11-14 22:")
    assert exposed.startswith("Exposed by its decider at 2023-11-14 22:")
    assert values == ["  progress: 3 of 4", "  cups: [1, 2]"]
    assert state_view.view(RUN, scenario.events).status is Status.FAILED


def test_a_task_that_no_worker_takes_is_noticed() -> None:
    """With the number of tasks that wait in its list, which SWF estimates."""
    with served() as made:
        made.idle = True
        for number in range(3):
            made.client.start({"beans": "b"}, f"order-{number}")
        for _ in range(3):
            made.run_decider()
        made.swf.advance(200)
        found = made.client.state("order-1")
        assert [(each.kind, each.backlog) for each in found.pending] == [(PendingKind.ACTIVITY, 3)]
        now = datetime.fromtimestamp(made.swf.now, UTC)
        assert state_view.lines(found, "coffee", now)[2].startswith(
            "  activity grind-1 waits since 3 min 20 s in coffee_grind, with 2 more tasks; "
            "no worker took it: is its list polled?; until 2023-"
        )
        assert found.until is not None
