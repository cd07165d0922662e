"""Cancelling what a flow asked for.

An activity is asked to end, which its next heartbeat tells it; a timer ends at once; a child
workflow gets a request. What this very run decided is simply not sent.
"""

import copy
import math

from garcon.activity import ActivityInstanceNotReadyException, ActivityState
from garcon.decider import decisions as to
from garcon.decider.asking import Asking
from garcon.decider.combining import Combined
from garcon.lifecycles import CHILD, TIMER
from garcon.states import How, Outcome, State, Waitable
from garcon.timers import WAIT_TIMER, rest_timer


class Cancelling(Asking):
    """A run of a decider that can cancel."""

    def cancel(self, *states: Waitable) -> None:
        """Cancel activities, timers or children; they no longer keep the workflow open.

        An activity is asked to end by its next heartbeat, a child by a request to it.

        Raises:
            ValueError: SWF has no way to cancel such a thing.
        """
        for state in states:
            if isinstance(state, Combined):
                self.cancel(*state.states)
            elif isinstance(state, ActivityState):
                self._cancel_activity(state)
            elif isinstance(state, State) and state.kind in {TIMER.kind, CHILD.kind}:
                self._cancel_thing(state)
            else:
                raise ValueError(f"{state.what} cannot be cancelled: SWF has no call for it.")

    def cancel_all(self) -> None:
        """Cancel whatever is open, asked for in this run or not, and wait for its end.

        After a request to cancel the execution, what began before that.

        Raises:
            ActivityInstanceNotReadyException: Something still runs.
        """
        until = self._history.cancel_requested or math.inf
        for state in self._open_until(until):
            if isinstance(state, ActivityState):
                self._cancel_use(state)
            else:
                self._cancel_thing(copy.copy(state))
        if any(not _is_timer(each) for each in self._open_until(until)):
            self.progress.mark_uncompleted()
            raise ActivityInstanceNotReadyException("What was cancelled has not ended yet.")

    def _open_until(self, event_id: float) -> list[ActivityState | State]:
        things = self._history.things
        known: list[ActivityState | State] = [
            *(each for of_name in self._history.activities.values() for each in of_name.values()),
            *things[TIMER.kind].values(),
            *things[CHILD.kind].values(),
        ]
        return [each for each in known if each.open and each.event_id < event_id and _is_ours(each)]

    def _cancel_activity(self, state: ActivityState) -> None:
        state.cancel_requested = True
        state.given_up = state.given_up or Outcome(How.CANCELED)
        for use in state.uses:
            self._cancel_use(use)

    def _cancel_use(self, use: ActivityState) -> None:
        wanted = {"activityId": use.activity_id}
        if use.open and not use.cancel_requested:
            self._add(to.cancel_activity(use.activity_id))
        elif not use.open:  # begun by this very run, or resting: it is not to begin
            self._withdraw(wanted)
            self._withdraw({"timerId": rest_timer(use.activity_id)})
            if use.rest and use.rest.open:
                self._add(to.cancel_timer(use.rest.id))

    def _cancel_thing(self, state: State) -> None:
        if state.open and not state.cancel_requested:
            is_timer = state.kind == TIMER.kind
            self._add(
                to.cancel_timer(state.id) if is_timer else to.cancel_child(state.id, state.run_id)
            )
        elif not state.open:
            self._withdraw({"timerId" if state.kind == TIMER.kind else "workflowId": state.id})
        state.cancel_requested = True
        if state.kind == TIMER.kind and not state.outcome:
            state.end(Outcome(How.CANCELED))


def _is_timer(state: ActivityState | State) -> bool:
    return isinstance(state, State) and state.kind == TIMER.kind


def _is_ours(state: ActivityState | State) -> bool:
    """Whether the flow has to do with it: the wait timer is the library's own."""
    return not (isinstance(state, State) and state.id == WAIT_TIMER)
