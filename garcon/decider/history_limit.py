"""Continuing as new before SWF ends a run for the length of its history.

SWF ends an execution at 25,000 events and advises to stay below 10,000. A flow of the ``requires``
kind is determined by the results of its activities, so it can continue in a new run without
noticing; a flow with a decider of its own decides itself when (``schedule.continue_as_new``).

Rules:

1. From ``continue_at`` events on, the run continues as new as soon as nothing of it is open: open
   things would be lost. A sequence of activities has such a moment at every step.
2. From 18,000 events on nothing new is begun until nothing is open. 1,000 open activities end with
   at most 5,000 more events (started, closed, and three of a decision), which is below the limit.
3. If the results cannot be carried (see ``continuation``) without a claim store, the run goes on,
   with a warning, as long as SWF lets it. So it does if the history cannot be read at present, or
   if SWF does not permit it to continue as new.
4. The execution keeps its deadline: the new run has the rest of the time.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from garcon.aws import limits
from garcon.aws.poller import Poller
from garcon.context import inheritance
from garcon.decider.decisions import Decision, continue_as_new
from garcon.event import History
from garcon.history import continuation
from garcon.history.event_types import timestamp_of
from garcon.payload import codec

Event = dict[str, Any]
Task = Mapping[str, Any]

CONTINUE_AT = 10_000
HOLD_AT = 18_000

_CONTINUE = "ContinueAsNewWorkflowExecution"

# Decisions that may be dropped when the run continues instead: the new run makes them again.
_REPEATABLE = frozenset({"ScheduleActivityTask"})


class HistoryLimit:
    """Keeps the runs of one flow below the limit.

    Args:
        poller: The decider: its logger is used.
        flow: The flow; ``continue_at`` is its own number of events, None for never.
        read: Returns all events of the execution of a decision task; None if SWF does not return
            them at present.
    """

    def __init__(
        self, poller: Poller, flow: Any, read: Callable[[Task], Sequence[Event] | None]
    ) -> None:
        has_decider = callable(getattr(flow, "decider", None))
        self.limit: int | None = None if has_decider else getattr(flow, "continue_at", CONTINUE_AT)
        self._poller = poller
        self._read = read
        # Runs that cannot continue as new. If one is dropped here, it is only attempted again.
        self._staying: deque[str] = deque(maxlen=1_000)

    def apply(self, task: Task, decisions: list[Decision], history: History) -> list[Decision]:
        """The decisions to send instead of these; usually the same.

        Args:
            task: The decision task.
            decisions: The desired decisions.
            history: The history so far.
        """
        if not self.limit or history.last < self.limit:
            return decisions
        if may_continue(decisions, history) and (new := self._continue(task, history)):
            return [new]
        return without_new(decisions, history) if history.last >= HOLD_AT else decisions

    def _continue(self, task: Task, history: History) -> Decision | None:
        run_id = task["workflowExecution"]["runId"]
        events = None if run_id in self._staying else self._read(task)
        if not events:
            return None
        try:
            return continuation_of(history, events)
        except codec.TooLarge as error:
            self._staying.append(run_id)
            self._poller.logger.warning(
                "Run %s has %s events and cannot continue as new: %s SWF ends it at 25,000 events.",
                run_id,
                history.last,
                error,
            )
            return None


def may_continue(decisions: list[Decision], history: History) -> bool:
    """Whether the run loses nothing by ending now, and has something left to do."""
    if history.pending or history.cancel_requested or _CONTINUE in history.refusals.permanent:
        return False
    return bool(decisions) and all(each["decisionType"] in _REPEATABLE for each in decisions)


def without_new(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions without new activities, as long as something open has to end first."""
    if not history.pending:
        return decisions
    return [each for each in decisions if each["decisionType"] not in _REPEATABLE]


def continuation_of(history: History, events: Sequence[Event]) -> Decision:
    """The decision to continue in a new run.

    Args:
        history: The history so far.
        events: All its events.

    Raises:
        payload.TooLarge: The results do not fit into an input, and there is no claim store.
    """
    before = inheritance(events[0])
    carried = continuation.carry([*before.events, *events], before.input, before.redrive_of)
    start = {**history.start, **_time_left(history, events)}
    return continue_as_new(start, carried, version=start["workflowType"]["version"])


def _time_left(history: History, events: Sequence[Event]) -> Mapping[str, str]:
    timeout = str(history.start.get("executionStartToCloseTimeout"))
    if not timeout.isdigit():
        return {}
    left = int(timeout) - (timestamp_of(events[-1]) - timestamp_of(events[0]))
    return {"executionStartToCloseTimeout": limits.seconds(max(1, left))}
