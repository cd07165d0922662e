"""From the decisions one wants to those one sends: what SWF takes, and no decision that hangs.

Rules:

1. A request to SWF may have 1 MB, and an execution 1,000 open activities. What does not fit is left
   for the next decision; one that is cut for size gets a timer, so that there is a next one.
2. Activities that SWF would not schedule just now are waited for by a timer, longer each time. If
   SWF refuses the timer as well, the end of a running activity is the next occasion; if none runs,
   the workflow fails with a sentence.
3. If SWF does not permit the execution to be closed, that is tried again after a growing wait:
   sending it at once would only fail at once.
"""

import json

from garcon.decider.decisions import Decision, fail_workflow, start_timer
from garcon.event import WAIT_TIMER, History

REQUEST_SIZE = 900_000  # characters; below SWF's 1 MB, which counts headers and the token too
OPEN_ACTIVITIES = 1_000  # of one execution; SWF's quota
LONGEST_WAIT = 300  # seconds; a person who cures the cause sees it taken up in five minutes
CLOSING = frozenset({"CompleteWorkflowExecution", "FailWorkflowExecution"})


def settle(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions to send.

    Args:
        decisions: Those wanted; a closing one is alone or last.
        history: What happened so far.
    """
    if any(each["decisionType"] in CLOSING for each in decisions):
        return _wait(history, history.closing_refused) if history.closing_blocked else decisions
    allowed = decisions[: max(0, OPEN_ACTIVITIES - history.open_activities)]
    fitting = _fitting(allowed)
    held_back = max((state.refusals for state in history.held_back), default=0)
    if held_back or len(fitting) < len(allowed):
        fitting = fitting + (_wait(history, held_back) or _give_up(history, fitting))
    return fitting


def is_stuck(decisions: list[Decision], history: History) -> bool:
    """Whether nothing runs, nothing is waited for, nothing is to be done: nothing will happen."""
    return not (decisions or history.open_activities or history.open_timers or history.held_back)


def _wait(history: History, times: int) -> list[Decision]:
    if history.waiting or history.timer_refused:
        return []
    return [start_timer(WAIT_TIMER, min(2**times, LONGEST_WAIT))]


def _give_up(history: History, decisions: list[Decision]) -> list[Decision]:
    if history.waiting or decisions or history.open_activities:
        return []
    causes = sorted({str(state.refusal and state.refusal.cause) for state in history.held_back})
    return [
        fail_workflow(
            f"SWF schedules no activity ({', '.join(causes)}) and starts no timer to wait for it "
            f"({history.timer_refused})."
        )
    ]


def _fitting(decisions: list[Decision]) -> list[Decision]:
    size = 0
    for number, decision in enumerate(decisions):
        size += len(json.dumps(decision))
        if size > REQUEST_SIZE:
            return decisions[:number]
    return decisions
