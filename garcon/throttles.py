"""Trying a throttled call again, as documented: five times, with growing rests drawn at random.

Only a throttle is tried again here. What else may pass is the matter of whoever calls: a poll's
loop rests, an answer is insisted on. Full jitter, because what was throttled together would come
back together. The owner's clock rests, which `backoff` by itself does not allow, so that a rest
takes no time where time is virtual.
"""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import backoff
from botocore.exceptions import ClientError

from garcon import utils
from garcon.insist import Clock

TRIES = 5  # as documented


class Owner(Protocol):
    """What has throttled calls: something that logs, and lives by a clock."""

    @property
    def logger(self) -> Any:
        """Where each try is told."""

    @property
    def clock(self) -> Clock:
        """What rests."""


S = TypeVar("S", bound=Owner)
P = ParamSpec("P")
T = TypeVar("T")


def backed_off(call: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Decorate a method whose throttles are tried again."""

    @functools.wraps(call)
    def patient(owner: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        bounds = backoff.expo()
        next(bounds)  # the library's generators begin with nothing
        for tries in range(1, TRIES):
            try:
                return call(owner, *args, **kwargs)
            except ClientError as error:
                if utils.non_throttle_error(error):
                    raise
            wait = backoff.full_jitter(next(bounds))
            utils.throttle_backoff_handler({"args": (owner,), "tries": tries, "wait": wait})
            owner.clock.sleep(wait)
        return call(owner, *args, **kwargs)

    return patient
