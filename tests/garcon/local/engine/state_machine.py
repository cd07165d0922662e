"""An engine under random steps: the steps, and the invariants that hold after each.

The steps are calls, refused calls, lost connections, late and repeated responses, and the passing
of time. At the end the same inputs are given to a second engine, with a clock that moves in smaller
steps, and must lead to the same histories.
"""

import math
from random import Random
from typing import Any

from garcon.local.engine import Answer, Engine, Fault, Settings, Waiting, entities
from garcon.local.engine.history import wire_all
from tests.garcon.local.engine import random_requests
from tests.garcon.local.engine.account import (
    ACTIVITIES,
    ACTIVITY,
    DECISIONS,
    DOMAIN,
    START,
    WORKFLOW,
)
from tests.garcon.local.engine.invariants import check_execution, check_messages, check_world
from tests.garcon.local.shapes import check_answer, check_fault, check_request

Body = dict[str, Any]

SETTINGS = Settings(
    event_limit=60,
    open_activities=2,
    open_timers=2,
    open_children=2,
    open_lambdas=1,
    open_executions=4,
    pollers=4,
)
UNREACHABLE = {"RecordMarkerFailed"}
"""Its only cause is OPERATION_NOT_PERMITTED, and the engine has no permissions."""

STEPS = [
    "start",
    "call_execution",
    "call_refused",
    "poll",
    "disconnect",
    "work",
    "answer_late",
    "decide",
    "finish",
    "progress",
    "wait",
]
"""The names of the steps."""


class RandomRun:
    """An engine under any sequence of inputs, all of them recorded."""

    def __init__(self) -> None:
        self.engine = Engine(SETTINGS, seed=7, lambda_available=True)
        self.now = START
        self.inputs: list[tuple[Any, ...]] = []
        self.waiting: dict[str, str] = {}
        self.activities: list[str] = []
        self.decisions: dict[str, str] = {}
        self.spent: list[str] = []
        self.invocations: list[str] = []
        self.delivered: set[str] = set()
        self.seen: dict[str, entities.ExecutionRecord] = {}
        self.checked: dict[str, int] = {}
        self.register()
        self.start_one("w0", childPolicy="REQUEST_CANCEL", lambdaRole=random_requests.ROLE)
        self.start_one("w1", childPolicy="TERMINATE")

    def step(self, name: str, chance: Random) -> None:
        """Carry out one of `STEPS`."""
        getattr(self, name)(chance)

    def event_types(self) -> set[str]:
        """The types of all events so far."""
        return {event.type for run in self.seen.values() for event in run.history}

    def register(self) -> None:
        self.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="90")
        for key in (WORKFLOW, random_requests.OLD):
            self.call(
                "RegisterWorkflowType",
                domain=DOMAIN,
                **key,
                defaultTaskStartToCloseTimeout="8",
                defaultExecutionStartToCloseTimeout="100",
                defaultTaskList={"name": DECISIONS},
                defaultChildPolicy="TERMINATE",
            )
        for key in (ACTIVITY, random_requests.OLD):
            self.call(
                "RegisterActivityType",
                domain=DOMAIN,
                **key,
                defaultTaskList={"name": ACTIVITIES},
            )
        self.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=random_requests.OLD)
        self.call("DeprecateActivityType", domain=DOMAIN, activityType=random_requests.OLD)

    def call(self, operation: str, **params: Any) -> Answer | Waiting | str:
        """Make and record a call; the code if it is refused, and then nothing has changed."""
        check_request(operation, params)
        self.inputs.append((operation, params, self.now))
        self.engine.advance(self.now)
        before = self.events()
        try:
            answer = self.engine.call(operation, params, self.now)
        except Fault as fault:
            check_fault(operation, fault.code)
            assert self.events() == before
            return fault.code
        if isinstance(answer, Answer):
            check_answer(operation, answer.body)
        return answer

    def events(self) -> list[int]:
        """The length of each history."""
        return [len(run.history) for run in self.engine._world.runs.values()]

    def allowed(self, *codes: str, operation: str, **params: Any) -> None:
        """Make a call that may succeed, or be refused with one of these codes."""
        answer = self.call(operation, **params)
        assert isinstance(answer, Answer) or answer in codes

    def start(self, chance: Random) -> None:
        self.start_one(
            chance.choice(random_requests.WORKFLOW_IDS),
            childPolicy=chance.choice(random_requests.POLICIES),
            executionStartToCloseTimeout=chance.choice(["30", "1000", "1000", "1000"]),
            **chance.choice([{}, {"lambdaRole": random_requests.ROLE}]),
        )

    def start_one(self, workflow_id: str, **params: Any) -> None:
        self.allowed(
            "WorkflowExecutionAlreadyStartedFault",
            "LimitExceededFault",
            operation="StartWorkflowExecution",
            domain=DOMAIN,
            workflowId=workflow_id,
            workflowType=WORKFLOW,
            **params,
        )

    def call_execution(self, chance: Random) -> None:
        operation, extra = chance.choice(
            [
                ("SignalWorkflowExecution", {"signalName": "s"}),
                ("SignalWorkflowExecution", {"signalName": "s"}),
                ("RequestCancelWorkflowExecution", {}),
                ("TerminateWorkflowExecution", {}),
            ]
        )
        self.call_on(operation, random_requests.any_workflow_id(chance), **extra)

    def call_on(self, operation: str, workflow_id: str, **extra: Any) -> None:
        self.allowed(
            "UnknownResourceFault",
            operation=operation,
            domain=DOMAIN,
            workflowId=workflow_id,
            **extra,
        )

    def call_refused(self, chance: Random) -> None:
        operation, params = chance.choice(random_requests.REFUSED)
        assert isinstance(self.call(operation, **params), str)

    def poll(self, chance: Random) -> None:
        self.poll_list(chance.choice([ACTIVITIES, DECISIONS, "sticky"]))

    def poll_list(self, task_list: str) -> None:
        kind = "Activity" if task_list == ACTIVITIES else "Decision"
        answer = self.call(f"PollFor{kind}Task", domain=DOMAIN, taskList={"name": task_list})
        if isinstance(answer, Waiting):
            self.waiting[answer.poll_id] = kind
        elif isinstance(answer, Answer):
            self.take(kind, answer.body)
        else:
            assert answer == "LimitExceededFault"

    def take(self, kind: str, body: Body) -> None:
        token = body.get("taskToken")
        if not token:
            return
        assert token not in self.delivered
        self.delivered.add(token)
        if kind == "Activity":
            self.activities.append(token)
        else:
            self.decisions[token] = body["workflowExecution"]["workflowId"]

    def poll_backlog(self, kind: str) -> None:
        """Take all waiting tasks of this kind."""
        for task_list in list(self.engine.task_lists()):
            if task_list.kind == kind:
                for _ in range(task_list.backlog):
                    self.poll_list(task_list.name)
        self.take_wakeups()

    def take_wakeups(self) -> None:
        """Take the answers of waiting polls, and the functions to run."""
        for wakeup in self.engine.take_wakeups():
            kind = self.waiting.pop(wakeup.poll_id)
            check_answer(f"PollFor{kind}Task", wakeup.answer.body)
            self.take(kind, wakeup.answer.body)
        taken = self.engine.take_invocations()
        self.invocations += [invocation.invocation_id for invocation in taken]

    def disconnect(self, chance: Random) -> None:
        self.take_wakeups()
        for poll_id in chance.choices(sorted(self.waiting)) if self.waiting else ():
            del self.waiting[poll_id]
            self.inputs.append(("disconnect", poll_id, self.now))
            self.engine.disconnect(poll_id, self.now)

    def work(self, chance: Random) -> None:
        """A worker polls, needs some time, and responds to its tasks or sends a heartbeat."""
        self.poll_backlog("activity")
        self.pass_time(chance.choice(random_requests.DELAYS))
        for token in self.activities:
            self.answer(chance.choice(random_requests.ENDINGS), token)
        self.spent += self.activities
        self.activities.clear()

    def answer_late(self, chance: Random) -> None:
        """A slow worker responds too late, and repeats the response."""
        for token in chance.choices(self.spent) if self.spent else ():
            operation = chance.choice(random_requests.ENDINGS)
            self.answer(operation, token)
            self.answer(operation, token)

    def answer(self, operation: str, token: str) -> None:
        self.allowed("UnknownResourceFault", operation=operation, taskToken=token)

    def decide(self, chance: Random) -> None:
        """A decider polls, needs some time, and responds; a signal may arrive meanwhile."""
        self.poll_backlog("decision")
        for workflow_id in self.decisions.values() if chance.random() < 0.3 else ():
            self.call_on("SignalWorkflowExecution", workflow_id, signalName="s")
        self.pass_time(chance.choice(random_requests.DELAYS))
        for token in self.decisions:
            self.allowed(
                "UnknownResourceFault",
                operation="RespondDecisionTaskCompleted",
                taskToken=token,
                decisions=random_requests.decisions(chance),
                **chance.choice(random_requests.OVERRIDES),
            )
        self.decisions.clear()

    def finish(self, chance: Random) -> None:
        """End the running functions; for some it is too late."""
        self.take_wakeups()
        for invocation_id in self.invocations:
            reason = chance.choice([None, "bad"])
            self.inputs.append(("finish", invocation_id, self.now, reason))
            self.engine.finish_lambda(invocation_id, self.now, result="r", reason=reason)
        self.invocations.clear()

    def progress(self, chance: Random) -> None:
        """All deciders, workers and functions do their work."""
        for _ in range(3):
            self.decide(chance)
            self.work(chance)
            self.finish(chance)

    def wait(self, chance: Random) -> None:
        self.pass_time(chance.choice([0.5, 1, 3, 4, 9, 30]))

    def pass_time(self, seconds: float) -> None:
        """Let some time pass."""
        self.now += seconds
        self.engine.advance(self.now)

    def check(self) -> None:
        """Check the invariants."""
        world = self.engine._world
        check_world(world)
        self.seen |= world.runs
        for run_id, execution in self.seen.items():
            seen = self.checked.get(run_id, 0)
            if seen == len(execution.history) and not execution.is_open:
                continue
            check_execution(execution, seen)
            check_messages(execution, self.seen, seen)
            self.checked[run_id] = len(execution.history)
        opened = [run for run in world.runs.values() if run.is_open]
        assert len(opened) <= SETTINGS.open_executions
        assert not opened or self.engine.next_work_deadline() < math.inf

    def end(self) -> None:
        """End all waiting polls, and compare with a second engine."""
        self.every_poll_is_answered()
        self.every_task_was_delivered_or_lost_to_a_ghost()
        self.the_same_inputs_give_the_same_histories()

    def every_poll_is_answered(self) -> None:
        self.pass_time(SETTINGS.poll_window)
        self.take_wakeups()
        assert not self.waiting
        self.check()

    def every_task_was_delivered_or_lost_to_a_ghost(self) -> None:
        started = sum(
            event.type in {"ActivityTaskStarted", "DecisionTaskStarted"}
            for run in self.seen.values()
            for event in run.history
        )
        assert started == len(self.delivered) + self.engine.counters.ghosts

    def the_same_inputs_give_the_same_histories(self) -> None:
        second = Engine(SETTINGS, seed=7, lambda_available=True)
        before = START
        for name, what, now, *rest in self.inputs:
            second.advance((before + now) / 2)
            replay(second, name, what, now, *rest)
            before = now
        second.advance(self.now)
        for run_id, run in self.seen.items():
            assert second.history(run_id) == wire_all(run)


def replay(engine: Engine, name: str, what: Any, now: float, *rest: Any) -> None:
    """Give an engine a recorded input."""
    if name == "disconnect":
        engine.disconnect(what, now)
    elif name == "finish":
        engine.finish_lambda(what, now, result="r", reason=rest[0])
    else:
        try:
            engine.call(name, what, now)
        except Fault:
            return
