"""The service's rates, as token buckets of the account, of an execution or of a task list.

- The figures are those of the developer guide, "Amazon SWF Quotas", the same in all regions. They
  are enforced with `Settings.quotas` only.
- Two rates are not published and taken from similar decisions: ContinueAsNewWorkflowExecution has
  the rate of StartChildWorkflowExecution, since both create an execution; ScheduleLambdaFunction
  has that of ScheduleActivityTask.
- A bucket holds at most `size` tokens, is full at first, and gains `refill` tokens a second. Each
  attempt takes one token; an attempt that finds none takes nothing.
"""

from typing import NamedTuple

from garcon.local.engine.entities import ExecutionRecord, TaskQueue, TokenBucket
from garcon.local.engine.faults import throttled
from garcon.local.engine.world import World


class Rate(NamedTuple):
    """A kind of bucket: its size in tokens, and the tokens it gains in a second."""

    size: float
    refill: float


_FAST = Rate(2000, 200)
_MIDDLE = Rate(2000, 60)
_SIGNALS = Rate(2000, 30)
_COUNTS = Rate(2000, 6)
_REGISTER = Rate(200, 60)
_RARE = Rate(200, 6)
_DOMAINS = Rate(100, 6)
_TAGS = Rate(50, 30)

ACCOUNT = {
    "PollForActivityTask": _FAST,
    "PollForDecisionTask": _FAST,
    "RespondActivityTaskCompleted": _FAST,
    "RespondActivityTaskFailed": _FAST,
    "RespondActivityTaskCanceled": _FAST,
    "RespondDecisionTaskCompleted": _FAST,
    "StartWorkflowExecution": _FAST,
    "RecordActivityTaskHeartbeat": Rate(2000, 160),
    "GetWorkflowExecutionHistory": _MIDDLE,
    "TerminateWorkflowExecution": _MIDDLE,
    "SignalWorkflowExecution": _SIGNALS,
    "RequestCancelWorkflowExecution": _SIGNALS,
    "CountOpenWorkflowExecutions": _COUNTS,
    "CountClosedWorkflowExecutions": _COUNTS,
    "DescribeActivityType": _COUNTS,
    "DescribeWorkflowType": _COUNTS,
    "DescribeWorkflowExecution": _COUNTS,
    "RegisterActivityType": _REGISTER,
    "RegisterWorkflowType": _REGISTER,
    "ListOpenWorkflowExecutions": Rate(200, 48),
    "CountPendingActivityTasks": _RARE,
    "CountPendingDecisionTasks": _RARE,
    "ListClosedWorkflowExecutions": _RARE,
    "ListActivityTypes": _RARE,
    "ListWorkflowTypes": _RARE,
    "DescribeDomain": _RARE,
    "DeprecateActivityType": _RARE,
    "DeprecateWorkflowType": _RARE,
    "UndeprecateActivityType": _RARE,
    "UndeprecateWorkflowType": _RARE,
    "DeleteActivityType": _RARE,
    "DeleteWorkflowType": _RARE,
    "RegisterDomain": _DOMAINS,
    "ListDomains": _DOMAINS,
    "DeprecateDomain": _DOMAINS,
    "UndeprecateDomain": _DOMAINS,
    "TagResource": _TAGS,
    "UntagResource": _TAGS,
    "ListTagsForResource": _TAGS,
}
"""A bucket for each operation, for the account as a whole."""

EXECUTION = {
    "GetWorkflowExecutionHistory": Rate(400, 200),
    "SignalWorkflowExecution": Rate(1000, 1000),
    "RecordActivityTaskHeartbeat": Rate(1000, 1000),
    "RequestCancelWorkflowExecution": Rate(200, 200),
}
"""A further bucket for each of these operations, for each execution."""

DECISIONS = {
    "ScheduleActivityTask": Rate(1000, 200),
    "StartTimer": Rate(2000, 200),
    "SignalExternalWorkflowExecution": Rate(1200, 120),
    "RequestCancelExternalWorkflowExecution": Rate(1200, 120),
    "StartChildWorkflowExecution": Rate(500, 12),
    "ContinueAsNewWorkflowExecution": Rate(500, 12),
    "ScheduleLambdaFunction": Rate(1000, 200),
}
"""A bucket for each of these decisions, for the account; the others have no rate."""

TASKS = Rate(2000, 2000)
"""Activity tasks scheduled on one task list."""


def admit_call(world: World, operation: str) -> None:
    """Take a token for a call, or refuse it."""
    if world.settings.quotas and not _take(world, world.buckets, operation, ACCOUNT[operation]):
        raise throttled()


def admit_to_execution(world: World, execution: ExecutionRecord, operation: str) -> None:
    """Take a token for a call on one execution, or refuse it."""
    rate = EXECUTION[operation]
    if world.settings.quotas and not _take(world, execution.buckets, operation, rate):
        raise throttled()


def admits_decision(world: World, decision_type: str) -> bool:
    """Take a token for a decision; False without one."""
    rate = DECISIONS.get(decision_type)
    if rate is None or not world.settings.quotas:
        return True
    return _take(world, world.buckets, f"decision {decision_type}", rate)


def admits_task(world: World, task_list: TaskQueue) -> bool:
    """Take a token for an activity task on a list; False without one."""
    if not world.settings.quotas:
        return True
    return _take(world, world.buckets, f"tasks {task_list.domain.name} {task_list.name}", TASKS)


def take(bucket: TokenBucket | None, rate: Rate, now: float) -> tuple[TokenBucket, bool]:
    """The bucket after an attempt to take one token, and whether the attempt succeeded."""
    level = rate.size if bucket is None else bucket.level + (now - bucket.at) * rate.refill
    level = min(level, rate.size)
    return (TokenBucket(level - 1, now), True) if level >= 1 else (TokenBucket(level, now), False)


def _take(world: World, buckets: dict[str, TokenBucket], key: str, rate: Rate) -> bool:
    buckets[key], taken = take(buckets.get(key), rate, world.now)
    return taken
