"""Priority and tags in decisions: an activity's or a call's own, else the flow's."""

from collections.abc import Iterable
from typing import Any

from garcon.activity import Activity
from garcon.flow import flow_attributes


def activity_priority(activity: Activity, flow: Any) -> int | None:
    """The priority of an activity's tasks: its own if it has one, else the flow's, if any."""
    return flow_attributes.priority(flow) if activity.priority is None else activity.priority


def tags_of(flow: Any, tags: Iterable[str] | None = None) -> list[str] | None:
    """The tags of an execution, up to five: the given ones, else the flow's, if any."""
    found = flow_attributes.tags(flow) or None if tags is None else tags
    return None if found is None else [str(each) for each in found]
