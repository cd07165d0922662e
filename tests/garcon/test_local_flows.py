"""Flows against the local SWF, under faults, and with calls that moto does not have."""

from __future__ import annotations

from typing import Any

import pytest

from examples import coffee, external
from examples.country_report import CountryReport
from garcon import event, runner, task
from garcon.local import LocalSWF, Settings
from tests.garcon.flows import flow, make

ORDER = {"order": "Ann", "items": ["latte", "scone", "truffle"]}


def report(swf: LocalSWF) -> Any:
    """An execution of the country report."""
    return swf.run(CountryReport(None, "reports", "countries"), {"countries": ["France", "Japan"]})


def test_a_failed_activity_is_retried_under_its_id() -> None:
    """The example's busy office is called again, and the report is written."""
    with LocalSWF() as swf:
        outcome = report(swf)
    assert outcome.status == "COMPLETED"
    assert outcome.context["report"].startswith("Countries\npeople: France 68, Japan 124")
    states = event.activity_states_from_events(outcome.history)["countries_research"].values()
    assert [each.failures for each in states] == [
        ["Call again about France."],
        ["Call again about Japan."],
    ]


def test_the_result_of_an_external_activity_is_an_input() -> None:
    """The example's bakery is another program; its result reaches the next activity."""
    bakery = {"catering_bake": lambda order: {"baked": order["cakes"], "oven": "oven 1"}}
    with LocalSWF() as swf:
        outcome = swf.run(external, {"cakes": 2}, external=bakery)
    assert outcome.context["delivered"] == "2 cakes from oven 1"


@pytest.mark.parametrize("kind", ["throttle", "error", "garbage", "reset-before", "reset-after"])
@pytest.mark.parametrize(
    "operation",
    [
        "RespondActivityTaskCompleted",
        "RespondDecisionTaskCompleted",
        "RecordActivityTaskHeartbeat",
    ],
)
def test_faults_delay_a_flow_and_do_not_change_it(kind: str, operation: str) -> None:
    """Under faults of every kind, finished work is reported and the workflow completes."""
    with LocalSWF() as swf:
        swf.inject(kind, operation, count=3)
        outcome = swf.run(coffee, ORDER)
    assert outcome.status == "COMPLETED"
    assert outcome.context["said"] == "Ann: latte and scone, enjoy!"
    assert "ActivityTaskFailed" not in [each["eventType"] for each in outcome.history]


@pytest.mark.parametrize("operation", ["PollForActivityTask", "PollForDecisionTask"])
@pytest.mark.parametrize("kind", ["error", "reset-before", "garbage"])
def test_failed_polls_are_followed_by_pauses(kind: str, operation: str) -> None:
    """The polling loops go on and the workflow completes."""
    with LocalSWF() as swf:
        swf.inject(kind, operation, count=3)
        outcome = swf.run(coffee, ORDER)
    assert outcome.context["said"] == "Ann: latte and scone, enjoy!"


def test_a_task_of_a_lost_poll_response_is_retried() -> None:
    """A lost poll response costs a timeout and a retry, not the workflow."""
    with LocalSWF() as swf:
        swf.inject("reset-after", "PollForActivityTask", count=1)
        outcome = swf.run(flow(a=make("a", retry=1)))
    kinds = [each["eventType"] for each in outcome.history]
    assert outcome.status == "COMPLETED"
    assert "ActivityTaskTimedOut" in kinds


def test_without_a_retry_a_lost_task_fails_the_workflow() -> None:
    """The timeout of a task whose poll response was lost ends the workflow; it does not hang."""
    with LocalSWF() as swf:
        swf.inject("reset-after", "PollForActivityTask", count=1)
        outcome = swf.run(flow(a=make("a")))
    assert outcome.status == "FAILED"
    assert outcome.reason == (
        "The activity failures has exceeded its retry limit. "
        "flow_a-1 failed after 1 attempt: timed out (START_TO_CLOSE)"
    )
    assert "timed out" in str(outcome.details)


@task.decorate(timeout=10)
def count(number: int) -> dict[str, int]:
    """Return a key of one's own."""
    return {f"n{number}": number}


def test_activities_beyond_the_open_limit_are_all_done() -> None:
    """SWF refuses those beyond its limit; they wait and are scheduled later."""
    many = make(
        "many",
        run=runner.Sync(count.fill(number="number")),
        generators=[lambda _: [{"number": number} for number in range(20)]],
    )
    with LocalSWF(Settings(open_activities=5)) as swf:
        outcome = swf.run(flow(many=many))
    kinds = [each["eventType"] for each in outcome.history]
    assert outcome.status == "COMPLETED"
    assert kinds.count("ActivityTaskCompleted") == 20
    assert "ScheduleActivityTaskFailed" in kinds
