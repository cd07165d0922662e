"""One run of a flow's decider, from its first line to where it waits, and what follows from it.

Rules:

1. A run that comes to its end with nothing open completes the workflow (or cancels it, where that
   was asked for). A run that ends because something is not ready leaves it open.
2. If nothing will ever bring another decision, the workflow fails with a sentence, unless the flow
   waits for a signal: that may come.
3. A run that contradicts its history decides nothing, see ``contradicting``.
4. A decision that SWF does not permit, and that is in nobody's way to be missed (a marker, a
   cancellation), fails the workflow: it would not be permitted the next time either.
"""

import logging
from collections.abc import Callable
from typing import Any

from garcon import causes
from garcon.activity import ActivityInstanceNotReadyException
from garcon.decider.contradicting import contradiction, forgotten, line_of
from garcon.decider.decisions import (
    Decision,
    attributes_of,
    cancel_workflow,
    complete_workflow,
    fail_workflow,
)
from garcon.decider.scheduling import consult, control_of
from garcon.decider.settling import SILENT, is_stuck
from garcon.decider.verbs import Schedule
from garcon.event import History
from garcon.states import Impossible

STUCK = "Nothing runs and nothing can be scheduled any more."

_logger = logging.getLogger(__name__)


def run_decider(
    told: Schedule, decisions: list[Decision], decider: Callable[..., Any], workflow_input: Any
) -> None:
    """Let the flow's decider decide.

    Raises:
        Contradiction: It does not ask for something that it began before.
        Exception: Whatever the decider raises.
    """
    if _ran(told, decider, workflow_input) and told.completed:
        decisions.append(complete_workflow())


def run_on_cancel(
    told: Schedule, decisions: list[Decision], handler: Callable[..., Any], workflow_input: Any
) -> None:
    """Let the flow, or the default, do what a request to cancel the execution asks for."""
    if _ran(told, handler, workflow_input) and told.completed:
        decisions.append(cancel_workflow("Cancelling the execution was requested."))


def conclude(
    told: Schedule, decisions: list[Decision], history: History, decider: Callable[..., Any]
) -> None:
    """After a run: see that it hangs together with its history, and that it does not hang.

    Raises:
        Contradiction: It does not ask for something that it began before.
    """
    if told.closing:
        decisions[:] = [each for each in decisions if each["decisionType"] in SILENT]
        decisions.append(told.closing)
    stuck = is_stuck(decisions, history) and not told.listens
    if (decisions or stuck) and not history.cancel_requested:
        _ensure_consistent(told, history, decider)
    if stuck:
        decisions.append(fail_workflow(STUCK))


def ensure_permitted(history: History) -> None:
    """Go on only if SWF permitted what was decided before.

    Raises:
        Impossible: It did not.
    """
    for what, cause in history.refused.items():
        raise Impossible(f"SWF refuses the decision {what}: {cause}. {causes.cure(cause)}")


def tell_attempts(decisions: list[Decision], logger: logging.Logger) -> None:
    """Log which activities are tried again, and when."""
    for decision in decisions:
        if decision["decisionType"] not in {"ScheduleActivityTask", "StartTimer"}:
            continue
        attributes = attributes_of(decision)
        told = control_of(attributes.get("control")) if "control" in attributes else {}
        if "after" in told:
            rest, number = attributes["startToFireTimeout"], told["attempt"]
            logger.info(
                "%s: try %s in %s s, after: %s", attributes["timerId"], number, rest, told["after"]
            )
        elif "attempt" in told:
            logger.info("%s: try %s now.", attributes["activityId"], told["attempt"])


def _ran(told: Schedule, decider: Callable[..., Any], workflow_input: Any) -> bool:
    """Run it; whether it came to its end."""
    try:
        consult(decider, told, workflow_input)
    except ActivityInstanceNotReadyException:
        return False
    return True


def _ensure_consistent(told: Schedule, history: History, decider: Callable[..., Any]) -> None:
    found = forgotten(history, told.asked)
    if not found:
        return
    where = f"{told.line} decides anew" if told.line else f"{line_of(decider)} comes to its end"
    error = contradiction(*found, where)
    if getattr(told.flow, "deterministic", True):
        raise error
    _logger.warning("%s The flow says deterministic = False, so it is decided.", error)
