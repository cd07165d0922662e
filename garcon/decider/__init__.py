"""The decider: from an execution's history to what happens next.

``DeciderWorker`` polls, decides and answers; ``schedule`` is what a flow's own decider calls.
"""

from garcon.decider.decisions import (
    Decision,
    complete_workflow,
    fail_workflow,
    hand_back,
    schedule_activity_task,
    start_timer,
)
from garcon.decider.registered import Missing, missing
from garcon.decider.registering import (
    Kind,
    Registration,
    RegistrationRefused,
    activity_version,
    registration,
)
from garcon.decider.scheduling import ScheduleContext, ensure_requirements, schedule
from garcon.decider.sticky import Sticky
from garcon.decider.worker import DeciderWorker

__all__ = [
    "DeciderWorker",
    "Decision",
    "Kind",
    "Missing",
    "Registration",
    "RegistrationRefused",
    "ScheduleContext",
    "Sticky",
    "activity_version",
    "complete_workflow",
    "ensure_requirements",
    "fail_workflow",
    "hand_back",
    "missing",
    "registration",
    "schedule",
    "schedule_activity_task",
    "start_timer",
]
