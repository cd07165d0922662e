"""Decision tasks: received from SWF, their history read, and answered.

Rules:

1. Without ``sticky`` a process polls the flow's list, in the thread that calls, and reads the whole
   history of each task. With it, see ``sticking``.
2. A call to SWF that fails decides nothing: the decision task times out and SWF gives it out again.
3. An answer that SWF calls malformed would be malformed again at the next try: the workflow fails
   with SWF's sentence instead of being decided for ever.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, overload

from botocore.exceptions import ClientError, ParamValidationError

from garcon import client as clients
from garcon import trouble, utils
from garcon.actor import Actor
from garcon.decider.decisions import Decision, fail_workflow
from garcon.decider.pages import Gap, between
from garcon.decider.reading import Received, recorded
from garcon.decider.reduced import Reduced
from garcon.decider.sticking import Sticking
from garcon.decider.sticky import Sticky
from garcon.event import History
from garcon.identity import identity_of
from garcon.insist import insist
from garcon.throttles import backed_off

Event = dict[str, Any]
Poll = Mapping[str, Any]
Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]

ANSWER_SECONDS = 300  # answers are insisted on for so long; a later one finds the task timed out
MALFORMED = frozenset({"ValidationException", "SerializationException", "RequestEntityTooLarge"})


class DecisionTasks(Actor):
    """Receives and answers the decision tasks of one flow.

    Args:
        flow: The flow, a module or any object.
        sticky: Whether to stick to executions, see ``DeciderWorker``.

    Attributes:
        on_received: Called with each task that a poll brings, in the thread of the poll: of a
            sticky decider a task may wait here while another is decided.
    """

    def __init__(self, flow: Any, *, sticky: bool | Sticky) -> None:
        super().__init__()
        self.client = getattr(flow, "client", None)
        self.domain: str = flow.domain
        self.name: str = flow.name
        self.task_list: str = flow.name
        self.on_received: Callable[[Received], object] | None = None
        self._sticking: Sticking | None = None
        if sticky:
            how = sticky if isinstance(sticky, Sticky) else Sticky()
            client = functools.partial(clients.calling, self.client)
            self._sticking = Sticking(client, self.domain, self.task_list, how)

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
        return self._task(identity, self._ask_again)

    def poll_once(self, identity: str | None = None) -> dict[str, Any] | None:
        """As ``poll``, but tried once: for a loop that has patience of its own."""
        return self._task(identity, self._ask)

    def _task(self, identity: str | None, ask: Ask) -> dict[str, Any] | None:
        request, receive = self._request(identity), functools.partial(self._receive, ask)
        task = self._sticking.next(request, receive) if self._sticking else receive(request)
        return task if task.get("taskToken") else None

    def _receive(self, ask: Ask, request: Mapping[str, Any]) -> Received:
        task = Received(ask(request), request)
        if self.on_received and task.get("taskToken"):
            self.on_received(task)
        return task

    def give_back(self) -> None:
        """Have the executions answered from now on go back to the flow's own list.

        For who will leave soon, and has a task in hand or to come: see ``leave``.
        """
        if self._sticking:
            self._sticking.give_back()

    def leave(
        self, identity: str | None = None, seconds: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """Leave in good order: what the last polls bring is given out, to be decided and answered.

        It takes up to a minute, the length of a poll: a poll that is left open may be handed a task
        that nobody does. Executions answered from now on go back to the flow's own list.

        Args:
            identity: Who polls, as in ``poll``.
            seconds: How long the process's own list is polled again as long as tasks come by it;
                as long as a task may wait there if not given.
        """
        if self._sticking:
            receive = functools.partial(self._receive, self._ask)
            for task in self._sticking.leave(self._request(identity), receive, seconds):
                if task.get("taskToken"):
                    yield task

    @backed_off
    def _ask_again(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._ask(request)

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return clients.polling(self.client).poll_for_decision_task(**request)

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
        events = list(page.get("events") or ())
        while token := page.get("nextPageToken"):
            # Asks for a page of the task in hand; it takes no new task, so it may be sent again.
            page = clients.calling(self.client).poll_for_decision_task(
                **self._request(identity), nextPageToken=token
            )
            events.extend(page.get("events") or ())
        return events

    def _all_events(self, identity: str | None, poll: Poll) -> list[Event]:
        events, last = self.get_history(identity, poll), poll.get("startedEventId") or 1
        if len(events) < last:
            raise Gap(f"SWF shows {len(events)} of the {last} events of the history.")
        return events

    def reduced(self, poll: Poll, identity: str | None = None) -> Reduced:
        """What the history of a task amounts to; calls SWF for further pages only.

        Args:
            poll: The poll's answer.
            identity: Who polled.

        Raises:
            Gap: SWF did not show all events.
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        if not self._sticking:
            return Reduced("", History(self._all_events(identity, poll)))
        task = poll if isinstance(poll, Received) else Received(poll, self._request(identity))
        return self._sticking.reduce(task)

    def forget(self, poll: Poll) -> None:
        """A task will not be answered: nothing that was made of it is kept."""
        if self._sticking:
            self._sticking.answered(poll["taskToken"], accepted=False)

    def whole_history(self, poll: Poll) -> list[Event] | None:
        """All events up to a task, in order; None if they cannot be had just now."""
        pages = recorded(clients.calling(self.client), self.domain, poll["workflowExecution"])
        try:
            return between(0, poll["startedEventId"], pages)
        except (Gap, *trouble.ERRORS) as error:
            self.logger.info("The history could not be read: %s", error)
            return None

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
        accepted = False
        try:
            accepted = self._answer(task_token, decisions)
        finally:
            if self._sticking:
                self._sticking.answered(task_token, accepted=accepted)
        return accepted

    def _answer(self, task_token: str, decisions: list[Decision]) -> bool:
        try:
            self._respond(task_token, decisions)
        except (ClientError, ParamValidationError) as error:
            if utils.error_code(error) == utils.UNKNOWN:
                self.logger.warning("SWF no longer has the decision task.")
                return False
            if not _is_malformed(error):
                raise
            self.report(error)
            self._respond(task_token, [fail_workflow(f"SWF refuses the decisions: {error}")])
        return True

    def _respond(self, task_token: str, decisions: list[Any]) -> None:
        more = self._sticking.members(task_token) if self._sticking else {}
        answer = {"taskToken": task_token, "decisions": decisions, **more}
        doing = f"answering a decision task of {self.task_list}"
        self._insist(lambda: self._send(answer), ANSWER_SECONDS, doing)

    @backed_off
    def _send(self, answer: dict[str, Any]) -> None:
        clients.calling(self.client).respond_decision_task_completed(**answer)

    def _insist(self, send: Callable[[], Any], seconds: float, doing: str) -> None:
        def tell(error: Exception, rest: float) -> None:
            told = clients.explain(error, doing, self.client)
            self.logger.warning("%s Next try in %.1f s.", told.sentence, rest)

        insist(send, self.clock.now() + seconds, tell, self.clock)


def _is_malformed(error: Exception) -> bool:
    return isinstance(error, ParamValidationError) or utils.error_code(error) in MALFORMED
