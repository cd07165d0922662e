"""Causes for which SWF did not carry out a decision (``cause`` of …Failed events), and their cures.

Rules:

1. A *transient* cause is a rate or a limit that is exceeded at the moment: waiting cures it.
2. A *moot* cause means that the decision has its effect already: the id is in use because the thing
   runs, or unknown because it has ended. The event that records this comes or has come.
3. Every other cause is *permanent*, one that SWF may add later too: the next attempt would meet it
   again. It fails the workflow, with a sentence on what to do.
"""

TRANSIENT = frozenset(
    {
        "ACTIVITY_CREATION_RATE_EXCEEDED",
        "CHILD_CREATION_RATE_EXCEEDED",
        "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
        "OPEN_ACTIVITIES_LIMIT_EXCEEDED",
        "OPEN_CHILDREN_LIMIT_EXCEEDED",
        "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED",
        "OPEN_TIMERS_LIMIT_EXCEEDED",
        "OPEN_WORKFLOWS_LIMIT_EXCEEDED",
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        "TIMER_CREATION_RATE_EXCEEDED",
    }
)

MOOT = frozenset(
    {
        "ACTIVITY_ID_ALREADY_IN_USE",
        "ACTIVITY_ID_UNKNOWN",
        "ID_ALREADY_IN_USE",
        "TIMER_ID_ALREADY_IN_USE",
        "TIMER_ID_UNKNOWN",
        "UNHANDLED_DECISION",
        "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
    }
)

_DEFAULT = "Give the value with the decision, or register a new version of the type that has it."

CURES = {
    "ACTIVITY_TYPE_DEPRECATED": "Undeprecate the activity type, or use another version.",
    "ACTIVITY_TYPE_DOES_NOT_EXIST": "Register the activity type: a decider does when it starts.",
    "ASSUME_ROLE_FAILED": "Let the execution's lambda role be assumed by SWF and invoke functions.",
    "DEFAULT_CHILD_POLICY_UNDEFINED": _DEFAULT,
    "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED": _DEFAULT,
    "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED": _DEFAULT,
    "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED": _DEFAULT,
    "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED": _DEFAULT,
    "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED": _DEFAULT,
    "DEFAULT_TASK_LIST_UNDEFINED": _DEFAULT,
    "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED": _DEFAULT,
    "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION": "Use an activity, or a region that has AWS Lambda.",
    "OPERATION_NOT_PERMITTED": "Let the policy of the decider's credentials allow it.",
    "WORKFLOW_ALREADY_RUNNING": "An execution of this id is open: give the child another id.",
    "WORKFLOW_TYPE_DEPRECATED": "Undeprecate the workflow type, or use another version.",
    "WORKFLOW_TYPE_DOES_NOT_EXIST": "Register the workflow type: its decider does when it starts.",
}
"""Cures of permanent causes, a sentence each."""


def cure(cause: str) -> str:
    """The cure of a permanent cause, in a sentence."""
    return CURES.get(cause, f"Look up {cause} in the SWF documentation.")
