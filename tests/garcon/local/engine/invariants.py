"""The invariants of every history, and of every engine between two inputs."""

from collections import Counter
from typing import Any, NamedTuple

from garcon.local.engine.entities import ExecutionRecord
from garcon.local.engine.history import wire_all
from garcon.local.engine.world import World
from tests.garcon.local.engine.account import attributes
from tests.garcon.local.shapes import check_event

Body = dict[str, Any]


class Lifecycle(NamedTuple):
    """An item with a beginning and one end; its ends refer to the beginning by `member`."""

    beginning: str
    ends: frozenset[str]
    member: str


def _lifecycle(beginning: str, member: str, *ends: str) -> Lifecycle:
    return Lifecycle(beginning, frozenset(ends), member)


CHILD_ENDS = ("Completed", "Failed", "TimedOut", "Canceled", "Terminated")

ACTIVITY = _lifecycle(
    "ActivityTaskScheduled",
    "scheduledEventId",
    *(f"ActivityTask{end}" for end in ("Completed", "Failed", "TimedOut", "Canceled")),
)
DECISION = _lifecycle(
    "DecisionTaskScheduled", "scheduledEventId", "DecisionTaskCompleted", "DecisionTaskTimedOut"
)
LAMBDA = _lifecycle(
    "LambdaFunctionScheduled",
    "scheduledEventId",
    *(f"LambdaFunction{end}" for end in ("Completed", "Failed", "TimedOut")),
    "StartLambdaFunctionFailed",
)
TIMER = _lifecycle("TimerStarted", "startedEventId", "TimerFired", "TimerCanceled")
CHILD = _lifecycle(
    "StartChildWorkflowExecutionInitiated",
    "initiatedEventId",
    *(f"ChildWorkflowExecution{end}" for end in CHILD_ENDS),
    "StartChildWorkflowExecutionFailed",
)
SIGNAL = _lifecycle(
    "SignalExternalWorkflowExecutionInitiated",
    "initiatedEventId",
    "ExternalWorkflowExecutionSignaled",
    "SignalExternalWorkflowExecutionFailed",
)
CANCEL = _lifecycle(
    "RequestCancelExternalWorkflowExecutionInitiated",
    "initiatedEventId",
    "ExternalWorkflowExecutionCancelRequested",
    "RequestCancelExternalWorkflowExecutionFailed",
)
LIFECYCLES = (ACTIVITY, DECISION, LAMBDA, TIMER, CHILD, SIGNAL, CANCEL)

STARTS = {
    "ActivityTaskStarted": (ACTIVITY, "scheduledEventId"),
    "DecisionTaskStarted": (DECISION, "scheduledEventId"),
    "LambdaFunctionStarted": (LAMBDA, "scheduledEventId"),
    "ChildWorkflowExecutionStarted": (CHILD, "initiatedEventId"),
}
"""The events between a beginning and an end, with the member that refers to the beginning."""

MAY_BE_ZERO = {
    "startedEventId": {"ActivityTaskTimedOut", "ActivityTaskCanceled", "DecisionTaskTimedOut"},
    "initiatedEventId": {
        end
        for lifecycle in (CHILD, SIGNAL, CANCEL)
        for end in lifecycle.ends
        if end.endswith("Failed")
    },
}
"""References that may be 0, and the events in which they may."""

EXTERNAL_REFERENCES = {
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
"""References to another execution's history: the member that names it, and the event's type."""

KNOWN_EVENTS = {
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
"""Events that the decider caused or need not see; all others are news to it."""


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
    (lifecycle,) = [lifecycle for lifecycle in LIFECYCLES if event_type in lifecycle.ends]
    if member == lifecycle.member:
        return lifecycle.beginning
    assert member == "startedEventId", (event_type, member)
    (started,) = [start for start, (of, _) in STARTS.items() if of is lifecycle]
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
    for lifecycle in LIFECYCLES:
        _check_lifecycle(lifecycle, events)


def _check_references(event: Body, events: list[Body]) -> None:
    event_type = event["eventType"]
    for member, target in attributes(event).items():
        if not member.endswith("EventId") or (event_type, member) in EXTERNAL_REFERENCES:
            continue
        if target == 0:
            assert event_type in MAY_BE_ZERO[member], event
            continue
        assert 0 < target < event["eventId"], event
        assert events[target - 1]["eventType"] == expected_type(event_type, member), event


def _check_lifecycle(lifecycle: Lifecycle, events: list[Body]) -> None:
    """No item starts or ends twice, and an end names the start of the same item."""
    starts: dict[int, int] = {}
    ended: set[int] = set()
    for event in events:
        event_type, members = event["eventType"], attributes(event)
        of, reference = STARTS.get(event_type, (None, ""))
        if of is lifecycle:
            assert members[reference] not in starts, event
            starts[members[reference]] = event["eventId"]
        elif event_type in lifecycle.ends and members[lifecycle.member]:
            assert members[lifecycle.member] not in ended, event
            ended.add(members[lifecycle.member])
            if lifecycle.member != "startedEventId" and "startedEventId" in members:
                assert members["startedEventId"] == starts.get(members[lifecycle.member], 0), event


def open_items(lifecycle: Lifecycle, events: list[Body]) -> set[int]:
    """The beginnings that have no end yet."""
    found = set()
    for event in events:
        if event["eventType"] == lifecycle.beginning:
            found.add(event["eventId"])
        elif event["eventType"] in lifecycle.ends:
            found.discard(attributes(event)[lifecycle.member])
    return found


def check_execution(execution: ExecutionRecord, seen: int = 0) -> None:
    """The state agrees with the history, and all news reaches a decider."""
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


def _check_state(execution: ExecutionRecord, events: list[Body]) -> None:
    """The items that are open by the history are those of the engine, started or not."""
    decisions = [task for task in (execution.deciding, execution.next_decision) if task]
    tasks: list[Any] = [*execution.activities.values(), *execution.lambdas.values(), *decisions]
    for lifecycle, held in (
        (ACTIVITY, {each.scheduled_id for each in execution.activities.values()}),
        (LAMBDA, {each.scheduled_id for each in execution.lambdas.values()}),
        (DECISION, {each.scheduled_id for each in decisions}),
        (TIMER, {each.started_id for each in execution.timers.values()}),
        (CHILD, set(execution.children)),
        (SIGNAL, set()),
        (CANCEL, set()),
    ):
        assert open_items(lifecycle, events) == held, lifecycle
    started = {
        event["eventId"]: attributes(event)["scheduledEventId"]
        for event in events
        if event["eventType"] in STARTS and "scheduledEventId" in attributes(event)
    }
    for task in tasks:
        assert started.get(task.started_id, 0) == (task.scheduled_id if task.started_id else 0)
        assert bool(task.started_id) == (task.scheduled_id in started.values())
    assert Counter(bool(task.started_id) for task in decisions)[True] <= 1


def _check_news(execution: ExecutionRecord, events: list[Body]) -> None:
    news = max(event["eventId"] for event in events if event["eventType"] not in KNOWN_EVENTS)
    if execution.deciding is None:
        seen = execution.previous_started_id
    else:
        seen = execution.deciding.started_id
    assert execution.next_decision is not None or news < seen


def check_messages(
    execution: ExecutionRecord, runs: dict[str, ExecutionRecord], seen: int = 0
) -> None:
    """Each event from another execution is announced in that execution's history.

    The first `seen` events have been checked before; `runs` are all executions so far.
    """
    for event in execution.history[seen:]:
        for (event_type, member), (source, announced) in EXTERNAL_REFERENCES.items():
            if event.type != event_type:
                continue
            members = event.attributes
            assert bool(members[member]) == (source in members), event
            if members[member]:
                origin = runs[members[source]["runId"]].history[members[member] - 1]
                assert origin.type == announced, (event, origin)


def check_world(world: World) -> None:
    """All clocks, tokens and queued tasks belong to open items."""
    assert not world.effects
    assert not world.full_executions
    assert not world.unmatched
    runs = [run for run in world.runs.values() if run.is_open]
    assert len(world.deadlines) == sum(clocks(run) for run in runs)
    assert set(world.started_tasks) == {token for run in runs for token in tokens(run)}
    assert world.lost_tokens <= set(world.started_tasks)
    for domain in world.domains.values():
        assert set(domain.open_by_id.values()) == {run for run in runs if run.domain is domain}
        for task_list in domain.task_lists.values():
            assert not (task_list.tasks and task_list.polls)


def clocks(run: ExecutionRecord) -> int:
    """The number of deadlines that an open execution should have."""
    single: list[Any] = [run, *run.timers.values(), *run.lambdas.values()]
    single += [task for task in (run.deciding, run.next_decision) if task]
    several = sum(len(activity.clocks) for activity in run.activities.values())
    return several + sum(1 for each in single if each.clock is not None)


def tokens(run: ExecutionRecord) -> list[str]:
    """The valid tokens of an open execution."""
    tasks: list[Any] = [*run.activities.values()]
    tasks += [run.deciding] if run.deciding else []
    return [task.token for task in tasks if task.started_id]
