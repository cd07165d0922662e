"""An SWF account for the conformance tests, through boto3 alone; every answer is checked.

`Account` supplies what is the same in most tests: one domain, one workflow type, and one activity
type with defaults for all settings. It works with the local SWF in process, the local SWF over
HTTP, and moto, an independent implementation. `MOTO_DIFFERS` lists the known differences of moto;
the suite checks that each still exists, and `docs/local.md` lists them for users.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from garcon.local.http import server
from tests.garcon.local.shapes import check_answer, check_event, check_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garcon.local import LocalSWF
    from garcon.local.service.clock import ServiceClock

WORKFLOW = {"name": "order", "version": "1.0"}
ACTIVITY = {"name": "brew", "version": "1.0"}
DECISIONS = {"name": "decide"}
ACTIVITIES = {"name": "work"}

DEFAULTS = {
    "defaultTaskStartToCloseTimeout": "60",
    "defaultTaskScheduleToStartTimeout": "100",
    "defaultTaskScheduleToCloseTimeout": "200",
    "defaultTaskHeartbeatTimeout": "NONE",
}

MOMENT = 1_700_000_000.0
"""The time of the tests, in seconds since the epoch."""

Body = dict[str, Any]


class FrozenClock:
    """A clock that stands still: no deadline passes, however slow the machine is."""

    virtual = False

    def now(self) -> float:
        """The time."""
        return MOMENT


def decision(kind: str, **attributes: Any) -> Body:
    """A decision with its attributes, as boto3 takes it."""
    return {"decisionType": kind, f"{kind[0].lower()}{kind[1:]}DecisionAttributes": attributes}


def schedule(activity_id: str = "a", **attributes: Any) -> Body:
    """The decision to schedule the activity."""
    return decision(
        "ScheduleActivityTask", activityId=activity_id, activityType=ACTIVITY, **attributes
    )


def complete(**attributes: Any) -> Body:
    """The decision to complete the workflow."""
    return decision("CompleteWorkflowExecution", **attributes)


def attributes_of(event: Body) -> Any:
    """The attributes of an event."""
    name = event["eventType"]
    return event[f"{name[0].lower()}{name[1:]}EventAttributes"]


@contextlib.contextmanager
def refused(code: str, words: str = "") -> Iterator[None]:
    """A block in which a call must be refused with this code and with these words."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response["Error"]
    assert answer["Code"] == code
    assert words in answer["Message"]


class Account:
    """A client, and one domain with a workflow type and an activity type."""

    def __init__(self, client: Any, domain: str, *, strict: bool = True) -> None:
        self.client = client
        self.domain = domain
        if strict:
            events = client.meta.events  # of a client that other accounts may use, too
            events.register("before-parse.swf", check_response, unique_id="check-response")

    def register(self) -> None:
        """Register the domain and both types."""
        self.call("register_domain", name=self.domain, workflowExecutionRetentionPeriodInDays="30")
        self.in_domain(
            "register_workflow_type",
            **WORKFLOW,
            defaultTaskList=DECISIONS,
            defaultTaskStartToCloseTimeout="10",
            defaultExecutionStartToCloseTimeout="3600",
            defaultChildPolicy="TERMINATE",
        )
        self.in_domain("register_activity_type", **ACTIVITY, defaultTaskList=ACTIVITIES, **DEFAULTS)

    def call(self, operation: str, **params: Any) -> Any:
        """Call an operation by its name in boto3."""
        return getattr(self.client, operation)(**params)

    def in_domain(self, operation: str, **params: Any) -> Any:
        """Call an operation on the domain."""
        return self.call(operation, domain=self.domain, **params)

    def start(self, workflow_id: str = "w", **params: Any) -> str:
        """Start an execution; returns its run id."""
        params = {"workflowType": WORKFLOW, **params}
        started = self.in_domain("start_workflow_execution", workflowId=workflow_id, **params)
        return str(started["runId"])

    def signal(self, name: str, workflow_id: str = "w") -> None:
        """Signal an execution; with an input, since moto needs one."""
        self.in_domain(
            "signal_workflow_execution", workflowId=workflow_id, signalName=name, input=name
        )

    def decision_task(self, **params: Any) -> Any:
        """Poll for a decision task, which must exist."""
        task = self.poll_decision(**params)
        assert task.get("taskToken"), "there is no decision task"
        return task

    def poll_decision(self, **params: Any) -> Any:
        """Poll for a decision task."""
        return self.in_domain("poll_for_decision_task", **{"taskList": DECISIONS, **params})

    def decide(self, *decisions: Body, **params: Any) -> Any:
        """Take a decision task and respond to it; returns the task."""
        task = self.decision_task()
        self.respond(task, *decisions, **params)
        return task

    def respond(self, task: Any, *decisions: Body, **params: Any) -> None:
        """Respond to a decision task."""
        self.call(
            "respond_decision_task_completed",
            taskToken=task["taskToken"],
            decisions=list(decisions),
            **params,
        )

    def activity_task(self, **params: Any) -> Any:
        """Poll for an activity task, which must exist."""
        task = self.poll_activity(**params)
        assert task.get("taskToken"), "there is no activity task"
        return task

    def poll_activity(self, **params: Any) -> Any:
        """Poll for an activity task."""
        return self.in_domain("poll_for_activity_task", **{"taskList": ACTIVITIES, **params})

    def complete_activity(self, **params: Any) -> None:
        """Take an activity task and complete it."""
        token = self.activity_task()["taskToken"]
        self.call("respond_activity_task_completed", taskToken=token, **params)

    def history(self, workflow_id: str = "w", run_id: str | None = None, **params: Any) -> Any:
        """The events of an execution, by default of its open or latest run."""
        execution = {"workflowId": workflow_id, "runId": run_id or self.run_id(workflow_id)}
        answer = self.in_domain("get_workflow_execution_history", execution=execution, **params)
        return answer["events"]

    def run_id(self, workflow_id: str) -> str:
        """The open run of a workflow id, else the latest closed one."""
        filters = {
            "executionFilter": {"workflowId": workflow_id},
            "startTimeFilter": {"oldestDate": 0},
        }
        for kind in ("open", "closed"):
            answer = self.in_domain(f"list_{kind}_workflow_executions", **filters)
            if answer["executionInfos"]:
                return str(answer["executionInfos"][0]["execution"]["runId"])
        raise AssertionError(f"there is no execution {workflow_id}")

    def kinds(self, workflow_id: str = "w") -> list[str]:
        """The types of an execution's events, in order."""
        return [event["eventType"] for event in self.history(workflow_id)]

    def last(self, kind: str, workflow_id: str = "w") -> Any:
        """The attributes of the last event of this type."""
        return [
            attributes_of(event)
            for event in self.history(workflow_id)
            if event["eventType"] == kind
        ][-1]

    def describe(self, workflow_id: str = "w") -> Any:
        """DescribeWorkflowExecution of the open or latest run."""
        execution = {"workflowId": workflow_id, "runId": self.run_id(workflow_id)}
        return self.in_domain("describe_workflow_execution", execution=execution)


class TimedAccount(Account):
    """An account in process, whose time is moved by the test."""

    def __init__(self, swf: LocalSWF) -> None:
        super().__init__(swf.client(), "dom")
        self.swf = swf
        self.register()

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.swf.advance(seconds)


def check_response(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """A botocore handler: the answer on the wire has the shapes of the model, and its codes."""
    if response_dict["status_code"] != 200:
        error = json.loads(response_dict["body"])
        assert error.keys() == {"__type", "message"}
        check_fault(operation_model.name, error["__type"].rpartition("#")[2])
        return
    body = json.loads(response_dict["body"] or b"{}")
    check_answer(operation_model.name, body)
    for event in body.get("events", ()):
        check_event(event)


@contextlib.contextmanager
def over_http(clock: ServiceClock | None = None, **options: Any) -> Iterator[server.LocalServer]:
    """A local SWF over HTTP, served by a thread; by default with the wall's time."""
    with server.LocalServer(server.ServerOptions(**options), clock) as running:
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.stop()
            thread.join(20)
            assert not thread.is_alive()


@contextlib.contextmanager
def background(action: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run an action in a thread; at the end of the block its result is in the list."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()
    yield results
    thread.join(30)
    assert not thread.is_alive(), "the thread did not end"
