"""From a decision task to the reduced state of its execution, with as few events as will do.

Rules:

1. If the cache holds the state that the task goes on from (see ``reduced``), only the events since
   are folded, and only the pages that hold them are fetched.
2. Otherwise all events are folded. A task of the private list shows only the latest; the earlier
   ones are read by GetWorkflowExecutionHistory, which may lag behind: then ``Gap``.
3. A share of the states that were gone on from is checked against all events. If there is a
   difference, something (a flow that changes its context, a fault of ours) has spoilt a state:
   that is an error in the log, all states are dropped, and the task is decided from all events.
   A check that cannot be made is not an error.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from garcon import trouble
from garcon.decider.comparing import difference
from garcon.decider.pages import Gap, Page, between, pages
from garcon.decider.reduced import Cache, Reduced
from garcon.decider.sticky import Sticky
from garcon.log import GarconLogger


class Received(dict[str, Any]):
    """A poll's answer, and what was asked: further pages need the same arguments.

    Attributes:
        request: The members of the PollForDecisionTask call.
    """

    def __init__(self, answer: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self.request = request


class Reader(GarconLogger):
    """Reduces the executions whose tasks one process receives.

    Args:
        client: Gives the client to fetch pages with.
        domain: The domain.
        sticky: The settings.
    """

    def __init__(self, client: Callable[[], Any], domain: str, sticky: Sticky) -> None:
        self.cache = Cache(sticky.executions)
        self._client = client
        self._domain = domain
        self._sticky = sticky

    def read(self, task: Received) -> Reduced:
        """The state that the task's events lead to.

        Raises:
            Gap: SWF did not show all events.
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        previous = task.get("previousStartedEventId") or 0
        known = self.cache.take(task["workflowExecution"]["runId"], previous)
        if known is None:
            return self._folded(task, chain(self._shown(task), self._recorded(task)))
        try:
            events = between(known.started, task["startedEventId"], self._shown(task))
        except Gap:
            return self._folded(task, chain(self._shown(task), self._recorded(task)))
        known.add(events, task["startedEventId"])
        if not self._sticky.checks(len(events), task["startedEventId"]):
            return known
        return self._checked(known, task)

    def _folded(self, task: Received, shown: Iterator[Page]) -> Reduced:
        reduced = Reduced(task["workflowExecution"]["runId"])
        started = task["startedEventId"]
        reduced.add(between(reduced.started, started, shown), started)
        return reduced

    def _shown(self, task: Received) -> Iterator[Page]:
        """The pages that come with the task."""

        def fetch(token: str) -> Page:
            # Asks for a page of the task in hand; it takes no new task, so it may be sent again.
            page: Page = self._client().poll_for_decision_task(**task.request, nextPageToken=token)
            return page

        return pages(task, fetch)

    def _recorded(self, task: Received) -> Iterator[Page]:
        return recorded(self._client(), self._domain, task["workflowExecution"])

    def _checked(self, known: Reduced, task: Received) -> Reduced:
        try:
            full = self._folded(task, self._recorded(task))
        except (Gap, *trouble.ERRORS) as error:
            self.logger.debug("A reduced state could not be checked: %s", error)
            return known
        for each in (known, full):
            each.history.context.set_workflow_execution_info(task, self._domain)
        where = difference(known.history, full.history)
        if where is None:
            return known
        self.logger.error(
            "The reduced state of run %s differs from its history in %s; all reduced states are "
            "dropped. Does the flow's decider change its context, or a result that it was given?",
            known.run_id,
            where,
        )
        self.cache.clear()
        return full


def recorded(client: Any, domain: str, execution: Mapping[str, Any]) -> Iterator[Page]:
    """The pages of a whole history (GetWorkflowExecutionHistory), which may lag behind a little.

    Args:
        client: The client to fetch them with.
        domain: The execution's domain.
        execution: Its ids.
    """

    def fetch(token: str | None) -> Page:
        more = {"nextPageToken": token} if token else {}
        page: Page = client.get_workflow_execution_history(
            domain=domain, execution=execution, **more
        )
        return page

    yield from pages(fetch(None), fetch)
