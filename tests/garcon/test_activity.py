"""The activity's steps: poll, attempt, respond."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon import activity, runner, task
from garcon.activity import ActivityExecution, Canceled, Completed, Failed, Gone
from tests.garcon.fakes import GONE, THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import make

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
    """Cook something, under the execution's logger."""
    return {"meal": f"hot {dish}", "logger": activity.logger.name}


def kitchen(swf: Any, *tasks: Any, **options: Any) -> activity.Activity:
    """An activity whose clock passes only when it rests."""
    made = make("cook", swf, run=runner.Sync(*(tasks or (cook.fill(dish="dish"),))), **options)
    made.clock = made.patience.clock = FakeClock().clock
    return made


def slept(made: activity.Activity) -> list[float]:
    """How the activity rested."""
    fake: Any = made.clock.now.__self__  # type: ignore[attr-defined]
    rests: list[float] = fake.slept
    return rests


def in_hand(swf: Any, **more: Any) -> ActivityExecution:
    """A task received just now."""
    more.setdefault("start_to_close", 100)
    more.setdefault("clock", FakeClock().clock)
    text = '{"dish": "soup"}'
    return ActivityExecution(
        swf, "flow_cook-1", "token", text, workflow_id="workflow", run_id="run", **more
    )


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that would have been slept for real."""
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    return rests


def test_a_poll_asks_for_the_activity_s_list() -> None:
    """PollForActivityTask with domain, list and who polls."""
    swf = FakeSwf()
    assert kitchen(swf).poll_for_activity("me") is None
    assert swf.calls == [
        (POLL, {"domain": "domain", "taskList": {"name": "flow_cook"}, "identity": "me"})
    ]


def test_a_poll_without_identity_says_who_anyway() -> None:
    """SWF's history shows the process that took a task."""
    swf = FakeSwf()
    kitchen(swf).poll_for_activity()
    assert swf.requests(POLL)[0]["identity"].count(":") >= 2


def test_a_task_carries_what_swf_told() -> None:
    """The execution in hand knows where it belongs and how long it may last."""
    execution = kitchen(FakeSwf().prepare(POLL, TASK)).poll_for_activity()
    assert execution is not None
    assert (execution.activity_id, execution.activity_name) == ("flow_cook-1", "flow_cook")
    assert (execution.workflow_id, execution.run_id) == ("workflow", "run")
    assert (execution.started_event_id, execution.start_to_close) == (7, 30)


def test_a_task_with_broken_input_is_received() -> None:
    """It was taken, so it must be answered; its time is unknown."""
    execution = kitchen(FakeSwf().prepare(POLL, {**TASK, "input": "{"})).poll_for_activity()
    assert execution is not None
    assert execution.start_to_close is None


def test_throttled_polls_are_tried_five_times() -> None:
    """The documented back-off; then the throttle is the caller's."""
    swf = FakeSwf().prepare(POLL, *[refusal(THROTTLED)] * 5)
    made = kitchen(swf)
    with pytest.raises(ClientError):
        made.poll_for_activity()
    assert (len(swf.calls), len(slept(made))) == (5, 4)


def test_a_poll_goes_on_after_throttles() -> None:
    """A throttle that passes is not seen."""
    swf = FakeSwf().prepare(POLL, *[refusal(THROTTLED)] * 4, TASK)
    assert kitchen(swf).poll_for_activity()


def test_other_errors_of_a_poll_are_not_tried_again() -> None:
    """Only a throttle is backed off from."""
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
    """The loop goes on; nothing was reported."""
    errors = MagicMock()
    assert kitchen(FakeSwf(), on_exception=errors).run() is True
    errors.assert_not_called()


def test_a_failing_poll_is_reported_and_rested_on(caplog: pytest.LogCaptureFixture) -> None:
    """on_exception hears it, the log has the traceback, and the loop does not spin."""
    errors = MagicMock()
    trouble = EndpointConnectionError(endpoint_url="http://x")
    made = kitchen(FakeSwf().prepare(POLL, trouble, trouble, {}, trouble), on_exception=errors)
    assert [made.run() for _ in range(4)] == [True] * 4
    errors.assert_called_with(made, trouble)
    assert all(record.exc_info for record in caplog.records)
    first, second, third = slept(made)
    assert 0.5 <= first <= 1 <= second <= 2
    assert 0.5 <= third <= 1  # a poll that succeeded ended the row


def test_attempt_gives_the_result_and_leaves_no_log_context() -> None:
    """Tasks log under their execution, and only they do."""
    made = kitchen(FakeSwf())
    outcome = made.attempt(in_hand(FakeSwf()))
    assert outcome == Completed({"meal": "hot soup", "logger": "garcon.domain.workflow.run"})
    assert made.logger.name == "garcon"


def test_what_a_task_raises_is_a_failure_with_its_traceback() -> None:
    """Reason for the history, traceback in the details, error to on_exception."""
    errors = MagicMock()

    def burn(context: Any, activity: Any) -> None:
        raise ValueError("burnt " + "x" * 300)

    made = kitchen(FakeSwf(), burn, on_exception=errors)
    outcome = made.attempt(in_hand(FakeSwf()))
    assert isinstance(outcome, Failed)
    assert outcome.reason == ("burnt " + "x" * 300)[:255]
    assert "in burn" in str(outcome.details)
    errors.assert_called_once()
    assert made.logger.name == "garcon"


def test_a_broken_handler_does_not_stop_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """on_exception is the user's code: what it raises is logged."""
    made = kitchen(
        FakeSwf(),
        MagicMock(side_effect=ValueError("burnt")),
        on_exception=MagicMock(side_effect=KeyError("handler")),
    )
    assert isinstance(made.attempt(in_hand(FakeSwf())), Failed)
    assert "on_exception failed" in caplog.text


def test_results_that_swf_would_refuse_are_failures() -> None:
    """Too large, or no JSON: said in a sentence before the call."""
    large = kitchen(FakeSwf(), lambda context, activity: {"big": "x" * 40_000})
    strange = kitchen(FakeSwf(), lambda context, activity: {"odd": object()})
    outcomes = [each.attempt(in_hand(FakeSwf())) for each in (large, strange)]
    assert all(isinstance(each, Failed) for each in outcomes)
    assert ["'big'" in str(outcomes[0]), "'odd'" in str(outcomes[1])] == [True, True]


def test_a_result_that_is_no_dictionary_is_a_failure_that_names_activity_and_value() -> None:
    """Runners of one's own are held to it as ours are."""

    class Own(runner.BaseRunner):
        def execute(self, activity: Any, context: Any) -> Any:
            return ["soup"]

    outcome = make("cook", run=Own()).attempt(in_hand(FakeSwf()))
    assert isinstance(outcome, Failed)
    assert "activity flow_cook returned ['soup']" in outcome.reason


def test_broken_input_is_a_failure() -> None:
    """The workflow learns that the input is not an object."""
    execution = ActivityExecution(FakeSwf(), "flow_cook-1", "token", "[1]")
    outcome = kitchen(FakeSwf()).attempt(execution)
    assert isinstance(outcome, Failed)
    assert "must be a JSON object" in outcome.reason


def test_a_gone_task_is_not_an_error_of_the_user() -> None:
    """Nobody is answered, and on_exception is not called."""
    errors, swf = MagicMock(), FakeSwf()
    swf.prepare("record_activity_task_heartbeat", refusal(GONE))
    made = kitchen(swf, lambda context, activity: activity.heartbeat(), on_exception=errors)
    execution = in_hand(swf)
    outcome = made.attempt(execution)
    assert isinstance(outcome, Gone)
    assert made.respond(execution, outcome) is False
    assert swf.requests(FAILED) == []
    errors.assert_not_called()


def test_a_task_may_agree_to_be_cancelled() -> None:
    """TaskCanceled is answered with RespondActivityTaskCanceled."""
    swf = FakeSwf()
    made = kitchen(swf, MagicMock(side_effect=activity.TaskCanceled("stopped")))
    execution = in_hand(swf)
    assert made.attempt(execution) == Canceled("stopped")
    made.respond(execution, Canceled("stopped"))
    assert swf.names == ["respond_activity_task_canceled"]


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(THROTTLED),
        refusal("InternalFailure", status=500),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_done_work_is_sent_until_it_is_accepted(trouble: Exception) -> None:
    """A throttled or unreachable SWF never turns done work into a failure."""
    swf = FakeSwf().prepare(COMPLETED, *[trouble] * 4)
    made = kitchen(swf)
    assert made.respond(in_hand(swf), Completed({"a": 1}))
    assert swf.names == [COMPLETED] * 5
    assert all(
        later > earlier / 2 for earlier, later in zip(slept(made), slept(made)[1:], strict=False)
    )


@pytest.mark.parametrize(("time_left", "insisted"), [(300, 300), (20, 60), (-1000, 60)])
def test_insisting_ends_with_the_task_s_own_time(time_left: float, insisted: float) -> None:
    """Later answers find the task timed out; as its time is an estimate, a minute is insisted."""
    errors, swf = MagicMock(), FakeSwf()
    swf.prepare(COMPLETED, *[refusal(THROTTLED)] * 100)
    made = kitchen(swf, on_exception=errors)
    received = time.monotonic() + time_left - 100
    assert made.respond(in_hand(swf, received=received), Completed({})) is False
    assert insisted - 31 < sum(slept(made)) <= insisted
    errors.assert_called_once()
    assert swf.requests(FAILED) == []


def test_an_answer_for_a_gone_task_is_done(caplog: pytest.LogCaptureFixture) -> None:
    """SWF has given the task up: logged under its execution, not tried again, not an error."""
    errors, swf = MagicMock(), FakeSwf().prepare(COMPLETED, refusal(GONE))
    made = kitchen(swf, on_exception=errors)
    assert made.respond(in_hand(swf), Completed({})) is False
    assert "no longer has the task flow_cook-1" in caplog.text
    assert caplog.records[0].name == "garcon.domain.workflow.run"
    assert made.logger.name == "garcon"
    errors.assert_not_called()


@pytest.mark.parametrize("code", ["ExpiredTokenException", "OperationNotPermittedFault"])
def test_a_result_outlives_refused_credentials(code: str) -> None:
    """What somebody can repair while the task's time lasts is insisted on: the work is done."""
    swf = FakeSwf().prepare(COMPLETED, refusal(code), refusal(code))
    made = kitchen(swf)
    assert made.respond(in_hand(swf), Completed({}))
    assert swf.names == [COMPLETED] * 3
    assert len(slept(made)) == 2


def test_an_answer_that_swf_calls_wrong_is_not_insisted_on() -> None:
    """No repair makes it acceptable; it is never turned into a failure either."""
    swf = FakeSwf().prepare(COMPLETED, refusal("ValidationException"))
    assert not kitchen(swf).respond(in_hand(swf), Completed({}))
    assert swf.names == [COMPLETED]


def test_failures_are_answered_with_reason_and_details() -> None:
    """RespondActivityTaskFailed carries both."""
    swf = FakeSwf()
    kitchen(swf).respond(in_hand(swf), Failed("burnt", "where"))
    assert swf.requests(FAILED) == [{"taskToken": "token", "reason": "burnt", "details": "where"}]


def test_execute_activity_takes_an_execution_or_a_context() -> None:
    """The released form and the documented one."""
    made = kitchen(FakeSwf())
    assert made.execute_activity({"dish": "pie"})["meal"] == "hot pie"
    assert made.execute_activity(in_hand(FakeSwf()))["meal"] == "hot soup"


def test_an_activity_without_a_runner_fails_with_its_name() -> None:
    """A forgotten run= is a sentence in the history."""
    outcome = activity.create(None, "domain", "flow")(name="idle").attempt(in_hand(FakeSwf()))
    assert isinstance(outcome, Failed)
    assert "flow_idle has no run=" in outcome.reason


def test_sleeping_callers_are_not_needed(no_waiting: list[float]) -> None:
    """A mock client as users' tests have it works: nothing waits, nothing reaches a network."""
    client = MagicMock()
    client.poll_for_activity_task.return_value = TASK
    assert make("cook", client, run=runner.Sync(cook.fill(dish="dish"))).run("me") is True
    client.respond_activity_task_completed.assert_called_once()
    assert no_waiting == []
