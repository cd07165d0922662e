"""`LocalSWF`: the service inside a program, with the time in its hands.

    with LocalSWF() as swf:
        outcome = swf.run(flow, {"order": "espresso"})
        assert outcome.status == "COMPLETED"

`run` drives a flow in this thread. Programs that poll by themselves, in threads, take a `client`;
the time then jumps to what is due next whenever all of them wait.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from garcon import usual
from garcon.local import protocol
from garcon.local.client import ENDPOINT, make_client
from garcon.local.clock import VirtualClock, WallClock
from garcon.local.engine import Body, Counters, Fault, Settings
from garcon.local.injection import Injected, Injector, Kind
from garcon.local.protocol import Reply
from garcon.local.service import Request, Service
from garcon.local.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

    from garcon.local.outcome import Outcome


class LocalSWF:
    """An Amazon SWF in this process.

    Args:
        settings: figures of the service; the service's own by default.
        virtual_time: whether the time stands still while anybody works, and jumps to what is due
            next when all wait. Without it the time is the wall's.
        start: when virtual time begins, in seconds since the epoch; now by default.
        lambdas: the lambda functions that workflows may run, by name: they take the input read as
            JSON and return the result. Without any, lambda functions fail to start, as they do
            in an execution without a lambdaRole.
        seed: what run ids and the chance of faults are made from; the same seed and the same
            calls give the same histories.
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
        self._threads = Threads(service, clock, lambdas or {})
        self._injector = Injector(seed)
        self._closed = False
        self._serial = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End: waiting polls are answered empty, later calls find nobody there."""
        self._closed = True
        self._threads.close()

    def client(self, config: Config | None = None, **options: Any) -> "SWFClient":
        """A boto3 client of this service; it makes one attempt a call unless the config says more.

        Args:
            config: merged over the client's own.
            options: of `boto3.session.Session.client`, for instance region_name.
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
        **start: Any,
    ) -> "Outcome":
        """Drive one execution of a garcon flow to its end, in this thread.

        Args:
            flow: a module or an object with `domain` and `name`; it is registered.
            input: of the workflow, anything JSON can say.
            workflow_id: made up if not given.
            also: further flows whose workers run, for instance those of child workflows.
            external: what external activities do, by task list: takes the input, returns the
                result, both as JSON can say; what it raises fails the activity.
            start: further members of StartWorkflowExecution, for instance tagList.

        Raises:
            InvalidFlow: a flow cannot work.
            Stuck: the execution does not end.
        """
        from garcon import validation  # noqa: PLC0415 - needs garcon's workers, others not
        from garcon.local.runner import Runner  # noqa: PLC0415 - same

        flows = [flow, *also]
        for each in flows:
            validation.check(each)
        if input is not None:
            start["input"] = json.dumps(input)
        start["workflowId"] = workflow_id or f"{flow.name}-{next(self._serial)}"
        workflow_type = {"name": flow.name, "version": usual.version(flow)}
        start.setdefault("workflowType", workflow_type)
        runner = Runner(self._threads, self.client(), flows, external or {})
        return runner.run(**start)

    @property
    def now(self) -> float:
        """The time of the service, in seconds since the epoch."""
        return self._threads.clock.now()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once; what is due in them happens, each thing in its time.

        Raises:
            TypeError: the time is the wall's.
        """
        self._threads.advance(seconds)

    def hold(self) -> AbstractContextManager[None]:
        """Within, the time does not jump: while a test prepares something that others wait for."""
        return self._threads.held()

    def inject(
        self,
        kind: Kind | str,
        operation: str | None = None,
        *,
        rate: float = 1.0,
        count: int | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Order a fault, see `Injected` for the arguments; `clear_faults` withdraws all orders.

        Raises:
            ValueError: there is no such kind or operation, or a figure is out of its range.
        """
        order = Injected(kind, operation, rate=rate, count=count, seconds=seconds)
        with self._threads.looking():
            self._injector.add(order)

    def clear_faults(self) -> None:
        """Withdraw all orders of faults."""
        with self._threads.looking():
            self._injector.clear()

    @property
    def counters(self) -> Counters:
        """What has happened so far: calls, refusals, timeouts, ghosts."""
        return self._threads.service.engine.counters

    def history(self, workflow_id: str, run_id: str | None = None) -> list[Body]:
        """The events of an execution as on the wire; of the latest run unless one is named.

        Raises:
            LookupError: there is no such execution.
        """
        with self._threads.looking():
            run = self._threads.service.find(workflow_id, run_id)
            return self._threads.service.engine.history(run.run_id)

    def _answer(self, target: str, body: bytes) -> Reply:
        if self._closed:
            raise EndpointConnectionError(endpoint_url=ENDPOINT, error="this LocalSWF is closed")
        operation = protocol.operation_of(target)
        with self._threads.looking():
            order = self._injector.draw(operation)
        if order and order.reply:
            return order.reply
        if order and order.kind is Kind.RESET_BEFORE:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        if order and order.kind is Kind.DELAY:
            self._threads.sleep(order.seconds)
        reply = self._carry_out(Request(operation, body))
        if order and order.kind is Kind.RESET_AFTER:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        return reply

    def _carry_out(self, request: Request) -> Reply:
        try:
            return protocol.success(self._threads.request(request))
        except Fault as fault:
            return protocol.refusal(fault)
        finally:
            if request.operation.startswith("Respond"):
                self._threads.answered(json.loads(request.body).get("taskToken", ""))
