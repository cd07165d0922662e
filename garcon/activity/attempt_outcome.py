"""The outcomes of an attempt: what a worker answers SWF after the tasks have run."""

from typing import Self

import msgspec

from garcon.aws import limits
from garcon.payload.codec import EncodedPayload
from garcon.user_code.text import text_of, traceback_of


class AttemptCompleted(msgspec.Struct, frozen=True):
    """The tasks are done.

    Attributes:
        result: What they returned, encoded once for SWF, the crash record and the spool.
    """

    result: EncodedPayload | None = None


class AttemptFailed(msgspec.Struct, frozen=True):
    """A task raised an exception.

    Attributes:
        reason: Its text, up to 255 characters.
        details: The traceback.
    """

    reason: str
    details: str | None = None

    @classmethod
    def by(cls, error: BaseException, prefix: str | None = None) -> Self:
        """The failure by this exception; ``prefix`` is one of ``failure_reasons``."""
        reason = limits.reason(f"{prefix}: {text_of(error)}" if prefix else error)
        return cls(reason, traceback_of(error))


class AttemptCanceled(msgspec.Struct, frozen=True):
    """The tasks agreed to a request to cancel them.

    Attributes:
        details: Their message about it.
    """

    details: str | None = None


class AttemptGone(msgspec.Struct, frozen=True):
    """SWF no longer has the task (timed out, or its execution closed), so no answer is sent.

    Attributes:
        why: A sentence.
    """

    why: str


class AttemptHandedOut(msgspec.Struct, frozen=True):
    """A task has called ``activity.later()``: another program answers SWF."""


AttemptOutcome = AttemptCompleted | AttemptFailed | AttemptCanceled | AttemptGone | AttemptHandedOut
