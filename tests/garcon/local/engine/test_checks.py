"""The documented rules for requests that are not in the model's shapes."""

import pytest

from garcon.local.engine import Fault
from garcon.local.engine.checks import check_request
from tests.garcon.local.engine.account import (
    DOMAIN,
    WORKFLOW,
    Account,
    Body,
    child,
    decision,
    schedule,
)

START_W = {"domain": DOMAIN, "workflowId": "w", "workflowType": WORKFLOW}
REGISTER = {"domain": DOMAIN, "name": "n", "version": "v"}


def refusal(operation: str, params: Body) -> str:
    """The message with which a request is refused."""
    with pytest.raises(Fault) as caught:
        check_request(operation, params)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def accepted(operation: str, params: Body) -> bool:
    """True if the request passes all checks."""
    try:
        check_request(operation, params)
    except Fault:
        return False
    return True


@pytest.mark.parametrize(
    "name", ["a:b", "a/b", "a|b", "a\x00", "a\x1f", "a\x7f", "a\x9f", " a", "a ", "arn"]
)
def test_names_have_rules(name: str) -> None:
    """Colons, slashes, bars, control characters, outer whitespace and "arn" are refused."""
    assert "'workflowId'" in refusal("StartWorkflowExecution", START_W | {"workflowId": name})
    assert "'taskList.name'" in refusal(
        "PollForActivityTask", {"domain": DOMAIN, "taskList": {"name": name}}
    )
    assert "'version'" in refusal("RegisterActivityType", REGISTER | {"version": name})
    assert "'name'" in refusal(
        "RegisterDomain", {"name": name, "workflowExecutionRetentionPeriodInDays": "1"}
    )


@pytest.mark.parametrize(
    "made",
    [
        schedule("a:b"),
        schedule(taskList={"name": "a:b"}),
        decision("StartTimer", timerId="a:b", startToFireTimeout="1"),
        child("a:b"),
        decision("ContinueAsNewWorkflowExecution", taskList={"name": "a:b"}),
    ],
    ids=lambda each: each["decisionType"],
)
def test_names_in_decisions_have_the_same_rules(made: Body) -> None:
    """The message names the decision by its number, counted from 1."""
    params = {"taskToken": "t", "decisions": [decision("RecordMarker", markerName="m"), made]}
    assert "'decisions.2.member." in refusal("RespondDecisionTaskCompleted", params)


def test_names_may_hold_anything_else() -> None:
    """Dots, inner spaces and letters of any script are allowed."""
    for name in ("a.b", "a b", "ärn", "名前", "arn1"):
        assert accepted("StartWorkflowExecution", START_W | {"workflowId": name}), name


@pytest.mark.parametrize("duration", ["-1", "1.5", "x", "none", " 1", "\uff11"])
def test_durations_are_digits_or_none(duration: str) -> None:
    """Signs, decimals, spaces and digits of other scripts are refused."""
    message = refusal("StartWorkflowExecution", START_W | {"taskStartToCloseTimeout": duration})
    assert "seconds or NONE" in message


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("StartWorkflowExecution", START_W | {"executionStartToCloseTimeout": "NONE"}),
        ("RegisterWorkflowType", REGISTER | {"defaultExecutionStartToCloseTimeout": "NONE"}),
        (
            "RespondDecisionTaskCompleted",
            {"decisions": [decision("StartTimer", timerId="t", startToFireTimeout="NONE")]},
        ),
    ],
)
def test_some_durations_cannot_be_none(operation: str, params: Body) -> None:
    """An execution and a timer must end."""
    assert "must be seconds" in refusal(operation, params)


def test_durations_may_be_none_or_absent_elsewhere() -> None:
    """An empty string is the same as nothing."""
    for value in ("NONE", "", "0", "99999999"):
        started = START_W | {"taskStartToCloseTimeout": value}
        assert accepted("StartWorkflowExecution", started), value
        made = child(executionStartToCloseTimeout=value)
        assert accepted("RespondDecisionTaskCompleted", {"decisions": [made]}), value


@pytest.mark.parametrize("seconds", ["0", "901", "NONE"])
def test_a_lambda_function_has_1_to_900_seconds(seconds: str) -> None:
    """The bounds are in the text of the model."""
    made = decision("ScheduleLambdaFunction", id="f", name="n", startToCloseTimeout=seconds)
    message = refusal("RespondDecisionTaskCompleted", {"decisions": [made]})
    assert "startToCloseTimeout" in message


@pytest.mark.parametrize("priority", ["2147483648", "-2147483649", "x", "1.5", "1_0", " 1"])
def test_a_priority_is_a_32_bit_integer(priority: str) -> None:
    """The rule holds in starts, registrations and decisions."""
    made = schedule(taskPriority=priority)
    for operation, params in (
        ("StartWorkflowExecution", START_W | {"taskPriority": priority}),
        ("RegisterActivityType", REGISTER | {"defaultTaskPriority": priority}),
        ("RespondDecisionTaskCompleted", {"decisions": [made]}),
    ):
        assert "askPriority" in refusal(operation, params), operation


@pytest.mark.parametrize("days", ["91", "-1", "x", ""])
def test_retention_is_90_days_at_most(days: str) -> None:
    """NONE is allowed and means 0."""
    refusal("RegisterDomain", {"name": "d", "workflowExecutionRetentionPeriodInDays": days})
    for allowed in ("0", "90", "NONE"):
        kept = {"name": "d", "workflowExecutionRetentionPeriodInDays": allowed}
        assert accepted("RegisterDomain", kept), allowed


def test_tags_have_an_alphabet() -> None:
    """The rule holds for executions and domains; the message names the tag."""
    check_request("StartWorkflowExecution", START_W | {"tagList": ["a b_.:/=+-@ü1"]})
    message = refusal("StartWorkflowExecution", START_W | {"tagList": ["ok", "a{b}"]})
    assert "'tagList.2.member'" in message
    tags = [{"key": "k", "value": "a{b}"}]
    message = refusal("TagResource", {"resourceArn": "x", "tags": tags})
    assert "'tags.1.member.value'" in message


def test_missing_attributes_of_a_decision_are_null() -> None:
    """The message has null, as the service writes it."""
    params = {"taskToken": "t", "decisions": [{"decisionType": "StartTimer"}]}
    assert refusal("RespondDecisionTaskCompleted", params) == (
        "1 validation error detected: Value null at 'decisions.1.member."
        "startTimerDecisionAttributes' failed to satisfy constraint: Member must not be null"
    )


def test_a_refused_request_changes_nothing() -> None:
    """Only the counters change."""
    account = Account()
    with pytest.raises(Fault):
        account.start("a:b")
    assert list(account.engine.executions()) == []
    counters = account.engine.counters
    assert counters.calls["StartWorkflowExecution"] == 1
    assert counters.faults == {"ValidationException": 1}
