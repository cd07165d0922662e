"""The decider worker: polls for decision tasks, decides from the history, answers SWF.

Rules:

1. ``run`` is four steps: poll, read, decide, answer. Deciding depends on the history alone, so the
   same task decided twice gives the same decisions.
2. An error of the flow's code fails the workflow. A failed call to SWF does not: the decision task
   times out and SWF hands it out again.
3. A subclass may override ``get_history``, ``get_activity_states``, ``create_decisions_from_flow``
   and ``delegate_decisions``; ``run`` calls them. Then each task is decided from its whole history:
   what overriding code does to its arguments must not reach the next decision.
"""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, overload

from garcon import claims
from garcon import client as clients
from garcon.aws import aws_errors, usage
from garcon.decider.builds import BuildDecider
from garcon.decider.decision_trace import DecisionTraces
from garcon.decider.decisions import Decision, fail_workflow, return_task
from garcon.decider.execution_decider import Event, ExecutionDecider, Poll, log_context
from garcon.decider.execution_state import ExecutionState
from garcon.decider.history_reader import PolledTask, ensure_complete
from garcon.decider.overrides import Overridables, identity_and_poll, takes_identity
from garcon.decider.pages import HistoryGap
from garcon.decider.registration.flow_types import (
    Registration,
    RegistrationRefused,
    register,
    registrations,
)
from garcon.decider.sticky.list_choice import Build
from garcon.decider.sticky.stickiness import Sticky
from garcon.decider.task_exchange import TaskExchange, call_logging_retries
from garcon.decider.trace_lookup import TraceLookup
from garcon.event import History
from garcon.history.build_notes import BuildNote
from garcon.payload import codec
from garcon.tracing import seam
from garcon.user_code.forks import ParentOnly

REGISTER_SECONDS = 60  # a start that has to wait longer for SWF should fail visibly

_UNTRACED: AbstractContextManager[None] = nullcontext()


class DeciderWorker(ExecutionDecider):
    """Decides for the executions of one flow.

    Args:
        flow: The flow, a module or any object with ``domain`` and ``name``; optional ``client``,
            ``version``, ``decider`` and ``on_exception``.
        register: Whether to register the flow's domain and types first.
        sticky: Whether the decision tasks of an execution come back to this process, so that only
            new events are read; ``Sticky`` for settings other than the defaults. A sticky decider
            polls two task lists, in threads; it has to ``leave`` at its end.
        build: Id of the flow's code, for a fleet with two versions of it at a time: executions that
            other code began are adopted if this code fits them, else returned to it (see
            ``builds``). Such a decider polls the list of its build, too, and has to ``leave``.
            ``Build`` to choose the lists that it polls.

    Raises:
        garcon.errors.InvalidFlow: The flow cannot work; nothing was sent.
        RegistrationRefused: SWF does not have its domain and types, and does not register them.
    """

    def __init__(
        self,
        flow: Any,
        register: bool = True,  # noqa: FBT001, FBT002 - documented
        sticky: bool | Sticky = False,  # noqa: FBT001, FBT002 - documented
        build: str | Build | None = None,
    ) -> None:
        super().__init__(flow)
        settings = Sticky() if sticky is True else sticky or None
        known = Build(build) if isinstance(build, str) else build
        self._tasks = TaskExchange(self, self.domain, self.task_list, settings, known)
        self._builds = BuildDecider(self, self._tasks, known.id) if known else None
        self._traces = DecisionTraces(self.domain, TraceLookup(self, self.domain))
        if register:
            self.register()

    @property
    def on_received(self) -> Callable[[PolledTask], object] | None:
        """Called with each task, in the thread that polled it.

        In a sticky decider a task may wait while another is decided.
        """
        return self._tasks.on_received

    @on_received.setter
    def on_received(self, hook: Callable[[PolledTask], object] | None) -> None:
        self._tasks.on_received = hook

    @property
    def on_returned(self) -> Callable[[BuildNote], object] | None:
        """Called with the note of each execution that is returned to its build, or gets stuck."""
        return self._builds.on_returned if self._builds else None

    @on_returned.setter
    def on_returned(self, hook: Callable[[BuildNote], object] | None) -> None:
        if self._builds:
            self._builds.on_returned = hook

    def place_of(self, poll: Poll) -> int:
        """The list of a task: 0 the flow's own, 1 the private one, 2 that of its build."""
        return self._tasks.lists.place_of(self._tasks.as_polled(poll, None).request)

    def register(self) -> None:
        """Register the domain, the workflow type and the activity types that SWF does not have.

        Raises:
            RegistrationRefused: SWF does not have them, and does not register them.
        """
        for registration in registrations(self.flow):
            self._register(registration)

    def _register(self, registration: Registration) -> None:
        doing = f"registering the {registration}"
        try:
            call = functools.partial(register, clients.calling(self.client), registration)
            with clients.without_reconnecting(self.client):
                call_logging_retries(self, call, REGISTER_SECONDS, doing, aws_errors.is_busy)
        except aws_errors.ERRORS as error:
            problem = clients.explain(error, doing, self.client)
            raise RegistrationRefused(problem.sentence) from error

    def run(self, identity: str | None = None) -> bool:
        """Poll once, decide, answer. An error is logged, reported to ``on_exception``, paused on.

        Args:
            identity: The poller's name in the history; host, process and thread if not given.

        Returns:
            True, so that ``while decider.run()`` goes on.
        """
        self.run_guarded(lambda: self._take_turn(identity))
        return True

    def _take_turn(self, identity: str | None) -> None:
        if poll := self.poll(identity):
            self.respond(poll["taskToken"], self.decide(poll, identity))

    def poll(self, identity: str | None = None) -> dict[str, Any] | None:
        """One long poll, up to a minute (PollForDecisionTask); throttles are retried 5 times.

        Args:
            identity: The poller's name in the history; host, process and thread if not given.

        Returns:
            SWF's answer with the first page of the history, or ``None`` if there was no task.

        Raises:
            botocore.exceptions.ClientError: SWF refused the poll.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        return self._tasks.poll(identity)

    def poll_once(self, identity: str | None = None) -> dict[str, Any] | None:
        """As ``poll``, without retries: for a loop with a backoff of its own."""
        return self._tasks.poll_once(identity)

    def leave(
        self, identity: str | None = None, seconds: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """Leave in good order: the tasks that the last polls return are to be decided and answered.

        It takes up to a minute, the length of a poll: SWF may hand a task to a poll that is left
        open, and no one would decide it. Answers from now on give their executions back to the
        flow's own list.

        Args:
            identity: As in ``poll``.
            seconds: How long the process's private list is polled again as long as tasks come by
                it; as long as a task may wait there if not given.
        """
        return self._tasks.leave(identity, seconds)

    def give_back(self) -> None:
        """Let answers give their executions back to the flow's own list from now on.

        For a decider that will leave soon and still has a task to answer, see ``leave``.
        """
        self._tasks.give_back()

    def return_task(self, poll: Poll, identity: str | None = None) -> bool:
        """Return a task undecided, for a decider that leaves: it comes again by the flow's list.

        Args:
            poll: The poll's answer.
            identity: As in ``poll``.
        """
        self.give_back()
        self._tasks.skip(self._tasks.as_polled(poll, identity))
        return self.respond(poll["taskToken"], return_task())

    @overload
    def get_history(self, poll: Poll) -> list[Event]: ...

    @overload
    def get_history(self, identity: str | None, poll: Poll) -> list[Event]: ...

    def get_history(self, *args: Any, **options: Any) -> list[Event]:
        """All events of the history, further pages included.

        Args:
            args: The poll's answer (as documented), or identity and answer (as in 1.1.1).
            options: The same by name: ``identity``, ``poll``.

        Raises:
            TypeError: Other arguments were given.
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        identity, poll = identity_and_poll(args, options)
        return self._tasks.histories.events(self._tasks.as_polled(poll, identity))

    def read(self, poll: Poll, identity: str | None = None) -> ExecutionState:
        """The state of a task's execution; SWF is called for further pages only.

        Args:
            poll: The poll's answer.
            identity: As in ``poll``.

        Raises:
            HistoryGap: SWF did not return all events.
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        return self._tasks.read(self._tasks.as_polled(poll, identity))

    def complete_history(self, poll: Poll) -> list[Event] | None:
        """All events up to a task, in order; ``None`` if SWF does not return them at present."""
        return self._tasks.histories.recorded_events(poll)

    def decide(self, poll: Poll, identity: str | None = None) -> list[Decision]:
        """The decisions for a decision task; calls SWF for further pages of the history only.

        Args:
            poll: The poll's answer.
            identity: As in ``poll``.
        """
        self.set_log_context(log_context(poll, self.domain))
        tracer, began = seam.tracer, time.monotonic()
        try:
            span = _UNTRACED if tracer is None else self._traces.deciding(tracer, poll)
            with span, ParentOnly("the decider"):
                decisions = self._decide(poll, identity)
        except BaseException:
            self._tasks.forget(poll["taskToken"])
            raise
        finally:
            self.unset_log_context()
        if usage.meter is not None:
            usage.meter.note_decision(time.monotonic() - began)
        return decisions

    def _decide(self, poll: Poll, identity: str | None) -> list[Decision]:
        if self._tasks.skip_parked(self._tasks.as_polled(poll, identity)):
            return []
        try:
            return self._read_and_decide(poll, identity)
        except HistoryGap as error:
            self.logger.warning("%s The task is returned to %s.", error, self.task_list)
            self._tasks.skip(self._tasks.as_polled(poll, identity))
            return return_task()

    def _read_and_decide(self, poll: Poll, identity: str | None) -> list[Decision]:
        try:
            execution, events = self._read(poll, identity)
        except claims.ClaimStoreMissing as error:
            return self._tasks.return_unreadable(self._tasks.as_polled(poll, identity), error)
        except codec.NotReadable as error:
            self.report(error)
            return [fail_workflow(error)]
        unnoted_trace = ""
        if seam.tracer is not None:
            unnoted_trace = self._traces.note_history(poll["taskToken"], execution.history)
        execution.exposed = {}
        decisions = self._decide_read(poll, execution, events)
        if execution.exposed and not execution.nondeterminism:
            self._tasks.expose(poll, execution.exposed)
        if unnoted_trace:
            self._tasks.note_trace(poll, unnoted_trace)
        return decisions

    def _decide_read(
        self, poll: Poll, execution: ExecutionState, events: list[Event] | None
    ) -> list[Decision]:
        if self._builds and events is None:
            return self._builds.decide(poll, execution)
        if self._builds:
            self._builds.note_answer(poll, execution)
        return self.decisions_for(poll, execution, events)

    def decisions_for(
        self, poll: Poll, execution: ExecutionState, events: list[Event] | None = None
    ) -> list[Decision]:
        """As ``ExecutionDecider``; from the whole history if a kept state leads to an error."""
        decisions = super().decisions_for(poll, execution, events)
        if execution.is_doubtful:
            self._tasks.histories.read_again(execution, self._tasks.as_polled(poll, None))
            decisions = super().decisions_for(poll, execution, events)
        return decisions

    def _read(self, poll: Poll, identity: str | None) -> tuple[ExecutionState, list[Event] | None]:
        """The execution; and its events, if overridden methods are to see them."""
        if not _DOCUMENTED.any_overridden(self):
            return self.read(poll, identity), None
        events = self._overridden_history(poll, identity)
        return ExecutionState(poll["workflowExecution"]["runId"], History(events)), events

    def _overridden_history(self, poll: Poll, identity: str | None) -> list[Event]:
        read: Callable[..., list[Event]] = self.get_history
        if _DOCUMENTED.is_overridden(self, "get_history"):
            # The history that an override returns is the flow's history, even if it is shorter.
            return list(read(identity, poll) if takes_identity(read) else read(poll))
        events = read(identity, poll)
        ensure_complete(events, poll.get("startedEventId") or 1)
        return events

    def respond(self, task_token: str, decisions: list[Decision]) -> bool:
        """Send the decisions (RespondDecisionTaskCompleted) until SWF accepts them.

        Args:
            task_token: Of the poll's answer.
            decisions: boto3 dictionaries.

        Returns:
            Whether SWF accepted them; not if the decision task has timed out meanwhile.

        Raises:
            botocore.exceptions.ClientError: SWF refused them.
            botocore.exceptions.BotoCoreError: SWF was not reached for five minutes.
        """
        if seam.tracer is None:
            return self._tasks.answer(task_token, decisions)
        return self._traces.answer(task_token, decisions, self._tasks.answer)


_DOCUMENTED = Overridables(
    DeciderWorker,
    ("get_history", "get_activity_states", "create_decisions_from_flow", "delegate_decisions"),
)
