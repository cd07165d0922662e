"""Events: facts for the core, from children over their channels or from the shell."""

from supervisor.config.settings import Settings
from supervisor.ipc.messages.base import Message
from supervisor.ipc.messages.jobs import Report
from supervisor.ipc.messages.types import (
    Instance,
    PollEnd,
    PostMortem,
    Result,
    Staleness,
    Task,
    TaskList,
)


class GenerationReady(Message, frozen=True):
    """A zygote has imported the flow and can fork workers."""

    generation: int
    task_lists: tuple[TaskList, ...]
    external_lists: tuple[str, ...] = ()  # served by other programs
    restart_unset: tuple[str, ...] = ()  # activities with retry=0 that do not say restartable=
    build: str = ""  # id of the flow's code
    release: str = ""  # name of the release that serves; "" without --releases
    older: tuple[str, ...] = ()  # names of the releases before it, the newest first
    releases: tuple[str, ...] = ()  # names of all that are there


class GenerationLost(Message, frozen=True):
    """A zygote has died, or could not load the flow.

    ``code`` is the supervisor's exit code if no other generation runs: 2 for invalid settings, 3
    for the flow.
    """

    generation: int
    why: str
    code: int


class Polling(Message, frozen=True):
    """The worker polls. Its first poll makes it ready."""

    worker: int


class Parked(Message, frozen=True):
    """The worker waits for a permit to poll. Its first such message makes it ready.

    ``end`` is how its last poll ended, which brought no task.
    """

    worker: int
    end: PollEnd = PollEnd.NONE


class Working(Message, frozen=True):
    """The worker has a task."""

    worker: int
    task: Task


class Done(Message, frozen=True):
    """The worker has answered its task; it polls again, or leaves.

    ``parked``: it found its permit withdrawn, and waits for another before it polls.
    """

    worker: int
    result: Result
    parked: bool = False


class Stale(Message, frozen=True):
    """SWF no longer needs the answer to the worker's task."""

    worker: int
    why: Staleness


class WantsReplacement(Message, frozen=True):
    """The worker has reached its limit of tasks or memory; it works until it is asked to leave."""

    worker: int
    why: str


class Registered(Message, frozen=True):
    """SWF knows everything that the flow needs.

    ``new`` names what was registered, as in ``activity type shop_pack 1.1; 1.0 exists``.
    """

    worker: int
    new: tuple[str, ...] = ()


class Replayed(Message, frozen=True):
    """The flow's decisions agree with every replayed history that it has to fit.

    ``report`` says which it does not have to fit, or why none was replayed; empty if there is
    nothing to say.
    """

    worker: int
    executions: int
    decisions: int
    report: str = ""


class NonDeterministic(Message, frozen=True):
    """The flow is non-deterministic: it decides differently from a replayed history.

    Attributes:
        worker: The replaying one.
        workflow_id: Of the execution.
        event_id: Of the ``DecisionTaskCompleted`` event of the first difference.
        recorded: Decisions that are in the history only.
        decided: Decisions that only the present code takes.
        why: The error of the decider, if it raised one.
        builds: The builds whose open executions would be left without a decider; if a release that
            is kept serves each of them, the difference harms none.
        report: Sentences about these executions.
    """

    worker: int
    workflow_id: str
    event_id: int
    recorded: tuple[str, ...]
    decided: tuple[str, ...]
    why: str = ""
    builds: tuple[str, ...] = ()
    report: str = ""


class OpenSearched(Message, frozen=True):
    """The flow's open executions were searched for one of this code's build.

    ``found`` is whether there is one. If none was found, ``complete`` is whether all were read.
    """

    worker: int
    found: bool
    complete: bool


class Returned(Message, frozen=True):
    """The decider has returned an execution to this build, another one than its own."""

    worker: int
    build: str


class FlowRefused(Message, frozen=True):
    """SWF or a gate refuses this flow, these settings or these credentials; a retry cannot help.

    ``why`` is one sentence for the person who must act, ``code`` the exit code that fits.
    """

    worker: int
    why: str
    code: int


class ForkFailed(Message, frozen=True):
    """No worker was forked: the kernel refused (ENOMEM, EAGAIN), or the zygote is gone.

    ``unanswered`` means that the worker was killed while its zygote let the request wait.
    """

    worker: int
    why: str
    unanswered: bool = False


class Exited(Message, frozen=True):
    """The worker has died. ``status`` is its exit code, or minus the number of the signal."""

    worker: int
    status: int
    post: PostMortem | None = None


class MemoryExceeded(Message, frozen=True):
    """A working worker has more resident memory, in bytes, than ``--max-memory-hard`` allows."""

    worker: int
    memory: int


class ChannelLost(Message, frozen=True):
    """A worker lives, but has closed its channel: a task may have become another program (exec)."""

    worker: int


class SpooledReports(Message, frozen=True):
    """A dead supervisor left these tasks on disk; each file stays until its task is reported."""

    reports: tuple[Report, ...]


class OrphanedLists(Message, frozen=True):
    """Deciders of a killed supervisor had these private lists, as in ``Serve.private_list``."""

    names: tuple[str, ...]


class SidecarReady(Message, frozen=True):
    """A sidecar is ready.

    ``endpoint`` is the URL of the local SWF, if it runs one; ``build`` the id of the
    retired code that it serves.
    """

    name: str
    endpoint: str = ""
    build: str = ""


class SidecarUnneeded(Message, frozen=True):
    """Retired code ends: its build has had no open execution for so many seconds."""

    name: str
    seconds: float


class SidecarLost(Message, frozen=True):
    """A sidecar has died. ``status`` is as in ``Exited``; ``why`` says it in words."""

    name: str
    status: int
    why: str = ""


class TasksTaken(Message, frozen=True):
    """The heartbeats sidecar keeps the tasks that it was sent."""


class TasksEnded(Message, frozen=True):
    """SWF no longer has these tasks that were handed out: answered, timed out or canceled."""

    numbers: tuple[int, ...]


class AllClosed(Message, frozen=True):
    """Every execution of ``--start`` has closed."""

    completed: bool  # whether each of them has completed, none failed or was stopped


class DrainRequested(Message, frozen=True):
    """Finish the tasks in progress and leave; abandon those left after ``within`` seconds."""

    why: str
    within: float | None = None


class TerminationNotice(Message, frozen=True):
    """This host ends soon: drain as for ``DrainRequested``, but a second notice never stops.

    ``within`` is the seconds until the host ends; of several notices the earliest end holds.
    """

    why: str
    within: float | None = None


class InstanceKnown(Message, frozen=True):
    """The EC2 instance that the supervisor runs on is known."""

    instance: Instance
    in_group: bool = False  # whether it is one of an auto scaling group


class StopRequested(Message, frozen=True):
    """Leave now, and abandon the tasks in progress."""

    why: str


class RestartRequested(Message, frozen=True):
    """Replace the active generation by a new one, without a gap in service.

    ``settings`` are the settings as they are now; ``None`` to keep the ones in use.
    """

    why: str
    settings: Settings | None = None


class ScaleRequested(Message, frozen=True):
    """Give a task list, or each activity list, ``size`` workers, or ``by`` more or fewer.

    ``task_list`` is the name or the short name of a list; ``None`` for every activity list.
    """

    why: str
    task_list: str | None = None
    size: int | None = None
    by: int = 0


class QuietRequested(Message, frozen=True):
    """Stop polling a task list, or all of them, and stay up."""

    why: str
    task_list: str | None = None


class ResumeRequested(Message, frozen=True):
    """Poll a quiet task list again, or all that are quiet."""

    why: str
    task_list: str | None = None


class Backlog(Message, frozen=True):
    """The waiting tasks of a list, as SWF estimates (CountPendingActivityTasks, …DecisionTasks)."""

    task_list: str
    pending: int | None  # None for a turn that was not spent on a count
    truncated: bool = False  # whether there are more than SWF counts
    counting: float = 1.0  # hosts that count at the same time, and share the tasks


class GroupSized(Message, frozen=True):
    """The number of instances that this host's auto scaling group is to have."""

    hosts: int


class WarmPool(Message, frozen=True):
    """Whether this host's instance waits in the warm pool of its auto scaling group."""

    is_warm: bool


class Tick(Message, frozen=True):
    """The core's deadline has passed."""


FromChildren = (
    Polling
    | Parked
    | Working
    | Done
    | Stale
    | WantsReplacement
    | Registered
    | Replayed
    | NonDeterministic
    | OpenSearched
    | Returned
    | FlowRefused
    | SidecarReady
    | SidecarUnneeded
    | TasksTaken
    | TasksEnded
    | AllClosed
    | TerminationNotice
    | InstanceKnown
    | Backlog
    | GroupSized
    | WarmPool
)
"""Events that children send over their channels; they reach the core unchanged."""

Event = (
    FromChildren
    | GenerationReady
    | GenerationLost
    | ForkFailed
    | Exited
    | MemoryExceeded
    | ChannelLost
    | SpooledReports
    | OrphanedLists
    | SidecarLost
    | DrainRequested
    | StopRequested
    | RestartRequested
    | ScaleRequested
    | QuietRequested
    | ResumeRequested
    | Tick
)
