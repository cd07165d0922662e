"""Values that the engine returns to the shell around it.

A call returns an `Answer`, or `Waiting` when it is a long poll without work; the answer to that
poll comes later as a `Wakeup`. A lambda function to run is an `Invocation`, a task that went to a
ghost poller a `LostTask`. The shell (a server, or a client in the same process) passes these on
and decides nothing about them.
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
    """A lambda function to run; its end is reported to `Engine.finish_lambda`.

    Attributes:
        invocation_id: names this run of the function, the same in every replay.
        name: name or ARN of the function, from the decision.
        input: text from the decision, empty without one.
        timeout: seconds until the engine records LambdaFunctionTimedOut, 1 to 900.
    """

    invocation_id: str
    name: str
    input: str
    timeout: float


@dataclass(frozen=True, slots=True)
class LostTask:
    """A task that was given to a ghost poller: it is started, and can only time out.

    Attributes:
        kind: "activity" or "decision".
        name: activityId of an activity task, empty for a decision task.
        workflow_id: execution of the task.
        run_id: run of the execution.
        task_list: name of the list that the poller polled.
        poller: label of the poller.
    """

    kind: str
    name: str
    workflow_id: str
    run_id: str
    task_list: str
    poller: str


@dataclass(slots=True)
class Counters:
    """Totals since the engine began, for the web UI and for tests."""

    calls: Counter[str] = field(default_factory=Counter)
    """Calls by operation, refused ones included."""

    faults: Counter[str] = field(default_factory=Counter)
    """Refused calls by code."""

    throttled: Counter[str] = field(default_factory=Counter)
    """Calls refused for their rate, by operation."""

    ghosts: int = 0
    """Tasks given to ghost pollers; each must time out."""

    timeouts: Counter[str] = field(default_factory=Counter)
    """Timeouts by event and kind, for instance "ActivityTaskTimedOut HEARTBEAT"."""

    def count_fault(self, operation: str, code: str) -> None:
        """Count a refused call."""
        self.faults[code] += 1
        if code == "ThrottlingException":
            self.throttled[operation] += 1
