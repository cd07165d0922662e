"""Attributes of a flow that hold for all its executions: ``version``, ``priority`` and ``tags``.

A flow is often a module, which may use these names for something else: a ``priority`` that is not a
number and ``tags`` that are not a list are ignored.
"""

from typing import Any


def version(flow: Any) -> str:
    """The version of the flow's workflow type, '1.0' if it has none."""
    given = getattr(flow, "version", None)
    return "1.0" if given is None else str(given)


def priority(flow: Any) -> int | None:
    """The flow's priority, higher first; ``None`` if it has none."""
    value = getattr(flow, "priority", None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tags(flow: Any) -> tuple[str, ...]:
    """The flow's tags; empty if it has none."""
    value = getattr(flow, "tags", None)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
