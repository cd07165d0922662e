"""Injected faults, for tests of workers and deciders under failures of SWF.

Rules:

1. A fault names an operation (or all), a rate and a count. Each request tries the faults in the
   order of their injection; the first that applies is carried out, the others wait.
2. The count goes down each time a fault applies; at 0 the fault is removed.
3. Chance comes from a seed: the same requests meet the same faults.
4. This module decides; delays, resets and answers are made where the request is carried out.
"""

import random
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import UnionType
from typing import Any

from garcon.local.engine import Fault
from garcon.local.service.protocol import Reply, refusal
from garcon.local.service.request_validation import checks
from garcon.payload import safe_json


class FaultKind(StrEnum):
    """The kinds of faults."""

    THROTTLE = "throttle"
    """Refused with ThrottlingException, "Rate exceeded"; not carried out."""

    ERROR = "error"
    """Answered with a 500, InternalFailure; not carried out."""

    RESET_BEFORE = "reset-before"
    """The connection is reset; not carried out."""

    RESET_AFTER = "reset-after"
    """Carried out, then the connection is reset: the answer is lost."""

    DELAY = "delay"
    """Carried out `seconds` later."""

    GARBAGE = "garbage"
    """Answered with a 200 that is not JSON, as by a proxy; not carried out. boto3 reads it as a
    result without members."""


GARBAGE = b"<html><body>Welcome to the hotel. Please sign in.</body></html>"

REPLIES: dict[str, Reply] = {
    FaultKind.THROTTLE: refusal(Fault("ThrottlingException", "Rate exceeded")),
    FaultKind.ERROR: refusal(Fault("InternalFailure", "Injected by a test")),
    FaultKind.GARBAGE: Reply(200, GARBAGE),
}
"""Replies that replace the execution of a request."""


LONGEST_DELAY = 365 * 24 * 3600.0
"""Longest delay in seconds: a year, in which every execution ends."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One injected fault.

    Attributes:
        kind: kind of the fault, or its name.
        operation: operation it is for, for instance "PollForActivityTask"; None for all.
        rate: share of requests it applies to, above 0 and up to 1.
        count: number of requests it applies to; None for no end.
        seconds: time that a delay holds the request, up to a year.

    Raises:
        ValueError: the kind or operation is unknown, or a figure is out of its range.
    """

    kind: FaultKind | str
    operation: str | None = None
    rate: float = 1.0
    count: int | None = None
    seconds: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a fault that could never apply."""
        if self.kind not in list(FaultKind):
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(FaultKind)}")
        object.__setattr__(self, "kind", FaultKind(self.kind))
        if self.operation is not None and self.operation not in list(checks()):
            problem = f"operation is {self.operation!r}, which is not an operation of SWF"
            raise ValueError(f"{problem}; name one such as 'PollForActivityTask', or None for all")
        if not (_is_number(self.rate) and 0 < self.rate <= 1):
            raise ValueError(f"rate is {self.rate!r}; it must be above 0 and at most 1")
        if self.count is not None and not (_is_number(self.count, int) and self.count >= 1):
            problem = f"count is {self.count!r}"
            raise ValueError(f"{problem}; it must be a whole number from 1, or None for no end")
        if not (_is_number(self.seconds) and 0 <= self.seconds <= LONGEST_DELAY):
            problem = f"seconds is {self.seconds!r}"
            raise ValueError(f"{problem}; it must be from 0 to {LONGEST_DELAY:.0f}, a year")

    @property
    def reply(self) -> Reply | None:
        """The reply that replaces the execution of the request, if the kind has one."""
        return REPLIES.get(self.kind)


class FaultInjector:
    """The faults in force, in the order of their injection."""

    def __init__(self, seed: int = 0) -> None:
        self.faults: tuple[InjectedFault, ...] = ()
        self._chance = random.Random(seed)

    def add(self, fault: InjectedFault) -> None:
        """Put a fault in force from the next request on."""
        self.faults += (fault,)

    def clear(self) -> None:
        """Remove all faults."""
        self.faults = ()

    def draw(self, operation: str) -> InjectedFault | None:
        """The fault that applies to this request, if any; its count goes down."""
        for place, fault in enumerate(self.faults):
            if fault.operation in (None, operation) and self._chance.random() < fault.rate:
                self._use(place, fault)
                return fault
        return None

    def _use(self, place: int, fault: InjectedFault) -> None:
        rest = () if fault.count == 1 else (_with_one_less(fault),)
        self.faults = self.faults[:place] + rest + self.faults[place + 1 :]


def read_fault(body: bytes) -> InjectedFault:
    """A fault from JSON: the members are the attributes of `InjectedFault`.

    Raises:
        ValueError: the text is not a valid fault; the message has the reason.
    """
    try:
        members = safe_json.loads_strictly(body.decode())
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise ValueError(f"it must be a JSON object, not {members!r}")  # noqa: TRY004 - one error
    names = [field.name for field in fields(InjectedFault)]
    if unknown := sorted(members.keys() - names):
        raise ValueError(f"{unknown[0]!r} is unknown; the members are {', '.join(names)}")
    return InjectedFault(**{"kind": None, **members})


def _is_number(value: Any, kind: type | UnionType = int | float) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _with_one_less(fault: InjectedFault) -> InjectedFault:
    return fault if fault.count is None else replace(fault, count=fault.count - 1)
