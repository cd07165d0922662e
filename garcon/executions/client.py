"""The client that starts executions of a flow, waits for them, and changes them.

The rules are those of ``reader``, whose methods it has, too. After a start, pass the ``Execution``
that ``start`` returned: SWF's lists lag behind.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from garcon.aws import limits
from garcon.executions import flows, parsing, request
from garcon.executions.errors import (
    AlreadyOpen,
    InputNotSendable,
    NotCompleted,
    NotFound,
    RequestRefused,
)
from garcon.executions.external_tasks import ExternalTasks
from garcon.executions.reader import ExecutionReader
from garcon.executions.redrive import Redriven, Redriver
from garcon.executions.request import StartOptions
from garcon.executions.values import Execution, Result, Status
from garcon.executions.waiting import NewEvents

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient


FAIL, USE, TERMINATE = IF_OPEN = ("fail", "use", "terminate")
"""The ways in which ``start`` treats an open execution with the id."""

RACES = 5
RACE_SECONDS = 2.0
"""Attempts, and the wait between them, while executions of one id open and close, or SWF's lists
lag."""


class Client(ExecutionReader):
    """Executions of one flow.

    Args:
        flow: The flow: a module or any object with ``domain`` and ``name``, or its name as text,
            ``module`` or ``module:name``. A flow without a ``name`` stands for its domain:
            everything works but ``start``.
        clock: Source of time for the waits.

    Raises:
        NotAFlow: It is not a flow, or the text does not name one.
    """

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
        if_open: str = FAIL,
    ) -> Execution:
        """Start an execution (StartWorkflowExecution).

        Args:
            input: The workflow's input, JSON of up to 32,768 characters; empty if not given.
            id: Its workflow id, open once at a time; the flow's name and random letters by default.
            tags: Up to five texts to find it by; the flow's ``tags`` by default.
            timeout: Seconds that it may be open; the type's default, as for the two below.
            decision_timeout: Seconds that a decision may take.
            child_policy: The fate of its children when it is terminated or times out:
                ``TERMINATE``, ``REQUEST_CANCEL`` or ``ABANDON``.
            priority: Of its decision tasks, higher first; the flow's ``priority`` by default.
            if_open: If an execution with this id is open: ``fail``, ``use`` or ``terminate`` it.

        Returns:
            The run that started, or was open.

        Raises:
            InputNotSendable: SWF would refuse the input, the tags, the id or an option.
            AlreadyOpen: An open execution has the id.
            RequestRefused: SWF refused the call. A decider registers an unknown type at its start.
        """
        flows.check(self.flow, "name")
        workflow_id = request.new_id(self.flow.name) if id is None else request.check_id(id)
        options = StartOptions(timeout, decision_timeout, child_policy, priority)
        values = {} if input is None else input
        members = request.start(self.flow, workflow_id, values, tags, options)
        return self._start(members, if_open)

    def signal_with_start(
        self,
        id: str,  # noqa: A002 - SWF's word for it
        name: str,
        signal_input: Any = None,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - same
        **options: Any,
    ) -> Execution:
        """Send a signal to the open execution of an id; start it first if none is open.

        SWF has no call for both: another program may send its signal in between.

        Args:
            id: Its workflow id.
            name: Name of the signal.
            signal_input: The signal's input, as of ``signal``.
            input: The workflow's input, if it has to be started.
            options: Further arguments of ``start``.

        Returns:
            The run that was signalled.

        Raises:
            InputNotSendable: SWF would refuse an input or an option.
            RequestRefused: SWF refused a call.
        """
        for _ in range(RACES):
            run = self.start(input, id, **options, if_open=USE)
            try:
                self.signal(run, name, signal_input)
            except NotFound:  # it has closed since it was found open
                continue
            return run
        raise RequestRefused(f"{id} closes again and again before the signal.", transient=True)

    def _start(self, members: Mapping[str, Any], if_open: str) -> Execution:
        workflow_id = members["workflowId"]
        doing = f"starting {workflow_id} of {self.flow.name} in {self.flow.domain}"
        if if_open not in IF_OPEN:
            raise InputNotSendable(f"if_open is one of {', '.join(IF_OPEN)}, not {if_open!r}.")
        for race in range(RACES):
            try:
                with self._calls.call(doing) as swf:
                    started = swf.start_workflow_execution(**members)
                    return Execution(workflow_id, started["runId"])
            except AlreadyOpen:
                if if_open == FAIL:
                    raise
            if if_open == USE and (run := self._open_run(workflow_id)):
                return run
            with suppress(NotFound):  # it has closed meanwhile
                if if_open == TERMINATE:
                    self.terminate(workflow_id, "Another execution of this id is started.")
            if race:
                self.clock.sleep(RACE_SECONDS)
        raise RequestRefused(
            f"{workflow_id} is open, and SWF's lists do not show the run yet.", transient=True
        )

    def _open_run(self, workflow_id: str) -> Execution | None:
        """The open run of an id; SWF's lists may not have it yet."""
        run = self.find(workflow_id)
        is_open = self.describe(run).summary.status is Status.OPEN
        return run if is_open else None

    def result(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        timeout: float | None = None,
        watch: Callable[[NewEvents], object] | None = None,
    ) -> Result:
        """Wait until the execution has closed, with all runs that it continued or was redriven in.

        Args:
            id: The execution.
            timeout: Seconds to wait at most; ``None`` for no limit.
            watch: Called with the new events while it waits, from the first event on.

        Returns:
            The result of the last run.

        Raises:
            Failed: It failed.
            TimedOut: It was open for longer than its timeout.
            Canceled: It was cancelled.
            Terminated: It was terminated.
            StillOpen: It is still open after ``timeout``.
            NotFound: There is no such execution.
            RequestRefused: SWF refuses the call, and another will not help.
        """
        until = None if timeout is None else self.clock.now() + timeout
        run, redriver = self.find(id), self.redriver(self.history)
        while True:
            left = None if until is None else max(0.0, until - self.clock.now())
            last, events = self._wait_for(run, left, watch)
            try:
                return parsing.result(last, events)
            except NotCompleted:
                redriven = redriver.earlier(last)
                if not redriven:
                    raise
                run = redriven.execution

    def _wait_for(
        self, run: Execution, timeout: float | None, watch: Callable[[NewEvents], object] | None
    ) -> tuple[Execution, list[dict[str, Any]]]:
        """The last run that this one continued as, and all its events."""
        last = run
        events: list[dict[str, Any]] = []
        for new in self.follow(run, timeout):
            if new.execution != last:
                last, events = new.execution, []
            events += new.events
            if watch:
                watch(new)
        return last, events

    def signal(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        name: str,
        input: Any = None,  # noqa: A002 - same
    ) -> None:
        """Send a signal to an open execution (SignalWorkflowExecution).

        Args:
            id: The execution.
            name: Name of the signal.
            input: Its input, any JSON of up to 32,768 characters; none if ``None``.

        Raises:
            InputNotSendable: SWF would refuse the input.
            NotFound: There is no such open execution.
            RequestRefused: SWF refused the call.
        """
        text = None if input is None else request.encoded(input, f"The input of the signal {name}")
        members = {} if text is None else {"input": text}
        with self._calls.call(f"signalling {_workflow_id(id)}", id) as swf:
            swf.signal_workflow_execution(**self._open(id), signalName=name, **members)

    def cancel(self, id: str | Execution) -> None:  # noqa: A002 - SWF's word for it
        """Ask an open execution to cancel (RequestCancelWorkflowExecution); its decider decides.

        Raises:
            NotFound: There is no such open execution.
            RequestRefused: SWF refused the call.
        """
        with self._calls.call(f"requesting to cancel {_workflow_id(id)}", id) as swf:
            swf.request_cancel_workflow_execution(**self._open(id))

    def terminate(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        reason: str | None = None,
        details: str | None = None,
        child_policy: str | None = None,
    ) -> None:
        """End an open execution at once (TerminateWorkflowExecution); its decider is not asked.

        Args:
            id: The execution.
            reason: The reason; its first 255 characters are kept.
            details: Details, up to 32,768 characters.
            child_policy: What SWF does to its children, instead of what its start said.

        Raises:
            NotFound: There is no such open execution.
            RequestRefused: SWF refused the call.
        """
        optional: dict[str, Any] = {
            "reason": reason and limits.reason(reason),
            "details": details and limits.cut(details, limits.DETAILS),
            "childPolicy": child_policy,
        }
        members = {key: value for key, value in optional.items() if value is not None}
        with self._calls.call(f"terminating {_workflow_id(id)}", id) as swf:
            swf.terminate_workflow_execution(**self._open(id), **members)

    def redrive(
        self,
        id: str | Execution,  # noqa: A002 - SWF's word for it
        from_activity: str | None = None,
        *,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - same
        build: str | None = None,
    ) -> Redriven:
        """Let a closed execution go on in a new run (StartWorkflowExecution).

        Every completed result is kept; what failed, was open or follows runs again, with all its
        retries. A decider of one's own finds its timers, signals, side effects, versions and
        children that ended. Asked twice, it is done once.

        Args:
            id: The execution: failed, timed out, terminated or cancelled.
            from_activity: Name of an activity, or the beginning of an id: it runs again, and what
                requires it; with a decider of one's own, what began after it.
            input: Another workflow input; the same if not given.
            build: Id of the build that makes the first decision, where deciders have builds; any.

        Raises:
            NotRedrivable: It completed or continued as new, or has no such activity.
            AlreadyOpen: An execution with this id is open, and is no redrive of it.
            InputNotSendable: What is kept is too long for SWF, and there is no claim store.
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        run, redriver = self.find(id), self.redriver(self.history)
        earlier = redriver.earlier(run) if isinstance(id, Execution) else None
        return earlier or redriver.redrive(run, from_activity, input, build)

    def complete(self, token: str, result: Any = None) -> None:
        """Complete an external activity's task (RespondActivityTaskCompleted).

        Args:
            token: The task's token, of the program that polled it or of ``take``.
            result: Its result, any JSON of up to 32,768 characters.

        Raises:
            InputNotSendable: SWF would refuse the result.
            NotFound: The task is closed.
            RequestRefused: SWF refused the call.
        """
        self._tasks.complete(token, result)

    def fail(self, token: str, reason: str, details: str | None = None) -> None:
        """Fail a task (RespondActivityTaskFailed); the errors are those of ``complete``.

        Args:
            token: As of ``complete``.
            reason: The reason; its first 255 characters are kept.
            details: Details, up to 32,768 characters.
        """
        self._tasks.fail(token, reason, details)

    def heartbeat(self, token: str, details: str | None = None) -> bool:
        """Send a task's heartbeat (RecordActivityTaskHeartbeat); the errors are as above.

        Args:
            token: As of ``complete``.
            details: Progress, up to 2,048 characters.

        Returns:
            Whether the activity's end was requested.
        """
        return self._tasks.heartbeat(token, details)

    def take(self, id: str | Execution, activity: str) -> str:  # noqa: A002 - SWF's word for it
        """Take the task of an activity that no worker has taken (PollForActivityTask).

        Args:
            id: The execution.
            activity: The activity's id, or its beginning, with or without the flow's name.

        Returns:
            The task's token.

        Raises:
            NotAnswerable: There is no such open activity, a worker has it, or others wait before
                it in its list.
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        flow = getattr(self.flow, "name", None) or ""
        return self._tasks.take(self.state(id), activity, flow)

    @property
    def _tasks(self) -> ExternalTasks:
        return ExternalTasks(self.flow, self._calls)

    def redriver(self, read: Callable[[Execution], list[dict[str, Any]]]) -> Redriver:
        """Redrives the flow's executions, given a way to read a history."""
        return Redriver(self.flow, self._calls, self.find, read)

    @property
    def swf(self) -> "SWFClient":
        """The boto3 client of the calls."""
        return self._calls.client

    def _open(self, id: str | Execution) -> dict[str, Any]:  # noqa: A002 - SWF's word for it
        """The members that name an open execution; without a run id SWF finds the open run."""
        run = {"runId": id.run_id} if isinstance(id, Execution) else {}
        return {"domain": self.flow.domain, "workflowId": _workflow_id(id), **run}


def _workflow_id(id: str | Execution) -> str:  # noqa: A002 - SWF's word for it
    return id.workflow_id if isinstance(id, Execution) else id
