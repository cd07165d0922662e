"""Base of both kinds of workers: client, error handler, the pause after a failed poll, identity."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from garcon.aws import limits
from garcon.aws.retrying import CLOCK, Clock, PollBackoff
from garcon.log import GarconLogger
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.forks import ParentOnly
from garcon.user_code.text import loggable

T = TypeVar("T")
ErrorHandler = Callable[[Any, Any], Any]
"""Called with the worker or activity, and the exception."""


class Poller(GarconLogger):
    """A worker that polls SWF for tasks of one kind.

    Attributes:
        client: The flow's own SWF client, if it has one.
        on_exception: The user's handler, called with the worker and the error.
        clock: The time by which retries wait.
        poll_backoff: The pauses after failed polls.
    """

    client: Any = None
    on_exception: ErrorHandler | None = None

    def __init__(self) -> None:
        self.clock: Clock = CLOCK
        self.poll_backoff = PollBackoff()

    def run_guarded(self, step: Callable[[], T]) -> T | None:
        """Do one step of the polling loop.

        Returns:
            What ``step`` returned; ``None`` if it raised: the error is logged and reported, and the
            loop has paused.
        """
        try:
            result = step()
        except ENDS_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001 - documented: reported, and the loop goes on
            self.report(error)
            self.poll_backoff.pause()
            return None
        self.poll_backoff.reset()
        return result

    def report(self, error: BaseException) -> None:
        """Log the error with its traceback, and call ``on_exception``."""
        current = sys.exc_info()[1] is error
        self.logger.error(loggable(error), exc_info=current or error)
        if self.on_exception:
            try:
                with ParentOnly("on_exception"):
                    self.on_exception(self, error)
            except ENDS_PROCESS:
                raise
            except BaseException:  # the handler is the user's code
                self.logger.exception("on_exception failed.")


def identity_of(given: str | None = None) -> str:
    """The poller's name in the history (``identity`` of started events), at most 256 characters.

    It is made at each poll, because a fork changes it.

    Args:
        given: The name to use; host, process and thread if not given.
    """
    return limits.cut(given or _own_identity(), limits.IDENTITY)


def _own_identity() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.current_thread().name}"
