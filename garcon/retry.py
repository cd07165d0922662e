"""``Retry``: how often, how soon and after which failures an activity is retried.

Rules:

1. A failure is classified by its cause (``Cause``) and, if a task raised, by the type of the
   exception, which the traceback in the failure's details names.
2. ``on`` and ``unless`` list exception types, their names, and causes. With ``on``, only these are
   retried; ``unless`` wins over ``on``. A type includes its subclasses, as far as the decider has
   loaded their modules. A failure whose details name no type (cut, or of another program) matches
   no type.
3. Waits grow from ``initial`` by ``factor`` to ``cap``, each shortened by up to the share
   ``jitter``. The jitter is drawn from the history, so the same history gives the same wait.
4. ``retry=N`` is ``Retry(maximum=N, initial=0)``: at once, whatever the failure.
"""

import enum
import functools
import hashlib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from garcon.history import failure_reasons
from garcon.history.states import EndKind, StateOutcome


class Cause(enum.StrEnum):
    """The reason why an attempt failed."""

    FAILED = "failed"
    START_TO_CLOSE = "START_TO_CLOSE"
    SCHEDULE_TO_START = "SCHEDULE_TO_START"
    SCHEDULE_TO_CLOSE = "SCHEDULE_TO_CLOSE"
    HEARTBEAT = "HEARTBEAT"
    WORKER_DIED = failure_reasons.WORKER_DIED
    INTERRUPTED = failure_reasons.INTERRUPTED
    NOT_STARTED = failure_reasons.NOT_STARTED
    HOST_UNABLE = failure_reasons.HOST_UNABLE
    POISON = failure_reasons.POISON
    NOT_SENDABLE = failure_reasons.NOT_SENDABLE
    CANCELED = "cancelled"


TIMED_OUT = (
    Cause.START_TO_CLOSE,
    Cause.SCHEDULE_TO_START,
    Cause.SCHEDULE_TO_CLOSE,
    Cause.HEARTBEAT,
)
"""All kinds of timeouts, for ``on`` and ``unless``."""

Match = type[BaseException] | str

# The end of a traceback: "package.module.Name: message", or the name alone, begins a line.
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Retry:
    """Rule for the retries of an activity.

    Args:
        maximum: Number of retries; 3 bridges a short disturbance.
        initial: Seconds before the first retry; 0 retries at once.
        factor: Growth from one wait to the next; 1 or more.
        cap: Seconds of the longest wait; after five minutes at most a cure takes effect.
        jitter: Share of a wait, 0 to 1, that chance may take away, so that activities that failed
            together do not come back together.
        on: Exception types, their names, or causes: retry only after these; after any if empty.
        unless: Exception types, their names, or causes: never retry after these.
        deadline: Seconds from the first scheduling after which no retry begins.

    Raises:
        ValueError: A number is out of its range.
    """

    maximum: int = 3
    initial: float = 1.0
    factor: float = 2.0
    cap: float = 300.0
    jitter: float = 0.5
    on: Match | Iterable[Match] = ()
    unless: Match | Iterable[Match] = ()
    deadline: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", _several(self.on))
        object.__setattr__(self, "unless", _several(self.unless))
        if self.maximum < 0 or self.initial < 0 or self.cap < 0:
            raise ValueError("Retry: maximum, initial and cap are not negative.")
        if self.factor < 1 or not 0 <= self.jitter <= 1:
            raise ValueError("Retry: factor is at least 1, and jitter between 0 and 1.")

    def __int__(self) -> int:
        return self.maximum

    def takes(self, outcome: StateOutcome) -> bool:
        """Whether ``on`` and ``unless`` allow a retry after this outcome."""
        listed = not self.on or _matches(outcome, self.on)
        return listed and not _matches(outcome, self.unless)

    def wait_before(self, number: int, seed: str) -> float:
        """Seconds to wait before a retry.

        Args:
            number: Number of the retry, from 1.
            seed: A text from the history that the jitter is drawn from.
        """
        return self._grown(number - 1) * (1 - self.jitter * fraction(seed))

    def _grown(self, times: int) -> float:
        try:
            return min(self.initial * self.factor**times, self.cap)
        except OverflowError:  # beyond the range of a float
            return self.cap


def policy_of(retry: Any) -> Retry:
    """The ``Retry`` that an activity's ``retry`` stands for: itself, or that of a number."""
    return retry if isinstance(retry, Retry) else _of_number(int(retry))


@functools.cache
def _of_number(number: int) -> Retry:
    return Retry(maximum=number, initial=0)


def cause_of(outcome: StateOutcome) -> Cause:
    """The reason why an attempt failed; a timeout of an unknown type counts as START_TO_CLOSE."""
    match outcome.how:
        case EndKind.TIMED_OUT:
            known = outcome.cause in Cause.__members__
            return Cause(str(outcome.cause)) if known else Cause.START_TO_CLOSE
        case EndKind.CANCELED:
            return Cause.CANCELED
        case _:
            prefix = failure_reasons.prefix_of(outcome.cause)
            return Cause(prefix) if prefix else Cause.FAILED


def raised_by(outcome: StateOutcome) -> str | None:
    """The dotted name of the exception that a task raised, if the details name it."""
    _, found, last = (outcome.details or "").rpartition(_TRACEBACK)
    raised = _RAISED.search(last) if found else None
    return raised.group(1) if raised else None


def fraction(seed: str) -> float:
    """A number from 0 up to 1, always the same for the same text."""
    digest = hashlib.sha1(seed.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _several(matches: Any) -> tuple[Match, ...]:
    """A tuple of matches: ``on=ConnectionError`` is short for ``on=(ConnectionError,)``."""
    return (matches,) if isinstance(matches, str | type) else tuple(matches)


def _matches(outcome: StateOutcome, matches: Match | Iterable[Match]) -> bool:
    cause = cause_of(outcome)
    name = raised_by(outcome) if cause is Cause.FAILED else None
    return any(_is(each, cause, name) for each in _several(matches))


def _is(match: Match, cause: Cause, name: str | None) -> bool:
    if isinstance(match, Cause):
        return match is cause
    if name is None:
        return False
    if isinstance(match, str):
        return match in {name, name.rpartition(".")[2]}
    raised = _loaded(name)
    return issubclass(raised, match) if raised else name == _name_of(match)


def _loaded(name: str) -> type[BaseException] | None:
    """The exception type of that name, if its module is loaded in this process."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, -1, -1):
        member: Any = sys.modules.get(".".join(parts[:cut]) or "builtins")
        for part in parts[cut:]:
            member = getattr(member, part, None)
        if isinstance(member, type) and issubclass(member, BaseException):
            return member
    return None


def _name_of(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
