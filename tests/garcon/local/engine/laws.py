"""What holds of every history and of every engine at rest, whatever was done to it."""

from collections import Counter
from typing import Any, NamedTuple

from garcon.local.engine.entities import Execution
from garcon.local.engine.history import wire_all
from garcon.local.engine.world import World
from tests.garcon.local.engine.account import attributes
from tests.garcon.local.shapes import check_event

Body = dict[str, Any]


class Life(NamedTuple):
    """What has a beginning and one end; its ends refer to the beginning by `member`."""

    beginning: str
    ends: frozenset[str]
    member: str


def _life(beginning: str, member: str, *ends: str) -> Life:
    return Life(beginning, frozenset(ends), member)


CHILD_ENDS = ("Completed", "Failed", "TimedOut", "Canceled", "Terminated")

ACTIVITY = _life(
    "ActivityTaskScheduled",
    "scheduledEventId",
    *(f"ActivityTask{end}" for end in ("Completed", "Failed", "TimedOut", "Canceled")),
)
DECISION = _life(
    "DecisionTaskScheduled", "scheduledEventId", "DecisionTaskCompleted", "DecisionTaskTimedOut"
)
LAMBDA = _life(
    "LambdaFunctionScheduled",
    "scheduledEventId",
    *(f"LambdaFunction{end}" for end in ("Completed", "Failed", "TimedOut")),
    "StartLambdaFunctionFailed",
)
TIMER = _life("TimerStarted", "startedEventId", "TimerFired", "TimerCanceled")
CHILD = _life(
    "StartChildWorkflowExecutionInitiated",
    "initiatedEventId",
    *(f"ChildWorkflowExecution{end}" for end in CHILD_ENDS),
    "StartChildWorkflowExecutionFailed",
)
SIGNAL = _life(
    "SignalExternalWorkflowExecutionInitiated",
    "initiatedEventId",
    "ExternalWorkflowExecutionSignaled",
    "SignalExternalWorkflowExecutionFailed",
)
CANCEL = _life(
    "RequestCancelExternalWorkflowExecutionInitiated",
    "initiatedEventId",
    "ExternalWorkflowExecutionCancelRequested",
    "RequestCancelExternalWorkflowExecutionFailed",
)
LIVES = (ACTIVITY, DECISION, LAMBDA, TIMER, CHILD, SIGNAL, CANCEL)

STARTS = {
    "ActivityTaskStarted": (ACTIVITY, "scheduledEventId"),
    "DecisionTaskStarted": (DECISION, "scheduledEventId"),
    "LambdaFunctionStarted": (LAMBDA, "scheduledEventId"),
    "ChildWorkflowExecutionStarted": (CHILD, "initiatedEventId"),
}
"""The events between a beginning and an end, and by which member they refer to the beginning."""

MAY_BE_ZERO = {
    "startedEventId": {"ActivityTaskTimedOut", "ActivityTaskCanceled", "DecisionTaskTimedOut"},
    "initiatedEventId": {
        end for life in (CHILD, SIGNAL, CANCEL) for end in life.ends if end.endswith("Failed")
    },
}
"""References that may refer to nothing, and the events in which they may."""

ELSEWHERE = {
    ("WorkflowExecutionStarted", "parentInitiatedEventId"): (
        "parentWorkflowExecution",
        CHILD.beginning,
    ),
    ("WorkflowExecutionSignaled", "externalInitiatedEventId"): (
        "externalWorkflowExecution",
        SIGNAL.beginning,
    ),
    ("WorkflowExecutionCancelRequested", "externalInitiatedEventId"): (
        "externalWorkflowExecution",
        CANCEL.beginning,
    ),
}
"""References to another execution's history: the member that names it, and the type of event."""

OWN_DOING = {
    "DecisionTaskScheduled",
    "DecisionTaskStarted",
    "DecisionTaskCompleted",
    "ActivityTaskScheduled",
    "ActivityTaskStarted",
    "ActivityTaskCancelRequested",
    "TimerStarted",
    "TimerCanceled",
    "MarkerRecorded",
    "StartChildWorkflowExecutionInitiated",
    "SignalExternalWorkflowExecutionInitiated",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
}
"""Events that are no news to a decider; every other event is."""


def expected_type(event_type: str, member: str) -> str:
    """The type of event that a reference within a history must lead to."""
    fixed = {
        "decisionTaskCompletedEventId": "DecisionTaskCompleted",
        "latestCancelRequestedEventId": "ActivityTaskCancelRequested",
    }
    if member in fixed:
        return fixed[member]
    if event_type in STARTS:
        return STARTS[event_type][0].beginning
    (life,) = [life for life in LIVES if event_type in life.ends]
    if member == life.member:
        return life.beginning
    assert member == "startedEventId", (event_type, member)
    (started,) = [start for start, (of, _) in STARTS.items() if of is life]
    return started


def check_history(events: list[Body], seen: int = 0) -> None:
    """Dense ids, times that never fall, right shapes, references to earlier events only.

    The first `seen` events have been checked one by one before.
    """
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    times = [event["eventTimestamp"] for event in events]
    assert times == sorted(times)
    for event in events[seen:]:
        check_event(event)
        _check_references(event, events)
    for life in LIVES:
        _check_life(life, events)


def _check_references(event: Body, events: list[Body]) -> None:
    event_type = event["eventType"]
    for member, target in attributes(event).items():
        if not member.endswith("EventId") or (event_type, member) in ELSEWHERE:
            continue
        if target == 0:
            assert event_type in MAY_BE_ZERO[member], event
            continue
        assert 0 < target < event["eventId"], event
        assert events[target - 1]["eventType"] == expected_type(event_type, member), event


def _check_life(life: Life, events: list[Body]) -> None:
    """Nothing starts or ends twice, and an end names the start of the same."""
    starts: dict[int, int] = {}
    ended: set[int] = set()
    for event in events:
        event_type, told = event["eventType"], attributes(event)
        of, member = STARTS.get(event_type, (None, ""))
        if of is life:
            assert told[member] not in starts, event
            starts[told[member]] = event["eventId"]
        elif event_type in life.ends and told[life.member]:
            assert told[life.member] not in ended, event
            ended.add(told[life.member])
            if life.member != "startedEventId" and "startedEventId" in told:
                assert told["startedEventId"] == starts.get(told[life.member], 0), event


def open_lives(life: Life, events: list[Body]) -> set[int]:
    """The beginnings that have no end yet."""
    found = set()
    for event in events:
        if event["eventType"] == life.beginning:
            found.add(event["eventId"])
        elif event["eventType"] in life.ends:
            found.discard(attributes(event)[life.member])
    return found


def check_execution(execution: Execution, seen: int = 0) -> None:
    """The state agrees with the history, and news always reaches a decider."""
    events = wire_all(execution)
    check_history(events, seen)
    closed = events[-1]["eventType"] in {
        f"WorkflowExecution{word}" for word in (*CHILD_ENDS, "ContinuedAsNew")
    }
    assert closed == (not execution.is_open)
    if closed:
        assert not {*execution.activities, *execution.timers, *execution.lambdas}
        assert execution.deciding is execution.next_decision is None
        return
    _check_state(execution, events)
    _check_news(execution, events)


def _check_state(execution: Execution, events: list[Body]) -> None:
    """What is open by the history is what the engine holds, and it is started or not as told."""
    decisions = [task for task in (execution.deciding, execution.next_decision) if task]
    tasks: list[Any] = [*execution.activities.values(), *execution.lambdas.values(), *decisions]
    for life, held in (
        (ACTIVITY, {each.scheduled_id for each in execution.activities.values()}),
        (LAMBDA, {each.scheduled_id for each in execution.lambdas.values()}),
        (DECISION, {each.scheduled_id for each in decisions}),
        (TIMER, {each.started_id for each in execution.timers.values()}),
        (CHILD, set(execution.children)),
        (SIGNAL, set()),
        (CANCEL, set()),
    ):
        assert open_lives(life, events) == held, life
    started = {
        event["eventId"]: attributes(event)["scheduledEventId"]
        for event in events
        if event["eventType"] in STARTS and "scheduledEventId" in attributes(event)
    }
    for task in tasks:
        assert started.get(task.started_id, 0) == (task.scheduled_id if task.started_id else 0)
        assert bool(task.started_id) == (task.scheduled_id in started.values())
    assert Counter(bool(task.started_id) for task in decisions)[True] <= 1


def _check_news(execution: Execution, events: list[Body]) -> None:
    news = max(event["eventId"] for event in events if event["eventType"] not in OWN_DOING)
    if execution.deciding is None:
        seen = execution.previous_started_id
    else:
        seen = execution.deciding.started_id
    assert execution.next_decision is not None or news < seen


def check_messages(execution: Execution, runs: dict[str, Execution], seen: int = 0) -> None:
    """What came from another execution is announced in that one's history.

    The first `seen` events have been checked before; `runs` are all executions there have been.
    """
    for event in execution.history[seen:]:
        for (event_type, member), (source, announced) in ELSEWHERE.items():
            if event.type != event_type:
                continue
            told = event.attributes
            assert bool(told[member]) == (source in told), event
            if told[member]:
                origin = runs[told[source]["runId"]].history[told[member] - 1]
                assert origin.type == announced, (event, origin)


def check_world(world: World) -> None:
    """Nothing is left over: clocks, tokens, queued tasks belong to what is open."""
    assert not world.effects
    assert not world.doomed
    assert not world.stirred
    runs = [run for run in world.runs.values() if run.is_open]
    assert len(world.deadlines) == sum(clocks(run) for run in runs)
    assert set(world.started_tasks) == {token for run in runs for token in tokens(run)}
    assert world.lost_tokens <= set(world.started_tasks)
    for domain in world.domains.values():
        assert set(domain.open_by_id.values()) == {run for run in runs if run.domain is domain}
        for task_list in domain.task_lists.values():
            assert not (task_list.tasks and task_list.polls)


def clocks(run: Execution) -> int:
    """How many deadlines an open execution should have."""
    single: list[Any] = [run, *run.timers.values(), *run.lambdas.values()]
    single += [task for task in (run.deciding, run.next_decision) if task]
    several = sum(len(activity.clocks) for activity in run.activities.values())
    return several + sum(1 for each in single if each.clock is not None)


def tokens(run: Execution) -> list[str]:
    """The tokens that are good for an open execution."""
    tasks: list[Any] = [*run.activities.values()]
    tasks += [run.deciding] if run.deciding else []
    return [task.token for task in tasks if task.started_id]
