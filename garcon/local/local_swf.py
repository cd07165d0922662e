"""`LocalSWF`: the service inside a program, which controls the time.

    with LocalSWF() as swf:
        outcome = swf.run(flow, {"order": "espresso"})
        assert outcome.status == "COMPLETED"

`run` drives a flow in this thread. Programs that poll by themselves, in threads, use a `client`;
the time then jumps to the next due time whenever all of them wait.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from garcon.flow import flow_attributes
from garcon.local.engine import Body, Counters, Fault, Settings
from garcon.local.inprocess_client import ENDPOINT, make_client
from garcon.local.service import protocol
from garcon.local.service.clock import VirtualClock, WallClock
from garcon.local.service.fault_injection import FaultInjector, FaultKind, InjectedFault
from garcon.local.service.protocol import Reply
from garcon.local.service.service import Request, Service
from garcon.local.service.threaded_service import ThreadedService

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

    from garcon.local.run_outcome import RunOutcome


class LocalSWF:
    """An Amazon SWF in this process.

    Args:
        settings: figures of the service; those of SWF by default.
        virtual_time: whether the time stands still while a task is in progress, and jumps to the
            next due time when all clients wait. Without it the time is the wall's.
        start: beginning of virtual time, in seconds since the epoch; now by default.
        lambdas: lambda functions for workflows, by name: each takes the input, read as JSON, and
            returns the result. Without any, lambda functions fail to start, as in an execution
            without a lambdaRole.
        seed: source of run ids and of the chance of faults; the same seed and the same calls give
            the same histories.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        virtual_time: bool = True,
        start: float | None = None,
        lambdas: Mapping[str, Callable[[Any], Any]] | None = None,
        seed: int = 0,
    ) -> None:
        begin = time.time() if start is None else start
        clock = VirtualClock(begin) if virtual_time else WallClock()
        service = Service(settings, seed=seed, lambda_available=bool(lambdas))
        self._threads = ThreadedService(service, clock, lambdas or {})
        self._injector = FaultInjector(seed)
        self._closed = False
        self._serial = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the service: waiting polls are answered empty, later calls fail to connect."""
        self._closed = True
        self._threads.close()

    def client(self, config: Config | None = None, **options: Any) -> "SWFClient":
        """A boto3 client of this service, with one attempt a call unless the config has more.

        Args:
            config: merged over the client's own.
            options: options of `boto3.session.Session.client`, for instance region_name.
        """
        return make_client(self._answer, config, **options)

    def run(
        self,
        flow: Any,
        input: Any = None,  # noqa: A002 - SWF's word for it
        *,
        workflow_id: str | None = None,
        also: Iterable[Any] = (),
        external: Mapping[str, Callable[[Any], Any]] | None = None,
        later: Mapping[str, Callable[[Any], Any]] | None = None,
        **start: Any,
    ) -> "RunOutcome":
        """Drive one execution of a garcon flow to its end, in this thread.

        Args:
            flow: a module or an object with `domain` and `name`; it is registered.
            input: input of the workflow, any JSON value.
            workflow_id: generated if not given.
            also: further flows whose workers run, for instance those of child workflows.
            external: functions of external activities, by task list: each takes the input and
                returns the result, both JSON values; an exception fails the activity.
            later: functions that answer what activities hand out (`activity.later()`), by task
                list, as in `external`. Without one the task keeps its heartbeats and times out.
            start: further members of StartWorkflowExecution, for instance tagList.

        Raises:
            InvalidFlow: a flow cannot work.
            Stuck: the execution does not end.
        """
        from garcon.decider import flow_validation  # noqa: PLC0415 - needs garcon's workers, others not
        from garcon.local.driver import Driver  # noqa: PLC0415 - same

        flows = [flow, *also]
        for member in flows:
            flow_validation.check(member)
        if input is not None:
            start["input"] = json.dumps(input)
        start["workflowId"] = workflow_id or f"{flow.name}-{next(self._serial)}"
        workflow_type = {"name": flow.name, "version": flow_attributes.version(flow)}
        start.setdefault("workflowType", workflow_type)
        return Driver(self._threads, self.client(), flows, external or {}, later or {}).run(**start)

    @property
    def now(self) -> float:
        """The time of the service, in seconds since the epoch."""
        return self._threads.clock.now()

    def advance(self, seconds: float) -> None:
        """Let some seconds pass at once; all that is due in them happens at its own time.

        Raises:
            TypeError: the time is the wall's.
        """
        self._threads.advance(seconds)

    def hold(self) -> AbstractContextManager[None]:
        """A block in which the time does not jump, while a test prepares work for waiting polls."""
        return self._threads.held()

    def inject(
        self,
        kind: FaultKind | str,
        operation: str | None = None,
        *,
        rate: float = 1.0,
        count: int | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Inject a fault, see `InjectedFault` for the arguments; `clear_faults` removes all.

        Raises:
            ValueError: the kind or operation is unknown, or a figure is out of its range.
        """
        fault = InjectedFault(kind, operation, rate=rate, count=count, seconds=seconds)
        with self._threads.locked():
            self._injector.add(fault)

    def clear_faults(self) -> None:
        """Remove all injected faults."""
        with self._threads.locked():
            self._injector.clear()

    @property
    def counters(self) -> Counters:
        """Totals so far: calls, refusals, timeouts, tasks lost to ghost pollers."""
        return self._threads.service.engine.counters

    def history(self, workflow_id: str, run_id: str | None = None) -> list[Body]:
        """The events of an execution as on the wire; of the latest run without a run id.

        Raises:
            LookupError: the execution does not exist.
        """
        with self._threads.locked():
            run = self._threads.service.find(workflow_id, run_id)
            return self._threads.service.engine.history(run.run_id)

    def _answer(self, target: str, body: bytes, authorization: str) -> Reply:
        if self._closed:
            raise EndpointConnectionError(endpoint_url=ENDPOINT, error="this LocalSWF is closed")
        operation = protocol.operation_of(target)
        with self._threads.locked():
            fault = self._injector.draw(operation)
        if fault and fault.reply:
            return fault.reply
        if fault and fault.kind is FaultKind.RESET_BEFORE:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        if fault and fault.kind is FaultKind.DELAY:
            self._threads.sleep(fault.seconds)
        reply = self._carry_out(Request(operation, body, protocol.region_of(authorization)))
        if fault and fault.kind is FaultKind.RESET_AFTER:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        return reply

    def _carry_out(self, request: Request) -> Reply:
        try:
            return protocol.success(self._threads.request(request))
        except Fault as refusal:
            return protocol.refusal(refusal)
        finally:
            if request.operation.startswith("Respond"):
                self._threads.note_answer(json.loads(request.body).get("taskToken", ""))
