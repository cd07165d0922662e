"""The state of the supervisor at one moment. Times are seconds before or after that moment."""

import enum

from supervisor.ipc.messages.base import Value
from supervisor.ipc.messages.channel_protocol import ListState
from supervisor.ipc.messages.types import Instance, Slot, Task


class WorkerStatus(Value, frozen=True):
    """One worker; ``deaths`` and ``last_death`` are its slot's, since the supervisor's start."""

    worker: int
    generation: int
    slot: Slot | None  # None for a job outside of the pool: registering, reporting
    stage: str
    seconds: float  # since its stage began
    leaving: bool
    task: Task | None
    done: int = 0  # tasks that it has answered
    deaths: int = 0
    last_death: str = ""
    pid: int | None = None  # None until the worker has announced it


class EmptySlot(Value, frozen=True):
    """A slot without a worker: its worker died, and a new one is forked after the backoff."""

    slot: Slot
    backoff: float  # seconds until the next fork
    deaths: int
    last_death: str


class Unpolled(enum.StrEnum):
    """The reason why no worker of this supervisor polls a task list."""

    EXTERNAL = "external"  # another program serves it
    QUIET = "quiet"
    NO_SLOTS = "no slots"  # the pool's size is 0
    NO_WORKER = "no worker"  # all have died, and are forked again later


class UnpolledList(Value, frozen=True):
    """A task list whose tasks wait, as far as this supervisor goes."""

    name: str
    why: Unpolled
    pending: int | None = None  # tasks that wait, where they are counted


class GenerationStatus(Value, frozen=True):
    """One generation; ``status`` is active, candidate, previous (for a rollback) or retiring."""

    generation: int
    status: str
    zygote: str
    degraded: tuple[str, ...]
    pid: int | None = None
    build: str = ""  # id of its code, once it is imported


UNNEEDED = "unneeded"
"""The status of a sidecar that has ended because nothing needs it now."""


class SidecarStatus(Value, frozen=True):
    """One sidecar; ``status`` is starting, ready, stopping, gone or unneeded."""

    name: str
    status: str
    pid: int | None = None
    build: str = ""  # of retired code, once it serves
    unused: float | None = None  # seconds without an open execution, of retired code that ends so


class DeployStatus(Value, frozen=True):
    """The last deploy; ``outcome`` is started, active, failed or rolled back."""

    generation: int
    outcome: str
    report: str = ""  # why it was stopped, in a few lines


class HandedOutStatus(Value, frozen=True):
    """A task that another program answers; the supervisor sends its heartbeats."""

    workflow_id: str
    run_id: str
    activity_id: str
    activity_name: str
    seconds: float  # since it was handed out


class Status(Value, frozen=True):
    """The whole supervisor."""

    leaving: str | None  # the reason, once the supervisor leaves
    lists: tuple[ListState, ...]
    generations: tuple[GenerationStatus, ...]
    workers: tuple[WorkerStatus, ...]
    empty_slots: tuple[EmptySlot, ...]
    sidecars: tuple[SidecarStatus, ...]
    pending_reports: int
    deaths: dict[str, int]  # since the supervisor's start, by kind of cause
    deploy: DeployStatus | None = None
    instance: Instance | None = None  # the EC2 instance, once it is known
    stuck: int = 0  # executions that its deciders found stuck, and have not seen go on
    handed_out: int = 0  # tasks that other programs answer
    handed_out_tasks: tuple[HandedOutStatus, ...] = ()  # the first of them
    unpolled_lists: tuple[UnpolledList, ...] = ()
    pid: int | None = None
