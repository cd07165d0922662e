"""States that a decider waits for: timers, children, lambda functions, messages, activities.

Rules:

1. Everything that a decider waits for has ``ready``, ``failed``, ``result`` and ``wait()``.
2. A state that is not ready ends the run of the decider quietly. A failed one raises a sentence,
   which fails the workflow unless the decider catches it.
3. A transient refusal holds the thing back until the wait timer fires; a permanent one fails the
   workflow with a sentence.
"""

import enum
from typing import Any

import msgspec

from garcon.errors import GarconError
from garcon.history import decision_failures
from garcon.payload import safe_json


class ActivityInstanceNotReadyException(GarconError):
    """The decider waits for something that has not completed yet."""


class Impossible(GarconError):
    """The workflow cannot go on, and fails with this sentence.

    Attributes:
        details: More, for the details of the failed workflow.
    """

    def __init__(self, sentence: str, details: str | None = None) -> None:
        super().__init__(sentence)
        self.details = details


class Unsuccessful(Impossible):
    """The thing that the decider waits for ended without completing."""


class EndKind(enum.StrEnum):
    """The ways in which a thing ends."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "cancelled"
    TERMINATED = "terminated"
    REFUSED = "refused"


class StateOutcome(msgspec.Struct, frozen=True):
    """The end of a thing, as its event records it.

    Attributes:
        how: Its kind.
        cause: The reason of a failure, the type of a timeout, the cause of a refusal.
        details: The details of a failure, such as a traceback.
        event_id: Number of the event; 0 if there is none.
        at: Timestamp of the event, in seconds since the epoch; 0 if it has none.
    """

    how: EndKind
    cause: str | None = None
    details: str | None = None
    event_id: int = 0
    at: float = 0.0

    def __str__(self) -> str:
        if self.how is EndKind.FAILED:
            return self.cause or "failed without a reason"
        return f"{self.how} ({self.cause})" if self.cause else str(self.how)


class Refusal(msgspec.Struct, frozen=True):
    """SWF did not begin the thing (an event …Failed).

    Attributes:
        cause: As in the event, such as ``OPEN_TIMERS_LIMIT_EXCEEDED``.
    """

    cause: str

    @property
    def transient(self) -> bool:
        """Whether waiting may cure it."""
        return self.cause in decision_failures.TRANSIENT

    def raise_for(self, what: str) -> None:
        """Do nothing if it is transient.

        Raises:
            Impossible: It is permanent.
        """
        if not self.transient:
            cure = decision_failures.cure(self.cause)
            raise Impossible(f"SWF does not begin {what}: {self.cause}. {cure}", cure)


class Waitable:
    """Base of everything that a decider can wait for."""

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return "It"

    @property
    def ready(self) -> bool:
        """Whether it has completed."""
        raise NotImplementedError

    @property
    def failed(self) -> StateOutcome | None:
        """Its outcome if it ended without completing, else ``None``."""
        return None

    @property
    def result(self) -> Any:
        """Its result; ``None`` if it completed without one.

        Raises:
            ActivityInstanceNotReadyException: It has not completed.
        """
        self.wait()
        return None

    @property
    def ended(self) -> int:
        """Number of the event by which it completed or failed; 0 before."""
        return 0

    @property
    def blocks_completion(self) -> bool:
        """Whether the workflow cannot complete before this has ended."""
        return not (self.ready or self.failed)

    def wait(self) -> None:
        """Go on only if it has completed.

        Raises:
            ActivityInstanceNotReadyException: It has not completed; this decision ends quietly.
            Unsuccessful: It failed; the workflow fails unless the decider catches this.
        """
        if self.failed:
            raise Unsuccessful(f"{self.what}: {self.failed}.", self.failed.details)
        if not self.ready:
            raise ActivityInstanceNotReadyException(f"{self.what} has not completed yet.")


class Refusable(Waitable):
    """Something that SWF may refuse to begin.

    Attributes:
        refusal: SWF's refusal to begin it, while that stands.
        refusals: Number of refusals in a row.
    """

    def __init__(self) -> None:
        self.refusal: Refusal | None = None
        self.refusals = 0

    def refuse(self, cause: str) -> None:
        """Take over that SWF did not begin it."""
        self.refusal = Refusal(cause)
        self.refusals += 1


class State(Refusable):
    """A timer, a child workflow, a lambda function or a message to another execution.

    Args:
        kind: Its kind in sentences, such as "timer".
        id_: Its id in the history.

    Attributes:
        id: Its id in the history.
        event_id: Number of the event by which it began; 0 before.
        outcome: How it ended.
        cancel_requested: Whether the decider asked to cancel it.
        control: What the decider noted with it.
        run_id: The run of a child workflow.
    """

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__()
        self.kind = kind
        self.id = id_
        self.event_id = 0
        self.outcome: StateOutcome | None = None
        self.cancel_requested = False
        self.control: str | None = None
        self.run_id: str | None = None
        self._result: Any = None

    @property
    def what(self) -> str:
        """Its kind and id, for sentences."""
        return f"The {self.kind} {self.id}"

    @property
    def open(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self.event_id) and self.outcome is None

    @property
    def ready(self) -> bool:
        """Whether it has completed."""
        return self.outcome is not None and self.outcome.how is EndKind.COMPLETED

    @property
    def failed(self) -> StateOutcome | None:
        """Its outcome if it ended without completing, else ``None``."""
        return None if self.ready else self.outcome

    @property
    def ended(self) -> int:
        """Number of the event by which it ended; 0 before."""
        return self.outcome.event_id if self.outcome else 0

    @property
    def blocks_completion(self) -> bool:
        """Whether the workflow cannot complete before it has ended or its end was requested."""
        return self.outcome is None and not self.cancel_requested

    @property
    def result(self) -> Any:
        """Its result: the value if it is JSON, else the text."""
        self.wait()
        return self._result

    def begin(self, event_id: int, control: str | None = None) -> None:
        """Take over that it began, for the first time or again."""
        self.event_id, self.control = event_id, control
        self.outcome, self.refusal, self.refusals = None, None, 0
        self.cancel_requested, self._result = False, None

    def end(self, outcome: StateOutcome, text: str | None = None) -> None:
        """Take over its outcome, and the text of its result if it completed."""
        self.outcome, self._result = outcome, value_of(text)


def value_of(text: str | None) -> Any:
    """The value of a JSON text; a text that is not JSON, as other programs send, is the value."""
    try:
        return safe_json.loads(text) if text else None
    except ValueError:
        return text
