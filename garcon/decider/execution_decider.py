"""The decisions for one execution, whose history is known: no poll, no answer.

Rules:

1. Deciding depends on the history alone, so the same task decided twice gives the same decisions.
2. An error of the flow's code fails the workflow.
3. A subclass may override ``get_activity_states``, ``create_decisions_from_flow`` and
   ``delegate_decisions``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from garcon import activity, event
from garcon.aws.poller import Poller
from garcon.decider import flow_validation
from garcon.decider.decider_run import conclude, ensure_permitted, run_decider
from garcon.decider.decisions import Decision, cancel_workflow, complete_workflow
from garcon.decider.execution_state import ExecutionState
from garcon.decider.flow_errors import ErrorsAsDecisions
from garcon.decider.history_limit import HistoryLimit
from garcon.decider.nondeterminism import NonDeterminism
from garcon.decider.requires_flow import RequiresFlow
from garcon.decider.response import first_batch, log_retries, permitted
from garcon.decider.scheduling.schedule import Schedule
from garcon.event import History
from garcon.flow import flow_attributes
from garcon.history.states import Impossible

Event = dict[str, Any]
Poll = Mapping[str, Any]
States = Mapping[str, Mapping[str, activity.ActivityState]]

_execution: ContextVar[ExecutionState | None] = ContextVar("garcon_execution", default=None)
"""The execution being decided in this thread. The documented methods are called with states and
context alone; the rest of the history reaches them here, however they are overridden."""


class ExecutionDecider(Poller):
    """Decides for the executions of one flow.

    Args:
        flow: The flow, a module or any object with ``domain`` and ``name``; optional ``client``,
            ``version``, ``decider`` and ``on_exception``.

    Raises:
        garcon.errors.InvalidFlow: The flow cannot work.
    """

    def __init__(self, flow: Any) -> None:
        flow_validation.check(flow)
        super().__init__()
        self.flow = flow
        self.client = getattr(flow, "client", None)
        self.domain: str = flow.domain
        self.name: str = flow.name
        self.task_list: str = flow.name
        self.version = flow_attributes.version(flow)
        self.activities = activity.find_workflow_activities(flow)
        self.on_exception = getattr(flow, "on_exception", None)
        self._requires_flow = RequiresFlow(self, flow, self.activities)
        self._history_limit = HistoryLimit(self, flow, self.complete_history)

    def complete_history(self, poll: Poll) -> Sequence[Event] | None:
        """All events up to a task, in order; ``None`` if they are not known at present."""
        raise NotImplementedError

    def decisions_for(
        self, poll: Poll, execution: ExecutionState, events: list[Event] | None = None
    ) -> list[Decision]:
        """The decisions for a decision task.

        Args:
            poll: The poll's answer.
            execution: The execution up to this task.
            events: Its events, if overridden methods are to see them.
        """
        history = execution.history
        history.context.set_workflow_execution_info(poll, self.domain)
        desired = permitted(self._desired(execution, events), history)
        decisions = self._history_limit.apply(poll, desired, history)
        self.log_decisions(decisions)
        return first_batch(decisions, history)

    def log_decisions(self, decisions: list[Decision]) -> None:
        """Log which activities are attempted again."""
        log_retries(decisions, self.logger)

    def report(self, error: BaseException) -> None:
        """Log the error, call ``on_exception``, and note that the code differs from the history.

        An error that a changed state may have caused is noted only, see ``HistoryReader``, rule 4.
        """
        execution = _execution.get()
        if execution and execution.is_kept and not isinstance(error, Impossible):
            execution.is_doubtful = True
            return
        if execution and isinstance(error, NonDeterminism):
            execution.nondeterminism = str(error)
            note = execution.history.build_note
            if note and note.is_stuck:
                return  # reported when it got stuck; SWF brings it again and again
        super().report(error)

    def get_activity_states(self, history: Iterable[Event]) -> event.States:
        """The states of the activities, by activity name and id."""
        return event.activity_states_from_events(history)

    def _desired(self, execution: ExecutionState, events: list[Event] | None) -> list[Decision]:
        """The decisions of the flow's code, whatever SWF takes of them."""
        decisions: list[Decision] = []
        token = _execution.set(execution)
        try:
            with ErrorsAsDecisions(decisions, self.report):
                self._run_flow(decisions, execution, events)
        finally:
            _execution.reset(token)
        return decisions

    def _run_flow(
        self, decisions: list[Decision], execution: ExecutionState, events: list[Event] | None
    ) -> None:
        history, states = execution.history, execution.history.activities
        if events is not None:
            states = self.get_activity_states(events)
        decider = self._flow_decider()
        if history.cancel_requested or decider:
            ensure_permitted(history)  # the other flows only continue as new, and need not
        if history.cancel_requested:
            self._cancel(decisions, history)
        elif decider:
            self.delegate_decisions(decisions, decider, states, history.context)
        else:
            self.create_decisions_from_flow(decisions, states, history.context)

    def _flow_decider(self) -> Callable[..., Any] | None:
        decider = getattr(self.flow, "decider", None)
        return decider if callable(decider) else None  # a flow may have imported garcon.decider

    def _cancel(self, decisions: list[Decision], history: History) -> None:
        schedule = Schedule(self.flow, history, decisions)
        self._show_exposed(schedule)
        handler = getattr(self.flow, "on_cancel", None) or Schedule.cancel_all
        closing = cancel_workflow("Cancelling the execution was requested.")
        run_decider(handler, schedule, history.context.workflow_input, closing)
        conclude(handler, schedule, history, self.logger)

    @staticmethod
    def _show_exposed(schedule: Schedule) -> None:
        """Let what a run exposes be read from the execution, also if the run raises."""
        if execution := _execution.get():
            execution.exposed = schedule.record.exposed

    def create_decisions_from_flow(
        self, decisions: list[Decision], activity_states: States, context: Mapping[str, Any]
    ) -> None:
        """Add the decisions of a flow without a decider: activities whose requirements completed.

        Args:
            decisions: The decisions so far, boto3 dictionaries.
            activity_states: The states, by activity name and id.
            context: The context of the execution.
        """
        with ErrorsAsDecisions(decisions, self.report):
            self._requires_flow.decide(decisions, activity_states, context, _execution.get())

    def delegate_decisions(
        self,
        decisions: list[Decision],
        decider: Callable[..., Any],
        history: States,
        context: Mapping[str, Any],
    ) -> None:
        """Let the flow's own decider add the decisions.

        Args:
            decisions: The decisions so far, boto3 dictionaries.
            decider: Called with a ``Schedule``, called as ``schedule(id, activity, requires=None,
                input=None)``, and, if its signature asks for it, the workflow's input.
            history: The states, by activity name and id.
            context: The context of the execution.
        """
        execution = _execution.get()
        known = execution.history if execution else History()
        schedule = Schedule(self.flow, known, decisions, history, context)
        self._show_exposed(schedule)
        workflow_input = dict(getattr(context, "workflow_input", context))
        with ErrorsAsDecisions(decisions, self.report):
            run_decider(decider, schedule, workflow_input, complete_workflow())
            if execution:
                conclude(decider, schedule, known, self.logger)


def log_context(poll: Poll, domain: str) -> dict[str, Any]:
    """The facts about a task's execution that log lines carry."""
    execution = poll["workflowExecution"]
    return {
        "execution.domain": domain,
        "execution.workflow_id": execution["workflowId"],
        "execution.run_id": execution["runId"],
    }
