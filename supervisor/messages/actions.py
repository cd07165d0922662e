"""Wishes that the core answers with. The shell carries them out and decides nothing."""

import enum

from supervisor.messages.about import Instance, TaskList
from supervisor.messages.base import Message
from supervisor.messages.jobs import Job
from supervisor.settings import Settings


class StartGeneration(Message, frozen=True):
    """Spawn a zygote that imports the flow as it is now, and tell it these settings."""

    generation: int
    settings: Settings


class RetireGeneration(Message, frozen=True):
    """End the zygote: nothing is forked from it any more."""

    generation: int


class TakeUp(Message, frozen=True):
    """These settings hold from now on."""

    settings: Settings


class Fork(Message, frozen=True):
    """Ask the generation's zygote for a worker with this job."""

    worker: int
    generation: int
    job: Job
    instance: Instance | None = None  # where it is born, as far as is known by then


class Terminate(Message, frozen=True):
    """Ask the worker to leave when it has nothing in hand."""

    worker: int


class Kill(Message, frozen=True):
    """End the worker and its process group at once."""

    worker: int
    why: str


class DumpStacks(Message, frozen=True):
    """Let the worker write down what its threads are at; a ``Kill`` follows."""

    worker: int


class StartAttendant(Message, frozen=True):
    """Spawn the attendant of this name; ``lists`` are those whose waiting tasks it counts."""

    name: str
    lists: tuple[TaskList, ...] = ()


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
    """Something that people want to read in the log: a line or a report, key facts beside it."""

    level: Level
    event: str  # snake_case, one name a kind of line
    text: str  # one sentence; of a report it is the first line
    facts: dict[str, str | int | float | None] = {}  # noqa: RUF012 - msgspec copies it


class Exit(Message, frozen=True):
    """All is done: end the program with this code."""

    code: int
    why: str


Action = (
    StartGeneration
    | RetireGeneration
    | TakeUp
    | Fork
    | Terminate
    | Kill
    | DumpStacks
    | StartAttendant
    | StopAttendant
    | Note
    | Exit
)
