"""The event cliff: a run goes on in a new one before SWF ends it for its length.

SWF ends an execution at 25,000 events, and advises to stay below 10,000. A flow of the ``requires``
kind is known entirely by what its activities returned, so it can go on in a new run without
noticing; a flow with a decider of its own says itself when (``schedule.continue_as_new``).

Rules:

1. From ``continue_at`` events on, the run continues as new as soon as nothing of it is open: what
   is open would be lost. A flow of activities one after the other has such a moment at every step.
2. From 18,000 events on nothing new is begun until nothing is open. 1,000 open activities end with
   at most 5,000 more events (started, closed, and a decision's three), which is below the limit.
3. What cannot be carried (see ``carrying``) without a claim store does not end the run: it goes on,
   with a warning, as long as SWF lets it. So it does if the history cannot be read just now, or if
   SWF does not permit it to continue as new.
4. The execution keeps its deadline: the new run has what is left of the time.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from garcon import carrying, limits, payload
from garcon.context import begun_with
from garcon.decider.decisions import Decision, continue_as_new
from garcon.event import History, at_of
from garcon.log import GarconLogger

Event = dict[str, Any]
Poll = Mapping[str, Any]

CONTINUE_AT = 10_000
HOLD_AT = 18_000

_REFUSED = "ContinueAsNewWorkflowExecution"

# Nothing else may be wanted at the moment of continuing: what is not scheduled yet is no loss.
_REPEATED = frozenset({"ScheduleActivityTask"})


class Cliff(GarconLogger):
    """Keeps the runs of one flow away from the limit.

    Args:
        flow: The flow; it says ``continue_at = N`` if it wants another number, None for never.
        read: Gives all events of the execution of a decision task; None if they cannot be had now.
    """

    def __init__(self, flow: Any, read: Callable[[Poll], Sequence[Event] | None]) -> None:
        own = callable(getattr(flow, "decider", None))
        self.limit: int | None = None if own else getattr(flow, "continue_at", CONTINUE_AT)
        self._read = read
        # Runs that cannot be continued; a forgotten one is only tried again.
        self._staying: deque[str] = deque(maxlen=1_000)

    def avoid(self, poll: Poll, decisions: list[Decision], history: History) -> list[Decision]:
        """What to send instead of these decisions: mostly the same.

        Args:
            poll: The decision task.
            decisions: What is wanted.
            history: What happened so far.
        """
        if not self.limit or history.last < self.limit:
            return decisions
        if may_continue(decisions, history) and (over := self._continued(poll, history)):
            return [over]
        return held(decisions, history) if history.last >= HOLD_AT else decisions

    def _continued(self, poll: Poll, history: History) -> Decision | None:
        run_id = poll["workflowExecution"]["runId"]
        events = None if run_id in self._staying else self._read(poll)
        if not events:
            return None
        try:
            return continued(history, events)
        except payload.TooLarge as error:
            self._staying.append(run_id)
            self.logger.warning(
                "Run %s has %s events and cannot continue as new: %s At 25,000 SWF ends it.",
                run_id,
                history.last,
                error,
            )
            return None


def may_continue(decisions: list[Decision], history: History) -> bool:
    """Whether the run has nothing to lose by ending here, and something to go on for."""
    if history.pending or history.cancel_requested or _REFUSED in history.refused:
        return False
    return bool(decisions) and all(each["decisionType"] in _REPEATED for each in decisions)


def held(decisions: list[Decision], history: History) -> list[Decision]:
    """The decisions without new activities, as long as something is open that has to end first."""
    if not history.pending:
        return decisions
    return [each for each in decisions if each["decisionType"] not in _REPEATED]


def continued(history: History, events: Sequence[Event]) -> Decision:
    """The decision to go on in a new run.

    Args:
        history: What happened so far.
        events: The same, all of it.

    Raises:
        payload.TooLarge: SWF does not take what is to be carried, and there is no claim store.
    """
    text, before = begun_with(events[0])
    carried = carrying.carry([*before, *events], text)
    start = {**history.start, **_time_left(history, events)}
    return continue_as_new(start, carried, version=start["workflowType"]["version"])


def _time_left(history: History, events: Sequence[Event]) -> Mapping[str, str]:
    given = str(history.start.get("executionStartToCloseTimeout"))
    if not given.isdigit():
        return {}
    left = int(given) - (at_of(events[-1]) - at_of(events[0]))
    return {"executionStartToCloseTimeout": limits.seconds(max(1, left))}
