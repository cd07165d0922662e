"""``Retry``: how often, how soon and after which failures an activity is tried again.

Rules:

1. A failure is classified by its cause (``Cause``) and, if a task raised, by the exception's type,
   which the traceback in the failure's details names.
2. ``on`` and ``unless`` list exception types, their names, and causes. With ``on``, only these are
   tried again; ``unless`` wins over ``on``. A type means its subclasses too, as far as the decider
   has loaded their modules; a type that the details do not name (cut, or of another program)
   matches nothing.
3. Rests grow from ``initial`` by ``factor`` to ``cap``, each shortened by up to the share
   ``jitter``. The jitter is drawn from the history, so that the same history gives the same rest.
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

from garcon import reasons
from garcon.states import How, Outcome


class Cause(enum.StrEnum):
    """Why a try failed."""

    FAILED = "failed"
    START_TO_CLOSE = "START_TO_CLOSE"
    SCHEDULE_TO_START = "SCHEDULE_TO_START"
    SCHEDULE_TO_CLOSE = "SCHEDULE_TO_CLOSE"
    HEARTBEAT = "HEARTBEAT"
    WORKER_DIED = reasons.WORKER_DIED
    INTERRUPTED = reasons.INTERRUPTED
    UNBEGUN = reasons.UNBEGUN
    POISON = reasons.POISON
    CANCELED = "cancelled"


TIMED_OUT = (
    Cause.START_TO_CLOSE,
    Cause.SCHEDULE_TO_START,
    Cause.SCHEDULE_TO_CLOSE,
    Cause.HEARTBEAT,
)
"""All kinds of timeouts, for ``on`` and ``unless``."""

Match = type[BaseException] | str

# "package.module.Name: message", or the name alone, at the begin of a line: the end of a traceback.
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Retry:
    """When an activity is tried again.

    Args:
        maximum: How often it is tried again; 3 bridges what passes in a moment.
        initial: Seconds before the first further try; 0 is at once.
        factor: By which each rest grows.
        cap: Seconds that no rest exceeds; five minutes, so that a cure is seen that soon.
        jitter: Share of a rest, 0 to 1, by which it may be shorter: what failed together does not
            come back together.
        on: Exception types, names of them, or causes: only after these. Empty: after any.
        unless: The same, and never after these.
        deadline: Seconds from the first scheduling after which no further try begins.

    Raises:
        ValueError: A figure is out of its range.
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

    def takes(self, outcome: Outcome) -> bool:
        """Whether another try may follow this outcome, as far as ``on`` and ``unless`` say."""
        wanted = not self.on or _matches(outcome, self.on)
        return wanted and not _matches(outcome, self.unless)

    def rest(self, number: int, seed: str) -> float:
        """Seconds before a further try.

        Args:
            number: Which one it is, from 1.
            seed: What the jitter is drawn from.
        """
        return self._grown(number - 1) * (1 - self.jitter * fraction(seed))

    def _grown(self, times: int) -> float:
        try:
            return min(self.initial * self.factor**times, self.cap)
        except OverflowError:  # more than a float holds
            return self.cap


def policy_of(retry: Any) -> Retry:
    """An activity's ``retry``: a ``Retry`` as it is, a number as documented."""
    return retry if isinstance(retry, Retry) else _documented(int(retry))


@functools.cache
def _documented(times: int) -> Retry:
    return Retry(maximum=times, initial=0)


def cause_of(outcome: Outcome) -> Cause:
    """Why a try failed; a timeout of a kind unknown to us counts as START_TO_CLOSE."""
    match outcome.how:
        case How.TIMED_OUT:
            known = outcome.cause in Cause.__members__
            return Cause(str(outcome.cause)) if known else Cause.START_TO_CLOSE
        case How.CANCELED:
            return Cause.CANCELED
        case _:
            prefix = reasons.prefix_of(outcome.cause)
            return Cause(prefix) if prefix else Cause.FAILED


def raised_by(outcome: Outcome) -> str | None:
    """The dotted name of the exception that a task raised, if the details tell."""
    _, found, last = (outcome.details or "").rpartition(_TRACEBACK)
    raised = _RAISED.search(last) if found else None
    return raised.group(1) if raised else None


def fraction(seed: str) -> float:
    """A number from 0 up to 1, always the same for the same text."""
    digest = hashlib.sha1(seed.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _several(matches: Any) -> tuple[Match, ...]:
    """``on=ConnectionError`` is the same as ``on=(ConnectionError,)``."""
    return (matches,) if isinstance(matches, str | type) else tuple(matches)


def _matches(outcome: Outcome, matches: Match | Iterable[Match]) -> bool:
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
    """The exception type of that name, if its module is loaded here."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, -1, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]) or "builtins")
        for part in parts[cut:]:
            found = getattr(found, part, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return None


def _name_of(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
