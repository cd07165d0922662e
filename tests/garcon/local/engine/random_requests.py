"""Random requests of deciders, workers and callers, valid and invalid."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.garcon.local.engine.account import (
    ACTIVITIES,
    CANCEL,
    COMPLETE,
    DECISIONS,
    DOMAIN,
    FAIL,
    WORKFLOW,
    child,
    decision,
    schedule,
    timer,
)

Body = dict[str, Any]

ROLE = "arn:aws:iam::000000000000:role/any"
WORKFLOW_IDS = ["w0", "w1"]
CHILD_IDS = ["c0", "c1", "c2", "w1"]
IDS = ["a", "b", "c"]
SECONDS = ["NONE"] * 4 + ["20"] * 3 + ["3"] * 2 + ["0"]
BOUNDED = ["3", "20", "20", "0"]
POLICIES = ["TERMINATE", "REQUEST_CANCEL", "ABANDON"]
OLD = {"name": "old", "version": "1.0"}
UNKNOWN = {"name": "unknown", "version": "1.0"}

IMPOSSIBLE = [
    schedule("x", activityType=UNKNOWN),
    schedule("x", activityType=OLD),
    schedule("x"),
    child("x", workflowType=UNKNOWN),
    child("x", workflowType=OLD),
]
CLOSING = [
    COMPLETE,
    FAIL,
    CANCEL,
    decision("ContinueAsNewWorkflowExecution", lambdaRole=ROLE),
    decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="none"),
]


def an_activity(chance: Random) -> Body:
    timeouts = ("scheduleToStart", "startToClose", "scheduleToClose", "heartbeat")
    return schedule(
        chance.choice(IDS),
        taskPriority=chance.choice(["-1", "0", "1"]),
        **{f"{each}Timeout": chance.choice(SECONDS) for each in timeouts},
    )


def a_child(chance: Random) -> Body:
    return child(
        chance.choice(CHILD_IDS),
        executionStartToCloseTimeout=chance.choice(["20", "1000", "1000"]),
        childPolicy=chance.choice(POLICIES),
    )


def a_function(chance: Random) -> Body:
    timeout = chance.choice(["2", "900"])
    return decision(
        "ScheduleLambdaFunction", id=chance.choice(IDS), name="n", startToCloseTimeout=timeout
    )


def any_workflow_id(chance: Random) -> str:
    return chance.choice(WORKFLOW_IDS + CHILD_IDS)


MAKERS: list[Callable[[Random], Body]] = [
    an_activity,
    an_activity,
    an_activity,
    a_child,
    a_child,
    a_function,
    lambda chance: timer(chance.choice(IDS), chance.choice(BOUNDED)),
    lambda chance: decision("CancelTimer", timerId=chance.choice(IDS)),
    lambda chance: decision("RequestCancelActivityTask", activityId=chance.choice(IDS)),
    lambda chance: decision(
        "SignalExternalWorkflowExecution", workflowId=any_workflow_id(chance), signalName="s"
    ),
    lambda chance: decision(
        "RequestCancelExternalWorkflowExecution", workflowId=any_workflow_id(chance)
    ),
    lambda chance: decision("RecordMarker", markerName="m"),
    lambda chance: chance.choice(IMPOSSIBLE),
]


def decisions(chance: Random) -> list[Body]:
    """The decisions of one response; one in four closes the execution."""
    made = [chance.choice(MAKERS)(chance) for _ in range(chance.randrange(5))]
    return made + ([chance.choice(CLOSING)] if chance.random() < 0.25 else [])


OVERRIDES: list[Body] = [
    {},
    {},
    {},
    {"taskList": {"name": "sticky"}, "taskListScheduleToStartTimeout": "4"},
    {"taskList": {"name": DECISIONS}},
]
DELAYS = [0, 0, 0, 0, 0, 0, 1, 2, 9]
"""Seconds that a worker needs for a task; a decision task times out after 8."""

ENDINGS = [
    "RespondActivityTaskCompleted",
    "RespondActivityTaskFailed",
    "RespondActivityTaskCanceled",
    "RecordActivityTaskHeartbeat",
]
IN_DOMAIN = {"domain": DOMAIN, "workflowId": "w9"}
REFUSED: list[tuple[str, Body]] = [
    ("StartWorkflowExecution", {**IN_DOMAIN, "workflowType": OLD}),
    ("StartWorkflowExecution", {**IN_DOMAIN, "workflowType": UNKNOWN}),
    ("StartWorkflowExecution", {**IN_DOMAIN, "workflowId": "a:b", "workflowType": WORKFLOW}),
    ("StartWorkflowExecution", {**IN_DOMAIN, "domain": "x", "workflowType": WORKFLOW}),
    ("SignalWorkflowExecution", {**IN_DOMAIN, "signalName": "s"}),
    ("TerminateWorkflowExecution", {**IN_DOMAIN, "workflowId": "w0", "runId": "none"}),
    ("RespondActivityTaskCompleted", {"taskToken": "none"}),
    (
        "RespondDecisionTaskCompleted",
        {"taskToken": "none", "decisions": [timer(), COMPLETE, timer()]},
    ),
    ("PollForActivityTask", {"domain": "x", "taskList": {"name": ACTIVITIES}}),
    ("RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "1"}),
    ("DeprecateActivityType", {"domain": DOMAIN, "activityType": OLD}),
]
"""Calls that are refused in any state."""
