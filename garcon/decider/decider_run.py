"""One run of a flow's own function, ``decider`` or ``on_cancel``, and its conclusions.

Rules:

1. A run that reaches its end with nothing open closes the workflow. A run that ends because
   something is not ready leaves it open.
2. If nothing would ever bring another decision, the workflow fails with a sentence, unless the flow
   waits for a signal: that may come.
3. A run that differs from its history decides nothing, see ``nondeterminism``.
4. A decision that SWF does not permit, and whose absence nothing else shows (a marker, a
   cancellation), fails the workflow: it would not be permitted the next time either.
"""

import logging
from collections.abc import Callable
from typing import Any

from garcon.activity import ActivityInstanceNotReadyException
from garcon.decider.decisions import Decision, fail_workflow
from garcon.decider.flow_validation import bind
from garcon.decider.nondeterminism import first_not_requested, line_of, not_requested
from garcon.decider.response import SILENT, is_stuck
from garcon.decider.scheduling.schedule import Schedule
from garcon.event import History
from garcon.history import decision_failures
from garcon.history.states import Impossible

STUCK = "Nothing runs and nothing can be scheduled."


def run_decider(
    decider: Callable[..., Any], schedule: Schedule, workflow_input: Any, closing: Decision
) -> None:
    """Run a flow's function; its decisions go to the schedule's record.

    Args:
        decider: The function: ``decider(schedule)`` or ``decider(schedule, context)``.
        schedule: Its argument.
        workflow_input: Its second argument, if its signature asks for one.
        closing: The decision that follows when the run reaches its end with nothing open.

    Raises:
        NonDeterminism: It requests something with another input than before.
        Exception: Whatever the function raises.
    """
    try:
        _call(decider, schedule, workflow_input)
    except ActivityInstanceNotReadyException:
        return
    if schedule.record.is_complete:
        schedule.record.decisions.append(closing)


def _call(decider: Callable[..., Any], schedule: Schedule, workflow_input: Any) -> None:
    arguments = bind(decider, schedule, workflow_input)
    decider(*arguments.args, **arguments.kwargs)


def conclude(
    decider: Callable[..., Any], schedule: Schedule, history: History, logger: logging.Logger
) -> None:
    """After a run: ensure that it fits its history, and that the execution does not hang.

    Args:
        decider: The function that was run.
        schedule: Its argument.
        history: The history so far.
        logger: Warns of a flow that need not be deterministic.

    Raises:
        NonDeterminism: It did not request something that it began before.
    """
    record = schedule.record
    decisions = record.decisions
    if record.closing:
        decisions[:] = [each for each in decisions if each["decisionType"] in SILENT]
        decisions.append(record.closing)
    is_hanging = is_stuck(decisions, history) and not record.awaited_signals
    if (decisions or is_hanging) and not history.cancel_requested:
        _ensure_deterministic(decider, schedule, history, logger)
    if is_hanging:
        decisions.append(fail_workflow(STUCK))


def _ensure_deterministic(
    decider: Callable[..., Any], schedule: Schedule, history: History, logger: logging.Logger
) -> None:
    record = schedule.record
    missing = first_not_requested(history, record.requested)
    if missing is None:
        return
    if record.first_new_line:
        where = f"{record.first_new_line} decides something else"
    else:
        where = f"{line_of(decider)} reaches its end"
    error = not_requested(missing, where)
    if record.is_strict:
        raise error
    logger.warning("%s The flow has deterministic = False: they are sent all the same.", error)


def ensure_permitted(history: History) -> None:
    """Go on only if SWF permitted the earlier decisions.

    Raises:
        Impossible: It did not.
    """
    for decision, cause in history.refusals.permanent.items():
        raise Impossible(
            f"SWF refuses the decision {decision}: {cause}. {decision_failures.cure(cause)}"
        )
