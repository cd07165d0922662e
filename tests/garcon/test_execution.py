"""A task in hand: signs of life, answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon import activity, payload
from tests.garcon.fakes import GONE, THROTTLED, FakeSwf, refusal

if TYPE_CHECKING:
    from garcon.activity import ActivityExecution

HEARTBEAT = "record_activity_task_heartbeat"


def execution(swf: Any, text: str = '{"a": 1}') -> ActivityExecution:
    """A task in hand."""
    return activity.ActivityExecution(swf, "cook-1", "token", text)


def test_the_released_constructor_gives_context_as_a_dict() -> None:
    """Four arguments suffice; the rest is known only where SWF told it."""
    made = execution(FakeSwf())
    assert (made.activity_id, made.task_token, made.context) == ("cook-1", "token", {"a": 1})
    assert (made.workflow_id, made.run_id, made.start_to_close) == (None, None, None)


def test_unreadable_input_is_met_by_who_reads_it() -> None:
    """A task with a broken input can still be received, and be failed with a sentence."""
    made = execution(FakeSwf(), "[]")
    with pytest.raises(payload.NotReadable, match="The input of cook-1"):
        _ = made.context


def test_complete_sends_the_result() -> None:
    """RespondActivityTaskCompleted with the result as JSON; without one, without."""
    swf = FakeSwf()
    execution(swf).complete({"b": 2})
    execution(swf).complete()
    assert swf.requests("respond_activity_task_completed") == [
        {"taskToken": "token", "result": '{"b": 2}'},
        {"taskToken": "token"},
    ]


def test_fail_sends_255_characters() -> None:
    """The documented length of a reason; details are cut where SWF would refuse them."""
    swf = FakeSwf()
    execution(swf).fail("x" * 300, "y" * 40_000)
    execution(swf).fail()
    execution(swf).fail("")
    first, second, third = swf.requests("respond_activity_task_failed")
    assert first["reason"] == "x" * 255
    assert len(first["details"]) == 32_768
    assert second == third == {"taskToken": "token"}


def test_cancel_says_so() -> None:
    """RespondActivityTaskCanceled with the details."""
    swf = FakeSwf()
    execution(swf).cancel("stopped")
    assert swf.calls == [
        ("respond_activity_task_canceled", {"taskToken": "token", "details": "stopped"})
    ]


def test_long_heartbeat_details_are_cut_with_a_mark() -> None:
    """SWF takes 2,048 characters."""
    swf = FakeSwf()
    execution(swf).heartbeat("x" * 3_000)
    (request,) = swf.requests(HEARTBEAT)
    assert len(request["details"]) == 2_048
    assert request["details"].endswith("[cut]")


def test_heartbeat_of_a_gone_task_says_why() -> None:
    """The tasks learn that nobody waits for them any more."""
    swf = FakeSwf().prepare(HEARTBEAT, refusal(GONE))
    with pytest.raises(activity.TaskGone, match=r"cook-1.*timed out"):
        execution(swf).heartbeat()


@pytest.mark.parametrize(
    "trouble", [refusal(THROTTLED), EndpointConnectionError(endpoint_url="http://x")]
)
def test_a_passing_trouble_of_a_heartbeat_fails_no_work(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The work goes on; the log says what happened."""
    swf = FakeSwf().prepare(HEARTBEAT, trouble)
    execution(swf).heartbeat()
    assert "heartbeat of cook-1" in caplog.text


def test_a_permanent_trouble_of_a_heartbeat_is_raised() -> None:
    """Who may not send heartbeats should know."""
    swf = FakeSwf().prepare(HEARTBEAT, refusal("AccessDeniedException"))
    with pytest.raises(ClientError):
        execution(swf).heartbeat()


def test_a_request_to_cancel_is_kept_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The heartbeat that brings it goes on, so that a task can look; the log is told once."""
    stale, asked = MagicMock(), {"cancelRequested": True}
    made = execution(FakeSwf().prepare(HEARTBEAT, {"cancelRequested": False}, asked, asked))
    made.on_stale = stale
    with caplog.at_level(logging.INFO, "garcon"):
        seen = []
        for _ in range(2):
            made.heartbeat()
            seen.append(made.cancel_requested)
        with pytest.raises(activity.TaskCanceled):
            made.heartbeat()
    assert seen == [False, True]
    assert caplog.text.count("Cancelling cook-1 was requested") == 1
    stale.assert_called_once_with(activity.TaskCanceled)


def test_a_task_that_does_not_look_is_stopped_by_its_next_heartbeat() -> None:
    """SWF still hears the sign of life: what the task does to end in good order may take time."""
    swf = FakeSwf().prepare(HEARTBEAT, {"cancelRequested": True})
    made = execution(swf)
    made.heartbeat()
    with pytest.raises(activity.TaskCanceled, match="Cancelling cook-1 was requested"):
        made.heartbeat()
    assert len(swf.requests(HEARTBEAT)) == 2


def test_a_gone_task_is_told_once() -> None:
    """Whoever watches the process hears of it at the first heartbeat that SWF refuses."""
    stale = MagicMock()
    made = execution(FakeSwf().prepare(HEARTBEAT, refusal(GONE), refusal(GONE)))
    made.on_stale = stale
    for _ in range(2):
        with pytest.raises(activity.TaskGone):
            made.heartbeat()
    assert made.gone
    stale.assert_called_once_with(activity.TaskGone)


def test_a_mock_client_requests_no_cancel() -> None:
    """The answers of a user's mock are not taken for SWF's word."""
    made = execution(MagicMock())
    made.heartbeat()
    assert not made.cancel_requested
