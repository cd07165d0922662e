"""Whatever is done to an engine, in whatever order, the laws hold.

Hypothesis drives one engine with calls, vanishing pollers and the passing of time. After each
step every history and the engine's state are checked; at the end the same inputs are given to a
second engine, with the clock read more often, and must lead to the same histories.
"""

import math
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from garcon.local.engine import Answer, Engine, Fault, Settings, Waiting, entities
from garcon.local.engine.history import wire_all
from tests.garcon.local.engine.account import (
    ACTIVITIES,
    ACTIVITY,
    CANCEL,
    COMPLETE,
    DECISIONS,
    DOMAIN,
    FAIL,
    START,
    WORKFLOW,
    child,
    decision,
    schedule,
    timer,
)
from tests.garcon.local.engine.laws import check_execution, check_world
from tests.garcon.local.shapes import check_answer, check_request

Body = dict[str, Any]

FIGURES = Settings(
    event_limit=45, open_activities=3, open_timers=2, open_children=2, open_lambdas=1, pollers=4
)
WORKFLOW_IDS = st.sampled_from(["w0", "w1", "w2"])
IDS = st.sampled_from(["a", "b"])
SECONDS = st.sampled_from(["NONE", "20", "20", "3", "0"])
BOUNDED = st.sampled_from(["3", "20", "0"])
POLICIES = st.sampled_from(["TERMINATE", "REQUEST_CANCEL", "ABANDON"])

ACTIVITY_DECISIONS = st.builds(
    schedule,
    IDS,
    scheduleToStartTimeout=SECONDS,
    startToCloseTimeout=SECONDS,
    scheduleToCloseTimeout=SECONDS,
    heartbeatTimeout=SECONDS,
    taskPriority=st.sampled_from(["-1", "0", "1"]),
)
OTHER_DECISIONS = st.one_of(
    st.builds(timer, IDS, BOUNDED),
    st.builds(
        child,
        st.sampled_from(["w0", "w1", "w2", "w3", "w4"]),
        executionStartToCloseTimeout=st.sampled_from(["20", "200"]),
        childPolicy=POLICIES,
    ),
    st.builds(lambda each: decision("CancelTimer", timerId=each), IDS),
    st.builds(lambda each: decision("RequestCancelActivityTask", activityId=each), IDS),
    st.builds(lambda each: decision("ScheduleLambdaFunction", id=each, name="n"), IDS),
    st.just(decision("RecordMarker", markerName="m")),
    st.builds(
        lambda each: decision("SignalExternalWorkflowExecution", workflowId=each, signalName="s"),
        WORKFLOW_IDS,
    ),
    st.builds(
        lambda each: decision("RequestCancelExternalWorkflowExecution", workflowId=each),
        WORKFLOW_IDS,
    ),
)
CLOSING = st.sampled_from([COMPLETE, FAIL, CANCEL, decision("ContinueAsNewWorkflowExecution")])
DECIDED: st.SearchStrategy[Body] = st.sampled_from(
    [ACTIVITY_DECISIONS] * 2 + [OTHER_DECISIONS] * 3
).flatmap(lambda chosen: chosen)
RESPONSES = st.tuples(
    st.lists(DECIDED, max_size=4),
    st.one_of(st.none(), st.none(), st.none(), st.none(), CLOSING),
).map(lambda parts: parts[0] + ([parts[1]] if parts[1] else []))
OVERRIDES = st.sampled_from(
    [
        {},
        {},
        {"taskList": {"name": "sticky"}, "taskListScheduleToStartTimeout": "4"},
        {"taskList": {"name": DECISIONS}},
    ]
)
LISTS = st.sampled_from([DECISIONS, DECISIONS, DECISIONS, "sticky"])
DELAYS = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2, 9])
"""Seconds that somebody takes over a task; a decision task is late after 8."""

ENDINGS = st.sampled_from(
    [
        "RespondActivityTaskCompleted",
        "RespondActivityTaskFailed",
        "RespondActivityTaskCanceled",
        "RecordActivityTaskHeartbeat",
    ]
)


class Play(RuleBasedStateMachine):
    """An engine under any sequence of inputs, all of them written down."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(FIGURES, seed=7, lambda_available=True)
        self.now = START
        self.inputs: list[tuple[Any, ...]] = []
        self.waiting: dict[str, str] = {}
        self.activities: list[str] = []
        self.decisions: list[str] = []
        self.invocations: list[str] = []
        self.delivered: set[str] = set()
        self.seen: dict[str, entities.Execution] = {}
        self.checked: dict[str, int] = {}
        self.register()

    def register(self) -> None:
        timeouts = {
            "defaultTaskStartToCloseTimeout": "8",
            "defaultExecutionStartToCloseTimeout": "100",
        }
        self.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="90")
        self.call(
            "RegisterWorkflowType",
            domain=DOMAIN,
            **WORKFLOW,
            **timeouts,
            defaultTaskList={"name": DECISIONS},
            defaultChildPolicy="TERMINATE",
        )
        self.call(
            "RegisterActivityType",
            domain=DOMAIN,
            **ACTIVITY,
            defaultTaskList={"name": ACTIVITIES},
        )

    def call(self, operation: str, **params: Any) -> Answer | Waiting | str:
        """Make a call and write it down; the code if it is refused."""
        check_request(operation, params)
        self.inputs.append((operation, params, self.now))
        try:
            answer = self.engine.call(operation, params, self.now)
        except Fault as fault:
            return fault.code
        if isinstance(answer, Answer):
            check_answer(operation, answer.body)
        return answer

    def allowed(self, *codes: str, operation: str, **params: Any) -> None:
        """A call that may succeed, or be refused with one of these codes."""
        answer = self.call(operation, **params)
        assert isinstance(answer, Answer) or answer in codes

    @initialize()
    def begin(self) -> None:
        self.start("w0", "REQUEST_CANCEL", "1000")
        self.start("w1", "TERMINATE", "1000")

    @rule(
        workflow_id=WORKFLOW_IDS,
        policy=POLICIES,
        timeout=st.sampled_from(["30", "1000", "1000", "1000"]),
    )
    def start(self, workflow_id: str, policy: str, timeout: str) -> None:
        self.allowed(
            "WorkflowExecutionAlreadyStartedFault",
            operation="StartWorkflowExecution",
            domain=DOMAIN,
            workflowId=workflow_id,
            workflowType=WORKFLOW,
            childPolicy=policy,
            executionStartToCloseTimeout=timeout,
        )

    @rule(
        workflow_id=WORKFLOW_IDS,
        operation=st.sampled_from(
            [
                "SignalWorkflowExecution",
                "SignalWorkflowExecution",
                "SignalWorkflowExecution",
                "RequestCancelWorkflowExecution",
                "RequestCancelWorkflowExecution",
                "TerminateWorkflowExecution",
            ]
        ),
    )
    def reach(self, workflow_id: str, operation: str) -> None:
        extra = {"signalName": "s"} if operation.startswith("Signal") else {}
        self.allowed(
            "UnknownResourceFault",
            operation=operation,
            domain=DOMAIN,
            workflowId=workflow_id,
            **extra,
        )

    @rule(task_list=st.sampled_from([ACTIVITIES, DECISIONS, DECISIONS, "sticky"]))
    def poll(self, task_list: str) -> None:
        kind = "Activity" if task_list == ACTIVITIES else "Decision"
        answer = self.call(f"PollFor{kind}Task", domain=DOMAIN, taskList={"name": task_list})
        if isinstance(answer, Waiting):
            self.waiting[answer.poll_id] = kind
        elif isinstance(answer, Answer):
            self.take(kind, answer.body)
        else:
            assert answer == "LimitExceededFault"

    def take(self, kind: str, body: Body) -> None:
        token = body["taskToken"]
        if not token:
            return
        assert token not in self.delivered
        self.delivered.add(token)
        (self.activities if kind == "Activity" else self.decisions).append(token)

    @rule()
    def wake(self) -> None:
        for wakeup in self.engine.take_wakeups():
            kind = self.waiting.pop(wakeup.poll_id)
            check_answer(f"PollFor{kind}Task", wakeup.answer.body)
            self.take(kind, wakeup.answer.body)
        taken = self.engine.take_invocations()
        self.invocations += [invocation.invocation_id for invocation in taken]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        self.wake()
        if self.waiting:
            poll_id = data.draw(st.sampled_from(sorted(self.waiting)))
            del self.waiting[poll_id]
            self.inputs.append(("disconnect", poll_id, self.now))
            self.engine.disconnect(poll_id, self.now)

    @rule(operation=ENDINGS, delay=DELAYS)
    def work(self, operation: str, delay: float) -> None:
        """A worker polls, takes its time, and answers."""
        self.poll(ACTIVITIES)
        self.wake()
        self.pass_time(delay)
        if self.activities:
            self.end(operation, self.activities[-1])

    @precondition(lambda self: self.activities)
    @rule(data=st.data(), operation=ENDINGS)
    def answer_late(self, data: st.DataObject, operation: str) -> None:
        self.end(operation, data.draw(st.sampled_from(self.activities)))

    def end(self, operation: str, token: str) -> None:
        self.allowed("UnknownResourceFault", operation=operation, taskToken=token)

    @rule(task_list=LISTS, response=RESPONSES, override=OVERRIDES)
    def decide(self, task_list: str, response: list[Body], override: Body) -> None:
        """A decider polls and answers at once."""
        self.poll(task_list)
        self.wake()
        if self.decisions:
            self.respond(self.decisions[-1], response, override)

    @rule(
        task_list=LISTS,
        response=RESPONSES,
        override=OVERRIDES,
        signalled=WORKFLOW_IDS,
        delay=DELAYS,
    )
    def decide_slowly(
        self, task_list: str, response: list[Body], override: Body, signalled: str, delay: float
    ) -> None:
        """Something happens between the poll and the answer."""
        self.poll(task_list)
        self.wake()
        self.reach(signalled, "SignalWorkflowExecution")
        self.pass_time(delay)
        if self.decisions:
            self.respond(self.decisions[-1], response, override)

    def respond(self, token: str, response: list[Body], override: Body) -> None:
        self.allowed(
            "UnknownResourceFault",
            operation="RespondDecisionTaskCompleted",
            taskToken=token,
            decisions=response,
            **override,
        )

    @precondition(lambda self: self.invocations)
    @rule(reason=st.sampled_from([None, "bad"]))
    def finish(self, reason: str | None) -> None:
        invocation_id = self.invocations.pop()
        self.inputs.append(("finish", invocation_id, self.now, reason))
        self.engine.finish_lambda(invocation_id, self.now, result="r", reason=reason)

    @rule(seconds=st.sampled_from([0.5, 1, 3, 4, 9, 30]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.engine.advance(self.now)

    @invariant()
    def the_laws_hold(self) -> None:
        world = self.engine._world
        check_world(world)
        self.seen |= world.runs
        for run_id, execution in self.seen.items():
            check_execution(execution, self.checked.get(run_id, 0))
            self.checked[run_id] = len(execution.history)
        is_open = any(run.is_open for run in world.runs.values())
        assert not is_open or self.engine.next_work_deadline() < math.inf

    def teardown(self) -> None:
        self.every_poll_is_answered()
        self.every_task_was_delivered_or_lost_to_a_ghost()
        self.the_same_inputs_give_the_same_histories()

    def every_poll_is_answered(self) -> None:
        self.pass_time(FIGURES.poll_window)
        self.wake()
        assert not self.waiting
        self.the_laws_hold()

    def every_task_was_delivered_or_lost_to_a_ghost(self) -> None:
        started = sum(
            event.type in {"ActivityTaskStarted", "DecisionTaskStarted"}
            for run in self.seen.values()
            for event in run.history
        )
        assert started == len(self.delivered) + self.engine.counters.ghosts

    def the_same_inputs_give_the_same_histories(self) -> None:
        second = Engine(FIGURES, seed=7, lambda_available=True)
        before = START
        for name, what, now, *rest in self.inputs:
            second.advance((before + now) / 2)
            replay(second, name, what, now, *rest)
            before = now
        second.advance(self.now)
        for run_id, run in self.seen.items():
            assert second.history(run_id) == wire_all(run)


def replay(engine: Engine, name: str, what: Any, now: float, *rest: Any) -> None:
    """Give an engine an input that was written down."""
    if name == "disconnect":
        engine.disconnect(what, now)
    elif name == "finish":
        engine.finish_lambda(what, now, result="r", reason=rest[0])
    else:
        try:
            engine.call(name, what, now)
        except Fault:
            return


TestPlay = Play.TestCase
TestPlay.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow],
)
