"""An engine with a clock of its own, for tests: all its answers and events are checked.

`Account` uses the names of the wire and supplies what is the same in most tests: one domain, one
workflow type, one activity type, defaults for all settings. The time stands still until `after`.
"""

from collections.abc import Iterator
from typing import Any

from garcon.local.engine import Answer, Engine, Fault, Settings, Waiting
from tests.garcon.local.shapes import check_answer, check_event, check_fault, check_request

START = 1_700_000_000.0
"""The time at which tests begin, in seconds since the epoch."""

DOMAIN = "dom"
WORKFLOW = {"name": "wf", "version": "1.0"}
ACTIVITY = {"name": "act", "version": "1.0"}
DECISIONS = "decide"
ACTIVITIES = "work"

Body = dict[str, Any]


class Account:
    """An engine, its clock, and one domain with a workflow type and an activity type."""

    def __init__(
        self, *, seed: int = 0, lambda_available: bool = False, bare: bool = False, **settings: Any
    ) -> None:
        self.engine = Engine(Settings(**settings), seed=seed, lambda_available=lambda_available)
        self.now = START
        if not bare:
            self.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="30")
            self.register_workflow()
            self.register_activity()

    def raw(self, operation: str, **params: Any) -> Answer | Waiting:
        check_request(operation, params)
        try:
            answer = self.engine.call(operation, params, self.now)
        except Fault as fault:
            check_fault(operation, fault.code)
            raise
        if isinstance(answer, Answer):
            check_answer(operation, answer.body)
        return answer

    def call(self, operation: str, **params: Any) -> Body:
        answer = self.raw(operation, **params)
        assert isinstance(answer, Answer), "a poll that waits: use poll()"
        return answer.body

    def pages(self, operation: str, **params: Any) -> Iterator[Body]:
        """All pages of a listing, from the first; a hundred at most."""
        token: Body = {}
        for _ in range(100):
            page = self.call(operation, **params, **token)
            yield page
            if "nextPageToken" not in page:
                return
            token = {"nextPageToken": page["nextPageToken"]}
        raise AssertionError(f"{operation} does not come to an end")

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.engine.advance(self.now)

    # Registering.

    def register_workflow(self, **changes: Any) -> None:
        params: Body = {
            "domain": DOMAIN,
            **WORKFLOW,
            "defaultTaskList": {"name": DECISIONS},
            "defaultTaskStartToCloseTimeout": "10",
            "defaultExecutionStartToCloseTimeout": "3600",
            "defaultChildPolicy": "TERMINATE",
        }
        self.call("RegisterWorkflowType", **without_none(params | changes))

    def register_activity(self, **changes: Any) -> None:
        params: Body = {
            "domain": DOMAIN,
            **ACTIVITY,
            "defaultTaskList": {"name": ACTIVITIES},
            "defaultTaskStartToCloseTimeout": "60",
            "defaultTaskScheduleToStartTimeout": "100",
            "defaultTaskScheduleToCloseTimeout": "200",
            "defaultTaskHeartbeatTimeout": "NONE",
        }
        self.call("RegisterActivityType", **without_none(params | changes))

    # Executions.

    def start(self, workflow_id: str = "w", **params: Any) -> str:
        params = {"domain": DOMAIN, "workflowId": workflow_id, "workflowType": WORKFLOW} | params
        run_id: str = self.call("StartWorkflowExecution", **params)["runId"]
        return run_id

    def signal(self, workflow_id: str = "w", name: str = "s", **params: Any) -> None:
        self.call(
            "SignalWorkflowExecution",
            domain=DOMAIN,
            workflowId=workflow_id,
            signalName=name,
            **params,
        )

    def history(self, run_id: str) -> list[Body]:
        events = self.engine.history(run_id)
        for event in events:
            check_event(event)
        return events

    def types(self, run_id: str) -> list[str]:
        return [event["eventType"] for event in self.history(run_id)]

    def last(self, run_id: str, event_type: str) -> Body:
        """The attributes of the latest event of a type."""
        for event in reversed(self.history(run_id)):
            if event["eventType"] == event_type:
                return attributes(event)
        raise AssertionError(f"no {event_type} in {self.types(run_id)}")

    def describe(self, run_id: str, workflow_id: str = "w") -> Body:
        execution = {"workflowId": workflow_id, "runId": run_id}
        return self.call("DescribeWorkflowExecution", domain=DOMAIN, execution=execution)

    # Polling and answering.

    def wait(self, kind: str, task_list: str, **params: Any) -> Answer | Waiting:
        return self.raw(f"PollFor{kind}Task", domain=DOMAIN, taskList={"name": task_list}, **params)

    def poll_decision(self, task_list: str = DECISIONS, **params: Any) -> Body:
        answer = self.wait("Decision", task_list, **params)
        assert isinstance(answer, Answer), f"no decision task on {task_list}"
        return answer.body

    def poll_activity(self, task_list: str = ACTIVITIES, **params: Any) -> Body:
        answer = self.wait("Activity", task_list, **params)
        assert isinstance(answer, Answer), f"no activity task on {task_list}"
        return answer.body

    def decide(self, *decisions: Body, task_list: str = DECISIONS, **params: Any) -> Body:
        """Poll a decision task and respond to it; the task as it was polled."""
        task = self.poll_decision(task_list)
        self.respond(task, *decisions, **params)
        return task

    def respond(self, task: Body, *decisions: Body, **params: Any) -> None:
        self.call(
            "RespondDecisionTaskCompleted",
            taskToken=task["taskToken"],
            decisions=list(decisions),
            **params,
        )

    def complete(self, task: Body, **params: Any) -> None:
        self.call("RespondActivityTaskCompleted", taskToken=task["taskToken"], **params)

    def pending(self, kind: str, task_list: str) -> int:
        count: int = self.call(
            f"CountPending{kind}Tasks", domain=DOMAIN, taskList={"name": task_list}
        )["count"]
        return count


def without_none(params: Body) -> Body:
    return {name: value for name, value in params.items() if value is not None}


def attributes(event: Body) -> Body:
    """The attributes of an event, whatever its type."""
    (member,) = set(event) - {"eventTimestamp", "eventType", "eventId"}
    found: Body = event[member]
    return found


def decision(decision_type: str, **attributes: Any) -> Body:
    member = f"{decision_type[0].lower()}{decision_type[1:]}DecisionAttributes"
    return {"decisionType": decision_type, member: attributes}


def schedule(activity_id: str = "a", **attributes: Any) -> Body:
    chosen = {"activityId": activity_id, "activityType": ACTIVITY} | attributes
    return decision("ScheduleActivityTask", **chosen)


def timer(timer_id: str = "t", seconds: str = "5") -> Body:
    return decision("StartTimer", timerId=timer_id, startToFireTimeout=seconds)


def child(workflow_id: str = "c", **attributes: Any) -> Body:
    chosen = {"workflowId": workflow_id, "workflowType": WORKFLOW} | attributes
    return decision("StartChildWorkflowExecution", **chosen)


COMPLETE = decision("CompleteWorkflowExecution", result="done")
FAIL = decision("FailWorkflowExecution", reason="why", details="more")
CANCEL = decision("CancelWorkflowExecution", details="stopped")
