"""The decider worker: polls for decision tasks, decides from the history, answers SWF.

Rules:

1. Polling, deciding and answering are three steps; ``run`` is all three. Deciding depends on the
   history alone, so the same task decided twice gives the same decisions.
2. What the user's code raises while deciding fails the workflow with the error as reason; a call to
   SWF that fails does not: the decision task times out and SWF gives it out again.
3. An answer that SWF calls malformed would be malformed again at the next try: the workflow fails
   with SWF's sentence instead of being decided for ever.
"""

import functools
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, overload

import backoff
from botocore.exceptions import ClientError, ParamValidationError

from garcon import activity, event, payload, trouble, utils
from garcon import client as clients
from garcon.activity.base import POLL_TRIES
from garcon.activity.execution import UNKNOWN
from garcon.actor import Actor
from garcon.decider.decisions import (
    Decision,
    complete_workflow,
    fail_workflow,
    schedule_activity_task,
)
from garcon.decider.registration import (
    RegistrationRefused,
    activity_version,
    flow_version,
    register,
    registration,
)
from garcon.decider.scheduling import ScheduleContext, consult, schedule
from garcon.decider.settling import is_stuck, settle
from garcon.event import History
from garcon.identity import identity_of
from garcon.insist import insist

Event = dict[str, Any]
Poll = Mapping[str, Any]
States = Mapping[str, Mapping[str, activity.ActivityState]]

ANSWER_SECONDS = 300  # answers are insisted on for so long; a later one finds the task timed out
REGISTER_SECONDS = 60  # a start that waits longer for SWF should be seen to fail
MALFORMED = frozenset({"ValidationException", "SerializationException", "RequestEntityTooLarge"})


class DeciderWorker(Actor):
    """Decides for the executions of one flow.

    Args:
        flow: The flow, a module or any object with ``domain`` and ``name``; optional ``client``,
            ``version``, ``decider`` and ``on_exception``.
        register: Whether to register the flow's domain and types first.

    Raises:
        RegistrationRefused: SWF does not have them and would not register them.
    """

    def __init__(self, flow: Any, register: bool = True) -> None:  # noqa: FBT001, FBT002 - documented
        super().__init__()
        self.flow = flow
        self.client = getattr(flow, "client", None)
        self.domain: str = flow.domain
        self.name: str = flow.name
        self.task_list: str = flow.name
        self.version = flow_version(flow)
        self.activities = activity.find_workflow_activities(flow)
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
                told = clients.explain(error, doing, self.client)
                raise RegistrationRefused(told.sentence) from error

    def run(self, identity: str | None = None) -> bool:
        """Poll once, decide, answer. What fails is logged, reported to ``on_exception``, rested on.

        Args:
            identity: Who polls, for the history; host, process and thread if not given.

        Returns:
            True, so that ``while decider.run()`` goes on.
        """
        try:
            if poll := self.poll(identity):
                self.respond(poll["taskToken"], self.decide(poll, identity))
        except Exception as error:  # noqa: BLE001 - documented: reported, and the loop goes on
            self.report(error)
            self.patience.rest()
            return True
        self.patience.reset()
        return True

    def poll(self, identity: str | None = None) -> dict[str, Any] | None:
        """One long poll, up to a minute (PollForDecisionTask); throttles are tried 5 times.

        Args:
            identity: Who polls, for the history; host, process and thread if not given.

        Returns:
            SWF's answer with the first page of the history, or ``None`` if there was no task.

        Raises:
            botocore.exceptions.ClientError: SWF refused the poll.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        answer = self._poll(identity_of(identity))
        return dict(answer) if answer.get("taskToken") else None

    @backoff.on_exception(
        backoff.expo,
        ClientError,
        max_tries=POLL_TRIES,
        giveup=utils.non_throttle_error,
        on_backoff=utils.throttle_backoff_handler,
    )
    def _poll(self, identity: str) -> Mapping[str, Any]:
        return clients.polling(self.client).poll_for_decision_task(**self._request(identity))

    def _request(self, identity: str | None) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "taskList": {"name": self.task_list},
            "identity": identity_of(identity),
        }

    @overload
    def get_history(self, poll: Poll, /) -> list[Event]: ...

    @overload
    def get_history(self, identity: str | None, poll: Poll, /) -> list[Event]: ...

    def get_history(self, *args: Any) -> list[Event]:
        """All events of the history, further pages included.

        Args:
            args: The poll's answer (as documented), or who polls and the answer (as released).

        Raises:
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        page: Poll = args[-1]
        identity = args[0] if len(args) > 1 else None
        events = list(page.get("events", ()))
        while token := page.get("nextPageToken"):
            # Asks for a page of the task in hand; it takes no new task, so it may be sent again.
            page = clients.calling(self.client).poll_for_decision_task(
                **self._request(identity), nextPageToken=token
            )
            events.extend(page.get("events", ()))
        return events

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
            return self._decide(poll, self.get_history(identity, poll))
        finally:
            self.unset_log_context()

    def _decide(self, poll: Poll, events: list[Event]) -> list[Decision]:
        try:
            history = History(events)
        except payload.NotReadable as error:
            self.report(error)
            return [fail_workflow(error)]
        history.context.set_workflow_execution_info(poll, self.domain)
        decisions: list[Decision] = []
        self._want(decisions, history)
        return settle(decisions, history)

    def _want(self, decisions: list[Decision], history: History) -> None:
        decider = getattr(self.flow, "decider", None)
        if callable(decider):  # a flow module may hold the module of that name
            self.delegate_decisions(decisions, decider, history.activities, history.context)
            return
        self.create_decisions_from_flow(decisions, history.activities, history.context)
        if is_stuck(decisions, history):
            decisions.append(fail_workflow("Nothing runs and nothing can be scheduled any more."))

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
            progress = activity.Progress(activity_states, context)
            for each in self.activities:
                for instance in progress.available(each):
                    version = activity_version(each, self.flow)
                    schedule_activity_task(decisions, instance, version)
            if all(progress.completed(each) for each in self.activities):
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
            decider: Called with ``schedule(id, activity, requires=None, input=None)`` and, if its
                signature asks for it, the workflow's input.
            history: The states, by activity name and id.
            context: The context of the execution.
        """
        progress = ScheduleContext()

        def schedule_next(
            schedule_id: str, current_activity: activity.Activity, *args: Any, **kwargs: Any
        ) -> activity.ActivityState:
            kwargs.setdefault("version", activity_version(current_activity, self.flow))
            return schedule(
                decisions,
                progress,
                history,
                context,
                schedule_id,
                current_activity,
                *args,
                **kwargs,
            )

        with self._failing_the_workflow(decisions):
            consult(decider, schedule_next, getattr(context, "workflow_input", context))
            if progress.completed:
                decisions.append(complete_workflow())

    def respond(self, task_token: str, decisions: list[Decision]) -> bool:
        """Send the decisions (RespondDecisionTaskCompleted) until SWF accepts them.

        Args:
            task_token: Of the poll's answer.
            decisions: boto3 dictionaries.

        Returns:
            Whether SWF accepted them; not if it gave the task up meanwhile.

        Raises:
            botocore.exceptions.ClientError: SWF refused them.
            botocore.exceptions.BotoCoreError: SWF was not reached for five minutes.
        """
        try:
            self._respond(task_token, decisions)
        except (ClientError, ParamValidationError) as error:
            if utils.error_code(error) == UNKNOWN:
                self.logger.warning("SWF no longer has the decision task.")
                return False
            if not _is_malformed(error):
                raise
            self.report(error)
            self._respond(task_token, [fail_workflow(f"SWF refuses the decisions: {error}")])
        return True

    def _respond(self, task_token: str, decisions: list[Any]) -> None:
        client = clients.calling(self.client)
        self._insist(
            lambda: client.respond_decision_task_completed(
                taskToken=task_token, decisions=decisions
            ),
            ANSWER_SECONDS,
            f"answering a decision task of {self.task_list}",
        )

    def _insist(self, send: Callable[[], Any], seconds: float, doing: str) -> None:
        def tell(error: Exception, rest: float) -> None:
            told = clients.explain(error, doing, self.client)
            self.logger.warning("%s Next try in %.1f s.", told.sentence, rest)

        insist(send, self.clock.now() + seconds, tell, self.clock)

    @contextmanager
    def _failing_the_workflow(self, decisions: list[Decision]) -> Iterator[None]:
        """What the user's code raises becomes the one decision to fail the workflow."""
        try:
            yield
        except activity.ActivityInstanceNotReadyException:
            return
        except activity.ActivityImpossible as error:
            decisions[:] = [fail_workflow(error, error.details)]
            self.report(error)
        except Exception as error:  # noqa: BLE001 - generators and deciders are the user's code
            decisions[:] = [fail_workflow(error, "".join(traceback.format_exception(error)))]
            self.report(error)


def _is_malformed(error: Exception) -> bool:
    return isinstance(error, ParamValidationError) or utils.error_code(error) in MALFORMED
