"""Values in messages: task lists, slots, tasks, answers, and the post-mortem of a worker."""

import enum

from supervisor.ipc.messages.base import Message, Value


class Role(enum.StrEnum):
    """The kind of the tasks of a list."""

    DECIDER = "decider"
    ACTIVITY = "activity"


class TaskList(Value, frozen=True, order=True):
    """A task list of the flow.

    Attributes:
        name: The list's name at SWF.
        role: The kind of its tasks.
        short_name: The name that people use: ``decider``, or the activity's own name.
    """

    name: str
    role: Role
    short_name: str = ""


class Slot(Value, frozen=True, order=True):
    """A place in the pool for one worker: the n-th of a task list."""

    task_list: TaskList
    index: int


class Instance(Value, frozen=True):
    """The EC2 instance that the supervisor runs on, in the words of its instance metadata."""

    id: str
    zone: str = ""
    life_cycle: str = ""  # spot, on-demand, scheduled, capacity-block


class Task(Value, frozen=True):
    """A task that SWF has handed to a worker.

    Attributes:
        token: SWF's task token: authorizes the answer, so it is a secret.
        workflow_id: Of the execution.
        run_id: Of the execution.
        activity_id: Empty for a decision task.
        timeout: Start-to-close timeout in seconds; ``None`` for none.
        activity_name: Name of the activity type; empty for a decision task.
        event_id: Number of the ActivityTaskStarted event; 0 for a decision task.
        heartbeat: Heartbeat timeout in seconds, if it is known.
        trace: Id of the trace that it belongs to, if its run does not name it.
    """

    token: str
    workflow_id: str
    run_id: str
    activity_id: str = ""
    timeout: float | None = None
    activity_name: str = ""
    event_id: int = 0
    heartbeat: float | None = None
    trace: str = ""


class HandedOutTask(Value, frozen=True):
    """A task that another program answers, with its number in the supervisor."""

    number: int
    task: Task


class Result(enum.StrEnum):
    """The result of a task, as its worker saw it."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    ALREADY_CLOSED = "already closed"  # SWF had closed the task before
    RETURNED = "returned"  # not started: its worker was leaving
    HANDED_OUT = "handed out"  # another program answers it
    STUCK = "stuck"  # not decided: the code does not fit the execution, and no other takes it
    ABANDONED = "abandoned"  # SWF did not accept the answer before the task's own timeout


class PollEnd(enum.StrEnum):
    """The end of a poll that brought no task."""

    NONE = "none"  # there was none yet
    EMPTY = "empty"  # SWF had no task
    FAILED = "failed"  # SWF did not answer, or with an error
    THROTTLED = "throttled"  # the account's polls of this second are used up
    LIMITED = "limited"  # the list has too many open polls, those of all hosts together


class Staleness(enum.StrEnum):
    """The reason why SWF no longer needs the answer to a task in progress."""

    CLOSED = "closed"  # it timed out, or its execution has closed
    CANCEL = "cancel"  # its cancelling was requested


# --- answers to tasks -----------------------------------------------------------------------------


class Complete(Message, frozen=True):
    """RespondActivityTaskCompleted; ``result`` is JSON, at most 32,768 characters."""

    result: str | None = None


class Fail(Message, frozen=True):
    """RespondActivityTaskFailed."""

    reason: str  # at most 256 characters; its first word is for machines
    details: str | None = None  # JSON or text, at most 32,768 characters


class Cancel(Message, frozen=True):
    """RespondActivityTaskCanceled."""

    details: str | None = None  # at most 32,768 characters


class ReturnTask(Message, frozen=True):
    """RespondDecisionTaskCompleted with a timer, which brings the next decision task."""

    death: str = ""  # the cause, if a decider died while it decided: the history counts these


class HandOut(Message, frozen=True):
    """No call: another program has the token and answers, so no one else may."""


Answer = Complete | Fail | Cancel | ReturnTask | HandOut


class PostMortem(Value, frozen=True):
    """Facts about a dead worker beyond its exit status.

    Attributes:
        core_dumped: Whether it left a core file.
        out_of_memory: Whether the kernel's OOM killer ended it, judged by the kernel's counter;
            ``None`` if it has none.
        peak_memory: The most resident memory that it had, in bytes.
        pid: Its pid.
        started: Whether some of the code of the task in progress may have run.
        answer: The answer to the task in progress that SWF was not seen to accept.
        last_lines: The last lines of its standard error stream.
        stacks: The stacks of its threads, if it could write them.
        waiting: Tasks that SWF had handed to it and that it had not started.
        host: The host, or EC2 instance, that it ran on.
    """

    core_dumped: bool = False
    out_of_memory: bool | None = False
    peak_memory: int | None = None
    pid: int = 0
    started: bool = True
    answer: Answer | None = None
    last_lines: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    waiting: tuple[Task, ...] = ()
    host: str = ""
