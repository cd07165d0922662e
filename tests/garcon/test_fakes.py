"""The fakes behave like SWF's client and a clock."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.garcon.fakes import FakeClock, FakeSwf, model, refusal
from tests.garcon.histories import History


def test_fake_client_answers_in_order_then_empty() -> None:
    """Prepared answers come one after the other, then empty ones; every call is recorded."""
    swf = FakeSwf().prepare("poll_for_activity_task", {"taskToken": "a"})
    request = {"domain": "d", "taskList": {"name": "l"}}
    assert swf.poll_for_activity_task(**request) == {"taskToken": "a"}
    assert swf.poll_for_activity_task(**request) == {}
    assert swf.calls == [("poll_for_activity_task", request)] * 2


def test_fake_client_refuses_malformed_requests() -> None:
    """A request that boto3 would refuse is refused."""
    with pytest.raises(AssertionError, match="taskList"):
        FakeSwf().poll_for_activity_task(domain="d")


def test_fake_client_has_only_operations_of_swf() -> None:
    """A method that SWF's client does not have is an AttributeError."""
    with pytest.raises(AttributeError):
        _ = FakeSwf().cook


def test_fake_client_raises_prepared_errors() -> None:
    """A prepared error is raised, with SWF's code."""
    swf = FakeSwf().prepare("list_domains", refusal("ThrottlingException"))
    with pytest.raises(ClientError) as caught:
        swf.list_domains(registrationStatus="REGISTERED")
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


def test_fake_clock_passes_only_when_slept() -> None:
    """The clock moves by the seconds that are slept."""
    clock = FakeClock()
    before = clock.now()
    clock.sleep(3)
    assert (clock.now() - before, clock.slept) == (3, [3])


def test_built_histories_are_valid_by_the_service_model() -> None:
    """Every event that the builder makes has only known members, and all required ones."""
    history = History({"a": 1})
    history.scheduled("x")
    history.completed("x-1", {"b": 2})
    for close in (history.failed, history.timed_out, history.canceled):
        history.scheduled("x")
        close("x-1")
    history.refused("x", "ACTIVITY_TYPE_DEPRECATED")
    history.timer_started()
    history.timer_fired()
    history.timer_refused("TIMER_ID_ALREADY_IN_USE")
    history.not_closed("UNHANDLED_DECISION")
    shape = model().shape_for("HistoryEvent")
    for event in history.events:
        (member,) = event.keys() - {"eventId", "eventType"}
        attributes = shape.members[member]  # type: ignore[attr-defined]
        assert event[member].keys() <= attributes.members.keys()
        assert set(attributes.required_members) <= event[member].keys()
