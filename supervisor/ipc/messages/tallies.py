"""Counts since the supervisor's start: of its tasks, its log entries, and of what children count.

They only grow, so a reader that comes now and then misses nothing between two visits.
"""

import enum

from supervisor.ipc.messages.base import Value
from supervisor.ipc.messages.types import TaskList

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds of the classes of durations, in seconds; one further class has no bound."""

LOST = "lost"
"""The result of a task whose worker died with it."""


DECISION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""The same of the times that decisions take: nearly all are below a tenth of a second."""


class Row(enum.StrEnum):
    """The kinds of children's counters: the first part of a key, and what follows it."""

    CALLS = "calls"  # operation, result
    HEARTBEATS = "heartbeats"  # task list, result
    DECISIONS = "decisions"  # nothing; numbers by DECISION_BOUNDS, and the sum
    EVENTS = "events"  # nothing
    STATES = "states"  # kept or read
    WAITS = "waits"  # task list; numbers by BOUNDS, and the sum
    CLAIMS = "claims"  # stored or fetched; texts, and bytes
    SAMPLE = "sample"  # open, in the sample, or a ``Sampled``; of the latest sample, not a count


class Sampled(enum.StrEnum):
    """Causes for which a sampled execution does not go on."""

    WAITING = "waiting"  # no worker has taken a task for long
    QUIET = "quiet"  # nothing has happened for long
    PARKED = "parked"
    RETURNED = "returned"
    STUCK = "stuck"


OPEN, LOOKED_AT, SAMPLED_AT = "open", "looked at", "at"
"""Further labels of ``Row.SAMPLE``; the last is a time in monotonic seconds."""


class TaskTally(Value, frozen=True):
    """The tasks of one list that ended with one result.

    Attributes:
        task_list: The list.
        result: A ``Result``, or ``LOST``.
        classes: Tasks by duration: one number for each of ``BOUNDS``, and one for longer ones.
        seconds: The sum of their durations.
    """

    task_list: TaskList
    result: str
    classes: tuple[int, ...]
    seconds: float


class Counted(Value, frozen=True):
    """One counter of the children, the dead included.

    Attributes:
        key: A ``Row``, and its labels.
        numbers: Its numbers.
    """

    key: tuple[str, ...]
    numbers: tuple[float, ...]


class Tallies(Value, frozen=True):
    """All counts.

    Attributes:
        tasks: By list and result.
        events: Log entries by the name of their event.
        counters: What the children have counted.
    """

    tasks: tuple[TaskTally, ...]
    events: dict[str, int]
    counters: tuple[Counted, ...] = ()
