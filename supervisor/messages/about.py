"""What messages are about: task lists, seats, tasks, and what is left of a worker."""

import enum

from supervisor.messages.base import Message, Value


class Role(enum.StrEnum):
    """What a task list hands out."""

    DECIDER = "decider"
    ACTIVITY = "activity"


class TaskList(Value, frozen=True, order=True):
    """A task list of the flow; ``short`` is the name that people use (the activity's own)."""

    name: str
    role: Role
    short: str = ""


class Seat(Value, frozen=True, order=True):
    """One place in the pool: the n-th worker of a task list, whoever sits there."""

    task_list: TaskList
    index: int


class Instance(Value, frozen=True):
    """The EC2 instance that this is: instance metadata's ``instance-id`` and so on, as they are."""

    id: str
    zone: str = ""
    life_cycle: str = ""  # spot, on-demand, scheduled, capacity-block


class Task(Value, frozen=True):
    """What a worker holds; ``timeout`` is SWF's start-to-close in seconds, None for none.

    A decision task has no ``activity_id``.
    """

    token: str
    workflow_id: str
    run_id: str
    activity_id: str = ""
    timeout: float | None = None


class Result(enum.StrEnum):
    """How a task in hand ended, as its worker saw it."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    GONE = "gone"  # SWF no longer knew the task
    HANDED_BACK = "handed back"  # not begun: its worker was leaving
    ABANDONED = "abandoned"  # SWF could not be told before the task's own timeout


class Staleness(enum.StrEnum):
    """Why SWF no longer wants a task that a worker still does."""

    GONE = "gone"  # it timed out, or its execution has closed
    CANCEL = "cancel"  # its cancelling was requested


# --- answers: what SWF is to be told of a task ----------------------------------------------------


class Complete(Message, frozen=True):
    """RespondActivityTaskCompleted; ``result`` is JSON, at most 32,768 characters."""

    result: str | None = None


class Fail(Message, frozen=True):
    """RespondActivityTaskFailed."""

    reason: str  # at most 256 characters, made for people and machines
    details: str | None = None  # JSON or text, at most 32,768 characters


class Cancel(Message, frozen=True):
    """RespondActivityTaskCanceled."""

    details: str | None = None  # at most 32,768 characters


class HandBack(Message, frozen=True):
    """RespondDecisionTaskCompleted, with nothing decided but that the next decision comes now."""


Answer = Complete | Fail | Cancel | HandBack


class PostMortem(Value, frozen=True):
    """What is known of a dead worker beyond its status.

    ``answer`` is what the worker had ready for the task in hand and had not heard SWF accept;
    ``last_lines`` are of its standard error stream, and its stacks where it could give them;
    ``waiting`` are tasks that SWF had handed it while it was at another one.
    """

    core_dumped: bool = False
    out_of_memory: bool = False  # the kernel's OOM killer did it, as far as its counter tells
    peak_memory: int | None = None  # bytes
    pid: int = 0
    begun: bool = True  # whether some of the task's code may have run
    answer: Answer | None = None
    last_lines: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    waiting: tuple[Task, ...] = ()
    host: str = ""
