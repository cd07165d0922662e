"""The record of one run of a decider: what it requested under which id, and what it decided.

Rules:

1. Within a run, the same id gives the same state; with another input it is an error.
2. Between decisions, a digest noted with the request shows whether the input is still the same.
3. A run sees copies of the states: its changes to them are not kept, but read from the history in
   the next run.
"""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

from garcon.activity import ActivityState
from garcon.decider.decisions import Decision, attributes_of
from garcon.decider.nondeterminism import flow_line, other_input
from garcon.decider.scheduling.activity_requests import ScheduleContext
from garcon.decider.scheduling.arguments import check_id
from garcon.decider.scheduling.control_notes import control_of, input_digest
from garcon.errors import GarconError
from garcon.event import History
from garcon.history.event_types import TIMER, Lifecycle
from garcon.history.states import State, Waitable

# The kind of a thing, or the name of an activity; and the id.
Key = tuple[str, str]


class InputMismatch(GarconError, ValueError):
    """One id was requested with two inputs."""


class RunRecord:
    """Requests and decisions of one run.

    Args:
        flow: The flow.
        history: The history so far.
        decisions: Receives the decisions.

    Attributes:
        progress: Whether every requested activity has completed.
        awaited_signals: The signals that were requested and have not come.
        requested: The names of everything requested, as in ``Waitable.what``.
        first_new_line: The line of the flow that made the first decision, if any.
        closing: The decision to continue as new.
        exposed: What the decider exposes of the execution.
    """

    def __init__(self, flow: Any, history: History, decisions: list[Decision]) -> None:
        self.flow = flow
        self.history = history
        self.decisions = decisions
        self.progress = ScheduleContext()
        self.awaited_signals: set[str] = set()
        self.requested: set[str] = set()
        self.first_new_line: str | None = None
        self.closing: Decision | None = None
        self.exposed: dict[str, Any] = {}
        self._states: dict[Key, tuple[Any, Waitable]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether nothing keeps the workflow open."""
        is_held = any(state.blocks_completion for _, state in self._states.values())
        return self.progress.completed and not is_held

    @property
    def is_strict(self) -> bool:
        """Whether the flow's decider has to be deterministic."""
        return bool(getattr(self.flow, "deterministic", True))

    def request(
        self,
        life: Lifecycle,
        id_: str,
        decide: Callable[[str | None], Decision],
        values: Any = None,
        *,
        may_fail: bool = False,
    ) -> State:
        """The state of a timer, child workflow or lambda function; it is begun if it is new.

        Args:
            life: Its kind.
            id_: Its id.
            decide: Makes the decision that begins it, given the notes to leave with it.
            values: Its input.
            may_fail: Return a state that ``failed`` instead of raising.

        Raises:
            InputMismatch: The id was requested with another input in this run.
            NonDeterminism: It began with another input.
            Impossible: SWF refuses it, or it failed.
        """
        check_id(id_, f"A {life.kind}")
        key = life.kind, id_
        found = self.find(key, values)
        if isinstance(found, State):
            return found
        known = self.history.states_by_kind[life.kind].get(id_)
        state = copy.copy(known) if known else State(life.kind, id_)
        if state.refusal:
            state.refusal.raise_for(state.what[0].lower() + state.what[1:])
        elif not state.event_id and not state.outcome:
            self.add(decide(json.dumps({"input": input_digest(values)}) if values else None))
        elif state.failed and not (may_fail or state.cancel_requested or life is TIMER):
            state.wait()
        self.remember(key, values, state, [state])
        return state

    def find(self, key: Key, values: Any) -> Waitable | None:
        """The state requested under this key before in this run.

        Raises:
            InputMismatch: It was requested with another input.
        """
        if key not in self._states:
            return None
        earlier_values, state = self._states[key]
        if input_digest(earlier_values) != input_digest(values):
            raise InputMismatch(
                f"{state.what} is requested twice with different inputs ({flow_line()}). An id "
                "stands for one input: give each its own id."
            )
        return state

    def remember(
        self, key: Key, values: Any, state: Waitable, uses: Sequence[State | ActivityState]
    ) -> None:
        """Note a request.

        Args:
            key: Its key.
            values: Its input.
            state: The state that the flow receives.
            uses: The states that the history has of it; those of an activity's instances.

        Raises:
            NonDeterminism: It began with another input.
        """
        self._states[key] = values, state
        self.requested.update(each.what for each in uses)
        for each in uses:
            noted = control_of(each.control).get("input") if each.control else None
            if noted and noted != input_digest(values) and self.is_strict:
                raise other_input(each, flow_line())

    def add(self, decision: Decision) -> None:
        """Decide something new."""
        self.decisions.append(decision)
        self.note_line()

    def withdraw(self, members: dict[str, str]) -> None:
        """Take back the decisions of this run that have these members."""
        self.decisions[:] = [
            each for each in self.decisions if not members.items() <= attributes_of(each).items()
        ]

    def note_line(self) -> None:
        """Note the flow's current line, if it is the first that decides something."""
        if self.first_new_line is None:
            self.first_new_line = flow_line()
