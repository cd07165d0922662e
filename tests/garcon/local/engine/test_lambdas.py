"""Lambda functions, which the shell runs on the engine's behalf."""

from typing import Any

import pytest

from garcon.local.engine import Invocation
from tests.garcon.local.engine.account import COMPLETE, Account, Body, decision

ROLE = "arn:aws:iam::000000000000:role/any"


def function(function_id: str = "f", **attributes: Any) -> Body:
    return decision("ScheduleLambdaFunction", id=function_id, name="fn", **attributes)


def running(**attributes: Any) -> tuple[Account, str, Invocation]:
    """An execution with a function that runs: account, run id, what to invoke."""
    account = Account(lambda_available=True)
    run = account.start(lambdaRole=ROLE)
    account.decide(function(**attributes))
    (invocation,) = account.engine.take_invocations()
    return account, run, invocation


def test_a_function_is_scheduled_started_and_invoked() -> None:
    """The default timeout is 900 seconds; a function is invoked once."""
    account, run, invocation = running(input="in", control="c")
    assert account.types(run)[-2:] == ["LambdaFunctionScheduled", "LambdaFunctionStarted"]
    assert account.last(run, "LambdaFunctionScheduled") == {
        "id": "f",
        "name": "fn",
        "input": "in",
        "control": "c",
        "startToCloseTimeout": "900",
        "decisionTaskCompletedEventId": 4,
    }
    assert (invocation.name, invocation.input, invocation.timeout) == ("fn", "in", 900)
    assert account.engine.take_invocations() == []
    assert account.engine.started_tasks == 1


def test_a_function_completes() -> None:
    """Its result is recorded, a decision task follows, its id is free."""
    account, run, invocation = running()
    assert account.engine.finish_lambda(invocation.invocation_id, account.now, result="r")
    assert account.types(run)[-2:] == ["LambdaFunctionCompleted", "DecisionTaskScheduled"]
    assert account.last(run, "LambdaFunctionCompleted") == {
        "result": "r",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }
    account.decide(function())
    assert account.types(run)[-1] == "LambdaFunctionStarted"


def test_a_function_fails() -> None:
    """Reason and details are recorded."""
    account, run, invocation = running()
    account.engine.finish_lambda(
        invocation.invocation_id, account.now, reason="ValueError", details="trace"
    )
    assert account.last(run, "LambdaFunctionFailed") == {
        "reason": "ValueError",
        "details": "trace",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }


def test_a_function_times_out() -> None:
    """A result that comes later is dropped."""
    account, run, invocation = running(startToCloseTimeout="30")
    account.after(30)
    assert account.last(run, "LambdaFunctionTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }
    assert not account.engine.finish_lambda(invocation.invocation_id, account.now, result="r")


def test_a_result_for_a_closed_execution_is_dropped() -> None:
    """The engine reports that no execution waits for it."""
    account, _, invocation = running()
    account.signal()
    account.decide(COMPLETE)
    assert not account.engine.finish_lambda(invocation.invocation_id, account.now, result="r")
    assert account.engine.started_tasks == 0


@pytest.mark.parametrize(
    ("available", "role"), [(True, {}), (False, {"lambdaRole": ROLE})], ids=["no role", "nobody"]
)
def test_without_a_role_or_a_runner_a_function_fails_to_start(
    role: Body, *, available: bool
) -> None:
    """A decision task follows, and nothing is invoked."""
    account = Account(lambda_available=available)
    run = account.start(**role)
    account.decide(function())
    assert account.types(run)[-2:] == ["StartLambdaFunctionFailed", "DecisionTaskScheduled"]
    event = account.last(run, "StartLambdaFunctionFailed")
    assert (event["scheduledEventId"], event["cause"]) == (5, "ASSUME_ROLE_FAILED")
    assert account.engine.take_invocations() == []


def test_a_role_may_come_from_the_type() -> None:
    """The role of the type is used for an execution without one."""
    account = Account(lambda_available=True)
    account.register_workflow(version="2.0", defaultLambdaRole=ROLE)
    run = account.start(workflowType={"name": "wf", "version": "2.0"})
    account.decide(function())
    assert account.types(run)[-1] == "LambdaFunctionStarted"


def test_an_open_id_is_refused() -> None:
    """Two functions of one id cannot be open."""
    account, run, _ = running()
    account.signal()
    account.decide(function())
    assert account.last(run, "ScheduleLambdaFunctionFailed") == {
        "id": "f",
        "name": "fn",
        "cause": "ID_ALREADY_IN_USE",
        "decisionTaskCompletedEventId": 10,
    }


def test_open_functions_have_a_limit() -> None:
    """One function too many is refused."""
    account = Account(lambda_available=True, open_lambdas=1)
    run = account.start(lambdaRole=ROLE)
    account.decide(function("a"), function("b"))
    cause = account.last(run, "ScheduleLambdaFunctionFailed")["cause"]
    assert cause == "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"


def test_closing_in_the_same_response_prevents_the_start() -> None:
    """A function of a closed execution is not run."""
    account = Account(lambda_available=True)
    run = account.start(lambdaRole=ROLE)
    account.decide(function(), COMPLETE)
    assert account.types(run)[-1] == "WorkflowExecutionCompleted"
    assert account.engine.take_invocations() == []


def test_a_function_that_ended_does_not_time_out() -> None:
    """Its clock is disarmed with it."""
    account, _, invocation = running()
    account.engine.finish_lambda(invocation.invocation_id, account.now, result="r")
    account.decide()
    account.after(1000)
    assert account.engine.counters.timeouts == {}
