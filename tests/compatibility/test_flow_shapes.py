"""Flows in the shapes of those in production, run from their start to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import doctor
from garcon.executions import flows
from garcon.local import LocalSWF
from tests.compatibility import flow_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "tests.compatibility.flow_shapes"


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF."""
    with LocalSWF() as service:
        yield service


def scheduled(outcome: Any) -> list[str]:
    """The ids of the activities in the order of their schedules."""
    member = "activityTaskScheduledEventAttributes"
    return [each[member]["activityId"] for each in outcome.history if member in each]


def test_a_flow_of_requirements(swf: LocalSWF) -> None:
    """Plain functions, both runners and retries; the attempts have one id."""
    flow_shapes.failures.clear()
    outcome = swf.run(flow_shapes.fan(), {})
    assert outcome.status == "COMPLETED"
    found = scheduled(outcome)
    assert found.count("fan_flaky-1") == 3
    assert sorted(set(found)) == ["fan_first-1", "fan_flaky-1", "fan_last-1", "fan_pair-1"]


def test_a_class_with_domain_and_name(swf: LocalSWF) -> None:
    """``--flow module:Class`` builds it; activities that are made anew are the same ones."""
    counter = flows.load(f"{HERE}:Counter", "dev", "counter")
    outcome = swf.run(counter, {})
    assert outcome.status == "COMPLETED"
    assert scheduled(outcome) == [
        "counter_enter-1-enter",
        "counter_order-1-order_tea",
        "counter_order-1-order_cake",
        "counter_payment-1-pay",
        "counter_serving-1-serve",
        "counter_enter-1-leave",
    ]


@pytest.mark.parametrize(("day", "number"), [("monday", 3), ("holiday", 1)])
def test_a_class_without_arguments(swf: LocalSWF, day: str, number: int) -> None:
    """Namespaces reach the next activity, and the types have the flow's version."""
    outcome = swf.run(flows.load(f"{HERE}:Daily"), {"day": day})
    assert outcome.status == "COMPLETED"
    assert len(scheduled(outcome)) == number
    member = "activityTaskScheduledEventAttributes"
    types = [each[member]["activityType"] for each in outcome.history if member in each]
    assert {each["version"] for each in types} == {"2.0"}


def test_the_doctor_knows_such_flows() -> None:
    """It finds time-outs that hang 1.x, and nothing that is refused."""
    codes = {each.code for each in doctor.examine(flows.load(f"{HERE}:Daily"))}
    assert codes == {"default-timeout", "never-retried"}
