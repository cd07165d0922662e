"""The traces of one decider's decisions, from the poll's response to the accepted answer.

Decisions are made without a look at their trace. The answer to SWF extends the inputs of activities
by its id (``family_trace``), if their workers cannot derive it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from garcon.aws import limits
from garcon.decider.decisions import Decision, attributes_of
from garcon.decider.trace_lookup import FamilyMember, TraceLookup
from garcon.event import History
from garcon.history.event_types import CHILD
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.tracing import family_trace
from garcon.tracing.seam import (
    Begun,
    Ending,
    Run,
    TracedBlock,
    TracedClosing,
    TracedDecision,
    Tracer,
)

MOST_PENDING = 100
"""Decisions whose spans are kept although they were never answered."""

_SCHEDULE = "scheduleActivityTaskDecisionAttributes"

_CLOSINGS = {
    "CompleteWorkflowExecution": "completed",
    "FailWorkflowExecution": "failed",
    "CancelWorkflowExecution": "canceled",
    "ContinueAsNewWorkflowExecution": "continued_as_new",
}


@dataclass
class _Pending:
    """A decision that is not answered yet, and the history that it rests on, once it is read."""

    tracer: Tracer
    decision: TracedDecision
    span: TracedBlock
    member: FamilyMember
    leaves_note: bool = False
    history: History | None = None


class DecisionTraces:
    """The decisions in progress of one decider that are traced.

    Args:
        domain: The decider's domain.
        lookup: Finds the traces of runs.
    """

    def __init__(self, domain: str, lookup: TraceLookup) -> None:
        self._domain = domain
        self._lookup = lookup
        self._pending: dict[str, _Pending] = {}

    @contextmanager
    def deciding(self, tracer: Tracer, poll: Mapping[str, Any]) -> Iterator[None]:
        """The block in which a task is decided; its span is the current one."""
        member = self._lookup.find(poll)
        decision = _described(poll, self._domain, member)
        token = poll["taskToken"]
        pending = _Pending(tracer, decision, tracer.decision(decision), member)
        if len(self._pending) >= MOST_PENDING:
            self._pending.pop(next(iter(self._pending)), None)
        self._pending[token] = pending
        try:
            with pending.span:
                yield
        except BaseException:
            self._pending.pop(token, None)
            raise

    def note_history(self, token: str, history: History) -> str:
        """The history of a task in progress has been read.

        Returns:
            The id of the trace, if the answer has to note it; else empty.
        """
        pending = self._pending.get(token)
        if pending is None:
            return ""
        pending.history = history
        pending.leaves_note = not pending.member.is_noted
        return pending.member.trace if pending.leaves_note else ""

    def answer(
        self, token: str, decisions: list[Decision], answer: Callable[[str, list[Decision]], bool]
    ) -> bool:
        """Send the answer, and end the decision's span; returns whether SWF accepted it."""
        pending = self._pending.pop(token, None)
        if pending is None:
            return answer(token, decisions)
        # The span that the flow's code saw is over: the answer is not made within it.
        is_accepted = False
        try:
            is_accepted = answer(token, _carrying(decisions, pending.member.trace))
        finally:
            pending.span.end(_ending(decisions, is_accepted=is_accepted))
        if is_accepted and pending.leaves_note:
            self._lookup.confirm(pending.decision.run)
        if is_accepted and (history := pending.history):
            pending.tracer.begun(pending.decision, _begun(decisions, history))
            if decisions and decisions[-1]["decisionType"] in _CLOSINGS:
                pending.tracer.closed(_closing(pending.decision, decisions[-1], history))
        return is_accepted


def _described(poll: Mapping[str, Any], domain: str, member: FamilyMember) -> TracedDecision:
    execution, workflow_type = poll["workflowExecution"], poll.get("workflowType") or {}
    return TracedDecision(
        Run(execution["workflowId"], execution["runId"]),
        domain,
        workflow_type.get("name", ""),
        workflow_type.get("version", ""),
        poll.get("startedEventId") or 0,
        member.trace,
    )


def _carrying(decisions: list[Decision], trace: str) -> list[Decision]:
    """The decisions, the inputs of their activities with the id of the trace, if there is one."""
    return [_with_trace(each, trace) for each in decisions] if trace else decisions


def _with_trace(decision: Decision, trace: str) -> Decision:
    attributes = decision.get(_SCHEDULE)
    if not attributes or not isinstance(text := attributes.get("input"), str):
        return decision
    longer = family_trace.extended(text, trace, limits.PAYLOAD)
    return {**decision, _SCHEDULE: {**attributes, "input": longer}}


def _ending(decisions: list[Decision], *, is_accepted: bool) -> Ending:
    if not is_accepted:
        return Ending("not_accepted", "SWF did not accept the decisions.", is_error=True)
    timers = [
        attributes_of(each)["timerId"] for each in decisions if each["decisionType"] == "StartTimer"
    ]
    return Ending("returned" if RETURN_TIMER in timers else "completed")


def _begun(decisions: list[Decision], history: History) -> Iterator[Begun]:
    for decision in decisions:
        attributes = attributes_of(decision)
        if decision["decisionType"] == "ScheduleActivityTask":
            yield _activity(attributes, history)
        elif decision["decisionType"] == "StartChildWorkflowExecution":
            id_ = attributes["workflowId"]
            state = history.states_by_kind[CHILD.kind].get(id_)
            yield Begun(True, id_, attributes["workflowType"]["name"], is_first=state is None)  # noqa: FBT003 - a member, not a switch


def _activity(attributes: Mapping[str, Any], history: History) -> Begun:
    id_, name = attributes["activityId"], attributes["activityType"]["name"]
    state = history.activities.get(name, {}).get(id_)
    if state is None:
        return Begun(is_child=False, id=id_, name=name)
    # What the run before scheduled has a number below 0: in this run it is the first request.
    is_first = state.event_id <= 0 and not state.refusals
    return Begun(
        is_child=False, id=id_, name=name, attempt=len(state.outcomes) + 1, is_first=is_first
    )


def _closing(decision: TracedDecision, closing: Decision, history: History) -> TracedClosing:
    start = history.start
    parent = start.get("parentWorkflowExecution")
    return TracedClosing(
        decision,
        history.started_at,
        _how(closing),
        parent and Run(parent["workflowId"], parent["runId"]),
        start.get("continuedExecutionRunId"),
    )


def _how(closing: Decision) -> Ending:
    kind = closing["decisionType"]
    is_error = kind == "FailWorkflowExecution"
    return Ending(_CLOSINGS[kind], attributes_of(closing).get("reason"), is_error=is_error)
