"""Small flows for the tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from garcon import activity, runner, task
from garcon.payload import codec


@task.decorate(timeout=10)
def nothing(activity: Any) -> None:
    """Do nothing."""


def flow(client: Any = None, **members: Any) -> SimpleNamespace:
    """A flow object ``flow`` in the domain ``domain``."""
    return SimpleNamespace(domain="domain", name="flow", client=client, **members)


def make(name: str, client: Any = None, **options: Any) -> activity.Activity:
    """An activity of that flow; it does nothing unless it gets another ``run``."""
    options.setdefault("run", runner.Sync(nothing.fill()))
    made: activity.Activity = activity.create(client, "domain", "flow")(name=name, **options)
    return made


def completed(**result: Any) -> activity.AttemptCompleted:
    """The outcome of an attempt whose tasks returned this result."""
    return activity.AttemptCompleted(codec.encoded(result, "The result"))


def scheduled(decisions: list[dict[str, Any]]) -> list[str]:
    """The ids of the activities that these decisions schedule."""
    attributes = [each.get("scheduleActivityTaskDecisionAttributes") for each in decisions]
    return [each["activityId"] for each in attributes if each]


def kinds(decisions: list[dict[str, Any]]) -> list[str]:
    """The types of these decisions."""
    return [each["decisionType"] for each in decisions]


def reason(decisions: list[dict[str, Any]]) -> str:
    """The reason of the first decision, which fails the workflow."""
    return str(decisions[0]["failWorkflowExecutionDecisionAttributes"]["reason"])
