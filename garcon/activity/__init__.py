"""Activities: made of tasks, scheduled by the decider, executed by workers.

``create`` makes the activities of a flow. An ``Activity`` polls and executes; an
``ActivityInstance`` is what a decider schedules, an ``ActivityExecution`` a task in progress, an
``ActivityState`` the state of an instance in the history.
"""

from garcon.activity.activity import DEFAULT_ACTIVITY_SCHEDULE_TO_START, Activity
from garcon.activity.activity_state import (
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
from garcon.activity.attempt_outcome import (
    AttemptCanceled,
    AttemptCompleted,
    AttemptFailed,
    AttemptGone,
    AttemptHandedOut,
    AttemptOutcome,
)
from garcon.activity.discovery import (
    FlowProgress,
    find_activities,
    find_available_activities,
    find_uncomplete_activities,
    find_workflow_activities,
    state_of,
    step_of,
)
from garcon.activity.external_activity import ExternalActivity
from garcon.activity.factory import ActivityFactory, ActivityOptions, create
from garcon.activity.instance import ActivityInstance
from garcon.activity.retry_step import RetryDelay, Step, attempts, may_schedule, next_step
from garcon.activity.task_execution import (
    ActivityExecution,
    TaskCanceled,
    TaskGone,
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
    "ActivityFactory",
    "ActivityImpossible",
    "ActivityInstance",
    "ActivityInstanceNotReadyException",
    "ActivityOptions",
    "ActivityState",
    "ActivityWorker",
    "AttemptCanceled",
    "AttemptCompleted",
    "AttemptFailed",
    "AttemptGone",
    "AttemptHandedOut",
    "AttemptOutcome",
    "ExternalActivity",
    "FlowProgress",
    "Refusal",
    "RetriesExhausted",
    "Retry",
    "RetryDelay",
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
