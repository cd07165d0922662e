"""Cancelling what a flow requested.

An activity receives the request with its next heartbeat; a timer ends at once; a child workflow
receives a request. A decision of this very run is withdrawn instead.
"""

import copy
import math

from garcon.activity import ActivityInstanceNotReadyException, ActivityState
from garcon.decider import decisions as to
from garcon.decider.scheduling.combinators import Combination
from garcon.decider.scheduling.run_record import RunRecord
from garcon.history.event_types import CHILD, TIMER
from garcon.history.reserved_timers import WAIT_TIMER, retry_timer_id
from garcon.history.states import EndKind, State, StateOutcome, Waitable


class Canceller:
    """Cancels for one run of a decider.

    Args:
        record: The record of the run.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    def cancel(self, *states: Waitable) -> None:
        """Cancel these; see ``Schedule.cancel``."""
        for state in states:
            if isinstance(state, Combination):
                self.cancel(*state.states)
            elif isinstance(state, ActivityState):
                self._cancel_activity(state)
            elif isinstance(state, State) and state.kind in {TIMER.kind, CHILD.kind}:
                self._cancel_timer_or_child(state)
            else:
                raise ValueError(f"{state.what} cannot be cancelled: SWF has no call for it.")

    def cancel_all(self) -> None:
        """Cancel everything that is open; see ``Schedule.cancel_all``."""
        until = self._record.history.cancel_requested or math.inf
        for state in self._open_before(until):
            if isinstance(state, ActivityState):
                self._cancel_use(state)
            else:
                self._cancel_timer_or_child(copy.copy(state))
        if any(not _is_timer(each) for each in self._open_before(until)):
            self._record.progress.mark_uncompleted()
            raise ActivityInstanceNotReadyException("Something cancelled has not ended yet.")

    def _open_before(self, event_id: float) -> list[ActivityState | State]:
        history = self._record.history
        known: list[ActivityState | State] = [
            *(each for of_name in history.activities.values() for each in of_name.values()),
            *history.states_by_kind[TIMER.kind].values(),
            *history.states_by_kind[CHILD.kind].values(),
        ]
        return [
            each
            for each in known
            if each.open and each.event_id < event_id and not _is_wait_timer(each)
        ]

    def _cancel_activity(self, state: ActivityState) -> None:
        state.cancel_requested = True
        state.given_up = state.given_up or StateOutcome(EndKind.CANCELED)
        for use in state.uses:
            self._cancel_use(use)

    def _cancel_use(self, use: ActivityState) -> None:
        if use.open and not use.cancel_requested:
            self._record.add(to.cancel_activity(use.activity_id))
        elif not use.open:  # begun by this very run, or waiting for its retry
            self._record.withdraw({"activityId": use.activity_id})
            self._record.withdraw({"timerId": retry_timer_id(use.activity_id)})
            if use.retry_timer and use.retry_timer.open:
                self._record.add(to.cancel_timer(use.retry_timer.id))

    def _cancel_timer_or_child(self, state: State) -> None:
        is_timer = _is_timer(state)
        if state.open and not state.cancel_requested:
            self._record.add(
                to.cancel_timer(state.id) if is_timer else to.cancel_child(state.id, state.run_id)
            )
        elif not state.open:
            self._record.withdraw({"timerId" if is_timer else "workflowId": state.id})
        state.cancel_requested = True
        if is_timer and not state.outcome:
            state.end(StateOutcome(EndKind.CANCELED))


def _is_timer(state: ActivityState | State) -> bool:
    return isinstance(state, State) and state.kind == TIMER.kind


def _is_wait_timer(state: ActivityState | State) -> bool:
    """Whether this is the library's own timer, which the flow does not know."""
    return isinstance(state, State) and state.id == WAIT_TIMER
