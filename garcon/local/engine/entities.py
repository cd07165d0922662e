"""What exists in the service: domains, types, executions, and what is open in them.

Plain data. Each thing knows the ids of the events that tell its story, since later events must
refer to them. "Open" means that an end has still to be recorded; at its end a thing is taken out
of its execution, and what remains of it is the history.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from garcon.local.engine.bucket import Bucket
from garcon.local.engine.heap import Entry, LazyHeap
from garcon.local.engine.messages import Body

Deadline: TypeAlias = Entry[Callable[[], None]]


class TypeKey(NamedTuple):
    """What names a type in its domain."""

    name: str
    version: str

    def wire(self) -> Body:
        """The model's ActivityType or WorkflowType."""
        return _wire_type(self)


@cache
def _wire_type(key: TypeKey) -> Body:
    # One object for all the events that name the type, since there are so many of them.
    return {"name": key.name, "version": key.version}


class TypeKind(Enum):
    """The two kinds of registered types; the value begins their names on the wire."""

    ACTIVITY = "Activity"
    WORKFLOW = "Workflow"


class CloseStatus(StrEnum):
    """Why an execution is closed, as the visibility operations say it."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    TIMED_OUT = "TIMED_OUT"

    @property
    def word(self) -> str:
        """As events say it: "TimedOut" in WorkflowExecutionTimedOut."""
        return "".join(part.capitalize() for part in self.split("_"))


class TaskKind(StrEnum):
    """The two kinds of tasks; lists of the same name but another kind are other lists."""

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
    task_lists: dict[tuple[TaskKind, str], "TaskList"] = field(default_factory=dict)
    runs: dict[str, "Execution"] = field(default_factory=dict)
    closed: dict[str, "Execution"] = field(default_factory=dict)
    open_by_id: dict[str, "Execution"] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Poll:
    """A long poll in its window. A ghost is one whose connection has gone."""

    poll_id: str
    task_list: "TaskList"
    params: Body
    label: str = ""
    window: "Entry[Poll] | None" = None
    ghost: bool = False


@dataclass(slots=True, eq=False)
class TaskList:
    """Tasks that wait, best first, and polls that wait, oldest first; at most one is not empty."""

    domain: Domain
    kind: TaskKind
    name: str
    tasks: LazyHeap["Task"] = field(default_factory=LazyHeap)
    polls: OrderedDict[str, Poll] = field(default_factory=OrderedDict)


class Form(NamedTuple):
    """What events of one kind have in common: their type, and which attributes are there."""

    type: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a history; its id is its place, counted from 1.

    A million events are nothing unusual, so an event holds only what is its own, and refers to
    a form for the rest: a third of what a dictionary for each would take.
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
class Activity:
    """An open activity task; started once `started_id` is not 0."""

    execution: "Execution"
    activity_id: str
    type: TypeKey
    task_list: TaskList
    priority: int
    input: str
    timeouts: dict[str, str]
    scheduled_id: int
    started_id: int = 0
    token: str = ""
    heartbeat_details: str = ""
    cancel_requested_id: int = 0
    place: Entry["Task"] | None = None
    clocks: dict[str, Deadline] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class DecisionTask:
    """A decision task; sticky if its list overrides the execution's own for a time."""

    execution: "Execution"
    task_list: TaskList
    priority: int
    schedule_to_start: str
    scheduled_id: int
    sticky: bool
    started_id: int = 0
    token: str = ""
    place: Entry["Task"] | None = None
    clock: Deadline | None = None


Task: TypeAlias = Activity | DecisionTask


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
    """A child as its parent sees it; `execution` is its newest run, None until it has begun."""

    initiated_id: int
    started_id: int = 0
    execution: "Execution | None" = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Another execution, and its event by which it asked for something here."""

    execution: "Execution"
    initiated_id: int


@dataclass(frozen=True, slots=True)
class Sticky:
    """A task list that overrides the execution's own; without a timeout ("") for good."""

    task_list: str
    schedule_to_start: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an execution runs with; durations in the wire's form, "" for what was not given."""

    type: TypeKey
    task_list: str
    task_priority: str
    task_timeout: str
    execution_timeout: str
    child_policy: str
    lambda_role: str
    tags: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Execution:
    """A workflow execution, open while it has no `close_status`.

    At most one decision task is started (`deciding`) and one more is scheduled (`next_decision`):
    the latter collects what happens meanwhile.
    """

    domain: Domain
    workflow_id: str
    run_id: str
    serial: int
    config: Configuration
    started_at: float
    parent: Origin | None = None
    history: list[Event] = field(default_factory=list)
    doomed: bool = False
    close_status: CloseStatus | None = None
    closed_at: float = 0.0
    close_serial: int = 0
    cancel_requested: bool = False
    context: str = ""
    latest_activity_at: float = 0.0
    sticky: Sticky | None = None
    deciding: DecisionTask | None = None
    next_decision: DecisionTask | None = None
    previous_started_id: int = 0
    clock: Deadline | None = None
    activities: dict[str, Activity] = field(default_factory=dict)
    timers: dict[str, Timer] = field(default_factory=dict)
    lambdas: dict[str, LambdaRun] = field(default_factory=dict)
    children: dict[int, Child] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether its end has still to be recorded."""
        return self.close_status is None

    def wire(self) -> Body:
        """The model's WorkflowExecution."""
        return {"workflowId": self.workflow_id, "runId": self.run_id}
