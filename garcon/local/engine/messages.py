"""What the engine says to the shell around it.

A call gives an `Answer`, or `Waiting` when it is a long poll without work; the answer to that
poll comes later as a `Wakeup`. A lambda function to run is an `Invocation`. The shell (a server,
a client in the same process) carries these over; it decides nothing about them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
"""A JSON object of the wire. Answers share parts with the engine's state: never change one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a successful response; an empty one stands for an empty 200."""

    body: Body


@dataclass(frozen=True, slots=True)
class Waiting:
    """A long poll that found no work; its answer will be a `Wakeup` with this poll_id."""

    poll_id: str


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The answer to a waiting poll: a task, or the empty result at the end of its window."""

    poll_id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Invocation:
    """A lambda function to be run; report to `Engine.finish_lambda` with the invocation_id.

    Attributes:
        invocation_id: names this run of the function, the same in every replay.
        name: name or ARN of the function, from the decision.
        input: what the decision gave it, empty if nothing.
        timeout: seconds until the engine records LambdaFunctionTimedOut, 1 to 900.
    """

    invocation_id: str
    name: str
    input: str
    timeout: float


@dataclass(slots=True)
class Counters:
    """What has happened since the engine began, for pages and tests."""

    calls: Counter[str] = field(default_factory=Counter)
    """Calls by operation, refused ones included."""

    faults: Counter[str] = field(default_factory=Counter)
    """Refused calls by code."""

    throttled: Counter[str] = field(default_factory=Counter)
    """Calls refused for their rate, by operation."""

    ghosts: int = 0
    """Tasks handed to a poller whose connection had gone; each must time out."""

    timeouts: Counter[str] = field(default_factory=Counter)
    """Timeouts by event and kind, for instance "ActivityTaskTimedOut HEARTBEAT"."""

    def count_fault(self, operation: str, code: str) -> None:
        """A call has been refused."""
        self.faults[code] += 1
        if code == "ThrottlingException":
            self.throttled[operation] += 1
