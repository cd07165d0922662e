"""The public names of ``garcon.decider``, imported together at the first use of one of them."""

from garcon.decider.decisions import (
    Decision,
    complete_workflow,
    fail_workflow,
    return_task,
    schedule_activity_task,
    start_timer,
)
from garcon.decider.registration.existing_types import MissingType, missing
from garcon.decider.registration.flow_types import (
    RegistrableKind,
    Registration,
    RegistrationRefused,
    registrations,
)
from garcon.decider.scheduling.activity_requests import (
    ScheduleContext,
    ensure_requirements,
    schedule,
)
from garcon.decider.scheduling.schedule import Schedule
from garcon.decider.sticky.list_choice import Build
from garcon.decider.sticky.stickiness import Sticky
from garcon.decider.worker import DeciderWorker

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
