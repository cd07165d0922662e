"""From the decisions one wants to those one sends: what SWF takes, and no decision that hangs.

Rules:

1. An execution may have so many open activities, timers and children. What there is no room for is
   left for the next decision: the end of what is open brings it. (``splitting`` sees to the size.)
2. What SWF would not begin just now is waited for by a timer, longer each time. If SWF refuses the
   timer as well, the end of anything that runs is the next occasion; if nothing runs, the workflow
   fails with a sentence.
3. If SWF does not let the execution be closed, that is tried again after a growing wait: sending it
   at once would only fail at once. Where it permits no timer either, and nothing runs, the task is
   not answered: it times out, which is a wait too.
4. Waits have a jitter, so that executions that were refused together do not come back together. It
   is drawn from the history: the same history, the same wait.
"""

from collections import Counter

from garcon.decider.decisions import Decision, attributes_of, fail_workflow, start_timer
from garcon.errors import GarconError
from garcon.event import History
from garcon.lifecycles import CHILD, TIMER
from garcon.retry import fraction
from garcon.timers import WAIT_TIMER

LONGEST_WAIT = 300  # seconds; a person who cures the cause sees it taken up in five minutes
JITTER = 0.5  # share of a wait
CLOSING = frozenset(
    {
        "CancelWorkflowExecution",
        "CompleteWorkflowExecution",
        "ContinueAsNewWorkflowExecution",
        "FailWorkflowExecution",
    }
)
# What may be open of each kind in an execution, by SWF's quotas; a timer is left for our own wait.
OPEN = {
    "ScheduleActivityTask": ("activity", 1_000),
    "StartTimer": (TIMER.kind, 999),
    "StartChildWorkflowExecution": (CHILD.kind, 1_000),
}
# Decisions that no event follows which would bring another decision.
SILENT = frozenset({"CancelTimer", "RecordMarker", "RequestCancelActivityTask"})


class NothingPermitted(GarconError):
    """SWF lets the execution neither be closed nor wait: let the decider's policy allow it."""


def settle(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions to send.

    Args:
        decisions: Those wanted; a closing one is last.
        history: What happened so far.

    Raises:
        NothingPermitted: There is no answer that would not hang.
    """
    if any(each["decisionType"] in CLOSING for each in decisions):
        return _wait_to_close(history) if history.closing_blocked else decisions
    wanted = [each for each in decisions if not _is_wait(each)]
    allowed = _allowed(wanted, history)
    held_back = max((state.refusals for state in history.held_back), default=0)
    times = held_back or (LONGEST_WAIT if len(wanted) < len(decisions) else 0)
    if not times:
        return allowed
    return allowed + (_wait(history, times) or _give_up(history, allowed))


def wait_long() -> Decision:
    """The decision to look again when the wait timer fires; ``settle`` sees to the rest."""
    return start_timer(WAIT_TIMER, LONGEST_WAIT)


def is_stuck(decisions: list[Decision], history: History) -> bool:
    """Whether nothing runs, nothing is waited for, nothing is to be done: nothing will happen."""
    brings_more = any(each["decisionType"] not in SILENT for each in decisions)
    return not (brings_more or history.pending or history.held_back)


def _is_wait(decision: Decision) -> bool:
    if decision["decisionType"] != "StartTimer":
        return False
    return bool(attributes_of(decision)["timerId"] == WAIT_TIMER)


def _allowed(decisions: list[Decision], history: History) -> list[Decision]:
    """Without those that there is no room for: the end of what is open makes some."""
    room = Counter({kind: most - history.open_things(of) for kind, (of, most) in OPEN.items()})
    allowed = []
    for decision in decisions:
        kind = decision["decisionType"]
        if kind not in OPEN or room[kind] > 0:
            allowed.append(decision)
            room[kind] -= 1
    return allowed


def _wait(history: History, times: int) -> list[Decision]:
    if history.waiting or history.timer_refused:
        return []
    longest = min(2 ** min(times, 30), LONGEST_WAIT)
    return [start_timer(WAIT_TIMER, longest * (1 - JITTER * fraction(history.seed)))]


def _wait_to_close(history: History) -> list[Decision]:
    if history.timer_refused and not history.pending:
        raise NothingPermitted(
            "SWF does not let the execution be closed, and starts no timer to wait "
            f"({history.timer_refused}). Let the policy of the decider's credentials allow it; "
            "the task is left unanswered and comes again when it has timed out."
        )
    return _wait(history, history.closing_refused)


def _give_up(history: History, decisions: list[Decision]) -> list[Decision]:
    if history.waiting or decisions or history.pending:
        return []
    causes = sorted({str(state.refusal and state.refusal.cause) for state in history.held_back})
    return [
        fail_workflow(
            f"SWF does not begin what is next ({', '.join(causes)}) and starts no timer to wait "
            f"for it ({history.timer_refused})."
        )
    ]
