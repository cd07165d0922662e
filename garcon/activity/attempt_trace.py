"""The trace of an attempt: its span is the current one while the tasks run."""

from collections.abc import Callable

from garcon.activity.attempt_outcome import (
    AttemptCanceled,
    AttemptFailed,
    AttemptGone,
    AttemptHandedOut,
    AttemptOutcome,
)
from garcon.activity.task_execution import (
    ActivityExecution,
)
from garcon.tracing.seam import Ending, Run, TracedAttempt, Tracer


def traced(
    tracer: Tracer,
    execution: ActivityExecution,
    place: tuple[str, str],
    attempt: Callable[[ActivityExecution], AttemptOutcome],
) -> AttemptOutcome:
    """Execute the tasks within a span.

    Args:
        tracer: Makes the span.
        execution: The task.
        place: Domain and task list that it came by.
        attempt: Executes the tasks.
    """
    with tracer.attempt(_described(execution, place)) as span:
        outcome = attempt(execution)
    span.end(_ending(outcome))
    return outcome


def _described(execution: ActivityExecution, place: tuple[str, str]) -> TracedAttempt:
    domain, task_list = place
    return TracedAttempt(
        Run(execution.workflow_id or "", execution.run_id or ""),
        domain,
        execution.activity_id or "",
        execution.activity_name or "",
        execution.started_event_id or 0,
        task_list,
        execution.trace,
    )


def _ending(outcome: AttemptOutcome) -> Ending:
    match outcome:
        case AttemptFailed(reason):
            return Ending("failed", reason, is_error=True)
        case AttemptGone(why):
            return Ending("gone", why, is_error=True)
        case AttemptCanceled():
            return Ending("canceled")
        case AttemptHandedOut():
            return Ending("handed out")
        case _:
            return Ending("completed")
