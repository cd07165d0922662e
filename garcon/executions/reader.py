"""Executions of a flow as SWF shows them: nothing here changes one.

Rules:

1. A method takes an execution by its workflow id, or as an ``Execution``. An id means the open run,
   else the run that started last, by SWF's lists. They lag behind a start by up to seconds.
2. Calls go through the process's SWF client, or the flow's own (see ``garcon.client``).
3. Every failure is a ``WorkflowError`` with a sentence.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from garcon.aws.retrying import CLOCK, Clock
from garcon.executions import (
    criteria,
    flows,
    last_decision,
    listing,
    parsing,
    pending,
    recorded_history,
    standstill,
    state_view,
)
from garcon.executions.calls import SwfCalls
from garcon.executions.criteria import Criteria
from garcon.executions.errors import InputNotSendable, NotFound
from garcon.executions.last_decision import LastDecision
from garcon.executions.listing import Count
from garcon.executions.pending import PendingKind
from garcon.executions.recorded_history import Events
from garcon.executions.standstill import Standstill
from garcon.executions.state_view import ExecutionView
from garcon.executions.values import Description, Execution, Status, Summary
from garcon.executions.waiting import NewEvents, Watch

LATEST_EVENTS = 100  # events that show why an execution does not go on; a small page is fast

Where: TypeAlias = Criteria | Iterable[str]

_logger = logging.getLogger(__name__)


class ExecutionReader:
    """Executions of one flow, to look at.

    Args:
        flow: The flow: a module or any object with ``domain`` and ``name``, or its name as text,
            ``module`` or ``module:name``. A flow without a ``name`` stands for its domain.
        clock: Source of time for the waits.

    Attributes:
        clock: Source of time for the waits.

    Raises:
        NotAFlow: It is not a flow, or the text does not name one.
    """

    def __init__(self, flow: Any, *, clock: Clock = CLOCK) -> None:
        self.flow = flows.load(flow) if isinstance(flow, str) else flows.check(flow, "domain")
        self._calls = SwfCalls(self.flow)
        self.clock = clock

    def follow(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        timeout: float | None = None,
    ) -> Iterator[NewEvents]:
        """The events of an execution as they come, from its first until it has closed.

        Args:
            id: The execution.
            timeout: Seconds to wait at most; ``None`` for no limit.

        Raises:
            StillOpen: It is still open after ``timeout``.
            NotFound: There is no such execution.
            RequestRefused: SWF refuses the call, and another will not help.
        """
        watch = Watch(self._read_since, _logger.warning, self.clock, timeout)
        return watch.follow(self.find(id))

    def describe(self, id: str | Execution) -> Description:  # noqa: A002 - SWF's word for it
        """The state of an execution (DescribeWorkflowExecution, 6 calls a second).

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        run = self.find(id)
        members: Any = {"workflowId": run.workflow_id, "runId": run.run_id}
        with self._calls.call(f"describing {run.workflow_id}", run) as swf:
            answer = swf.describe_workflow_execution(domain=self.flow.domain, execution=members)
            return parsing.description(answer)

    def history(self, id: str | Execution) -> Events:  # noqa: A002 - SWF's word for it
        """All events of one run so far, oldest first (GetWorkflowExecutionHistory).

        Returns:
            Events as boto3 gives them, ``eventTimestamp`` in seconds since the epoch.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        return self._read_since(self.find(id), 0)

    def list(
        self,
        status: Status | None = None,
        *,
        tag: str | None = None,
        since: datetime | None = None,
        limit: int | None = 50,
        where: Where = (),
    ) -> tuple[Summary, ...]:
        """The flow's executions, latest start first (ListOpen- and ListClosedWorkflowExecutions).

        Args:
            status: Their status; any if not given.
            tag: One of their tags.
            since: Earliest time of their start; everything that SWF still has if not given.
            limit: Largest number of executions, from 0 on; ``None`` for all.
            where: Further criteria, see ``select``.

        Raises:
            InputNotSendable: The limit is negative, or a criterion is invalid.
            RequestRefused: SWF refused the call, or the domain is unknown.
        """
        if limit is not None and limit < 0:
            raise InputNotSendable(f"The limit is a number from 0 on, not {limit}.")
        wanted = criteria.also(self._criteria(where), status, tag, since)
        with self._calls.call(f"listing the executions of {self.flow.domain}") as swf:
            return listing.take(swf, self.flow.domain, wanted, limit)

    def select(self, where: Where = ()) -> Iterator[Summary]:
        """As ``list``, all of them, each page of 1,000 read when it is needed.

        Args:
            where: Criteria as a value, or as texts: ``["status=failed", "tag=vip"]``. Keys are
                ``status``, ``type``, ``tag``, ``id`` (its beginning), ``reason`` (a part of it),
                ``since`` and ``until`` (of the start: ISO 8601, or a span before now as in ``3h``).
                Those of one key are alternatives. SWF applies one of them, and the others are
                applied here; ``reason`` costs a GetWorkflowExecutionHistory for each execution that
                meets the others.

        Raises:
            InputNotSendable: A criterion is invalid.
            RequestRefused: SWF refused the call, or the domain is unknown.
        """
        wanted = self._criteria(where)
        with self._calls.call(f"listing the executions of {self.flow.domain}") as swf:
            yield from listing.found(swf, self.flow.domain, wanted)

    def count(self, where: Where = ()) -> Count:
        """The number of executions.

        One CountOpen- and one CountClosedWorkflowExecutions if one filter selects them, else as
        ``select``.

        Args:
            where: Criteria, see ``select``.

        Raises:
            InputNotSendable: A criterion is invalid.
            RequestRefused: SWF refused the call, or the domain is unknown.
        """
        wanted = self._criteria(where)
        with self._calls.call(f"counting the executions of {self.flow.domain}") as swf:
            return listing.count(swf, self.flow.domain, wanted)

    def standstill(self, id: str | Execution) -> Standstill | None:  # noqa: A002 - SWF's word for it
        """The cause of a standstill (GetWorkflowExecutionHistory, the latest events).

        Returns:
            ``None`` if it has closed, or nothing is known against it.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        return standstill.standstill(self.latest(id))

    def latest(self, id: str | Execution) -> Events:  # noqa: A002 - SWF's word for it
        """The latest 100 events of a run, the latest first: one GetWorkflowExecutionHistory.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        run = self.find(id)
        with self._calls.call(f"reading the history of {run.workflow_id}", run) as swf:
            return recorded_history.newest(swf, self.flow.domain, run, LATEST_EVENTS)

    def state(self, id: str | Execution) -> ExecutionView:  # noqa: A002 - SWF's word for it
        """The values that its decider exposes (``schedule.expose``), and what is open.

        Read from the history (GetWorkflowExecutionHistory), so no decider has to run and the
        execution may have closed; and CountPendingActivity- or -DecisionTasks for each task list in
        which a task of it waits, 6 a second for an account.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        run = self.find(id)
        found = state_view.view(run, self.history(run))
        backlogs = {each: self.backlog(*each) for each in pending.task_lists(found.pending)}
        return state_view.with_backlogs(found, backlogs)

    def backlog(self, kind: PendingKind, task_list: str) -> int:
        """The number of tasks that wait in a task list, SWF's estimate.

        CountPendingActivityTasks or CountPendingDecisionTasks, 6 calls a second for an account.

        Args:
            kind: ``DECISION`` or ``ACTIVITY``.
            task_list: Its name.

        Raises:
            RequestRefused: SWF refused the call.
        """
        members: Any = {"domain": self.flow.domain, "taskList": {"name": task_list}}
        with self._calls.call(f"counting the tasks that wait in {task_list}") as swf:
            if kind is PendingKind.DECISION:
                return swf.count_pending_decision_tasks(**members)["count"]
            return swf.count_pending_activity_tasks(**members)["count"]

    def last_decision(self, id: str | Execution) -> LastDecision:  # noqa: A002 - SWF's word for it
        """By which build, where and when an execution was decided last, by its latest events.

        One call of GetWorkflowExecutionHistory.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        return last_decision.last_decision(self.latest(id))

    @property
    def place(self) -> str:
        """The endpoint and region that it calls, as a part of a sentence; empty if unknown."""
        return self._calls.at

    def find(self, id: str | Execution) -> Execution:  # noqa: A002 - SWF's word for it
        """The run that an id means: the open one, else the one that started last.

        Raises:
            NotFound: SWF's lists have none.
            RequestRefused: SWF refused the call.
        """
        if isinstance(id, Execution):
            return id
        with self._calls.call(f"looking for {id}") as swf:
            run = listing.latest(swf, self.flow.domain, id)
        if run is None:
            raise NotFound(f"The domain {self.flow.domain}{self._calls.at} has no execution {id}.")
        return run

    def _criteria(self, where: Where) -> Criteria:
        read = where if isinstance(where, Criteria) else criteria.parse(where, datetime.now(UTC))
        return criteria.of_flow(read, getattr(self.flow, "name", None))

    def _read_since(self, execution: Execution, seen: int) -> Events:
        with self._calls.call(f"reading the history of {execution.workflow_id}", execution) as swf:
            return recorded_history.since(swf, self.flow.domain, execution, seen)
