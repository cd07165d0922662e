"""The steps of an activity: poll, attempt, respond."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon import activity, runner, task
from garcon.activity import (
    ActivityExecution,
    AttemptCanceled,
    AttemptFailed,
    AttemptGone,
)
from garcon.activity.heartbeat_thread import EventAlarm, HeartbeatThread
from garcon.activity.shared_throttling import SharedThrottling
from tests.garcon.fakes import GONE, THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import completed, make

POLL = "poll_for_activity_task"
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"

TASK = {
    "taskToken": "token",
    "activityId": "flow_cook-1",
    "startedEventId": 7,
    "workflowExecution": {"workflowId": "workflow", "runId": "run"},
    "activityType": {"name": "flow_cook", "version": "1.0"},
    "input": '{"dish": "soup"}',
}


@task.decorate(timeout=30)
def cook(activity: Any, dish: Any) -> dict[str, Any]:
    """Cook a dish, and return the name of the logger."""
    return {"meal": f"hot {dish}", "logger": activity.logger.name}


def kitchen(swf: Any, *tasks: Any, **options: Any) -> activity.Activity:
    """An activity whose clock moves only when it waits."""
    made = make("cook", swf, run=runner.Sync(*(tasks or (cook.fill(dish="dish"),))), **options)
    made.clock = made.poll_backoff.clock = FakeClock().clock
    return made


def slept(made: activity.Activity) -> list[float]:
    """The waits of the activity."""
    fake: Any = made.clock.now.__self__  # type: ignore[attr-defined]
    waits: list[float] = fake.slept
    return waits


def in_progress(swf: Any, **more: Any) -> ActivityExecution:
    """A task that was received just now."""
    more.setdefault("start_to_close", 100)
    more.setdefault("clock", FakeClock().clock)
    text = '{"dish": "soup"}'
    return ActivityExecution(
        swf, "flow_cook-1", "token", text, workflow_id="workflow", run_id="run", **more
    )


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been slept for real."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def test_a_poll_asks_for_the_activity_s_list() -> None:
    """PollForActivityTask has the domain, the task list and the identity."""
    swf = FakeSwf()
    execution = kitchen(swf).poll_for_activity("me")
    assert (bool(execution), execution.activity_id) == (False, None)
    assert swf.calls == [
        (POLL, {"domain": "domain", "taskList": {"name": "flow_cook"}, "identity": "me"})
    ]


def test_a_poll_without_identity_has_one() -> None:
    """SWF's history shows the process that received a task."""
    swf = FakeSwf()
    kitchen(swf).poll_for_activity()
    assert swf.requests(POLL)[0]["identity"].count(":") >= 2


def test_a_polled_task_has_the_members_of_the_response() -> None:
    """It has its execution, and the timeout of its tasks."""
    execution = kitchen(FakeSwf().prepare(POLL, TASK)).poll_for_activity()
    assert execution is not None
    assert (execution.activity_id, execution.activity_name) == ("flow_cook-1", "flow_cook")
    assert (execution.workflow_id, execution.run_id) == ("workflow", "run")
    assert (execution.started_event_id, execution.start_to_close) == (7, 30)


def test_a_task_with_broken_input_is_received() -> None:
    """SWF has given it to this worker, so it must be answered; its timeout is unknown."""
    execution = kitchen(FakeSwf().prepare(POLL, {**TASK, "input": "{"})).poll_for_activity()
    assert execution is not None
    assert execution.start_to_close is None


def test_throttled_polls_are_attempted_five_times() -> None:
    """This is the documented retry; then the throttle is raised."""
    swf = FakeSwf().prepare(POLL, *[refusal(THROTTLED)] * 5)
    made = kitchen(swf)
    with pytest.raises(ClientError):
        made.poll_for_activity()
    assert (len(swf.calls), len(slept(made))) == (5, 4)


def test_a_poll_goes_on_after_throttles() -> None:
    """The caller does not see a throttle that passes."""
    swf = FakeSwf().prepare(POLL, *[refusal(THROTTLED)] * 4, TASK)
    assert kitchen(swf).poll_for_activity()


def test_other_errors_of_a_poll_are_not_retried() -> None:
    """Only a throttle is retried here."""
    swf = FakeSwf().prepare(POLL, refusal("AccessDeniedException"))
    with pytest.raises(ClientError):
        kitchen(swf).poll_for_activity()
    assert len(swf.calls) == 1


def test_a_quick_task_costs_two_calls() -> None:
    """A poll and an answer, no heartbeat."""
    swf = FakeSwf().prepare(POLL, TASK)
    assert kitchen(swf).run("me")
    assert swf.names == [POLL, COMPLETED]


def test_run_is_true_after_an_empty_poll() -> None:
    """The loop goes on, and no error is reported."""
    errors = MagicMock()
    assert kitchen(FakeSwf(), on_exception=errors).run() is True
    errors.assert_not_called()


def test_a_failed_poll_is_reported_and_followed_by_a_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """``on_exception`` is called, the log has the traceback, and the loop does not spin."""
    errors = MagicMock()
    error = EndpointConnectionError(endpoint_url="http://x")
    made = kitchen(FakeSwf().prepare(POLL, error, error, {}, error), on_exception=errors)
    assert [made.run() for _ in range(4)] == [True] * 4
    errors.assert_called_with(made, error)
    assert all(record.exc_info for record in caplog.records)
    first, second, third = slept(made)
    assert 0.5 <= first <= 1 <= second <= 2
    assert 0.5 <= third <= 1  # a poll that succeeded ended the row


def test_attempt_gives_the_result_and_leaves_no_log_context() -> None:
    """Only the tasks log under their execution."""
    made = kitchen(FakeSwf())
    outcome = made.attempt(in_progress(FakeSwf()))
    assert outcome == completed(meal="hot soup", logger="garcon.domain.workflow.run")
    assert made.logger.name == "garcon"


def test_an_exception_of_a_task_is_a_failure_with_its_traceback() -> None:
    """The reason is its text, the details its traceback, and ``on_exception`` gets it."""
    errors = MagicMock()

    def burn(context: Any, activity: Any) -> None:
        raise ValueError("burnt " + "x" * 300)

    made = kitchen(FakeSwf(), burn, on_exception=errors)
    outcome = made.attempt(in_progress(FakeSwf()))
    assert isinstance(outcome, AttemptFailed)
    assert outcome.reason == ("burnt " + "x" * 300)[:255]
    assert "in burn" in str(outcome.details)
    errors.assert_called_once()
    assert made.logger.name == "garcon"


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), BaseException("odd")])
def test_exceptions_of_libraries_fail_the_task(error: BaseException) -> None:
    """An exception beyond ``Exception`` fails the task, from task lists and tasks alike."""

    @task.list
    def several(context: Any) -> Any:
        raise error

    handler = MagicMock(side_effect=error)
    for each in (several, MagicMock(side_effect=error)):
        outcome = kitchen(FakeSwf(), each, on_exception=handler).attempt(in_progress(FakeSwf()))
        assert isinstance(outcome, AttemptFailed)
        assert type(error).__name__ in str(outcome.details)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_an_exit_is_more_than_a_failure(error: BaseException) -> None:
    """A task that ends its process does so."""
    with pytest.raises(type(error)):
        kitchen(FakeSwf(), MagicMock(side_effect=error)).attempt(in_progress(FakeSwf()))


def test_a_broken_handler_does_not_stop_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of ``on_exception``, the user's code, is logged."""
    made = kitchen(
        FakeSwf(),
        MagicMock(side_effect=ValueError("burnt")),
        on_exception=MagicMock(side_effect=KeyError("handler")),
    )
    assert isinstance(made.attempt(in_progress(FakeSwf())), AttemptFailed)
    assert "on_exception failed" in caplog.text


def test_results_that_swf_would_refuse_are_failures() -> None:
    """A result that is too large or not JSON fails the task before the call."""
    large = kitchen(FakeSwf(), lambda context, activity: {"big": "x" * 40_000})
    strange = kitchen(FakeSwf(), lambda context, activity: {"odd": object()})
    outcomes = [each.attempt(in_progress(FakeSwf())) for each in (large, strange)]
    assert all(isinstance(each, AttemptFailed) for each in outcomes)
    assert ["'big'" in str(outcomes[0]), "'odd'" in str(outcomes[1])] == [True, True]
    reasons = [each.reason for each in outcomes if isinstance(each, AttemptFailed)]
    assert [each.startswith("NotSendable: The result") for each in reasons] == [True, True]


def test_a_result_that_is_not_a_dictionary_is_a_failure() -> None:
    """The reason names activity and value, for a user's own runner as well."""

    class Own(runner.BaseRunner):
        def execute(self, activity: Any, context: Any) -> Any:
            return ["soup"]

    outcome = make("cook", run=Own()).attempt(in_progress(FakeSwf()))
    assert isinstance(outcome, AttemptFailed)
    assert "activity flow_cook returned ['soup']" in outcome.reason


def test_broken_input_is_a_failure() -> None:
    """The reason names the input that is not a JSON object."""
    execution = ActivityExecution(FakeSwf(), "flow_cook-1", "token", "[1]")
    outcome = kitchen(FakeSwf()).attempt(execution)
    assert isinstance(outcome, AttemptFailed)
    assert "must be a JSON object" in outcome.reason


def test_a_gone_task_is_not_an_error_of_the_user() -> None:
    """No answer is sent, and ``on_exception`` is not called."""
    errors, swf = MagicMock(), FakeSwf()
    swf.prepare("record_activity_task_heartbeat", refusal(GONE))
    made = kitchen(swf, lambda context, activity: activity.heartbeat(), on_exception=errors)
    execution = in_progress(swf)
    outcome = made.attempt(execution)
    assert isinstance(outcome, AttemptGone)
    assert made.respond(execution, outcome) is False
    assert swf.requests(FAILED) == []
    errors.assert_not_called()


def test_a_task_may_agree_to_be_cancelled() -> None:
    """TaskCanceled is answered with RespondActivityTaskCanceled."""
    swf = FakeSwf()
    made = kitchen(swf, MagicMock(side_effect=activity.TaskCanceled("stopped")))
    execution = in_progress(swf)
    assert made.attempt(execution) == AttemptCanceled("stopped")
    made.respond(execution, AttemptCanceled("stopped"))
    assert swf.names == ["respond_activity_task_canceled"]


@pytest.mark.parametrize(
    "error",
    [
        refusal(THROTTLED),
        refusal("InternalFailure", status=500),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_finished_work_is_sent_until_it_is_accepted(error: Exception) -> None:
    """A throttling or unreachable SWF never turns finished work into a failure."""
    swf = FakeSwf().prepare(COMPLETED, *[error] * 4)
    made = kitchen(swf)
    assert made.respond(in_progress(swf), completed(a=1))
    assert swf.names == [COMPLETED] * 5
    assert all(
        later > earlier / 2 for earlier, later in zip(slept(made), slept(made)[1:], strict=False)
    )


def test_retries_of_a_list_s_answers_take_one_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However many workers repeat theirs; no answer is given up for it."""
    swf, shared = FakeSwf(), SharedThrottling()
    for _ in range(3):
        made = kitchen(swf.prepare(COMPLETED, refusal("InternalFailure", status=500)))
        made.heartbeat_thread = partial(HeartbeatThread, EventAlarm(), shared)
        assert made.respond(in_progress(swf), completed(a=1))
    assert sum("Next attempt in" in each.getMessage() for each in caplog.records) == 1


@pytest.mark.parametrize(("time_left", "seconds"), [(300, 300), (20, 60), (-1000, 60)])
def test_answering_ends_with_the_task_s_own_time(time_left: float, seconds: float) -> None:
    """A later answer finds the task timed out; the time is an estimate, so it lasts a minute at
    least.
    """
    errors, swf = MagicMock(), FakeSwf()
    swf.prepare(COMPLETED, *[refusal(THROTTLED)] * 100)
    made = kitchen(swf, on_exception=errors)
    received = time.monotonic() + time_left - 100
    assert made.respond(in_progress(swf, received=received), completed()) is False
    assert seconds - 31 < sum(slept(made)) <= seconds
    errors.assert_called_once()
    assert swf.requests(FAILED) == []


def test_a_throttled_answer_is_logged_under_its_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All lines of it, and afterwards ``logging`` keeps no logger of the execution."""
    swf = FakeSwf().prepare(COMPLETED, *[refusal(THROTTLED)] * 7)
    made = kitchen(swf)
    with caplog.at_level("INFO"):
        assert made.respond(in_progress(swf), completed())
    assert len(caplog.records) >= 5
    assert {record.name for record in caplog.records} == {"garcon.domain.workflow.run"}
    assert "garcon.domain.workflow.run" not in logging.root.manager.loggerDict


def test_a_log_name_that_a_task_sets_ends_with_it() -> None:
    """``logging`` keeps no logger of it, and the thread no name."""

    def rename(context: Any, activity: Any) -> None:
        activity.set_log_context({"execution.domain": "own", "execution.run_id": "mine"})
        activity.logger.info("renamed")

    made = kitchen(FakeSwf(), rename)
    execution = in_progress(FakeSwf())
    assert made.attempt(execution) == completed()
    assert "garcon.own.mine" not in logging.root.manager.loggerDict
    assert execution.logger.name == "garcon"


def test_an_answer_to_a_gone_task_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged under its execution, not retried, and not reported to ``on_exception``."""
    errors, swf = MagicMock(), FakeSwf().prepare(COMPLETED, refusal(GONE))
    made = kitchen(swf, on_exception=errors)
    assert made.respond(in_progress(swf), completed()) is False
    assert "no longer has the task flow_cook-1" in caplog.text
    assert caplog.records[0].name == "garcon.domain.workflow.run"
    assert made.logger.name == "garcon"
    errors.assert_not_called()


@pytest.mark.parametrize("code", ["ExpiredTokenException", "OperationNotPermittedFault"])
def test_a_result_outlives_refused_credentials(code: str) -> None:
    """Credentials can be repaired while the task's time lasts, and the work is done."""
    swf = FakeSwf().prepare(COMPLETED, refusal(code), refusal(code))
    made = kitchen(swf)
    assert made.respond(in_progress(swf), completed())
    assert swf.names == [COMPLETED] * 3
    assert len(slept(made)) == 2


def test_a_malformed_answer_is_not_retried() -> None:
    """No repair makes it acceptable; it is never turned into a failure either."""
    swf = FakeSwf().prepare(COMPLETED, refusal("ValidationException"))
    assert not kitchen(swf).respond(in_progress(swf), completed())
    assert swf.names == [COMPLETED]


def test_failures_are_answered_with_reason_and_details() -> None:
    """RespondActivityTaskFailed has both."""
    swf = FakeSwf()
    kitchen(swf).respond(in_progress(swf), AttemptFailed("burnt", "where"))
    assert swf.requests(FAILED) == [{"taskToken": "token", "reason": "burnt", "details": "where"}]


def test_execute_activity_takes_an_execution_or_a_context() -> None:
    """The released form and the documented one are accepted."""
    made = kitchen(FakeSwf())
    assert made.execute_activity({"dish": "pie"})["meal"] == "hot pie"
    assert made.execute_activity(in_progress(FakeSwf()))["meal"] == "hot soup"


def test_an_activity_without_a_runner_fails_with_its_name() -> None:
    """A forgotten ``run=`` is named in the history."""
    outcome = activity.create(None, "domain", "flow")(name="idle").attempt(in_progress(FakeSwf()))
    assert isinstance(outcome, AttemptFailed)
    assert "flow_idle has no run=" in outcome.reason


def test_a_user_s_mock_client_works_without_waits(no_waiting: list[float]) -> None:
    """With a mock client, as in users' tests, nothing waits and nothing reaches a network."""
    client = MagicMock()
    client.poll_for_activity_task.return_value = TASK
    assert make("cook", client, run=runner.Sync(cook.fill(dish="dish"))).run("me") is True
    client.respond_activity_task_completed.assert_called_once()
    assert no_waiting == []
