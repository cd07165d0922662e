"""The channel protocol: one JSON object a packet, checked against its type at its arrival."""

import enum
import json

import msgspec

from supervisor.ipc.messages.actions import Fork, HandOver
from supervisor.ipc.messages.base import Message, Value
from supervisor.ipc.messages.events import ForkFailed, FromChildren
from supervisor.ipc.messages.types import TaskList


class SwfEndpoint(Value, frozen=True):
    """The SWF that the settings name; ``None`` leaves the choice to the flow and to boto3."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    local: bool = False  # the supervisor's own endpoint, which accepts any credentials


class LogSettings(Value, frozen=True):
    """The log settings of every process of the supervisor."""

    level: str
    format: str
    payloads: bool = False  # whether inputs and results are logged


class StickySettings(Value, frozen=True):
    """The settings of sticky deciders, as in ``garcon``'s ``Sticky``."""

    schedule_to_start: float  # seconds that a task may wait on the decider's own list
    executions: int  # executions whose state a decider keeps
    check: float  # ratio of events that are read again


class Load(Message, frozen=True):
    """The first message to a zygote: import this flow."""

    generation: int
    flow: str
    domain: str | None
    name: str | None
    swf: SwfEndpoint
    log: LogSettings
    spool: str | None = None  # folder for the workers' tokens and answers
    supervisor_lock: str = ""  # its lock file there; "" if it has none
    max_tasks: int | None = None  # tasks after which a worker wants its replacement
    max_memory: int | None = None  # resident bytes at which a worker wants its replacement
    sticky: StickySettings | None = None  # None: deciders fetch the full history every time
    private_lists: str = ""  # part of the names of the deciders' own lists, unique to a supervisor
    claims: str | None = None  # URL of the claim store
    core_dumps: bool = False  # whether a worker that crashes may leave a core file
    register_domain: bool = False  # also one that --domain names, and not the flow
    plans: bool = False  # whether the flow is only inspected, for --check
    return_task: bool = False  # whether a leaving worker returns the task of its last poll
    build: str | None = None  # id of the flow's code; None: the digest of its files
    otel: bool = False  # whether workers trace, if the variables of OpenTelemetry ask for it
    retired: bool = False  # whether deciders poll the list of their build alone
    folder: str | None = None  # where the flow is; None: the working folder
    version: str = ""  # of the supervisor: its children speak to it in one version


class Ec2Settings(Value, frozen=True):
    """The settings of the ``ec2`` sidecar. Times in seconds."""

    interval: float
    margin: float
    maintenance_lead: float
    token_ttl: int
    drain_on_rebalance: bool
    protect_busy: bool
    group: str | None = None
    hook: str | None = None
    launch_hook: str | None = None
    count_group: bool = False  # report the number of the group's instances (``GroupSized``)


class SampleSettings(Value, frozen=True):
    """The settings of the ``sampler`` sidecar. Times in seconds."""

    executions: int  # that all hosts together look at in one interval
    interval: float
    waiting: float  # a task that no worker has taken for so long counts
    quiet: float  # an execution in which nothing has happened for so long counts


class RunSidecar(Message, frozen=True):
    """The first message to a sidecar: everything that it needs."""

    name: str
    swf: SwfEndpoint
    log: LogSettings
    domain: str = ""
    flow_name: str = ""
    flow_version: str = ""
    flow_tags: tuple[str, ...] = ()
    flow_priority: int | None = None
    live: bool = False  # show the progress of executions on the terminal
    ec2: Ec2Settings | None = None  # for the ``ec2`` sidecar only
    lists: tuple[TaskList, ...] = ()  # task lists whose backlog is counted
    interval: float = 0.0  # seconds between two turns of one list to be counted
    hosts: int = 1  # hosts that count these lists
    http: str = ""  # address that the monitor serves; "" for none
    http_actions: bool = False  # whether its page may change the pool
    emf: str = ""  # file that the monitor appends metrics to; "-" is standard output, "" is none
    spool: str | None = None  # folder whose files the ``heartbeats`` sidecar removes
    sample: SampleSettings | None = None  # for the ``sampler`` sidecar only
    control: str = ""  # path of the control socket that it reads; "" if there is none


class ListState(Value, frozen=True):
    """The workers of one task list at this moment.

    ``ready``, ``working`` and ``parked`` count workers that stay; ``leaving`` those that were
    asked to leave, or killed.
    """

    task_list: TaskList
    desired: int  # 0 while the list is quiet
    ready: int
    working: int
    leaving: int = 0
    quiet: bool = False
    scale: str = ""  # bounds of a list that is sized by its backlog, as in 1..8
    pending: int | None = None  # waiting tasks, at the last count
    counted: float | None = None  # seconds since that count
    parked: int = 0  # ready workers that wait for a permit to poll
    polls: int | None = None  # idle workers that may poll at once; None: all


class PermitGranted(Message, frozen=True):
    """To a parked worker: it may poll."""


class PoolRequested(Message, frozen=True):
    """A sidecar asks for a ``PoolState``."""


class Launch(enum.StrEnum):
    """The outcome of the supervisor's start."""

    PENDING = "pending"
    READY = "ready"  # its code serves
    REFUSED = "refused"  # its first code, or its settings, cannot be served


class PoolState(Message, frozen=True):
    """The pool at this moment, for sidecars that show it or have asked for it."""

    lists: tuple[ListState, ...]  # empty if they are too many for one message
    in_progress: int = 0  # tasks in progress, including those of leaving workers
    launch: Launch = Launch.PENDING


class Loaded(Message, frozen=True):
    """A zygote has imported the flow; the core receives a ``GenerationReady``."""

    domain: str
    flow_name: str
    flow_version: str
    task_lists: tuple[TaskList, ...]
    warnings: tuple[str, ...] = ()
    flow_tags: tuple[str, ...] = ()  # for executions that are started without tags
    flow_priority: int | None = None  # of their decision tasks
    external_lists: tuple[str, ...] = ()  # task lists that other programs serve
    heartbeat_timeouts: dict[str, float] = msgspec.field(default_factory=dict)  # in seconds
    restart_unset: tuple[str, ...] = ()  # activities with retry=0 that do not say restartable=
    build: str = ""  # id of its code


class LoadFailed(Message, frozen=True):
    """A zygote cannot load the flow, and ends; ``code`` is the exit code that fits."""

    why: str
    code: int


class Forked(Message, frozen=True):
    """A worker's first message: its pid."""

    worker: int
    pid: int


ChannelMessage = (
    Load
    | RunSidecar
    | PermitGranted
    | PoolRequested
    | PoolState
    | Loaded
    | LoadFailed
    | Fork
    | HandOver
    | Forked
    | ForkFailed
    | FromChildren
)
"""Every message of a channel, in either direction."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[ChannelMessage] = msgspec.json.Decoder(ChannelMessage)


class InvalidMessage(ValueError):
    """A packet is not a message of this protocol."""


def encode(message: ChannelMessage) -> bytes:
    """One packet; characters that UTF-8 cannot encode become question marks."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:  # a lone surrogate: an error text names a file in another encoding
        plain = msgspec.to_builtins(message)
        return json.dumps(plain, ensure_ascii=False).encode(errors="replace")


def decode(packet: bytes) -> ChannelMessage:
    """The message in a packet. Raises ``InvalidMessage``, which says what is wrong and where."""
    try:
        return _decoder.decode(packet)
    except (msgspec.DecodeError, RecursionError) as error:
        # The content stays out of the error text: a packet may hold a token, or a result.
        raise InvalidMessage(f"{error} in a packet of {len(packet)} bytes") from error
