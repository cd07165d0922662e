"""Behaviour that is only known from recorded traffic of the service: one test a fact, in boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon.local import LocalSWF
from tests.garcon.local.conformance.account import Account, complete, decision, schedule

if TYPE_CHECKING:
    from tests.garcon.local.conformance.account import TimedAccount


def test_the_next_decision_task_is_scheduled_at_once(account: Account) -> None:
    """Its event comes before the completion of the present task, and its start after it."""
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


def test_a_start_has_an_identity_only_if_the_poll_had_one(timed: TimedAccount) -> None:
    """The events of a start repeat the poller's identity, and have none for a poll without one."""
    timed.start()
    timed.decide(schedule())
    timed.activity_task()
    assert timed.last("DecisionTaskStarted") == {"scheduledEventId": 2}
    assert timed.last("ActivityTaskStarted") == {"scheduledEventId": 5}
    timed.signal("go")
    timed.decision_task(identity="me")
    assert timed.last("DecisionTaskStarted")["identity"] == "me"


def test_a_closed_execution_keeps_its_open_counts(timed: TimedAccount) -> None:
    """An activity that was open at the close is counted for ever, and no decision task is."""
    timed.start()
    timed.decide(schedule())
    timed.activity_task()
    timed.in_domain("request_cancel_workflow_execution", workflowId="w")
    timed.decide(decision("CancelWorkflowExecution"))
    assert timed.describe()["openCounts"] == {
        "openActivityTasks": 1,
        "openDecisionTasks": 0,
        "openTimers": 0,
        "openChildWorkflowExecutions": 0,
        "openLambdaFunctions": 0,
    }


@pytest.mark.parametrize("closing", [decision("CancelWorkflowExecution"), complete()])
def test_a_closed_execution_has_no_cancel_request(
    timed: TimedAccount, closing: dict[str, Any]
) -> None:
    """The description of an open execution has the request, that of a closed one has not."""
    timed.start()
    timed.in_domain("request_cancel_workflow_execution", workflowId="w")
    assert timed.describe()["executionInfo"]["cancelRequested"] is True
    timed.decide(closing)
    assert timed.describe()["executionInfo"]["cancelRequested"] is False


def test_an_empty_poll_has_no_task_token(timed: TimedAccount) -> None:
    """Documented is an empty text; the service leaves the member out."""
    polls = (timed.poll_activity(), timed.poll_decision())
    members = [set(poll) - {"ResponseMetadata"} for poll in polls]
    assert members == [{"startedEventId"}, {"startedEventId", "previousStartedEventId"}]


def test_an_arn_has_the_region_of_the_client() -> None:
    """The region of the request's signature; the domain is found by its ARN in any region."""
    with LocalSWF() as swf:
        account = Account(swf.client(region_name="eu-west-1"), "dom")
        account.register()
        arn = account.call("describe_domain", name="dom")["domainInfo"]["arn"]
        assert arn == "arn:aws:swf:eu-west-1:000000000000:/domain/dom"
        other = Account(swf.client(region_name="cn-north-1"), "dom")
        (info,) = other.call("list_domains", registrationStatus="REGISTERED")["domainInfos"]
        assert info["arn"] == "arn:aws-cn:swf:cn-north-1:000000000000:/domain/dom"
        other.call("tag_resource", resourceArn=arn, tags=[{"key": "team", "value": "bar"}])
        assert other.call("list_tags_for_resource", resourceArn=info["arn"])["tags"]


def test_a_request_to_cancel_from_outside_refers_to_no_sender(timed: TimedAccount) -> None:
    """The event has externalInitiatedEventId 0, as for a signal from outside."""
    timed.start()
    timed.in_domain("request_cancel_workflow_execution", workflowId="w")
    assert timed.last("WorkflowExecutionCancelRequested") == {"externalInitiatedEventId": 0}


def test_empty_members_are_left_out(timed: TimedAccount) -> None:
    """Tags, input, details, execution context and the time of the latest activity task."""
    timed.start(input="", tagList=[])
    started = timed.last("WorkflowExecutionStarted")
    assert not {"input", "tagList"} & set(started)
    answer = timed.describe()
    assert not {"latestExecutionContext", "latestActivityTaskTimestamp"} & set(answer)
    assert "tagList" not in answer["executionInfo"]
    timed.decide(schedule(input="", control=""), executionContext="")
    assert timed.last("DecisionTaskCompleted") == {"scheduledEventId": 2, "startedEventId": 3}
    assert not {"input", "control"} & set(timed.last("ActivityTaskScheduled"))
    token = timed.activity_task()["taskToken"]
    timed.call("respond_activity_task_failed", taskToken=token, reason="", details="")
    assert timed.last("ActivityTaskFailed") == {"scheduledEventId": 5, "startedEventId": 6}


def test_a_decision_task_has_its_schedule_to_start_timeout(timed: TimedAccount) -> None:
    """The event has NONE for no timeout."""
    timed.start()
    event = timed.last("DecisionTaskScheduled")
    assert (event["startToCloseTimeout"], event["scheduleToStartTimeout"]) == ("10", "NONE")


def test_timestamps_have_milliseconds(timed: TimedAccount) -> None:
    """Timestamps are rounded to milliseconds."""
    timed.after(0.123456)
    timed.start()
    assert timed.history()[0]["eventTimestamp"].microsecond == 123_000


def test_events_of_children_and_timers_refer_to_their_beginnings(timed: TimedAccount) -> None:
    """A child's end names its initiated and started events, a timer's its started event."""
    timed.start()
    kids = {"taskList": {"name": "kids"}}
    kind = {"name": "order", "version": "1.0"}
    timed.decide(
        decision("StartChildWorkflowExecution", workflowId="c", workflowType=kind, **kids),
        decision("StartTimer", timerId="t", startToFireTimeout="5"),
    )
    timed.respond(timed.decision_task(**kids), complete())
    timed.after(5)
    event = timed.last("ChildWorkflowExecutionCompleted")
    assert (event["initiatedEventId"], event["startedEventId"]) == (5, 7)
    assert event["workflowExecution"]["workflowId"] == "c"
    assert event["workflowType"] == kind
    assert timed.last("TimerFired") == {"timerId": "t", "startedEventId": 6}


def test_a_call_without_a_result_has_an_empty_answer(timed: TimedAccount) -> None:
    """A signal, for instance, is answered with 200 and an empty body."""
    bodies: list[bytes] = []
    timed.client.meta.events.register(
        "before-parse.swf.SignalWorkflowExecution",
        lambda response_dict, **_: bodies.append(response_dict["body"]),
    )
    timed.start()
    timed.signal("go")
    assert bodies == [b""]
