"""The comparison with botocore's model, which checks all other answers."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.garcon.local.engine.account import Body
from tests.garcon.local.shapes import check_answer, check_event, check_fault, check_request

RUN = {"workflowId": "w", "runId": "r"}
FIRED = {
    "eventTimestamp": 1.5,
    "eventType": "TimerFired",
    "eventId": 7,
    "timerFiredEventAttributes": {"timerId": "t", "startedEventId": 3},
}


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (check_event, (FIRED,)),
        (check_answer, ("StartWorkflowExecution", {"runId": "r"})),
        (check_answer, ("RegisterDomain", {})),
        (check_answer, ("PollForActivityTask", {"startedEventId": 0})),
        (check_request, ("DescribeWorkflowExecution", {"domain": "d", "execution": RUN})),
    ],
)
def test_valid_bodies_pass(check: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Structures, lists, scalars, empty answers and empty polls."""
    try:
        check(*arguments)
    except AssertionError as error:
        pytest.fail(f"{arguments}: {error}")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"extra": 1}, "event.extra is unknown"),
        ({"eventId": None}, "event.eventId is None, not a long"),
        ({"eventId": True}, "event.eventId is True, not a long"),
        ({"eventId": "7"}, "event.eventId is '7', not a long"),
        ({"eventTimestamp": "now"}, "not a timestamp"),
        ({"eventType": "TimerExploded"}, "not one of"),
        ({"timerFiredEventAttributes": 5}, "is 5, not an object"),
        ({"timerFiredEventAttributes": {"timerId": "t"}}, "startedEventId is missing"),
        (
            {"timerFiredEventAttributes": {"timerId": "", "startedEventId": 3}},
            "timerId has 0 elements, fewer than 1",
        ),
        (
            {"timerFiredEventAttributes": {"timerId": "t" * 257, "startedEventId": 3}},
            "timerId has 257 elements, more than 256",
        ),
    ],
)
def test_each_difference_is_named(change: Body, complaint: str) -> None:
    """Unknown, missing, mistyped, out of bounds: each with its path."""
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        check_event(FIRED | change)


def test_numbers_have_bounds() -> None:
    """A negative count is out of bounds."""
    with pytest.raises(AssertionError, match=r"count is -1, out of bounds"):
        check_answer("CountPendingActivityTasks", {"count": -1})
    answer = {"count": 0, "truncated": False}
    check_answer("CountPendingActivityTasks", answer)


def test_a_refusal_must_be_in_the_model() -> None:
    """The code is one of the operation, or one that every service has."""
    check_fault("RegisterDomain", "DomainAlreadyExistsFault")
    check_fault("RegisterDomain", "ThrottlingException")
    with pytest.raises(AssertionError, match="never refused with DomainAlreadyExistsFault"):
        check_fault("DescribeDomain", "DomainAlreadyExistsFault")


def test_an_event_has_the_attributes_of_its_type() -> None:
    """An event without attributes, or with those of another type, is wrong."""
    bare = {name: FIRED[name] for name in ("eventTimestamp", "eventType", "eventId")}
    with pytest.raises(AssertionError):
        check_event(bare)
    with pytest.raises(AssertionError):
        check_event(FIRED | {"markerRecordedEventAttributes": {}})


def test_items_of_lists_are_checked() -> None:
    """The path has the place of the item."""
    broken = {name: value for name, value in FIRED.items() if name != "eventId"}
    with pytest.raises(AssertionError, match=r"events\[1\].eventId is missing"):
        check_answer("GetWorkflowExecutionHistory", {"events": [FIRED, broken]})


def test_an_answer_without_an_output_shape_is_empty() -> None:
    """Any member is wrong."""
    with pytest.raises(AssertionError):
        check_answer("RegisterDomain", {"x": 1})
