"""Small flows for the tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from garcon import activity, runner, task


@task.decorate(timeout=10)
def nothing(activity: Any) -> None:
    """Do nothing."""


def flow(client: Any = None, **members: Any) -> SimpleNamespace:
    """A flow object ``flow`` in the domain ``domain``."""
    return SimpleNamespace(domain="domain", name="flow", client=client, **members)


def make(name: str, client: Any = None, **options: Any) -> activity.Activity:
    """An activity of that flow; it does nothing unless told otherwise."""
    options.setdefault("run", runner.Sync(nothing.fill()))
    return activity.create(client, "domain", "flow")(name=name, **options)


def scheduled(decisions: list[dict[str, Any]]) -> list[str]:
    """The ids of the activities that these decisions schedule."""
    attributes = [each.get("scheduleActivityTaskDecisionAttributes") for each in decisions]
    return [each["activityId"] for each in attributes if each]


def kinds(decisions: list[dict[str, Any]]) -> list[str]:
    """What kinds of decisions these are."""
    return [each["decisionType"] for each in decisions]


def reason(decisions: list[dict[str, Any]]) -> str:
    """Why the workflow fails."""
    return str(decisions[0]["failWorkflowExecutionDecisionAttributes"]["reason"])
