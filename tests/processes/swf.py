"""The tests' own calls to SWF: start an execution, wait for an event, order faults."""

from __future__ import annotations

import json
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from tests.processes.harness import LIMIT, until

CLOSED = ("Completed", "Failed", "TimedOut", "Canceled", "Terminated")


@dataclass
class Execution:
    """One execution at the endpoint."""

    client: Any
    domain: str
    workflow_id: str
    run_id: str

    def history(self) -> list[dict[str, Any]]:
        """All of its events."""
        pages = self.client.get_paginator("get_workflow_execution_history").paginate(
            domain=self.domain,
            execution={"workflowId": self.workflow_id, "runId": self.run_id},
        )
        return [event for page in pages for event in page["events"]]

    def kinds(self) -> list[str]:
        """The types of its events, in order."""
        return [event["eventType"] for event in self.history()]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the history has this many events of a kind; returns them."""

        def found() -> list[dict[str, Any]]:
            events = [each for each in self.history() if each["eventType"] == kind]
            return events if len(events) >= count else []

        return list(until(found, f"{count} {kind} in {self.workflow_id}"))

    def wait_closed(self, limit: float = LIMIT) -> str:
        """Wait until it has closed, within the limit; returns the type of its last event."""

        def closed() -> str:
            last = self.kinds()[-1]
            is_close = any(last == f"WorkflowExecution{each}" for each in CLOSED)
            return last if is_close else ""

        return str(until(closed, f"{self.workflow_id} closed", limit))


@dataclass(frozen=True)
class Faults:
    """The faults that a local endpoint is ordered to have (``http.fault_injection``)."""

    endpoint: str

    def order(self, kind: str, operation: str | None = None, **more: Any) -> None:
        """From the next request on."""
        self._call("POST", {"kind": kind, "operation": operation, **more})

    def orders(self) -> list[dict[str, Any]]:
        """Those in force."""
        return list(self._call("GET"))

    def withdraw(self) -> None:
        """No more faults."""
        self._call("DELETE")

    def wait_until_struck(self, kind: str, operation: str) -> None:
        """Order a fault for every request of this operation, and wait until it has struck one."""
        many = 1_000_000
        self.order(kind, operation, count=many)
        until(lambda: self.orders()[0]["count"] < many, f"a {kind} of {operation}")

    def _call(self, method: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.endpoint}/api/faults"
        request = urllib.request.Request(url, data, method=method)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - same
            return json.load(answer)


def client(endpoint: str) -> Any:
    """A boto3 client of a local endpoint, patient: ordered faults strike its calls, too."""
    return boto3.client(
        "swf",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any will do at a local endpoint
        config=Config(retries={"total_max_attempts": 12}),
    )


def start(
    endpoint: str, flow: Any, options: dict[str, Any] | None = None, **given: Any
) -> Execution:
    """Start an execution of a registered flow with this input, and options of the call.

    An input among the options goes as it is.
    """
    swf, workflow_id = client(endpoint), f"test-{uuid.uuid4().hex[:8]}"
    started = swf.start_workflow_execution(
        domain=flow.domain,
        workflowId=workflow_id,
        workflowType={"name": flow.name, "version": getattr(flow, "version", "1.0")},
        **{"input": json.dumps(given), **(options or {})},
    )
    return Execution(swf, flow.domain, workflow_id, started["runId"])


def wait_registered(endpoint: str, flow: Any) -> None:
    """Wait until the flow can be started."""
    asking = client(endpoint)

    def registered() -> bool:
        try:
            asking.describe_workflow_type(
                domain=flow.domain, workflowType={"name": flow.name, "version": "1.0"}
            )
        except asking.exceptions.UnknownResourceFault:
            return False
        return True

    until(registered, f"{flow.name} registered")
