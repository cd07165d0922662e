"""Another domain or name for a flow that exists, and for its activities."""

from typing import Any

from garcon.activity.discovery import find_workflow_activities


def rename(flow: Any, domain: str | None, name: str | None) -> None:
    """Set the domain and the name of a flow and of its activities; ``None`` leaves them.

    Activity types and task lists begin with the flow's name.

    Raises:
        AttributeError: The flow's attributes cannot be set.
    """
    if domain and getattr(flow, "domain", None) != domain:
        flow.domain = domain
        for each in find_workflow_activities(flow):
            each.domain = domain
    if name and getattr(flow, "name", None) != name:
        prefix = f"{getattr(flow, 'name', '')}_"
        for each in find_workflow_activities(flow):
            each.name = each.task_list = f"{name}_{str(each.name).removeprefix(prefix)}"
        flow.name = name
