"""The decider worker: polls for decision tasks, decides from the history, answers SWF.

Rules:

1. Polling, deciding and answering are three steps; ``run`` is all three. Deciding depends on the
   history alone, so the same task decided twice gives the same decisions.
2. What the user's code raises while deciding fails the workflow with the error as reason; a call to
   SWF that fails does not: the decision task times out and SWF gives it out again.
"""

import functools
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from garcon import activity, claims, event, payload, trouble, usual, validation
from garcon import client as clients
from garcon.decider.cliff import Cliff
from garcon.decider.contradicting import Contradiction, orphan, orphaned
from garcon.decider.deciding import (
    STUCK,
    conclude,
    ensure_permitted,
    run_decider,
    run_on_cancel,
    tell_attempts,
)
from garcon.decider.decisions import Decision, complete_workflow, fail_workflow, hand_back
from garcon.decider.frontier import Frontier, Graph, View
from garcon.decider.pages import Gap
from garcon.decider.reduced import Reduced
from garcon.decider.registering import (
    RegistrationRefused,
    activity_priority,
    activity_version,
    register,
    registration,
)
from garcon.decider.scheduling import take_step
from garcon.decider.settling import is_stuck, settle, wait_long
from garcon.decider.splitting import split
from garcon.decider.sticky import Sticky
from garcon.decider.tasks import DecisionTasks
from garcon.decider.verbs import Schedule
from garcon.event import History
from garcon.states import Impossible

Event = dict[str, Any]
Poll = Mapping[str, Any]
States = Mapping[str, Mapping[str, activity.ActivityState]]

REGISTER_SECONDS = 60  # a start that waits longer for SWF should be seen to fail


class DeciderWorker(DecisionTasks):
    """Decides for the executions of one flow.

    Args:
        flow: The flow, a module or any object with ``domain`` and ``name``; optional ``client``,
            ``version``, ``decider`` and ``on_exception``.
        register: Whether to register the flow's domain and types first.
        sticky: Whether to have the tasks of executions that this process knows come back to it, so
            that only what is new is read, see ``sticky``; its settings, or True for the usual
            ones. It polls two task lists then, in threads; ``leave`` ends that in good order.

    Raises:
        garcon.errors.InvalidFlow: The flow cannot work; nothing was sent.
        RegistrationRefused: SWF does not have them and would not register them.
    """

    def __init__(self, flow: Any, register: bool = True, sticky: bool | Sticky = False) -> None:  # noqa: FBT001, FBT002 - documented
        validation.check(flow)
        super().__init__(flow, sticky=sticky)
        self.flow = flow
        self.version = usual.version(flow)
        self.activities = activity.find_workflow_activities(flow)
        self._graph = Graph(self.activities)
        self._cliff = Cliff(flow, self.whole_history)
        self.on_exception = getattr(flow, "on_exception", None)
        if register:
            self.register()

    def register(self) -> None:
        """Register the domain, the workflow type and the activity types that are not there.

        Raises:
            RegistrationRefused: SWF does not have them and would not register them.
        """
        client = clients.calling(self.client)
        for wanted in registration(self.flow):
            doing = f"registering the {wanted.kind.value} {wanted.name}"
            try:
                self._insist(functools.partial(register, client, wanted), REGISTER_SECONDS, doing)
            except trouble.ERRORS as error:
                told = clients.explain(error, doing, self.client, again=False)
                raise RegistrationRefused(told.sentence) from error

    def run(self, identity: str | None = None) -> bool:
        """Poll once, decide, answer. What fails is logged, reported to ``on_exception``, rested on.

        Args:
            identity: Who polls, for the history; host, process and thread if not given.

        Returns:
            True, so that ``while decider.run()`` goes on.
        """
        self.patiently(lambda: self._turn(identity))
        return True

    def _turn(self, identity: str | None) -> None:
        if poll := self.poll(identity):
            self.respond(poll["taskToken"], self.decide(poll, identity))

    def get_activity_states(self, history: Iterable[Event]) -> event.States:
        """The states of the activities, by activity name and id."""
        return event.activity_states_from_events(history)

    def decide(self, poll: Poll, identity: str | None = None) -> list[Decision]:
        """The decisions for a decision task; calls SWF for further pages of the history only.

        Args:
            poll: The poll's answer.
            identity: Who polled.
        """
        execution = poll["workflowExecution"]
        self.set_log_context(
            {
                "execution.domain": self.domain,
                "execution.workflow_id": execution["workflowId"],
                "execution.run_id": execution["runId"],
            }
        )
        try:
            return self._decide(poll, identity)
        except BaseException:
            self.forget(poll)
            raise
        finally:
            self.unset_log_context()

    def _decide(self, poll: Poll, identity: str | None) -> list[Decision]:
        try:
            reduced = self.reduced(poll, identity)
        except Gap as error:
            self.logger.warning("%s The task goes back to %s.", error, self.task_list)
            return hand_back()
        except payload.NotReadable as error:
            self.report(error)
            return [fail_workflow(error)]
        history = reduced.history
        history.context.set_workflow_execution_info(poll, self.domain)
        decisions: list[Decision] = []
        with self._failing_the_workflow(decisions):
            self._want(decisions, reduced)
        sent = self._cliff.avoid(poll, settle(decisions, history), history)
        tell_attempts(sent, self.logger)
        return split(sent, history)

    def _want(self, decisions: list[Decision], reduced: Reduced) -> None:
        history, decider = reduced.history, getattr(self.flow, "decider", None)
        if history.cancel_requested or callable(decider):
            ensure_permitted(history)  # of a flow without, only we continue as new, and need not
        if history.cancel_requested:
            self._cancel(decisions, history)
        elif callable(decider):  # a flow module may hold the module of that name
            told = Schedule(self.flow, history, decisions)
            run_decider(told, decisions, decider, dict(history.context.workflow_input))
            conclude(told, decisions, history, decider)
        else:
            with suppress(activity.ActivityInstanceNotReadyException):
                self._follow(decisions, self._view(reduced))
            self._ensure_known(decisions, reduced)
            if is_stuck(decisions, history):
                decisions.append(fail_workflow(STUCK))

    def _view(self, reduced: Reduced) -> View:
        reduced.frontier = reduced.frontier or Frontier(self._graph)
        context = reduced.history.context
        # Generators alone are given the context itself; what they change in it is to be theirs.
        given = context.snapshot() if self._graph.loose else context
        return reduced.frontier.look(reduced.history.activities, given)

    def _ensure_known(self, decisions: list[Decision], reduced: Reduced) -> None:
        """Decide nothing beside what runs and is not the flow's."""
        history, frontier = reduced.history, reduced.frontier
        if not decisions or not frontier or not history.open_activities:
            return
        closes = decisions[-1]["decisionType"] == "CompleteWorkflowExecution"
        # All that the flow has is complete when it closes: whatever runs then is a stranger.
        names = history.activities if closes else frontier.strangers(history.activities)
        if found := orphaned(history, list(names)):
            error = orphan(*found, getattr(self.flow, "__file__", None) or self.flow.name)
            if getattr(self.flow, "deterministic", True):
                raise error
            self.logger.warning("%s The flow says deterministic = False, so it is decided.", error)

    def _cancel(self, decisions: list[Decision], history: History) -> None:
        told = Schedule(self.flow, history, decisions)
        handler = getattr(self.flow, "on_cancel", None) or Schedule.cancel_all
        run_on_cancel(told, decisions, handler, history.context.workflow_input)
        conclude(told, decisions, history, handler)

    def create_decisions_from_flow(
        self, decisions: list[Decision], activity_states: States, context: Mapping[str, Any]
    ) -> None:
        """Add the decisions of a flow without a decider: whatever has what it requires is next.

        Args:
            decisions: The decisions so far, boto3 dictionaries.
            activity_states: The states, by activity name and id.
            context: The context of the execution.
        """
        with self._failing_the_workflow(decisions):
            self._follow(decisions, Frontier(self._graph).look(activity_states, context))

    def _follow(self, decisions: list[Decision], view: View) -> None:
        for each in view.live:
            version = activity_version(each, self.flow)
            priority = activity_priority(each, self.flow)
            for instance in view.runnable(each):
                state = activity.state_of(instance, view.history)
                take_step(
                    decisions, instance, state, instance.id, version=version, priority=priority
                )
        if view.all_completed:
            decisions.append(complete_workflow())

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
        told = Schedule(self.flow, History(), decisions, history, context)
        with self._failing_the_workflow(decisions):
            run_decider(told, decisions, decider, getattr(context, "workflow_input", context))

    @contextmanager
    def _failing_the_workflow(self, decisions: list[Decision]) -> Iterator[None]:
        """What the user's code raises becomes the one decision to fail the workflow."""
        try:
            yield
        except activity.ActivityInstanceNotReadyException:
            return
        except claims.Unavailable:
            raise  # the claim store passes; the task comes again
        except Contradiction as error:
            decisions[:] = [wait_long()]
            self.report(error)
        except Impossible as error:
            decisions[:] = [fail_workflow(error, error.details)]
            self.report(error)
        except Exception as error:  # noqa: BLE001 - generators and deciders are the user's code
            decisions[:] = [fail_workflow(error, "".join(traceback.format_exception(error)))]
            self.report(error)
