"""Actions: what the core answers an event with. The shell carries them out and decides nothing."""

import enum

from supervisor.config.settings import Settings
from supervisor.ipc.messages.base import Message
from supervisor.ipc.messages.jobs import Job
from supervisor.ipc.messages.types import HandedOutTask, Instance, TaskList


class StartGeneration(Message, frozen=True):
    """Spawn a zygote that imports the flow's present code, and send it these settings."""

    generation: int
    settings: Settings


class RetireGeneration(Message, frozen=True):
    """End the generation's zygote: it forks no more workers."""

    generation: int


class ApplySettings(Message, frozen=True):
    """Use these settings from now on."""

    settings: Settings


class Fork(Message, frozen=True):
    """Ask the generation's zygote to fork a worker for this job."""

    worker: int
    generation: int
    job: Job
    instance: Instance | None = None  # the EC2 instance, if it is known by now


class GrantPermit(Message, frozen=True):
    """Let the parked worker poll."""

    worker: int


class WithdrawPermit(Message, frozen=True):
    """Let the working worker park after its task, instead of polling again."""

    worker: int


class Terminate(Message, frozen=True):
    """Ask the worker to leave when it has no task in progress (SIGTERM)."""

    worker: int


class ReturnUnstarted(Message, frozen=True):
    """Let the worker return the tasks that it has not started; a ``Terminate`` comes with it."""

    worker: int


class Kill(Message, frozen=True):
    """Kill the worker and its process group at once (SIGKILL)."""

    worker: int
    why: str


class DumpStacks(Message, frozen=True):
    """Ask the worker for the stacks of its threads; a ``Kill`` follows."""

    worker: int


RETIRED = "retired@"
"""The names of sidecars that are retired code begin so; the release's name follows."""


class StartSidecar(Message, frozen=True):
    """Spawn the sidecar of this name.

    ``lists`` are the task lists whose backlog it counts, and ``hosts`` the hosts that do the same.
    For retired code they are the lists that the active generation serves.
    """

    name: str
    lists: tuple[TaskList, ...] = ()
    hosts: int = 1


class StopSidecar(Message, frozen=True):
    """Ask the sidecar to end (SIGTERM), or with ``now`` to abandon its tasks (SIGQUIT)."""

    name: str
    now: bool = False


class HandOver(Message, frozen=True):
    """Let the heartbeats sidecar keep these tasks, too; it gets this message itself."""

    tasks: tuple[HandedOutTask, ...]


class Level(enum.IntEnum):
    """The levels of ``logging`` by number, so that the core need not import it."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Note(Message, frozen=True):
    """One log entry: a line or a report for people, with its key facts for machines."""

    level: Level
    event: str  # snake_case, one name for each kind of entry
    text: str  # one sentence; in a report, the first line
    facts: dict[str, str | int | float | None] = {}  # noqa: RUF012 - msgspec copies it


class Exit(Message, frozen=True):
    """End the program with this exit code."""

    code: int
    why: str


Action = (
    StartGeneration
    | RetireGeneration
    | ApplySettings
    | Fork
    | GrantPermit
    | WithdrawPermit
    | Terminate
    | ReturnUnstarted
    | Kill
    | DumpStacks
    | StartSidecar
    | StopSidecar
    | HandOver
    | Note
    | Exit
)
