"""Starts executions of a flow, waits for them, and acts on them.

Rules:

1. A method takes an execution by its id, or the ``Execution`` that ``start`` returned. An id means
   the open run, else the run started last, as SWF's lists tell it; they lag behind a start by up to
   seconds, so whoever has just started an execution had better say which run.
2. Calls go through the process's client, or the flow's own (see ``garcon.client``).
3. Whatever fails is a ``WorkflowError`` with a sentence; how an execution ended is one where its
   result was asked for.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon import limits, trouble
from garcon.insist import CLOCK, Clock
from garcon.utils import UNKNOWN, error_code
from garcon.workflow import closing, flows, history, listing, reading, request
from garcon.workflow.errors import AlreadyOpen, NotFound, Refused
from garcon.workflow.history import Events
from garcon.workflow.looking import News, Watch
from garcon.workflow.request import Options
from garcon.workflow.values import Description, Execution, Result, Status, Summary

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

ALREADY_OPEN = "WorkflowExecutionAlreadyStartedFault"

_logger = logging.getLogger(__name__)


class Client:
    """A flow, as those see it who start it.

    Args:
        flow: The flow, a module or any object with ``domain`` and ``name``; or its name as text,
            ``module`` or ``module:name``. Without a ``name`` it stands for its domain: everything
            works but ``start``.
        clock: The time that waiting goes by.

    Raises:
        NotAFlow: It is none, or the text names none.
    """

    def __init__(self, flow: Any, *, clock: Clock = CLOCK) -> None:
        self.flow = flows.load(flow) if isinstance(flow, str) else flows.checked(flow, "domain")
        self._clock = clock

    def start(
        self,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - SWF's word for it
        id: str | None = None,  # noqa: A002 - same
        tags: Iterable[str] | None = None,
        *,
        timeout: float | None = None,
        decision_timeout: float | None = None,
        child_policy: str | None = None,
        priority: int | None = None,
    ) -> Execution:
        """Start an execution (StartWorkflowExecution).

        Args:
            input: What the flow is given, as JSON up to 32,768 characters.
            id: What it is to be known by; one execution of an id is open at a time. The flow's name
                and some letters if not given.
            tags: Up to five texts to find it by; the flow's ``tags`` if not given.
            timeout: Seconds it may be open; as its type was registered if not given, as below.
            decision_timeout: Seconds a decision may take.
            child_policy: What becomes of its children when it is terminated or times out:
                ``TERMINATE``, ``REQUEST_CANCEL`` or ``ABANDON``.
            priority: Of its decision tasks, higher comes first; the flow's ``priority`` if not
                given.

        Returns:
            Which run it is.

        Raises:
            NotSendable: SWF would not take the input, the tags or an option.
            AlreadyOpen: An open execution has the id.
            Refused: SWF did not take it; an unknown type is registered by a decider when it starts.
        """
        flows.checked(self.flow, "name")
        workflow_id = id or request.new_id(self.flow.name)
        options = Options(timeout, decision_timeout, child_policy, priority)
        members = request.start(self.flow, workflow_id, input or {}, tags, options)
        with self._asking(f"starting {workflow_id} of {self.flow.name} in {self.flow.domain}"):
            started = self._swf.start_workflow_execution(**members)
        return Execution(workflow_id, started["runId"])

    def result(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        timeout: float | None = None,
        watch: Callable[[News], object] | None = None,
    ) -> Result:
        """Wait until the execution has closed, also as what it continued as; what it came to.

        Args:
            id: Which execution.
            timeout: Seconds to wait at most; ``None`` for ever.
            watch: Hears of what happens meanwhile, from the first event on.

        Raises:
            Failed: It failed.
            TimedOut: It was open too long.
            Canceled: It was cancelled.
            Terminated: It was terminated.
            StillOpen: It has not closed in time.
            NotFound: There is no such execution.
            Refused: SWF does not answer, and waiting will not cure it.
        """
        last = Execution("", "")
        events: Events = []
        for news in self.follow(id, timeout):
            if news.execution != last:
                last, events = news.execution, []
            events += news.events
            if watch:
                watch(news)
        return closing.result(last, events)

    def follow(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        timeout: float | None = None,
    ) -> Iterator[News]:
        """What happens to an execution, from its first event until it has closed.

        Args:
            id: Which execution.
            timeout: Seconds to wait at most; ``None`` for ever.

        Raises:
            StillOpen: It has not closed in time.
            NotFound: There is no such execution.
            Refused: SWF does not answer, and waiting will not cure it.
        """
        watch = Watch(self._since, _logger.warning, self._clock, timeout)
        return watch.follow(self.find(id))

    def signal(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        name: str,
        input: Any = None,  # noqa: A002 - same
    ) -> None:
        """Send a signal to an open execution (SignalWorkflowExecution).

        Args:
            id: Which execution.
            name: Of the signal.
            input: What it carries, anything JSON can say, up to 32,768 characters.

        Raises:
            NotSendable: SWF would not take the input.
            NotFound: There is no such open execution.
            Refused: SWF did not take it.
        """
        text = None if input is None else request.encoded(input, f"The input of the signal {name}")
        members = {} if text is None else {"input": text}
        with self._asking(f"signalling {_named(id)}", id):
            self._swf.signal_workflow_execution(**self._open(id), signalName=name, **members)

    def cancel(self, id: str | Execution) -> None:  # noqa: A002 - SWF's word for it
        """Ask an open execution to stop (RequestCancelWorkflowExecution); its decider decides.

        Raises:
            NotFound: There is no such open execution.
            Refused: SWF did not take it.
        """
        with self._asking(f"requesting to cancel {_named(id)}", id):
            self._swf.request_cancel_workflow_execution(**self._open(id))

    def terminate(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        reason: str | None = None,
        details: str | None = None,
        child_policy: str | None = None,
    ) -> None:
        """End an open execution at once, whatever it does (TerminateWorkflowExecution).

        Args:
            id: Which execution.
            reason: Why; up to 255 characters are kept.
            details: More, up to 32,768 characters.
            child_policy: What becomes of its children, instead of what its start said.

        Raises:
            NotFound: There is no such open execution.
            Refused: SWF did not take it.
        """
        said: dict[str, Any] = {
            "reason": reason and limits.reason(reason),
            "details": details and limits.cut(details, limits.DETAILS),
            "childPolicy": child_policy,
        }
        given = {key: value for key, value in said.items() if value is not None}
        with self._asking(f"terminating {_named(id)}", id):
            self._swf.terminate_workflow_execution(**self._open(id), **given)

    def describe(self, id: str | Execution) -> Description:  # noqa: A002 - SWF's word for it
        """What is known of an execution now (DescribeWorkflowExecution, 6 calls a second).

        Raises:
            NotFound: There is no such execution.
            Refused: SWF did not answer.
        """
        found = self.find(id)
        where: Any = {"workflowId": found.workflow_id, "runId": found.run_id}
        with self._asking(f"describing {found.workflow_id}", found):
            told = self._swf.describe_workflow_execution(domain=self.flow.domain, execution=where)
        return reading.description(told)

    def history(self, id: str | Execution) -> Events:  # noqa: A002 - SWF's word for it
        """All events of one run so far, oldest first (GetWorkflowExecutionHistory).

        Returns:
            Events as boto3 gives them, ``eventTimestamp`` in seconds since the epoch.

        Raises:
            NotFound: There is no such execution.
            Refused: SWF did not answer.
        """
        return self._since(self.find(id), 0)

    def list(
        self,
        status: Status | None = None,
        *,
        tag: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Summary, ...]:
        """The flow's executions, latest start first (ListOpen- and ListClosedWorkflowExecutions).

        Args:
            status: Only those; open and closed ones if not given.
            tag: Only those with this tag.
            since: Only those started since then; all that SWF still has if not given.
            limit: How many at most.

        Raises:
            Refused: SWF did not answer, or the domain is unknown.
        """
        wanted = listing.Wanted(getattr(self.flow, "name", None), status, tag, since)
        with self._asking(f"listing the executions of {self.flow.domain}"):
            return listing.take(self._swf, self.flow.domain, wanted, limit)

    def find(self, id: str | Execution) -> Execution:  # noqa: A002 - SWF's word for it
        """The run that an id means: the open one, else the one started last.

        Raises:
            NotFound: SWF's lists have none.
            Refused: SWF did not answer.
        """
        if isinstance(id, Execution):
            return id
        with self._asking(f"looking for {id}"):
            found = listing.latest(self._swf, self.flow.domain, id)
        if found is None:
            raise NotFound(f"The domain {self.flow.domain}{self._at} has no execution {id}.")
        return found

    def _since(self, execution: Execution, seen: int) -> Events:
        with self._asking(f"reading the history of {execution.workflow_id}", execution):
            return history.since(self._swf, self.flow.domain, execution, seen)

    def _open(self, id: str | Execution) -> dict[str, Any]:  # noqa: A002 - SWF's word for it
        run = {"runId": id.run_id} if isinstance(id, Execution) else {}
        return {"domain": self.flow.domain, "workflowId": _named(id), **run}

    @property
    def _own(self) -> Any:
        return getattr(self.flow, "client", None)

    @property
    def _swf(self) -> "SWFClient":
        return clients.calling(self._own)

    @property
    def _at(self) -> str:
        place = clients.where(self._own)
        return f" at {place}" if place else ""

    @contextmanager
    def _asking(self, doing: str, about: str | Execution = "") -> Iterator[None]:
        """Within, what a call to SWF raises becomes an error with a sentence."""
        try:
            yield
        except trouble.ERRORS as error:
            if error_code(error) == ALREADY_OPEN:
                raise AlreadyOpen(
                    f"Not done: {doing}. An execution with this id is open; choose another id, or "
                    "wait until it has closed."
                ) from error
            if about and _is_unknown_execution(error):
                raise NotFound(
                    f"Not done: {doing}. The domain {self.flow.domain}{self._at} has no such "
                    "execution, or it has closed."
                ) from error
            told = clients.explain(error, doing, self._own, again=False)
            raise Refused(told.sentence, passing=told.passing) from error


def _is_unknown_execution(error: Exception) -> bool:
    # The code is the same for an unknown domain, which is another person's mistake.
    said = getattr(error, "response", {}).get("Error", {}).get("Message", "")
    return error_code(error) == UNKNOWN and said.startswith("Unknown execution")


def _named(id: str | Execution) -> str:  # noqa: A002 - SWF's word for it
    return id.workflow_id if isinstance(id, Execution) else id
