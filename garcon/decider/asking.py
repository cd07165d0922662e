"""Asking for something under an id: new decisions the first time, the history's word later.

Rules:

1. Within one run, the same id gives the same state; with another input it is an error.
2. Between decisions, a digest noted with the thing tells whether the input is still the same.
3. A run sees copies of the states: what it does to them is not remembered, but found in the history
   the next time.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from garcon.activity import ActivityState
from garcon.decider.arguments import check_id
from garcon.decider.contradicting import flow_line, other_input
from garcon.decider.decisions import Decision, attributes_of
from garcon.decider.scheduling import ScheduleContext, control_of, digest
from garcon.errors import GarconError
from garcon.event import History
from garcon.lifecycles import TIMER, Lifecycle
from garcon.states import State, Waitable

States = Mapping[str, Mapping[str, ActivityState]]
# What is asked for, and under which id.
Key = tuple[str, str]


class OtherInput(GarconError, ValueError):
    """One id was asked for with two inputs."""


class Asking:
    """What one run of a decider has asked for.

    Args:
        flow: The flow.
        history: What happened so far.
        decisions: Takes the decisions.
        activities: The states of the activities, if others than the history's.
        context: The context of the execution, if another than the history's.

    Attributes:
        progress: Whether all that was asked for has completed.
        listens: The signals that were asked for and have not come.
        asked: Names of all that was asked for.
        line: Where the flow decided something new first, if it did.
        closing: The decision to go on in a new run.
    """

    def __init__(
        self,
        flow: Any,
        history: History,
        decisions: list[Decision],
        activities: States | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.flow = flow
        self.progress = ScheduleContext()
        self.listens: set[str] = set()
        self.asked: set[str] = set()
        self.line: str | None = None
        self.closing: Decision | None = None
        self._history = history
        self._activities = history.activities if activities is None else activities
        self._context = history.context if context is None else context
        self._decisions = decisions
        self._states: dict[Key, tuple[Any, Waitable]] = {}

    @property
    def completed(self) -> bool:
        """Whether nothing keeps the workflow open."""
        held = any(state.holds for _, state in self._states.values())
        return self.progress.completed and not held

    def _thing(
        self,
        life: Lifecycle,
        id_: str,
        decide: Callable[[str | None], Decision],
        values: Any = None,
        *,
        may_fail: bool = False,
    ) -> State:
        check_id(id_, f"A {life.kind}")
        key = life.kind, id_
        found = self._again(key, values)
        if isinstance(found, State):
            return found
        known = self._history.things[life.kind].get(id_)
        state = copy.copy(known) if known else State(life.kind, id_)
        if state.refusal:
            state.refusal.raise_for(state.what[0].lower() + state.what[1:])
        elif not state.event_id and not state.outcome:
            self._add(decide(json.dumps({"input": _key_of(values)}) if values else None))
        elif state.failed and not (may_fail or state.cancel_requested or life is TIMER):
            state.wait()
        self._remember(key, values, state, [state])
        return state

    def _again(self, key: Key, values: Any) -> Waitable | None:
        """What the run has asked for before under this id."""
        if key not in self._states:
            return None
        before, state = self._states[key]
        if _key_of(before) != _key_of(values):
            raise OtherInput(
                f"{state.what} is asked for twice with different inputs ({flow_line()}). An id "
                "stands for one input: give another id."
            )
        return state

    def _remember(
        self, key: Key, values: Any, state: Waitable, uses: Sequence[State | ActivityState]
    ) -> None:
        self._states[key] = values, state
        self.asked.update(each.what for each in uses)
        for each in uses:
            before = control_of(each.control).get("input") if each.control else None
            if before and before != _key_of(values) and self._is_strict:
                raise other_input(each, each.event_id, flow_line())

    @property
    def _is_strict(self) -> bool:
        return bool(getattr(self.flow, "deterministic", True))

    def _withdraw(self, wanted: dict[str, str]) -> None:
        """Take back what this run has decided."""
        self._decisions[:] = [
            each for each in self._decisions if not wanted.items() <= attributes_of(each).items()
        ]

    def _add(self, decision: Decision) -> None:
        self._decisions.append(decision)
        self._note_line(since=-1)

    def _note_line(self, *, since: int) -> None:
        if self.line is None and len(self._decisions) > since:
            self.line = flow_line()


def _key_of(values: Any) -> str | None:
    """What is noted of an input; nothing at all is no input."""
    return digest(values) if values else None
