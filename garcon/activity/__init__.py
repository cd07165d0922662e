"""Activities: what is made of tasks, scheduled by the decider, and done by workers.

``create`` makes them, an ``Activity`` polls and performs, an ``ActivityInstance`` is one of them to
be scheduled, an ``ActivityExecution`` one task in hand, an ``ActivityState`` what history says.
"""

from garcon.activity.base import (
    DEFAULT_ACTIVITY_SCHEDULE_TO_START,
    Activity,
    ExternalActivity,
)
from garcon.activity.execution import ActivityExecution, TaskCanceled, TaskGone
from garcon.activity.factory import create
from garcon.activity.find import (
    Progress,
    find_activities,
    find_available_activities,
    find_uncomplete_activities,
    find_workflow_activities,
    state_of,
    step_of,
)
from garcon.activity.instance import ActivityInstance
from garcon.activity.outcome import Canceled, Completed, Failed, Gone, Outcome
from garcon.activity.retrying import Rest, Step, attempts, may_schedule, next_step
from garcon.activity.states import (
    ACTIVITY_COMPLETED,
    ACTIVITY_FAILED,
    ACTIVITY_SCHEDULED,
    ACTIVITY_STANDBY,
    ActivityImpossible,
    ActivityInstanceNotReadyException,
    ActivityState,
    Refusal,
    RetriesExhausted,
    count_activity_failures,
)
from garcon.activity.worker import ActivityWorker, worker_runner
from garcon.retry import Retry

__all__ = [
    "ACTIVITY_COMPLETED",
    "ACTIVITY_FAILED",
    "ACTIVITY_SCHEDULED",
    "ACTIVITY_STANDBY",
    "DEFAULT_ACTIVITY_SCHEDULE_TO_START",
    "Activity",
    "ActivityExecution",
    "ActivityImpossible",
    "ActivityInstance",
    "ActivityInstanceNotReadyException",
    "ActivityState",
    "ActivityWorker",
    "Canceled",
    "Completed",
    "ExternalActivity",
    "Failed",
    "Gone",
    "Outcome",
    "Progress",
    "Refusal",
    "Rest",
    "RetriesExhausted",
    "Retry",
    "Step",
    "TaskCanceled",
    "TaskGone",
    "attempts",
    "count_activity_failures",
    "create",
    "find_activities",
    "find_available_activities",
    "find_uncomplete_activities",
    "find_workflow_activities",
    "may_schedule",
    "next_step",
    "state_of",
    "step_of",
    "worker_runner",
]
