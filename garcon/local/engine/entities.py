"""The entities of the service: domains, types, executions, and the open items of an execution.

Plain data. Each entity holds the ids of its own events, since later events must refer to them.
"Open" means that the end is not recorded yet; at its end an item is removed from its execution,
and only its events remain.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from garcon.local.engine.messages import Body
from garcon.local.engine.queues import HeapEntry, LazyHeap

Deadline: TypeAlias = HeapEntry[Callable[[], None]]


class TypeKey(NamedTuple):
    """Name and version of a type, unique in its domain."""

    name: str
    version: str

    def wire(self) -> Body:
        """The model's ActivityType or WorkflowType."""
        return _wire_type(self)


@cache
def _wire_type(key: TypeKey) -> Body:
    # One object for all the events that name the type: there are very many of them.
    return {"name": key.name, "version": key.version}


class TypeKind(Enum):
    """The two kinds of registered types; the value begins their names on the wire."""

    ACTIVITY = "Activity"
    WORKFLOW = "Workflow"


class CloseStatus(StrEnum):
    """The ways to close, in the words of the visibility operations."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    TIMED_OUT = "TIMED_OUT"

    @property
    def word(self) -> str:
        """The word in names of events: "TimedOut" in WorkflowExecutionTimedOut."""
        return "".join(part.capitalize() for part in self.split("_"))


class TaskKind(StrEnum):
    """The two kinds of tasks; an activity list and a decision list may have the same name."""

    ACTIVITY = "activity"
    DECISION = "decision"


@dataclass(slots=True, eq=False)
class RegisteredType:
    """An activity or workflow type; `defaults` are the members of its configuration."""

    key: TypeKey
    defaults: Body
    created_at: float
    description: str = ""
    deprecated_at: float | None = None


@dataclass(slots=True, eq=False)
class Domain:
    """A namespace. `runs` is in the order of starting, `closed` in the order of closing.

    Dictionaries keep the order of insertion, so a list of executions need not be sorted.
    """

    name: str
    description: str
    retention_days: str
    tags: dict[str, str]
    deprecated: bool = False
    types: dict[TypeKind, dict[TypeKey, RegisteredType]] = field(
        default_factory=lambda: {kind: {} for kind in TypeKind}
    )
    task_lists: dict[tuple[TaskKind, str], "TaskQueue"] = field(default_factory=dict)
    runs: dict[str, "ExecutionRecord"] = field(default_factory=dict)
    closed: dict[str, "ExecutionRecord"] = field(default_factory=dict)
    open_by_id: dict[str, "ExecutionRecord"] = field(default_factory=dict)


class TokenBucket(NamedTuple):
    """A token bucket after its latest use: tokens left, and the time in seconds."""

    level: float
    at: float


class OpenCounts(NamedTuple):
    """Open items of an execution."""

    activities: int
    decisions: int
    timers: int
    children: int
    lambdas: int


@dataclass(slots=True, eq=False)
class PendingPoll:
    """A long poll in its window; a ghost once its connection is gone."""

    poll_id: str
    task_list: "TaskQueue"
    params: Body
    label: str = ""
    window: "HeapEntry[PendingPoll] | None" = None
    ghost: bool = False


@dataclass(slots=True, eq=False)
class TaskQueue:
    """Waiting tasks, best first, and waiting polls, oldest first; one of the two is empty.

    `served_at` is the time at which its last poll or started task ended; its creation before any.
    """

    domain: Domain
    kind: TaskKind
    name: str
    served_at: float
    tasks: LazyHeap["Task"] = field(default_factory=LazyHeap)
    polls: OrderedDict[str, PendingPoll] = field(default_factory=OrderedDict)


class Form(NamedTuple):
    """Type and attribute names, which many events share."""

    type: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a history; its id is its place, counted from 1.

    A million events are common, so an event holds only its own values and refers to a form for
    the rest: a third of the memory of a dictionary for each.
    """

    timestamp: float
    form: Form
    values: tuple[Any, ...]

    @property
    def type(self) -> str:
        """For instance "ActivityTaskScheduled"."""
        return self.form.type

    @property
    def attributes(self) -> Body:
        """The event's attributes as on the wire."""
        return dict(zip(self.form.members, self.values, strict=True))


@dataclass(slots=True, eq=False)
class OpenActivity:
    """An open activity task; started once `started_id` is not 0."""

    execution: "ExecutionRecord"
    activity_id: str
    type: TypeKey
    task_list: TaskQueue
    priority: int
    input: str
    timeouts: dict[str, str]
    scheduled_id: int
    started_id: int = 0
    token: str = ""
    heartbeat_details: str = ""
    cancel_requested_id: int = 0
    place: HeapEntry["Task"] | None = None
    clocks: dict[str, Deadline] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class DecisionTask:
    """A decision task; sticky if its list overrides the execution's own until a timeout."""

    execution: "ExecutionRecord"
    task_list: TaskQueue
    priority: int
    schedule_to_start: str
    scheduled_id: int
    sticky: bool
    started_id: int = 0
    token: str = ""
    place: HeapEntry["Task"] | None = None
    clock: Deadline | None = None


Task: TypeAlias = OpenActivity | DecisionTask


@dataclass(slots=True, eq=False)
class Timer:
    """A timer that has not fired."""

    timer_id: str
    started_id: int
    clock: Deadline | None = None


@dataclass(slots=True, eq=False)
class LambdaRun:
    """A lambda function that has not ended; started once `started_id` is not 0."""

    function_id: str
    name: str
    input: str
    timeout: str
    scheduled_id: int
    started_id: int = 0
    invocation_id: str = ""
    clock: Deadline | None = None


@dataclass(slots=True, eq=False)
class Child:
    """A child of an execution; `execution` is its newest run, None before the first."""

    initiated_id: int
    started_id: int = 0
    execution: "ExecutionRecord | None" = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The execution that caused something in another one, and its Initiated event."""

    execution: "ExecutionRecord"
    initiated_id: int


@dataclass(frozen=True, slots=True)
class StickyOverride:
    """A task list that overrides the execution's own; permanent without a timeout ("")."""

    task_list: str
    schedule_to_start: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of an execution; durations in the wire's form, "" for a missing member."""

    type: TypeKey
    task_list: str
    task_priority: str
    task_timeout: str
    execution_timeout: str
    child_policy: str
    lambda_role: str
    tags: tuple[str, ...]


@dataclass(slots=True, eq=False)
class ExecutionRecord:
    """A workflow execution, open while it has no `close_status`.

    At most one decision task is started (`deciding`) and one more is scheduled (`next_decision`);
    the latter covers the events that arrive during the first.
    """

    domain: Domain
    workflow_id: str
    run_id: str
    serial: int
    config: Configuration
    started_at: float
    parent: Origin | None = None
    history: list[Event] = field(default_factory=list)
    history_full: bool = False
    close_status: CloseStatus | None = None
    closed_at: float = 0.0
    close_serial: int = 0
    counts_at_close: OpenCounts | None = None
    cancel_requested: bool = False
    context: str = ""
    latest_activity_at: float = 0.0
    sticky: StickyOverride | None = None
    deciding: DecisionTask | None = None
    next_decision: DecisionTask | None = None
    previous_started_id: int = 0
    clock: Deadline | None = None
    activities: dict[str, OpenActivity] = field(default_factory=dict)
    timers: dict[str, Timer] = field(default_factory=dict)
    lambdas: dict[str, LambdaRun] = field(default_factory=dict)
    children: dict[int, Child] = field(default_factory=dict)
    buckets: dict[str, TokenBucket] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether its end is not recorded yet."""
        return self.close_status is None

    @property
    def open_counts(self) -> OpenCounts:
        """Its open items; of a closed execution those that were open at its close."""
        return self.counts_at_close or OpenCounts(
            activities=len(self.activities),
            decisions=int(bool(self.deciding or self.next_decision)),
            timers=len(self.timers),
            children=len(self.children),
            lambdas=len(self.lambdas),
        )

    def wire(self) -> Body:
        """The model's WorkflowExecution."""
        return {"workflowId": self.workflow_id, "runId": self.run_id}
