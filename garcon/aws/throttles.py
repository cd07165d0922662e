"""The documented retry of throttled calls: five attempts with growing, fully jittered waits.

Rules:

1. The package ``backoff`` retries: its ``expo`` bounds the waits at 1, 2, 4 and 8 seconds, and each
   is drawn between zero and its bound, so that clients throttled together do not come back
   together.
2. Only a throttle is retried here. Other errors are the caller's: a polling loop pauses, an answer
   is sent until SWF accepts it (``retrying``).
3. ``backoff`` waits by ``time.sleep``. An owner with a clock of its own (virtual time, tests) waits
   by that clock instead, and ``backoff`` has no wait left.
4. ``backoff`` is imported at the first throttle: it imports ``asyncio``, which takes a tenth of the
   time of all imports of a worker. A call that is not throttled does not pass through it.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from botocore.exceptions import ClientError

from garcon import utils
from garcon.aws.retrying import CLOCK, Clock

ATTEMPTS = 5  # as documented


class Owner(Protocol):
    """An object with throttled methods: it has a logger and a clock."""

    @property
    def logger(self) -> Any:
        """Logs each retry."""

    @property
    def clock(self) -> Clock:
        """Lets the waits pass."""


S = TypeVar("S", bound=Owner)
P = ParamSpec("P")
T = TypeVar("T")


def retry_throttles(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Decorate a method, so that its call is retried when SWF throttles it."""

    @functools.wraps(method)
    def retried(owner: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(owner, *args, **kwargs)
        except ClientError as error:
            if utils.non_throttle_error(error):
                raise
            throttled = error
        return _retrying(method, throttled, owner.clock)(owner, *args, **kwargs)

    return retried


def _retrying(
    method: Callable[Concatenate[S, P], T], throttled: ClientError, clock: Clock
) -> Callable[Concatenate[S, P], T]:
    """The method with its retries; the error of the attempt that was made counts as the first."""
    import backoff  # noqa: PLC0415 - rule 4

    past = [throttled]

    def attempt(owner: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if past:
            raise past.pop()
        return method(owner, *args, **kwargs)

    in_real_time = clock is CLOCK
    return backoff.on_exception(
        backoff.expo,
        ClientError,
        max_tries=ATTEMPTS,
        giveup=utils.non_throttle_error,
        on_backoff=utils.throttle_backoff_handler if in_real_time else _wait_by_owners_clock,
        jitter=backoff.full_jitter if in_real_time else _no_wait,
        logger=None,  # the handler logs; a final failure is raised, and the caller logs it
    )(attempt)


def _no_wait(_bound: float) -> float:
    return 0.0


def _wait_by_owners_clock(details: Mapping[str, Any]) -> None:
    import backoff  # noqa: PLC0415 - rule 4

    wait = backoff.full_jitter(2.0 ** (details["tries"] - 1))
    utils.throttle_backoff_handler({**details, "wait": wait})
    details["args"][0].clock.sleep(wait)
