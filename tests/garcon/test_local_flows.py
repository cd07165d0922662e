"""Flows against the local SWF: what moto does not have, and with faults."""

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


def test_the_busy_office_is_asked_again() -> None:
    """An activity that fails is repeated under its id, and the report is written."""
    with LocalSWF() as swf:
        outcome = report(swf)
    assert outcome.status == "COMPLETED"
    assert outcome.context["report"].startswith("Countries\npeople: France 68, Japan 124")
    states = event.activity_states_from_events(outcome.history)["countries_research"].values()
    assert [each.failures for each in states] == [
        ["Call again about France."],
        ["Call again about Japan."],
    ]


def test_the_bakery_is_another_program() -> None:
    """An external activity's result is the next one's input."""
    bakery = {"catering_bake": lambda order: {"baked": order["cakes"], "oven": "oven 1"}}
    with LocalSWF() as swf:
        outcome = swf.run(external, {"cakes": 2}, external=bakery)
    assert outcome.context["delivered"] == "2 cakes from oven 1"


@pytest.mark.parametrize("kind", ["throttle", "error", "reset-before", "reset-after"])
@pytest.mark.parametrize(
    "operation",
    [
        "RespondActivityTaskCompleted",
        "RespondDecisionTaskCompleted",
        "RecordActivityTaskHeartbeat",
    ],
)
def test_faults_delay_a_flow_and_do_not_change_it(kind: str, operation: str) -> None:
    """Whatever goes wrong between us and SWF, done work is reported and the guest is served."""
    with LocalSWF() as swf:
        swf.inject(kind, operation, count=3)
        outcome = swf.run(coffee, ORDER)
    assert outcome.status == "COMPLETED"
    assert outcome.context["said"] == "Ann: latte and scone, enjoy!"
    assert "ActivityTaskFailed" not in [each["eventType"] for each in outcome.history]


@pytest.mark.parametrize("operation", ["PollForActivityTask", "PollForDecisionTask"])
@pytest.mark.parametrize("kind", ["error", "reset-before", "garbage"])
def test_polls_that_fail_are_rested_on(kind: str, operation: str) -> None:
    """The loops go on and the guest is served."""
    with LocalSWF() as swf:
        swf.inject(kind, operation, count=3)
        outcome = swf.run(coffee, ORDER)
    assert outcome.context["said"] == "Ann: latte and scone, enjoy!"


def test_a_task_lost_in_an_answer_is_repeated() -> None:
    """A poll whose answer is lost costs a timeout and a retry, not the workflow."""
    with LocalSWF() as swf:
        swf.inject("reset-after", "PollForActivityTask", count=1)
        outcome = swf.run(flow(a=make("a", retry=1)))
    kinds = [each["eventType"] for each in outcome.history]
    assert outcome.status == "COMPLETED"
    assert "ActivityTaskTimedOut" in kinds


def test_without_a_retry_a_lost_task_fails_the_workflow() -> None:
    """It does not hang: the timeout is heard of."""
    with LocalSWF() as swf:
        swf.inject("reset-after", "PollForActivityTask", count=1)
        outcome = swf.run(flow(a=make("a")))
    assert (outcome.status, outcome.reason) == (
        "FAILED",
        "The activity failures has exceeded its retry limit.",
    )
    assert "timed out" in str(outcome.details)


@task.decorate(timeout=10)
def count(number: int) -> dict[str, int]:
    """Give back a key of one's own."""
    return {f"n{number}": number}


def test_more_activities_than_may_be_open_are_all_done() -> None:
    """SWF refuses those beyond its limit; they are waited for and follow."""
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
