"""The decisions of a flow without a decider: an activity runs once what it requires has completed.

Rules:

1. A flow that has nothing to run and nothing to wait for fails with a sentence.
2. Nothing is decided while an activity runs that the flow no longer has, see ``nondeterminism``.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from garcon.activity import Activity, ActivityInstanceNotReadyException, state_of
from garcon.aws.poller import Poller
from garcon.decider.decider_run import STUCK
from garcon.decider.decisions import Decision, complete_workflow, fail_workflow
from garcon.decider.execution_state import ExecutionState
from garcon.decider.flow_defaults import activity_priority
from garcon.decider.frontier import Frontier, Graph, States, View
from garcon.decider.nondeterminism import first_running, not_in_flow
from garcon.decider.response import is_stuck
from garcon.decider.scheduling.activity_requests import take_step
from garcon.flow import flow_attributes


class RequiresFlow:
    """Decides for the executions of one flow.

    Args:
        poller: The decider: its logger is used.
        flow: The flow.
        activities: Its activities.
    """

    def __init__(self, poller: Poller, flow: Any, activities: Sequence[Activity]) -> None:
        self._poller = poller
        self._flow = flow
        self._graph = Graph(activities)

    def decide(
        self,
        decisions: list[Decision],
        states: States,
        context: Mapping[str, Any],
        execution: ExecutionState | None,
    ) -> None:
        """Add the decisions.

        Args:
            decisions: The decisions so far.
            states: The states, by activity name and id.
            context: The context of the execution.
            execution: The execution, if more is known of it than states and context.

        Raises:
            NonDeterminism: An activity runs that the flow does not have.
            ActivityImpossible: An activity will never complete.
            Exception: Whatever a generator raises.
        """
        with suppress(ActivityInstanceNotReadyException):
            self._schedule(decisions, self._view(states, context, execution))
        if execution is None:
            return
        self._ensure_deterministic(decisions, execution)
        if is_stuck(decisions, execution.history):
            decisions.append(fail_workflow(STUCK))

    def _view(
        self, states: States, context: Mapping[str, Any], execution: ExecutionState | None
    ) -> View:
        if execution is None:
            return Frontier(self._graph).view(states, context)
        history = execution.history
        if execution.frontier is None or states is not history.activities:
            # Other states than the history's come from an override, and need not grow.
            execution.frontier = Frontier(self._graph)
        if self._graph.dynamic and context is history.context:
            # Generators are the flow's code: their changes to the context must not be kept.
            context = history.context.snapshot()
        return execution.frontier.view(states, context)

    def _schedule(self, decisions: list[Decision], view: View) -> None:
        for each in view.live:
            options: dict[str, Any] = {
                "version": flow_attributes.version(self._flow),
                "priority": activity_priority(each, self._flow),
            }
            for instance in view.runnable(each):
                state = state_of(instance, view.history)
                take_step(decisions, instance, state, instance.id, **options)
        if view.all_completed:
            decisions.append(complete_workflow())

    def _ensure_deterministic(self, decisions: list[Decision], execution: ExecutionState) -> None:
        history, frontier = execution.history, execution.frontier
        if not decisions or not frontier or not history.open_activities:
            return
        is_closing = decisions[-1]["decisionType"] == "CompleteWorkflowExecution"
        # When the flow closes, all its activities have completed: any that runs is foreign.
        names = history.activities if is_closing else frontier.foreign_names(history.activities)
        running = first_running(history, list(names))
        if running is None:
            return
        error = not_in_flow(running, getattr(self._flow, "__file__", None) or self._flow.name)
        if getattr(self._flow, "deterministic", True):
            raise error
        self._poller.logger.warning(
            "%s The flow has deterministic = False: they are sent all the same.", error
        )
