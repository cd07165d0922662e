"""The whole picture at one moment, for whoever asks. Seconds are counted back from that moment."""

from supervisor.messages.about import Instance, Seat, Task
from supervisor.messages.base import Value
from supervisor.messages.wire import ListState


class WorkerStatus(Value, frozen=True):
    """One worker; ``deaths`` and ``last_death`` are those of its seat since the start."""

    worker: int
    generation: int
    seat: Seat | None  # None for an errand: registering, reporting
    stage: str
    seconds: float  # since its stage began
    leaving: bool
    task: Task | None
    done: int = 0  # tasks that it has answered
    deaths: int = 0
    last_death: str = ""
    pid: int | None = None  # None until it has said so


class EmptySeat(Value, frozen=True):
    """A seat that somebody is wanted at, and nobody sits there."""

    seat: Seat
    rests: float  # seconds until it is filled
    deaths: int
    last_death: str


class GenerationStatus(Value, frozen=True):
    """One generation; ``standing`` is current, candidate, previous (to be returned to) or elder."""

    generation: int
    standing: str
    zygote: str
    degraded: tuple[str, ...]
    pid: int | None = None


class AttendantStatus(Value, frozen=True):
    """One attendant; ``standing`` is starting, ready, stopping or gone."""

    name: str
    standing: str
    pid: int | None = None


class DeployStatus(Value, frozen=True):
    """The last deploy; ``outcome`` is started, current, abandoned or returned."""

    generation: int
    outcome: str
    report: str = ""  # why it was stopped, in a few lines


class Status(Value, frozen=True):
    """Everything."""

    leaving: str | None  # why, once the program leaves
    lists: tuple[ListState, ...]
    generations: tuple[GenerationStatus, ...]
    workers: tuple[WorkerStatus, ...]
    empty_seats: tuple[EmptySeat, ...]
    attendants: tuple[AttendantStatus, ...]
    reports_owed: int
    deaths: dict[str, int]  # since the start, by the kind of their cause
    deploy: DeployStatus | None = None
    instance: Instance | None = None  # the EC2 instance that this is, once that is known
    pid: int | None = None
