"""What goes over a channel: one JSON object a packet, typed and checked at its arrival."""

import json

import msgspec

from supervisor.messages.about import TaskList
from supervisor.messages.actions import Fork
from supervisor.messages.base import Message, Value
from supervisor.messages.events import ForkFailed, FromChildren


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
    payloads: bool = False  # whether inputs and results are shown


class Stickiness(Value, frozen=True):
    """How a decider sticks to its executions; the numbers are those of ``garcon``'s ``Sticky``."""

    schedule_to_start: float  # seconds that a task may wait on the decider's own list
    executions: int  # whose states are kept
    check: float  # events that are read again, as a share


class Load(Message, frozen=True):
    """The supervisor's first word to a zygote: import this."""

    generation: int
    flow: str
    domain: str | None
    name: str | None
    place: Place
    log: LogStyle
    spool: str | None = None  # the folder in which workers keep tokens and answers
    presence: str = ""  # the file there by whose lock others see that the supervisor lives
    max_tasks: int | None = None  # tasks after which a worker is tired
    max_memory: int | None = None  # bytes over which a worker is tired
    sticky: Stickiness | None = None  # None: deciders read the whole history every time
    core_dumps: bool = False  # whether a worker that crashes may leave a core file
    hand_back: bool = False  # whether a leaving worker hands back what its last poll brings


class Ec2(Value, frozen=True):
    """What the ``ec2`` attendant is to do, as the settings say. Times in seconds."""

    interval: float
    margin: float
    maintenance_lead: float
    token_ttl: int
    drain_on_rebalance: bool
    protect_busy: bool
    group: str | None = None
    hook: str | None = None


class Attend(Message, frozen=True):
    """The supervisor's first word to an attendant: what it needs to know."""

    name: str
    place: Place
    log: LogStyle
    domain: str = ""
    flow_name: str = ""
    flow_version: str = ""
    flow_tags: tuple[str, ...] = ()
    flow_priority: int | None = None
    live: bool = False  # show what happens to whoever sits at the terminal
    ec2: Ec2 | None = None  # for the ``ec2`` attendant alone
    lists: tuple[TaskList, ...] = ()  # whose waiting tasks to count
    interval: float = 0.0  # seconds between two counts of one list


class ListState(Value, frozen=True):
    """How one task list is served at this moment, counted in workers.

    ``ready`` and ``working`` are of those that stay; ``leaving`` have been told to leave or killed.
    """

    task_list: TaskList
    wanted: int  # none while it is quiet
    ready: int
    working: int
    leaving: int = 0
    quiet: bool = False
    scale: str = ""  # between what it is sized by its backlog
    pending: int | None = None  # tasks that wait, as was counted last


class PoolAsked(Message, frozen=True):
    """An attendant wants to know how the pool does; it gets a ``PoolState``."""


class PoolState(Message, frozen=True):
    """How the pool does, said to attendants that show it or asked for it."""

    lists: tuple[ListState, ...]  # none where they are too many for one message
    in_hand: int = 0  # tasks, those of workers that are on their way out included


class Loaded(Message, frozen=True):
    """A zygote's first word: the flow is imported. The shell makes a ``GenerationReady`` of it."""

    domain: str
    flow_name: str
    flow_version: str
    task_lists: tuple[TaskList, ...]
    warnings: tuple[str, ...] = ()
    flow_tags: tuple[str, ...] = ()  # of executions that are started without any
    flow_priority: int | None = None  # of their decision tasks


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
    | PoolAsked
    | PoolState
    | Loaded
    | CannotLoad
    | Fork
    | Forked
    | ForkFailed
    | FromChildren
)
"""What may be said over a channel, by either end."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


class NotUnderstood(ValueError):
    """A packet is not a message of this vocabulary."""


def encode(message: Said) -> bytes:
    """One packet for a channel; what UTF-8 has no bytes for is a question mark in it."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:  # an error of the flow's names a file that could not be decoded
        words = msgspec.to_builtins(message)
        return json.dumps(words, ensure_ascii=False).encode(errors="replace")


def decode(packet: bytes) -> Said:
    """The message in a packet; raises ``NotUnderstood`` with what is wrong and where."""
    try:
        return _decoder.decode(packet)
    except (msgspec.DecodeError, RecursionError) as error:
        # Its content stays out of the sentence: a packet may hold a token, or a result.
        raise NotUnderstood(f"{error} in a packet of {len(packet)} bytes") from error
