"""Examples of the documented API, on moto's SWF: an independent opinion on SWF."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from examples import coffee, country_report, external
from examples.country_report import CountryReport
from garcon import client as clients
from garcon import event
from tests.garcon.drive import Driver

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # moto


@pytest.fixture
def swf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 client of moto's SWF in this process."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    from moto import mock_aws  # noqa: PLC0415 - slow to import: not for a run of the fast tests

    with mock_aws():
        clients.configure()
        yield boto3.client("swf")
    clients.configure()


def context_after(driver: Driver, workflow_input: Any) -> dict[str, Any]:
    """The context of a completed execution."""
    events = driver.run(workflow_input)
    assert events[-1]["eventType"] == "WorkflowExecutionCompleted"
    return event.get_current_context(events)


@pytest.mark.parametrize(
    ("order", "call", "apology"),
    [
        ({"order": "Ann", "items": ["latte", "scone"]}, "Ann: latte and scone, enjoy!", None),
        ({}, "Somebody: espresso, enjoy!", None),
        (
            {"order": "Bo", "items": ["tea", "truffle"]},
            "Bo: tea, enjoy!",
            "Sorry, Bo, no truffle today.",
        ),
        ({"order": "Cy", "items": ["truffle"]}, None, "Sorry, Cy, no truffle today."),
    ],
)
def test_the_coffee_shop_serves_what_is_on_the_menu(
    swf: Any, order: Any, call: str | None, apology: str | None
) -> None:
    """Items of the menu are served, others are apologised for, an empty order is an espresso."""
    context = context_after(Driver(swf, coffee), order)
    assert (context.get("said"), context.get("sorry")) == (call, apology)


def test_the_coffee_shop_prepares_items_in_parallel(swf: Any) -> None:
    """One decision schedules all items."""
    events = Driver(swf, coffee).run({"items": ["tea"] * 5})
    scheduled = [each.get("activityTaskScheduledEventAttributes") for each in events]
    decisions = {
        each["decisionTaskCompletedEventId"]
        for each in scheduled
        if each and each["activityType"]["name"] == "coffee_prepare_item"
    }
    assert len(decisions) == 1


REPORT = "Countries\npeople: France 68, Japan 124\narea: France 549, Japan 378"


def test_the_country_report_is_written(swf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its activities run in the order that they require.

    The office is not busy: moto, unlike SWF, refuses to repeat an activity under its id.
    """
    monkeypatch.setattr(country_report, "call_the_office", lambda _: None)
    driver = Driver(swf, CountryReport(swf, "reports", "countries"))
    assert context_after(driver, {"countries": ["France", "Japan"]})["report"] == REPORT


def test_the_office_is_busy_at_the_first_call() -> None:
    """The first call of each run fails and the second succeeds, in whichever process."""
    caller = f"{uuid.uuid4()}-France"
    with pytest.raises(country_report.OfficeBusy, match="France"):
        country_report.call_the_office(caller)
    country_report.call_the_office(caller)


def test_an_external_program_bakes(swf: Any) -> None:
    """The result of the external program reaches the activity that needs it."""
    driver = Driver(swf, external, {"catering_bake": external.bake_one_batch})
    assert context_after(driver, {"cakes": 3})["delivered"] == "3 cakes from oven 2"
