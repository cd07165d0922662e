"""Documented rules for requests that are not in the model's shapes.

- Shapes, lengths, enumerations and required members are checked before a call gets here. The rest:
  names, durations, priorities, retention periods, tags; a decision has its attributes, and a
  closing one is the last.
- A request is checked as a whole before it changes anything.
- Paths in messages have the service's form: 'decisions.1.member.…', counted from 1.
"""

import re
from collections.abc import Callable
from typing import Any

from garcon.local.engine.decisions.table import DECISIONS
from garcon.local.engine.faults import invalid, invalid_value
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import NONE

# The same as in garcon.aws.limits: the engine imports nothing outside its folder.
FORBIDDEN_IN_NAMES = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]")
TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*")
DIGITS = re.compile(r"[0-9]+")
INTEGER = re.compile(r"-?[0-9]+")

NAMES = {
    "RegisterDomain": ("name",),
    "RegisterActivityType": ("name", "version", "defaultTaskList"),
    "RegisterWorkflowType": ("name", "version", "defaultTaskList"),
    "StartWorkflowExecution": ("domain", "workflowId", "taskList"),
    "PollForActivityTask": ("taskList",),
    "PollForDecisionTask": ("taskList",),
    "RespondDecisionTaskCompleted": ("taskList",),
    "ScheduleActivityTask": ("activityId", "taskList"),
    "StartTimer": ("timerId",),
    "StartChildWorkflowExecution": ("workflowId", "taskList"),
    "ContinueAsNewWorkflowExecution": ("taskList",),
}
"""Members of operations and decisions under the rule for names."""

BOUNDED = {
    ("StartWorkflowExecution", "executionStartToCloseTimeout"),
    ("RegisterWorkflowType", "defaultExecutionStartToCloseTimeout"),
    ("StartTimer", "startToFireTimeout"),
    ("ScheduleLambdaFunction", "startToCloseTimeout"),
}
"""Durations that cannot be NONE. The decisions that begin an execution may have NONE, as
documented; then the limit of one year applies."""

LAMBDA_SECONDS = range(1, 901)
"""Seconds that a lambda function may have."""

RETENTION_DAYS = range(91)
"""Days a domain may keep closed executions."""

PRIORITIES = range(-(2**31), 2**31)
"""Values of a taskPriority: "from Java's Integer.MIN_VALUE to Integer.MAX_VALUE"."""


def check_request(operation: str, params: Body) -> None:
    """Refuse a request that the documentation does not allow.

    Raises:
        Fault: ValidationException, naming the member and the rule.
    """
    _check_members(operation, params, "")
    decisions = params.get("decisions", [])
    for place, decision in enumerate(decisions, start=1):
        _check_decision(decision, f"decisions.{place}.member.", is_last=place == len(decisions))


def _check_decision(decision: Body, path: str, *, is_last: bool) -> None:
    kind = DECISIONS[decision["decisionType"]]
    if kind.closes and not is_last:
        raise invalid("Close must be last decision in list")
    attributes = decision.get(kind.member)
    if attributes is not None:
        _check_members(kind.name, attributes, f"{path}{kind.member}.")
    elif not kind.optional:
        raise invalid_value(None, f"{path}{kind.member}", "Member must not be null")


def _check_members(what: str, members: Body, path: str) -> None:
    for name in NAMES.get(what, ()):
        if members.get(name):
            _check_name(members[name], f"{path}{name}")
    for name, value in members.items():
        if rule := _rule(name):
            rule(what, name, value, path + name)


def _rule(name: str) -> Callable[[str, str, Any, str], None] | None:
    if name.endswith("Timeout"):
        return _check_duration
    if name.endswith(("taskPriority", "TaskPriority")):
        return _check_priority
    return RULES.get(name)


def _check_name(value: str | Body, path: str) -> None:
    if not isinstance(value, str):
        _check_name(value["name"], f"{path}.name")
    elif FORBIDDEN_IN_NAMES.search(value):
        raise invalid_value(value, path, "Member must not hold ':', '/', '|' or control characters")
    elif value != value.strip():
        raise invalid_value(value, path, "Member must not start or end with whitespace")
    elif value == "arn":
        raise invalid_value(value, path, "Member must not be 'arn'")


def _check_duration(what: str, name: str, value: str, path: str) -> None:
    bounded = (what, name) in BOUNDED
    if value == "" or (value == NONE and not bounded):
        return
    if not DIGITS.fullmatch(value):
        allowed = "seconds" if bounded else "seconds or NONE"
        raise invalid_value(value, path, f"Member must be {allowed}")
    if what == "ScheduleLambdaFunction" and int(value) not in LAMBDA_SECONDS:
        raise invalid_value(value, path, "Member must be 1 to 900 seconds")


def _check_priority(_what: str, _name: str, value: str, path: str) -> None:
    if value and not (INTEGER.fullmatch(value) and int(value) in PRIORITIES):
        raise invalid_value(value, path, "Member must be a 32-bit integer")


def _check_retention(_what: str, _name: str, value: str, path: str) -> None:
    if value != NONE and not (DIGITS.fullmatch(value) and int(value) in RETENTION_DAYS):
        raise invalid_value(value, path, "Member must be 0 to 90 days, or NONE")


def _check_tags(_what: str, _name: str, tags: list[str], path: str) -> None:
    for place, tag in enumerate(tags, start=1):
        _check_tag_text(tag, f"{path}.{place}.member")


def _check_resource_tags(_what: str, _name: str, tags: list[Body], path: str) -> None:
    for place, tag in enumerate(tags, start=1):
        _check_tag_text(tag["key"], f"{path}.{place}.member.key")
        _check_tag_text(tag.get("value", ""), f"{path}.{place}.member.value")


def _check_tag_text(text: str, path: str) -> None:
    if not TAG_TEXT.fullmatch(text):
        raise invalid_value(text, path, "Member must hold letters, digits, whitespace, _.:/=+-@")


RULES: dict[str, Callable[[str, str, Any, str], None]] = {
    "workflowExecutionRetentionPeriodInDays": _check_retention,
    "tagList": _check_tags,
    "tags": _check_resource_tags,
}
"""Rules for members with the same name in all requests."""
