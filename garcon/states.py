"""What a flow can wait for: things that began, and how they ended.

Rules:

1. Everything that a flow waits for has ``ready``, ``failed``, ``result`` and ``wait()``.
2. What is not ready ends the run of the decider quietly; what failed raises a sentence, which ends
   the workflow unless the flow catches it.
3. A thing that SWF would not begin just now is held back until the timer set for it fired; a
   refusal that will not pass is a sentence.
"""

import enum
from dataclasses import dataclass
from typing import Any

from garcon import causes, untrusted
from garcon.errors import GarconError


class ActivityInstanceNotReadyException(GarconError):
    """What the flow waits for has not completed yet."""


class Impossible(GarconError):
    """The flow cannot go on: the workflow fails with this sentence.

    Attributes:
        details: What happened, for the workflow's failure details.
    """

    def __init__(self, sentence: str, details: str | None = None) -> None:
        super().__init__(sentence)
        self.details = details


class Unsuccessful(Impossible):
    """What the flow waits for has ended, and not by completing."""


class How(enum.StrEnum):
    """How a thing ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "cancelled"
    TERMINATED = "terminated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a thing, as its event tells.

    Attributes:
        how: Its kind.
        cause: A failure's reason, the kind of a timeout, the cause of a refusal.
        details: What was said beside it.
        event_id: Number of the event; 0 if there is none.
        at: When it was, in seconds since the epoch; 0 if the event does not tell.
    """

    how: How
    cause: str | None = None
    details: str | None = None
    event_id: int = 0
    at: float = 0.0

    def __str__(self) -> str:
        if self.how is How.FAILED:
            return self.cause or "failed without a reason"
        return f"{self.how} ({self.cause})" if self.cause else str(self.how)


@dataclass(frozen=True)
class Refusal:
    """SWF did not begin the thing (an event …Failed)."""

    cause: str

    @property
    def passing(self) -> bool:
        """Whether waiting may cure it."""
        return self.cause in causes.PASSING

    def raise_for(self, what: str) -> None:
        """Nothing, if it passes.

        Raises:
            Impossible: It does not.
        """
        if not self.passing:
            raise Impossible(
                f"SWF does not begin {what}: {self.cause}. {causes.cure(self.cause)}",
                causes.cure(self.cause),
            )


class Waitable:
    """Anything that a flow can wait for."""

    @property
    def what(self) -> str:
        """Its name in sentences."""
        return "It"

    @property
    def ready(self) -> bool:
        """Whether it has completed."""
        raise NotImplementedError

    @property
    def failed(self) -> Outcome | None:
        """Its outcome, if it has ended and not by completing; so it is true if it failed."""
        return None

    @property
    def result(self) -> Any:
        """What it gave; ``None`` if it completed without a result."""
        self.wait()
        return None

    @property
    def ended(self) -> int:
        """Number of the event by which it became ready or failed; 0 if it has not."""
        return 0

    @property
    def holds(self) -> bool:
        """Whether the workflow cannot complete before this has ended."""
        return not (self.ready or self.failed)

    def wait(self) -> None:
        """Go on only if it has completed.

        Raises:
            ActivityInstanceNotReadyException: It has not; the decision ends here, quietly.
            Unsuccessful: It failed; the workflow fails unless the flow catches this.
        """
        if self.failed:
            raise Unsuccessful(f"{self.what}: {self.failed}.", self.failed.details)
        if not self.ready:
            raise ActivityInstanceNotReadyException(f"{self.what} has not completed yet.")


class State(Waitable):
    """What became of a timer, a child workflow, a lambda function or a message to an execution.

    Attributes:
        id: Its id in the history.
        event_id: Number of the event by which it began; 0 if it has not.
        outcome: How it ended.
        refusal: Set while SWF's refusal to begin it stands.
        refusals: How often in a row it was refused.
        cancel_requested: Whether its end was asked for.
        control: What the decider noted with it.
        run_id: A child's run.
    """

    def __init__(self, kind: str, id_: str) -> None:
        self.kind = kind
        self.id = id_
        self.event_id = 0
        self.outcome: Outcome | None = None
        self.refusal: Refusal | None = None
        self.refusals = 0
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
        return self.outcome is not None and self.outcome.how is How.COMPLETED

    @property
    def failed(self) -> Outcome | None:
        """Its outcome, if it has ended and not by completing."""
        return None if self.ready else self.outcome

    @property
    def ended(self) -> int:
        """Number of the event by which it ended."""
        return self.outcome.event_id if self.outcome else 0

    @property
    def holds(self) -> bool:
        """Whether the workflow cannot complete before; what the flow cancelled does not hold it."""
        return self.outcome is None and not self.cancel_requested

    @property
    def result(self) -> Any:
        """What it gave, read as JSON if it is, else the text."""
        self.wait()
        return self._result

    def begin(self, event_id: int, control: str | None = None) -> None:
        """It began, for the first time or again."""
        self.event_id, self.control = event_id, control
        self.outcome, self.refusal, self.refusals = None, None, 0
        self.cancel_requested, self._result = False, None

    def end(self, outcome: Outcome, text: str | None = None) -> None:
        """It ended, with this result if it completed."""
        self.outcome, self._result = outcome, value_of(text)

    def refuse(self, cause: str) -> None:
        """SWF did not begin it."""
        self.refusal = Refusal(cause)
        self.refusals += 1


def value_of(text: str | None) -> Any:
    """The value of a JSON text; a text that is not JSON, which other programs send, is itself."""
    try:
        return untrusted.loads(text) if text else None
    except ValueError:
        return text
