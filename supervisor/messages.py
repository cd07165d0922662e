"""The vocabulary: every sentence that one part of the supervisor says to another.

Rules of this file:

1. A message is a frozen value. Nothing here knows a clock, a pid, a descriptor or the network.
2. *Events* are facts that the core is told. Some are said by a process over its channel and reach
   the core as they are; the others are gathered from the kernel by the shell.
3. *Actions* are wishes that the core answers with. The shell carries them out and decides nothing.
4. Workers, generations and attendants have numbers and names of our own, never pids: a pid may be
   somebody else's tomorrow.
5. What goes over a channel is one JSON object a packet, told apart by its ``type``. Unknown members
   are ignored, so that two versions can speak during a deploy; unknown types are refused.

All times are seconds. ``inf`` never travels: where there is no limit the member is ``None``.
"""

from __future__ import annotations

import enum

import msgspec

VERSION = 1
"""Version of what goes over a channel; a zygote says it, so that a stranger is noticed at once."""


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of everything that is said."""


class Value(msgspec.Struct, frozen=True):
    """Base of what messages are made of."""


# --- what messages are about ----------------------------------------------------------------------


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


class Task(Value, frozen=True):
    """What a worker holds; ``timeout`` is SWF's start-to-close in seconds, None for none.

    A decision task has no ``activity_id``. ``attempt`` is filled where the history tells it.
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
    ABANDONED = "abandoned"  # SWF could not be told before the task's own timeout


# --- jobs: what a fork is made for ----------------------------------------------------------------


class Serve(Message, frozen=True):
    """Serve one seat's task list: poll, execute, heartbeat, complete, until told to leave."""

    seat: Seat


class Register(Message, frozen=True):
    """Register domain, workflow type and activity types, or look whether they are there; once."""

    types: bool  # False where no decider runs: only that the domain can be reached is asked


class Report(Message, frozen=True):
    """Tell SWF that the task's holder died with it, so that it is run again now."""

    task: Task
    role: Role
    reason: str  # at most 256 characters, made for people and machines
    details: str = ""  # JSON, at most 32,768 characters


Job = Serve | Register | Report


# --- events -------------------------------------------------------------------------------------


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


class Registered(Message, frozen=True):
    """The registering worker found or made everything that the flow needs."""

    worker: int


class Refused(Message, frozen=True):
    """SWF refuses this flow, these settings or these credentials, for good.

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


class StopAsked(Message, frozen=True):
    """Leave now; what is in hand is abandoned."""

    why: str


class RestartAsked(Message, frozen=True):
    """Replace the generation by a new one, without a gap."""

    why: str


class Tick(Message, frozen=True):
    """Time has passed; nothing else happened."""


Event = (
    GenerationReady
    | GenerationLost
    | Polling
    | Working
    | Done
    | Registered
    | Refused
    | ForkFailed
    | Exited
    | AttendantReady
    | AttendantLost
    | AllClosed
    | DrainAsked
    | StopAsked
    | RestartAsked
    | Tick
)


# --- actions ------------------------------------------------------------------------------------


class StartGeneration(Message, frozen=True):
    """Spawn a zygote that imports the flow as it is now."""

    generation: int


class RetireGeneration(Message, frozen=True):
    """End the zygote: nothing is forked from it any more."""

    generation: int


class Fork(Message, frozen=True):
    """Ask the generation's zygote for a worker with this job."""

    worker: int
    generation: int
    job: Job


class Terminate(Message, frozen=True):
    """Ask the worker to leave when it has nothing in hand."""

    worker: int


class Kill(Message, frozen=True):
    """End the worker and its process group at once."""

    worker: int
    why: str


class StartAttendant(Message, frozen=True):
    """Spawn the attendant of this name."""

    name: str


class StopAttendant(Message, frozen=True):
    """Ask the attendant to end."""

    name: str


class Level(enum.IntEnum):
    """The levels of ``logging``, by number, without importing it."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Note(Message, frozen=True):
    """Something that people want to read in the log: one line, its key facts beside it."""

    level: Level
    event: str  # snake_case, one name a kind of line
    text: str  # one sentence
    facts: dict[str, str | int | float | None] = {}


class Exit(Message, frozen=True):
    """All is done: end the program with this code."""

    code: int
    why: str


Action = (
    StartGeneration
    | RetireGeneration
    | Fork
    | Terminate
    | Kill
    | StartAttendant
    | StopAttendant
    | Note
    | Exit
)


# --- what goes over a channel ---------------------------------------------------------------------


class Place(Value, frozen=True):
    """Where SWF is, as the settings say; None leaves it to the flow and to boto3's own chain."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    local: bool = False  # the endpoint is our own: any credentials will do


class LogStyle(Value, frozen=True):
    """How every process of ours logs."""

    level: str
    format: str


class Load(Message, frozen=True):
    """The supervisor's first word to a zygote: import this."""

    generation: int
    flow: str
    domain: str | None
    name: str | None
    place: Place
    log: LogStyle


class Attend(Message, frozen=True):
    """The supervisor's first word to an attendant: what it needs to know."""

    name: str
    place: Place
    log: LogStyle
    domain: str = ""
    flow_name: str = ""
    flow_version: str = ""
    inputs: tuple[str, ...] = ()
    live: bool = False  # show what happens to whoever sits at the terminal


class ListState(Value, frozen=True):
    """How one task list is served at this moment, counted in workers."""

    task_list: TaskList
    wanted: int
    ready: int
    working: int


class PoolState(Message, frozen=True):
    """How the pool does, said to attendants that show it."""

    lists: tuple[ListState, ...]


class Loaded(Message, frozen=True):
    """A zygote's first word: the flow is imported. The shell makes a ``GenerationReady`` of it."""

    version: int
    domain: str
    flow_name: str
    flow_version: str
    task_lists: tuple[TaskList, ...]
    warnings: tuple[str, ...] = ()


class CannotLoad(Message, frozen=True):
    """A zygote's last word: why the flow cannot be loaded, and the exit code that fits."""

    why: str
    code: int


class Forked(Message, frozen=True):
    """A worker's first word, before any other: the pid that it was born with."""

    worker: int
    pid: int


Said = (
    Load
    | Attend
    | PoolState
    | Loaded
    | CannotLoad
    | Forked
    | ForkFailed
    | Polling
    | Working
    | Done
    | Registered
    | Refused
    | AttendantReady
    | AllClosed
    | Fork
)
"""What may be said over a channel, by either end."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


class NotUnderstood(ValueError):
    """A packet is not a message of this vocabulary."""


def encode(message: Said) -> bytes:
    """One packet for a channel."""
    return _encoder.encode(message)


def decode(packet: bytes) -> Said:
    """The message in a packet; raises ``NotUnderstood`` with what is wrong and where."""
    try:
        return _decoder.decode(packet)
    except msgspec.DecodeError as error:
        raise NotUnderstood(f"{error} in {packet[:200]!r}") from error
