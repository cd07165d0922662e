"""Facts that the core is told, by processes over their channels or by the shell."""

from supervisor.messages.about import Instance, PostMortem, Result, Staleness, Task, TaskList
from supervisor.messages.base import Message
from supervisor.messages.jobs import Report
from supervisor.settings import Settings


class GenerationReady(Message, frozen=True):
    """A zygote has imported the flow and can fork workers."""

    generation: int
    task_lists: tuple[TaskList, ...]


class GenerationLost(Message, frozen=True):
    """A zygote is gone, or could not load the flow.

    ``code`` is the exit code that fits if nothing else is running: 2 settings, 3 the flow.
    """

    generation: int
    why: str
    code: int


class Polling(Message, frozen=True):
    """The worker's poll is on its way. The first one makes the worker ready."""

    worker: int


class Working(Message, frozen=True):
    """SWF handed the worker a task."""

    worker: int
    task: Task


class Done(Message, frozen=True):
    """The task in hand is answered; the worker holds nothing, and polls again or leaves."""

    worker: int
    result: Result


class Stale(Message, frozen=True):
    """SWF no longer wants the task that the worker still does."""

    worker: int
    why: Staleness


class Tired(Message, frozen=True):
    """The worker has done its share, and goes on until it is told to leave.

    It asks for its replacement: it has done as many tasks, or grown as big, as it may.
    """

    worker: int
    why: str


class Registered(Message, frozen=True):
    """The registering worker found or made everything that the flow needs.

    ``new`` tells what was made, as in ``activity type shop_pack 1.1; 1.0 is there``.
    """

    worker: int
    new: tuple[str, ...] = ()


class Replayed(Message, frozen=True):
    """The flow decides every history as it shows."""

    worker: int
    executions: int
    decisions: int


class Contradicted(Message, frozen=True):
    """The flow decides a history otherwise than it shows: the first such place.

    ``recorded`` are the decisions that only the history shows, ``decided`` those that only the flow
    takes now; ``why`` is what its decider said about it, if anything.
    """

    worker: int
    workflow_id: str
    event_id: int  # of the DecisionTaskCompleted
    recorded: tuple[str, ...]
    decided: tuple[str, ...]
    why: str = ""


class Refused(Message, frozen=True):
    """SWF or a gate refuses this flow, these settings or these credentials, for good.

    ``why`` is one sentence for the person who must act; ``code`` the exit code that fits.
    """

    worker: int
    why: str
    code: int


class ForkFailed(Message, frozen=True):
    """The kernel gave no process (ENOMEM, EAGAIN): an event like a death."""

    worker: int
    why: str


class Exited(Message, frozen=True):
    """The worker is gone. ``status``: exit code, or minus the signal's number."""

    worker: int
    status: int
    post: PostMortem | None = None


class TooBig(Message, frozen=True):
    """The worker holds more memory, in bytes, than even a task in hand may."""

    worker: int
    memory: int


class Spooled(Message, frozen=True):
    """A dead supervisor left these on disk; each stays there until its reporter was heard."""

    reports: tuple[Report, ...]


class AttendantReady(Message, frozen=True):
    """An attendant does its work; ``endpoint`` is where the local SWF listens."""

    name: str
    endpoint: str = ""


class AttendantLost(Message, frozen=True):
    """An attendant is gone. ``status`` as in ``Exited``; ``why`` its last words."""

    name: str
    status: int
    why: str = ""


class AllClosed(Message, frozen=True):
    """Every execution that we were asked to start has closed."""

    completed: bool  # all of them, and none otherwise


class DrainAsked(Message, frozen=True):
    """Finish what is in hand and leave; what is left after ``within`` seconds is abandoned."""

    why: str
    within: float | None = None


class EndNoticed(Message, frozen=True):
    """This host is to go: as ``DrainAsked``, but said by no person, so a second one never stops.

    ``within`` is when to be gone: the nearest of all that were told holds.
    """

    why: str
    within: float | None = None


class InstanceKnown(Message, frozen=True):
    """The EC2 instance that this is has been learned."""

    instance: Instance


class StopAsked(Message, frozen=True):
    """Leave now; what is in hand is abandoned."""

    why: str


class RestartAsked(Message, frozen=True):
    """Replace the generation by a new one, without a gap.

    ``settings`` are those that its sources give now; None if nobody has read them again.
    """

    why: str
    settings: Settings | None = None


class ScaleAsked(Message, frozen=True):
    """Give a task list, or each activity list, ``size`` workers, or ``by`` more or fewer.

    ``task_list`` is a name as people say it: the list's, or the activity's own.
    """

    why: str
    task_list: str | None = None
    size: int | None = None
    by: int = 0


class QuietAsked(Message, frozen=True):
    """Poll no more for a task list, or for any, and stay up."""

    why: str
    task_list: str | None = None


class ResumeAsked(Message, frozen=True):
    """Poll again for a quiet task list, or for all that are quiet."""

    why: str
    task_list: str | None = None


class Backlog(Message, frozen=True):
    """Activity tasks of a list that wait for a worker, as SWF estimates (CountPending...)."""

    task_list: str
    pending: int
    truncated: bool = False  # there are more than SWF counts


class Tick(Message, frozen=True):
    """Time has passed; nothing else happened."""


FromChildren = (
    Polling
    | Working
    | Done
    | Stale
    | Tired
    | Registered
    | Replayed
    | Contradicted
    | Refused
    | AttendantReady
    | AllClosed
    | EndNoticed
    | InstanceKnown
    | Backlog
)
"""What children say over their channels, and the core is told as it is."""

Event = (
    FromChildren
    | GenerationReady
    | GenerationLost
    | ForkFailed
    | Exited
    | TooBig
    | Spooled
    | AttendantLost
    | DrainAsked
    | StopAsked
    | RestartAsked
    | ScaleAsked
    | QuietAsked
    | ResumeAsked
    | Tick
)
