"""A task in progress: heartbeats and answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon import activity
from garcon.payload import codec
from garcon.tracing import family_trace
from tests.garcon.fakes import GONE, THROTTLED, FakeSwf, refusal

if TYPE_CHECKING:
    from garcon.activity import ActivityExecution

HEARTBEAT = "record_activity_task_heartbeat"


def execution(swf: Any, text: str = '{"a": 1}') -> ActivityExecution:
    """A task in progress."""
    return activity.ActivityExecution(swf, "cook-1", "token", text)


def test_the_released_constructor_gives_context_as_a_dict() -> None:
    """The four released arguments suffice; the other attributes are None."""
    made = execution(FakeSwf())
    assert (made.activity_id, made.task_token, made.context) == ("cook-1", "token", {"a": 1})
    assert (made.workflow_id, made.run_id, made.start_to_close) == (None, None, None)


def test_the_id_of_the_trace_is_for_the_worker_alone() -> None:
    """The tasks do not see it, so that no result has it."""
    trace = "5" * 32
    made = execution(FakeSwf(), family_trace.extended('{"a": 1}', trace, 32_768))
    assert (made.trace, made.context) == (trace, {"a": 1})
    assert execution(FakeSwf()).trace == ""


def test_unreadable_input_is_an_error_when_it_is_read() -> None:
    """A task with a broken input can be received, and failed with a sentence."""
    made = execution(FakeSwf(), "[]")
    with pytest.raises(codec.NotReadable, match="The input of cook-1"):
        _ = made.context


def test_complete_sends_the_result() -> None:
    """RespondActivityTaskCompleted has the result as JSON, or no result."""
    swf = FakeSwf()
    execution(swf).complete({"b": 2})
    execution(swf).complete()
    assert swf.requests("respond_activity_task_completed") == [
        {"taskToken": "token", "result": '{"b": 2}'},
        {"taskToken": "token"},
    ]


def test_fail_sends_255_characters() -> None:
    """The reason has the documented length; details are cut to SWF's limit."""
    swf = FakeSwf()
    execution(swf).fail("x" * 300, "y" * 40_000)
    execution(swf).fail()
    execution(swf).fail("")
    first, second, third = swf.requests("respond_activity_task_failed")
    assert first["reason"] == "x" * 255
    assert len(first["details"]) == 32_768
    assert second == third == {"taskToken": "token"}


def test_cancel_sends_its_details() -> None:
    """RespondActivityTaskCanceled has the details."""
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


def test_heartbeat_of_a_gone_task_raises_with_the_reason() -> None:
    """The tasks learn that SWF no longer accepts their result."""
    swf = FakeSwf().prepare(HEARTBEAT, refusal(GONE))
    with pytest.raises(activity.TaskGone, match=r"cook-1.*timed out"):
        execution(swf).heartbeat()


@pytest.mark.parametrize(
    "error", [refusal(THROTTLED), EndpointConnectionError(endpoint_url="http://x")]
)
def test_a_transient_error_of_a_heartbeat_fails_no_work(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The work goes on, and the log has the error."""
    swf = FakeSwf().prepare(HEARTBEAT, error)
    execution(swf).heartbeat()
    assert "heartbeat of cook-1" in caplog.text


def test_a_permanent_error_of_a_heartbeat_is_raised() -> None:
    """A missing permission to send heartbeats fails the task."""
    swf = FakeSwf().prepare(HEARTBEAT, refusal("AccessDeniedException"))
    with pytest.raises(ClientError):
        execution(swf).heartbeat()


def test_a_request_to_cancel_is_kept_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The heartbeat that brings it returns, so a task can look; it is reported once."""
    stale, requested = MagicMock(), {"cancelRequested": True}
    made = execution(FakeSwf().prepare(HEARTBEAT, {"cancelRequested": False}, requested, requested))
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
    """That heartbeat is still sent: ending in good order may take the task some time."""
    swf = FakeSwf().prepare(HEARTBEAT, {"cancelRequested": True})
    made = execution(swf)
    made.heartbeat()
    with pytest.raises(activity.TaskCanceled, match="Cancelling cook-1 was requested"):
        made.heartbeat()
    assert len(swf.requests(HEARTBEAT)) == 2


def test_a_gone_task_is_reported_once() -> None:
    """The first refused heartbeat reports it to the supervisor, later ones do not."""
    stale = MagicMock()
    made = execution(FakeSwf().prepare(HEARTBEAT, refusal(GONE), refusal(GONE)))
    made.on_stale = stale
    for _ in range(2):
        with pytest.raises(activity.TaskGone):
            made.heartbeat()
    assert made.gone
    stale.assert_called_once_with(activity.TaskGone)


def test_a_mock_client_requests_no_cancel() -> None:
    """Every member of a user's mock is true, so only a real True counts."""
    made = execution(MagicMock())
    made.heartbeat()
    assert not made.cancel_requested


def test_the_input_may_be_bytes() -> None:
    """As in 1.1.1."""
    assert activity.ActivityExecution(None, "id", "token", b'{"a": 1}').context == {"a": 1}
