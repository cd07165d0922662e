"""The response to a decision task: from the desired decisions to those that are sent.

Rules:

1. SWF bounds the open activities, timers and children of an execution. Decisions beyond that are
   left out: the end of an open one brings the next decision task.
2. A thing that SWF does not begin at present is waited for by a timer, longer each time. If SWF
   refuses the timer as well, the end of anything that runs is the next occasion; if nothing runs,
   the workflow fails.
3. If SWF does not let the execution close, that is attempted again after a growing wait: at once it
   would only fail again. If SWF permits no timer either, and nothing runs, the task is not
   answered: its timeout is a wait, too.
4. Waits have a jitter, so that executions refused together do not come back together. It is drawn
   from the history: the same history gives the same wait.
5. A response holds at most 100 decisions and 900,000 characters of them. SWF publishes no count and
   takes requests of 1 MB, headers and token included; two frameworks that have run on SWF for years
   stop at 100. A timer of no seconds brings the decision task for the rest, which then looks like
   never begun and is decided again.
6. Decisions keep their order, so one that closes the execution stays last.
"""

import json
import logging
from collections import Counter

from garcon.decider.decisions import Decision, attributes_of, fail_workflow, start_timer
from garcon.decider.scheduling.control_notes import control_of
from garcon.errors import GarconError
from garcon.event import History
from garcon.history.event_types import CHILD, TIMER
from garcon.history.reserved_timers import MORE_TIMER, WAIT_TIMER
from garcon.retry import fraction

LONGEST_WAIT = 300  # seconds; once the cause is cured, the execution goes on within five minutes
JITTER = 0.5  # share of a wait
MOST_DECISIONS = 100
MOST_CHARACTERS = 900_000
# So many always fit and are not measured, which saves 5% of a decision's time: each has at most two
# texts of 32,768 characters, which no encoding of ours makes longer than 400,000 together.
FITTING_DECISIONS = 2
CLOSING = frozenset(
    {
        "CancelWorkflowExecution",
        "CompleteWorkflowExecution",
        "ContinueAsNewWorkflowExecution",
        "FailWorkflowExecution",
    }
)
# SWF's quotas of open things in an execution; one timer is reserved for our own wait.
OPEN_QUOTAS = {
    "ScheduleActivityTask": ("activity", 1_000),
    "StartTimer": (TIMER.kind, 999),
    "StartChildWorkflowExecution": (CHILD.kind, 1_000),
}
# Decisions whose events bring no further decision task.
SILENT = frozenset({"CancelTimer", "RecordMarker", "RequestCancelActivityTask"})


class NothingPermitted(GarconError):
    """SWF lets the execution neither close nor wait: the decider's policy has to allow one."""


def permitted(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions that SWF would carry out now, and the timer for those that have to wait.

    Args:
        decisions: The desired decisions; a closing one is last.
        history: The history so far.

    Raises:
        NothingPermitted: Every answer would leave the execution hanging.
    """
    if any(each["decisionType"] in CLOSING for each in decisions):
        return _wait_to_close(history) if history.refusals.closing_blocked else decisions
    others = [each for each in decisions if not _is_wait(each)]
    allowed = _within_quotas(others, history)
    refusals = max((state.refusals for state in history.refusals.held_back), default=0)
    exponent = refusals or (LONGEST_WAIT if len(others) < len(decisions) else 0)
    if not exponent:
        return allowed
    return allowed + (_wait(history, exponent) or _give_up(history, allowed))


def first_batch(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions that one response holds, with the timer that brings the next task, if needed.

    Args:
        decisions: All decisions to send.
        history: The history so far.
    """
    if len(decisions) <= FITTING_DECISIONS:
        return decisions
    batch = _fitting(decisions, MOST_DECISIONS)
    if len(batch) == len(decisions):
        return decisions
    timer = history.states_by_kind[TIMER.kind].get(MORE_TIMER)
    wake = [] if timer and timer.open else [start_timer(MORE_TIMER, 0)]
    return _fitting(decisions, MOST_DECISIONS - len(wake)) + wake


def long_wait() -> Decision:
    """The decision to decide again when the wait timer fires; ``permitted`` sets its duration."""
    return start_timer(WAIT_TIMER, LONGEST_WAIT)


def log_retries(decisions: list[Decision], logger: logging.Logger) -> None:
    """Log the activities that these decisions attempt again, and when."""
    for decision in decisions:
        if decision["decisionType"] not in {"ScheduleActivityTask", "StartTimer"}:
            continue
        attributes = attributes_of(decision)
        notes = control_of(attributes["control"]) if "control" in attributes else {}
        if "after" in notes:
            logger.info(
                "%s: attempt %s in %s s, after: %s",
                attributes["timerId"],
                notes["attempt"],
                attributes["startToFireTimeout"],
                notes["after"],
            )
        elif "attempt" in notes:
            logger.info("%s: attempt %s now.", attributes["activityId"], notes["attempt"])


def is_stuck(decisions: list[Decision], history: History) -> bool:
    """Whether nothing runs, nothing is waited for and nothing is decided: it would hang."""
    brings_more = any(each["decisionType"] not in SILENT for each in decisions)
    return not (brings_more or history.pending or history.refusals.held_back)


def _is_wait(decision: Decision) -> bool:
    if decision["decisionType"] != "StartTimer":
        return False
    return bool(attributes_of(decision)["timerId"] == WAIT_TIMER)


def _within_quotas(decisions: list[Decision], history: History) -> list[Decision]:
    quotas = OPEN_QUOTAS.items()
    room = Counter({kind: most - history.open_count(of) for kind, (of, most) in quotas})
    allowed = []
    for decision in decisions:
        kind = decision["decisionType"]
        if kind not in OPEN_QUOTAS or room[kind] > 0:
            allowed.append(decision)
            room[kind] -= 1
    return allowed


def _wait(history: History, exponent: int) -> list[Decision]:
    if history.waiting or history.refusals.wait_timer:
        return []
    longest = min(2 ** min(exponent, 30), LONGEST_WAIT)
    return [start_timer(WAIT_TIMER, longest * (1 - JITTER * fraction(history.seed)))]


def _wait_to_close(history: History) -> list[Decision]:
    if history.refusals.wait_timer and not history.pending:
        raise NothingPermitted(
            "SWF does not let the execution close, and starts no timer to wait "
            f"({history.refusals.wait_timer}). Let the policy of the decider's credentials allow "
            "it; until then the decision task is not answered, and returns after its timeout."
        )
    return _wait(history, history.refusals.closing)


def _give_up(history: History, decisions: list[Decision]) -> list[Decision]:
    if history.waiting or decisions or history.pending:
        return []
    causes = sorted(
        {str(state.refusal and state.refusal.cause) for state in history.refusals.held_back}
    )
    return [
        fail_workflow(
            f"SWF does not begin what is next ({', '.join(causes)}) and starts no timer to wait "
            f"for it ({history.refusals.wait_timer})."
        )
    ]


def _fitting(decisions: list[Decision], most: int) -> list[Decision]:
    size = 0
    for number, decision in enumerate(decisions[:most]):
        size += len(json.dumps(decision))
        if size > MOST_CHARACTERS:
            return decisions[:number]
    return decisions[:most]
