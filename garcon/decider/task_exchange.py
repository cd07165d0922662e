"""The exchange of decision tasks with SWF: one task at a time, its history read, its answer sent.

The way of a task: ``poll``, then ``read``, then ``answer`` (or ``forget``).

Rules:

1. A call to SWF that fails decides nothing: the decision task times out and SWF hands it out again.
2. Decisions that SWF calls malformed would be malformed at every attempt, so the workflow fails
   with SWF's sentence instead.
3. A state that was read is kept for the execution's next task only once SWF has accepted the
   answer.
"""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from garcon import client as clients
from garcon import utils
from garcon.aws import aws_errors
from garcon.aws.poller import Poller, identity_of
from garcon.aws.retrying import Clock, call_until_accepted
from garcon.aws.throttles import retry_throttles
from garcon.decider.decisions import Decision, fail_workflow, return_task
from garcon.decider.execution_state import ExecutionState
from garcon.decider.history_reader import HistoryReader, PolledTask
from garcon.decider.sticky.list_choice import Build, ListChoice, Request
from garcon.decider.sticky.poll_threads import PollThreads
from garcon.decider.sticky.stickiness import Sticky
from garcon.history import decision_deaths, exposed_state, returned_tasks
from garcon.tracing import family_trace

PollCall = Callable[[Request], Mapping[str, Any]]

LOG_SECONDS = 60.0  # between two log lines about the same missing setting
ANSWER_SECONDS = 300  # after that the decision task has timed out
FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "OperationNotPermittedFault"})
MALFORMED = frozenset({"ValidationException", "SerializationException", "RequestEntityTooLarge"})


@dataclass(frozen=True)
class AnswerNote:
    """The note of an answer for later deciders of the execution.

    Attributes:
        context: Its ``executionContext``.
        build: The build by whose list the next task comes; none if empty.
        is_decided: Whether the execution was decided, and its state may be kept.
    """

    context: str
    build: str = ""
    is_decided: bool = True


@dataclass(frozen=True)
class _TaskInProgress:
    """A task that is being decided.

    Attributes:
        state: The execution's state; None if it was not read.
        came_by: The list that it came by.
        note: The note of its answer, if any.
    """

    state: ExecutionState | None
    came_by: str
    note: AnswerNote | None = None


class TaskExchange:
    """Polls the task lists of one decider, hands out one task at a time, and answers it.

    Args:
        poller: The decider: its client, clock, logger and error handler are used.
        domain: The domain.
        task_list: The flow's own list.
        sticky: The settings; None for a decider that is not sticky.
        build: The build that decides, and the lists that it serves; None for no build.

    Attributes:
        on_received: Called with each task, in the thread that polled it: in a sticky decider a task
            may wait while another is decided.
    """

    def __init__(
        self,
        poller: Poller,
        domain: str,
        task_list: str,
        sticky: Sticky | None,
        build: Build | None = None,
    ) -> None:
        self.on_received: Callable[[PolledTask], object] | None = None
        self.lists = ListChoice(task_list, sticky, build)
        self.polls: PollThreads[PolledTask] = PollThreads()
        self.histories = HistoryReader(poller, domain, sticky)
        self._poller = poller
        self._domain = domain
        self._leave_seconds = sticky.schedule_to_start if sticky else 0.0
        self._in_progress: dict[str, _TaskInProgress] = {}
        self._logged_unreadable = -inf

    @property
    def logger(self) -> Any:
        """The decider's logger."""
        return self._poller.logger

    @property
    def clock(self) -> Clock:
        """The decider's clock."""
        return self._poller.clock

    def poll(self, identity: str | None) -> PolledTask | None:
        """One long poll of each list; throttles are retried. See ``DeciderWorker.poll``."""
        return self._next_task(identity, self._poll_retrying_throttles)

    def poll_once(self, identity: str | None) -> PolledTask | None:
        """As ``poll``, without any retry."""
        return self._next_task(identity, self._poll)

    def leave(self, identity: str | None, seconds: float | None) -> Iterator[PolledTask]:
        """Hand out what the open polls return, until none is open. See ``DeciderWorker.leave``."""
        self.give_back()
        # Real time, and not the decider's clock: it bounds the waiting for real polls.
        until = time.monotonic() + (self._leave_seconds if seconds is None else seconds)
        while True:
            # Before the wait below: the task of the latest answer may come at any moment, and would
            # wait for its timeout if no poll of the private list were open.
            if time.monotonic() < until:
                requests = self.lists.last_requests(self.request(identity))
                self.polls.open_all(self._polls_of(requests, self._poll))
            if not self.polls.is_open:
                return
            try:
                task = self.polls.wait()
            except aws_errors.ERRORS as error:
                self.logger.warning("A poll failed while the decider was leaving: %s", error)
                continue
            if task.get("taskToken"):
                yield task

    def give_back(self) -> None:
        """Let answers name the flow's own list from now on."""
        self.lists.give_back()

    def request(self, identity: str | None) -> dict[str, Any]:
        """The members of a plain poll of the flow's own list."""
        return {
            "domain": self._domain,
            "taskList": {"name": self.lists.shared},
            "identity": identity_of(identity),
        }

    def _next_task(self, identity: str | None, poll: PollCall) -> PolledTask | None:
        requests = self.lists.requests(self.request(identity))
        task = self.polls.next(self._polls_of(requests, poll))
        return task if task.get("taskToken") else None

    def _polls_of(
        self, requests: Mapping[str, Request], poll: PollCall
    ) -> dict[str, Callable[[], PolledTask]]:
        return {
            name: functools.partial(self._receive, request, poll)
            for name, request in requests.items()
        }

    def _receive(self, request: Request, poll: PollCall) -> PolledTask:
        try:
            task = PolledTask(poll(request), request)
        except ClientError as error:
            if not self._gives_up_build(request, error):
                raise
            task = PolledTask({}, request)
        # Called here, in the poll's thread, and not when the task is handed out: a task that waits
        # has to be recorded before the process can die with it.
        if self.on_received and task.get("taskToken"):
            self.on_received(task)
        return task

    def _gives_up_build(self, request: Request, error: ClientError) -> bool:
        """Whether the policy forbids the list of the build: then it is not polled any further.

        Policies name the lists that a decider may poll, and may be older than this list.
        """
        if utils.error_code(error) not in FORBIDDEN or not self.lists.drop_build(request):
            return False
        self.logger.warning(
            "The credentials' policy does not allow polling %s, the list of this build: executions"
            " that other code returns wait in vain. Allow swf:PollForDecisionTask on it.",
            _came_by(PolledTask({}, request)),
        )
        return True

    @retry_throttles
    def _poll_retrying_throttles(self, request: Request) -> Mapping[str, Any]:
        return self._poll(request)

    def _poll(self, request: Request) -> Mapping[str, Any]:
        with clients.polling_once(self._poller.client):
            return clients.polling(self._poller.client).poll_for_decision_task(**request)

    def as_polled(self, task: Mapping[str, Any], identity: str | None) -> PolledTask:
        """A task with its request; that of a plain poll if the task came by another way."""
        return task if isinstance(task, PolledTask) else PolledTask(task, self.request(identity))

    def read(self, task: PolledTask) -> ExecutionState:
        """The state of the task's execution; see ``HistoryReader.read`` for the errors."""
        is_private = self.lists.is_private(task.request)
        if is_private:
            self.lists.note_private_task()
        state = None
        try:
            state = self.histories.read(task)
        finally:
            # After an error, too: the task is returned, and a task of the private list has to be
            # returned to the flow's own list, which brings the whole history.
            came_by = _came_by(task)
            if self.lists.keeps_states or came_by != self.lists.shared:
                self._in_progress[task["taskToken"]] = _TaskInProgress(state, came_by)
        return state

    def annotate(self, task: Mapping[str, Any], note: AnswerNote) -> None:
        """Let the answer to a task carry this note."""
        known = self._in_progress.get(task["taskToken"])
        came_by = known.came_by if known else self.lists.shared
        state = known.state if known and note.is_decided else None
        self._in_progress[task["taskToken"]] = _TaskInProgress(state, came_by, note)

    def expose(self, task: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Let the answer to a task carry what its decider exposes, beside its note."""
        note = self._note_of(task)
        context = exposed_state.merged(note.context, values)
        self.annotate(task, replace(note, context=context))

    def note_trace(self, task: Mapping[str, Any], trace: str) -> None:
        """Let the answer to a task carry the id of its run's trace, beside its note."""
        note = self._note_of(task)
        self.annotate(task, replace(note, context=family_trace.noted(note.context, trace)))

    def _note_of(self, task: Mapping[str, Any]) -> AnswerNote:
        known = self._in_progress.get(task["taskToken"])
        return (known and known.note) or AnswerNote("")

    def return_unreadable(self, task: PolledTask, error: Exception) -> list[Decision]:
        """The decisions that return a task to the flow's own list, for another host to decide."""
        returned = returned_tasks.another(self.histories.newest_events(task), str(error))
        self.skip(task, str(returned))
        if self.clock.now() - self._logged_unreadable >= LOG_SECONDS:
            self._logged_unreadable = self.clock.now()
            self.logger.error("%s Decision tasks that need it are returned.", error)
        return return_task(returned.wait, str(returned))

    def skip_parked(self, task: PolledTask) -> bool:
        """Whether its execution is parked. Then nothing is read: reading may have been fatal."""
        parked = decision_deaths.parked(self.histories.newest_events(task))
        if parked:
            self.logger.info("Parked after %d deaths; nothing is decided.", parked.deaths)
            self.skip(task, str(parked))
        return parked is not None

    def skip(self, task: PolledTask, context: str | None = None) -> None:
        """Do not read the task's history; it is answered with this ``executionContext``."""
        note = AnswerNote(context, is_decided=False) if context else None
        self._in_progress[task["taskToken"]] = _TaskInProgress(None, _came_by(task), note)

    def forget(self, task_token: str) -> None:
        """Drop what was read for a task that is not answered."""
        self._in_progress.pop(task_token, None)

    def answer(self, task_token: str, decisions: list[Decision]) -> bool:
        """Send the decisions until SWF accepts them. See ``DeciderWorker.respond``."""
        try:
            is_accepted = self._send_or_fail(task_token, decisions)
        except BaseException:
            self.forget(task_token)
            raise
        in_progress = self._in_progress.pop(task_token, None)
        if is_accepted and in_progress and in_progress.state and self.lists.keeps_states:
            self.histories.keep(in_progress.state)
        return is_accepted

    def _send_or_fail(self, task_token: str, decisions: list[Decision]) -> bool:
        try:
            self._send_until_accepted(task_token, decisions)
        except (ClientError, ParamValidationError) as error:
            if utils.error_code(error) == utils.UNKNOWN:
                self.logger.warning(
                    "SWF no longer has the decision task: it timed out, or its execution closed."
                )
                return False
            if not _is_malformed(error):
                raise
            self._poller.report(error)
            failure = fail_workflow(f"SWF refuses the decisions: {error}")
            self._send_until_accepted(task_token, [failure])
        return True

    def _send_until_accepted(self, task_token: str, decisions: list[Any]) -> None:
        task = self._in_progress.get(task_token) or _TaskInProgress(None, self.lists.shared)
        answer = {
            "taskToken": task_token,
            "decisions": decisions,
            **({"executionContext": task.note.context} if task.note else {}),
            **self._list_members(task),
        }
        doing = f"answering a decision task of {self.lists.shared}"
        call_logging_retries(self._poller, lambda: self.send(answer), ANSWER_SECONDS, doing)

    def _list_members(self, task: _TaskInProgress) -> dict[str, Any]:
        if task.note and task.note.build:
            return self.lists.members_of_build(task.note.build)
        return self.lists.answer_members(has_state=task.state is not None, came_by=task.came_by)

    @retry_throttles
    def send(self, answer: Mapping[str, Any]) -> None:
        """RespondDecisionTaskCompleted; throttles are retried."""
        clients.calling(self._poller.client).respond_decision_task_completed(**answer)


def call_logging_retries(
    poller: Poller,
    call: Callable[[], Any],
    timeout: float,
    doing: str,
    is_transient: Callable[[Exception], bool] = aws_errors.is_transient,
) -> None:
    """Repeat a call until SWF accepts it, and log each retry.

    Args:
        poller: Its client, clock and logger are used.
        call: The call.
        timeout: Seconds for all attempts together.
        doing: What the call is for, in the log line.
        is_transient: The errors after which it is repeated.
    """

    def log(error: Exception, wait: float) -> None:
        problem = clients.explain(error, doing, poller.client)
        poller.logger.warning("%s Next attempt in %.1f s.", problem.sentence, wait)

    call_until_accepted(call, timeout, log, clock=poller.clock, is_transient=is_transient)


def _came_by(task: PolledTask) -> str:
    return str(task.request["taskList"]["name"])


def _is_malformed(error: Exception) -> bool:
    return isinstance(error, ParamValidationError) or utils.error_code(error) in MALFORMED
