"""What a flow says of all its executions: ``version``, ``priority`` and ``tags``.

A flow is often a module, and a module may have names of its own: what is no priority and no tags is
none of ours.
"""

from typing import Any


def version(flow: Any) -> str:
    """The version of the flow's workflow type, '1.0' if it does not say."""
    return str(getattr(flow, "version", "1.0"))


def priority(flow: Any) -> int | None:
    """The flow's priority, higher first; None if it has none."""
    found = getattr(flow, "priority", None)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def tags(flow: Any) -> tuple[str, ...]:
    """The flow's tags; empty if it has none."""
    found = getattr(flow, "tags", None)
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()
