"""What holds of every history and of every engine at rest, whatever was done to it."""

from collections import Counter
from typing import Any

from garcon.local.engine.entities import Execution
from garcon.local.engine.history import wire_all
from garcon.local.engine.world import World
from tests.garcon.local.engine.account import attributes
from tests.garcon.local.shapes import check_event

Body = dict[str, Any]

TASK_ENDS = ("Completed", "Failed", "TimedOut", "Canceled")
ENDS = {
    "ActivityTask": TASK_ENDS,
    "LambdaFunction": ("Completed", "Failed", "TimedOut"),
    "DecisionTask": ("Completed", "TimedOut"),
}
"""How each kind of task may end."""

CHILD_ENDS = ("Completed", "Failed", "TimedOut", "Canceled", "Terminated")

INITIATORS = {
    "StartChildWorkflowExecutionFailed": "StartChildWorkflowExecutionInitiated",
    "ChildWorkflowExecutionStarted": "StartChildWorkflowExecutionInitiated",
    **{
        f"ChildWorkflowExecution{end}": "StartChildWorkflowExecutionInitiated" for end in CHILD_ENDS
    },
    "ExternalWorkflowExecutionSignaled": "SignalExternalWorkflowExecutionInitiated",
    "SignalExternalWorkflowExecutionFailed": "SignalExternalWorkflowExecutionInitiated",
    "ExternalWorkflowExecutionCancelRequested": "RequestCancelExternalWorkflowExecutionInitiated",
    "RequestCancelExternalWorkflowExecutionFailed": (
        "RequestCancelExternalWorkflowExecutionInitiated"
    ),
}
"""What initiatedEventId of an event refers to."""

MAY_BE_ZERO = {
    "startedEventId": {"ActivityTaskTimedOut", "ActivityTaskCanceled", "DecisionTaskTimedOut"},
    "initiatedEventId": {event for event in INITIATORS if event.endswith("Failed")},
}
"""References that may refer to nothing, and the events in which they may."""

ELSEWHERE = {"externalInitiatedEventId", "parentInitiatedEventId"}
"""References to another execution's history."""

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
    """The type of event that a reference must lead to."""
    fixed = {
        "decisionTaskCompletedEventId": "DecisionTaskCompleted",
        "latestCancelRequestedEventId": "ActivityTaskCancelRequested",
        "initiatedEventId": INITIATORS.get(event_type, ""),
    }
    if member in fixed:
        return fixed[member]
    if event_type.startswith("Timer"):
        return "TimerStarted"
    if event_type.startswith("Child"):
        return "ChildWorkflowExecutionStarted"
    if event_type == "StartLambdaFunctionFailed":
        return "LambdaFunctionScheduled"
    (kind,) = [kind for kind in ENDS if event_type.startswith(kind)]
    return f"{kind}Scheduled" if member == "scheduledEventId" else f"{kind}Started"


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
    _check_single_ends(events)


def _check_references(event: Body, events: list[Body]) -> None:
    event_type = event["eventType"]
    for member, target in attributes(event).items():
        if not member.endswith("EventId") or member in ELSEWHERE:
            continue
        if target == 0:
            assert event_type in MAY_BE_ZERO[member], event
            continue
        assert 0 < target < event["eventId"], event
        assert events[target - 1]["eventType"] == expected_type(event_type, member), event


def _check_single_ends(events: list[Body]) -> None:
    """Nothing ends twice: tasks by their scheduling, timers and children by their start."""
    ends: Counter[int] = Counter()
    for event in events:
        event_type, told = event["eventType"], attributes(event)
        for kind, words in ENDS.items():
            if event_type in {f"{kind}{word}" for word in words}:
                ends[told["scheduledEventId"]] += 1
        if event_type in {"TimerFired", "TimerCanceled"}:
            ends[told["startedEventId"]] += 1
        if event_type in {f"ChildWorkflowExecution{end}" for end in CHILD_ENDS}:
            ends[told["initiatedEventId"]] += 1
    assert set(ends.values()) <= {1}


def open_tasks(events: list[Body], kind: str, state: str) -> set[int]:
    """Scheduling events of the tasks of a kind that reached a state and have not ended."""
    reached: set[int] = set()
    ended: set[int] = set()
    for event in events:
        word = event["eventType"].removeprefix(kind)
        if not event["eventType"].startswith(kind):
            continue
        if word == state:
            reached.add(_scheduling(event))
        elif word in ENDS[kind]:
            ended.add(attributes(event)["scheduledEventId"])
    return reached - ended


def _scheduling(event: Body) -> int:
    """The id of the event that scheduled the task of this event, perhaps its own."""
    scheduled: int = attributes(event).get("scheduledEventId") or event["eventId"]
    return scheduled


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
    scheduled = {each.scheduled_id for each in execution.activities.values()}
    assert open_tasks(events, "ActivityTask", "Scheduled") == scheduled
    started = {each.scheduled_id for each in execution.activities.values() if each.started_id}
    assert open_tasks(events, "ActivityTask", "Started") == started
    assert len(open_tasks(events, "DecisionTask", "Started")) <= 1
    _check_news(execution, events)


def _check_news(execution: Execution, events: list[Body]) -> None:
    news = max(event["eventId"] for event in events if event["eventType"] not in OWN_DOING)
    if execution.deciding is None:
        seen = execution.previous_started_id
    else:
        seen = execution.deciding.started_id
    assert execution.next_decision is not None or news < seen or _own_failure(events[news - 1])


def _own_failure(event: Body) -> bool:
    """Whether this is a closing decision that failed; its task was scheduled before it."""
    return attributes(event).get("cause") == "UNHANDLED_DECISION"


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
