"""Deciders: from the history of an execution to its next decisions.

``DeciderWorker`` polls, reads, decides and answers; ``schedule`` is for a flow's own decider. They
are imported at their first use: a worker of activities never needs a decider, which takes a fifth
of the time of all its imports.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garcon.decider.public_names import (
        Build,
        DeciderWorker,
        Decision,
        MissingType,
        RegistrableKind,
        Registration,
        RegistrationRefused,
        Schedule,
        ScheduleContext,
        Sticky,
        complete_workflow,
        ensure_requirements,
        fail_workflow,
        missing,
        registrations,
        return_task,
        schedule,
        schedule_activity_task,
        start_timer,
    )

__all__ = [
    "Build",
    "DeciderWorker",
    "Decision",
    "MissingType",
    "RegistrableKind",
    "Registration",
    "RegistrationRefused",
    "Schedule",
    "ScheduleContext",
    "Sticky",
    "complete_workflow",
    "ensure_requirements",
    "fail_workflow",
    "missing",
    "registrations",
    "return_task",
    "schedule",
    "schedule_activity_task",
    "start_timer",
]


def __getattr__(name: str) -> Any:
    """Import the public names at the first use of one."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from garcon.decider import public_names  # noqa: PLC0415 - see above

    return getattr(public_names, name)
