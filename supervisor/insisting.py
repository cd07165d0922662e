"""Attempts that are repeated with rests: what an errand does while SWF does not answer."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from garcon import client
from supervisor import log
from supervisor.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.outage import Voice

T = TypeVar("T")


def insist(
    attempt: Callable[[], T],
    what: str,
    seconds: float,
    rest: Callable[[float], bool],
    may_pass: Callable[[Exception], bool],
    *,
    voice: Voice | None = None,
) -> T:
    """Attempt until it works, and return what it gave.

    Raises the error that cannot pass, or the last one.

    Args:
        attempt: The call.
        what: What it does, in the form "registering the flow x".
        seconds: How long errors that may pass are forgiven.
        rest: Rests for so many seconds; false if there is a reason to give up.
        may_pass: Whether an error may pass.
        voice: Who else speaks of the same trouble.
    """
    outage = Outage(random.Random(), voice) if voice else Outage(random.Random())
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except client.ERRORS as error:
            pause, speak = outage.failed(time.monotonic())
            late = time.monotonic() + pause > until
            if late or not may_pass(error):
                raise
            if speak:
                log.LOGGER.warning("%s Trying again.", client.explain(error, what).sentence)
            if not rest(pause):
                raise
