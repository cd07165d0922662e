"""The seam between the workers and the traces: what a tracer learns, and when.

Rules:

1. While nothing is traced, ``tracer`` is ``None``. Asking for that is all that a task costs then;
   nothing of OpenTelemetry is imported.
2. The values here name executions, tasks and outcomes. They hold no input and no result.
3. A tracer raises no error of its own into a task or a decision.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

import msgspec


class Run(msgspec.Struct, frozen=True):
    """One run of an execution."""

    workflow_id: str
    run_id: str


class TracedAttempt(msgspec.Struct, frozen=True):
    """An attempt at an activity, as its worker knows it (PollForActivityTask).

    Attributes:
        run: The run.
        domain: Its domain.
        activity_id: The instance's id in the history.
        name: Name of the activity type.
        event_id: Number of the ActivityTaskStarted event.
        task_list: The list that the task came by; empty if it is not known.
        trace: Id of its family's trace (``family_trace``); empty if the run is the family's root.
    """

    run: Run
    domain: str
    activity_id: str
    name: str
    event_id: int
    task_list: str = ""
    trace: str = ""


class TracedDecision(msgspec.Struct, frozen=True):
    """A decision task, as its decider knows it (PollForDecisionTask).

    Attributes:
        run: The run.
        domain: Its domain.
        workflow_type: Name of the workflow type.
        workflow_version: Its version.
        event_id: Number of the DecisionTaskStarted event.
        trace: Id of its family's trace (``family_trace``); empty if the run is the family's root.
    """

    run: Run
    domain: str
    workflow_type: str
    workflow_version: str
    event_id: int
    trace: str = ""


class Begun(msgspec.Struct, frozen=True):
    """An activity or a child that a decision begins.

    Attributes:
        is_child: Whether it is a child.
        id: Activity id, or the child's workflow id.
        name: Name of its type.
        attempt: Number of the attempt, from 1.
        is_first: Whether the run has not asked for this id before.
    """

    is_child: bool
    id: str
    name: str
    attempt: int = 1
    is_first: bool = True


class Ending(msgspec.Struct, frozen=True):
    """The way in which a task, a decision or an execution ended.

    Attributes:
        outcome: One word, such as ``completed``.
        reason: A sentence, if it has one.
        is_error: Whether it counts as an error.
    """

    outcome: str
    reason: str | None = None
    is_error: bool = False


class TracedClosing(msgspec.Struct, frozen=True):
    """The end of a run by its decider.

    Attributes:
        decision: The decision task that closes it.
        began_at: When the run started, in seconds since the epoch.
        ending: How it ends.
        parent: The run that started it as a child, if any.
        continued: The run id that it continues, if any.
    """

    decision: TracedDecision
    began_at: float
    ending: Ending
    parent: Run | None = None
    continued: str | None = None


class TracedBlock(Protocol):
    """A span: the current one while its block runs.

    A block that raises ends it as an error; after the others ``end`` is called.
    """

    def __enter__(self) -> Self:
        """Make it the current span."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Make the span before it the current one again."""

    def end(self, ending: Ending) -> None:
        """End it."""


class Tracer(Protocol):
    """Makes spans."""

    def attempt(self, attempt: TracedAttempt) -> TracedBlock:
        """The span of an attempt that begins now."""

    def decision(self, decision: TracedDecision) -> TracedBlock:
        """The span of a decision that begins now."""

    def begun(self, decision: TracedDecision, things: Iterable[Begun]) -> None:
        """SWF has accepted the decision that begins these."""

    def closed(self, closing: TracedClosing) -> None:
        """SWF has accepted the decision that closes the run."""


tracer: Tracer | None = None
"""The tracer of this process; ``garcon.tracing.start`` sets it."""
