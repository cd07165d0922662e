"""What is seen in recorded traffic of the service and told nowhere: one test a sight, in boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.garcon.local.conformance import complete, decision, schedule

if TYPE_CHECKING:
    from tests.garcon.local.conformance import Account, Timed


def test_a_task_that_is_needed_meanwhile_is_scheduled_at_once(account: Account) -> None:
    """It stands before the completion of the present one, and is started after it."""
    account.start()
    account.decide(schedule())
    account.signal("go")
    task = account.decision_task()
    account.complete_activity()
    account.respond(task)
    account.decision_task()
    assert account.kinds()[-6:] == [
        "DecisionTaskStarted",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "DecisionTaskScheduled",
        "DecisionTaskCompleted",
        "DecisionTaskStarted",
    ]


def test_an_identity_is_there_though_nobody_gave_one(timed: Timed) -> None:
    """The events of a start say who it was, or that nobody said."""
    timed.start()
    timed.decide(schedule())
    timed.activity_task()
    assert timed.last("DecisionTaskStarted") == {"identity": "", "scheduledEventId": 2}
    assert timed.last("ActivityTaskStarted") == {"identity": "", "scheduledEventId": 5}


def test_a_request_to_cancel_from_outside_refers_to_no_sender(timed: Timed) -> None:
    """As a signal from outside."""
    timed.start()
    timed.in_domain("request_cancel_workflow_execution", workflowId="w")
    assert timed.last("WorkflowExecutionCancelRequested") == {"externalInitiatedEventId": 0}


def test_what_is_empty_is_left_out(timed: Timed) -> None:
    """Tags, input, details, execution context and the time of the latest activity task."""
    timed.start(input="", tagList=[])
    started = timed.last("WorkflowExecutionStarted")
    assert not {"input", "tagList"} & set(started)
    told = timed.describe()
    assert not {"latestExecutionContext", "latestActivityTaskTimestamp"} & set(told)
    assert "tagList" not in told["executionInfo"]
    timed.decide(schedule(input="", control=""), executionContext="")
    assert timed.last("DecisionTaskCompleted") == {"scheduledEventId": 2, "startedEventId": 3}
    assert not {"input", "control"} & set(timed.last("ActivityTaskScheduled"))
    token = timed.activity_task()["taskToken"]
    timed.call("respond_activity_task_failed", taskToken=token, reason="", details="")
    assert timed.last("ActivityTaskFailed") == {"scheduledEventId": 5, "startedEventId": 6}


def test_a_decision_task_tells_how_long_it_waits_for_its_start(timed: Timed) -> None:
    """Forever, which it says."""
    timed.start()
    told = timed.last("DecisionTaskScheduled")
    assert (told["startToCloseTimeout"], told["scheduleToStartTimeout"]) == ("10", "NONE")


def test_timestamps_have_milliseconds(timed: Timed) -> None:
    """Not more, and not less."""
    timed.after(0.123456)
    timed.start()
    assert timed.history()[0]["eventTimestamp"].microsecond == 123_000


def test_events_of_children_and_timers_refer_to_their_beginnings(timed: Timed) -> None:
    """A child's end names where it was announced and started, a timer's where it was started."""
    timed.start()
    kids = {"taskList": {"name": "kids"}}
    kind = {"name": "order", "version": "1.0"}
    timed.decide(
        decision("StartChildWorkflowExecution", workflowId="c", workflowType=kind, **kids),
        decision("StartTimer", timerId="t", startToFireTimeout="5"),
    )
    timed.respond(timed.decision_task(**kids), complete())
    timed.after(5)
    told = timed.last("ChildWorkflowExecutionCompleted")
    assert (told["initiatedEventId"], told["startedEventId"]) == (5, 7)
    assert told["workflowExecution"]["workflowId"] == "c"
    assert told["workflowType"] == kind
    assert timed.last("TimerFired") == {"timerId": "t", "startedEventId": 6}


def test_a_call_without_a_result_is_answered_with_nothing(timed: Timed) -> None:
    """A signal, for instance: 200 and an empty body."""
    bodies: list[bytes] = []
    timed.client.meta.events.register(
        "before-parse.swf.SignalWorkflowExecution",
        lambda response_dict, **_: bodies.append(response_dict["body"]),
    )
    timed.start()
    timed.signal("go")
    assert bodies == [b""]
