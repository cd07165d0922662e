"""Faults to order: what a caller's own tests want to go wrong, and how often.

Rules:

1. An order names an operation (or all), a rate and a count. For each request the orders are asked
   in the order in which they were given; the first that strikes is carried out, the others wait.
2. The count goes down when an order strikes; at 0 it is used up and dropped.
3. Chance comes from a seed: the same requests meet the same faults.
4. Deciding is here; delaying, resetting and answering are done by whoever carries the request.
"""

import random
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import UnionType
from typing import Any

from garcon import untrusted
from garcon.local.engine import Fault
from garcon.local.protocol import Reply, refusal
from garcon.local.validation import checks


class Kind(StrEnum):
    """What can be ordered."""

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
    """Answered with a 200 that is not JSON, as by a proxy; not carried out. boto3 makes of it a
    result without members."""


GARBAGE = b"<html><body>Welcome to the hotel. Please sign in.</body></html>"

REPLIES: dict[str, Reply] = {
    Kind.THROTTLE: refusal(Fault("ThrottlingException", "Rate exceeded")),
    Kind.ERROR: refusal(Fault("InternalFailure", "Ordered by a test")),
    Kind.GARBAGE: Reply(200, GARBAGE),
}
"""What is answered instead of carrying the request out."""


LONGEST_DELAY = 365 * 24 * 3600.0
"""Seconds a delay may last: a year, in which every execution ends."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One order.

    Attributes:
        kind: what goes wrong, or the word for it.
        operation: the one it is for, for instance "PollForActivityTask"; None for all.
        rate: the share of requests it strikes, above 0 and up to 1.
        count: how many it strikes before it is used up; None for no end.
        seconds: for how long a delay holds the request; up to a year.

    Raises:
        ValueError: there is no such kind or operation, or a figure is out of its range.
    """

    kind: Kind | str
    operation: str | None = None
    rate: float = 1.0
    count: int | None = None
    seconds: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what could never strike."""
        if self.kind not in list(Kind):
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(Kind)}")
        object.__setattr__(self, "kind", Kind(self.kind))
        if self.operation is not None and self.operation not in list(checks()):
            told = f"operation is {self.operation!r}, which SWF does not have"
            raise ValueError(f"{told}; it must be one as 'PollForActivityTask', or None for all")
        if not (_is_number(self.rate) and 0 < self.rate <= 1):
            raise ValueError(f"rate is {self.rate!r}; it must be above 0 and at most 1")
        if self.count is not None and not (_is_number(self.count, int) and self.count >= 1):
            told = f"count is {self.count!r}; it must be a whole number from 1"
            raise ValueError(f"{told}, or None for no end")
        if not (_is_number(self.seconds) and 0 <= self.seconds <= LONGEST_DELAY):
            told = f"seconds is {self.seconds!r}; it must be"
            raise ValueError(f"{told} from 0 to {LONGEST_DELAY:.0f}, a year")

    @property
    def reply(self) -> Reply | None:
        """The answer instead of carrying the request out, if that is what the order does."""
        return REPLIES.get(self.kind)


class Injector:
    """The orders that are in force."""

    def __init__(self, seed: int = 0) -> None:
        self.orders: tuple[Injected, ...] = ()
        self._chance = random.Random(seed)

    def add(self, order: Injected) -> None:
        """Let an order strike from the next request on."""
        self.orders += (order,)

    def clear(self) -> None:
        """Withdraw all orders."""
        self.orders = ()

    def draw(self, operation: str) -> Injected | None:
        """The order that strikes this request, if any."""
        for place, order in enumerate(self.orders):
            if order.operation in (None, operation) and self._chance.random() < order.rate:
                self._use(place, order)
                return order
        return None

    def _use(self, place: int, order: Injected) -> None:
        left = () if order.count == 1 else (_with_one_less(order),)
        self.orders = self.orders[:place] + left + self.orders[place + 1 :]


def read_order(body: bytes) -> Injected:
    """An order from JSON: the members are the attributes of `Injected`.

    Raises:
        ValueError: it is no order; the message says why.
    """
    try:
        told = untrusted.loads(body.decode())
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise ValueError(f"an order is a JSON object, not {told!r}")  # noqa: TRY004 - one error
    members = [each.name for each in fields(Injected)]
    if unknown := sorted(told.keys() - members):
        raise ValueError(f"an order has no {unknown[0]!r}; it has {', '.join(members)}")
    return Injected(**{"kind": None, **told})


def _is_number(value: Any, kind: type | UnionType = int | float) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _with_one_less(order: Injected) -> Injected:
    return order if order.count is None else replace(order, count=order.count - 1)
