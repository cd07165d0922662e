"""Workflows on Amazon SWF: activities made of tasks, and a decider that schedules them.

``activity`` makes activities, ``task`` and ``runner`` define their work, ``decider`` schedules
them, ``Client`` starts executions and waits for them. ``docs/reference.md`` is the reference.
"""

from typing import TYPE_CHECKING, Any

from garcon.version import VERSION

if TYPE_CHECKING:
    from garcon.activity import ActivityExecution
    from garcon.decider import Schedule
    from garcon.executions import Client

__all__ = ["ActivityExecution", "Client", "Schedule"]

__version__ = VERSION


def __getattr__(name: str) -> Any:
    """Import a public class at its first use: a worker, for one, never needs the client."""
    if name == "ActivityExecution":
        from garcon.activity import ActivityExecution  # noqa: PLC0415 - see above

        return ActivityExecution
    if name == "Client":
        from garcon.executions import Client  # noqa: PLC0415 - see above

        return Client
    if name == "Schedule":
        from garcon.decider import Schedule  # noqa: PLC0415 - see above

        return Schedule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
