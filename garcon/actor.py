"""What both kinds of workers share: a client, a handler for errors, rests after failures."""

from collections.abc import Callable
from typing import Any, TypeVar

from garcon.insist import CLOCK, Clock, Patience
from garcon.log import GarconLogger

T = TypeVar("T")
ErrorHandler = Callable[[Any, Exception], Any]


class Actor(GarconLogger):
    """Polls for tasks of one kind.

    Attributes:
        client: The flow's own SWF client, if it has one.
        on_exception: The user's handler, called with the actor and the error.
        patience: The rests after polls that failed.
        clock: The time that answers are insisted by.
    """

    client: Any = None
    on_exception: ErrorHandler | None = None

    def __init__(self) -> None:
        self.clock: Clock = CLOCK
        self.patience = Patience()

    def patiently(self, do: Callable[[], T]) -> T | None:
        """What ``do`` gives; if it fails, that is logged, reported and rested on: ``None`` then."""
        try:
            found = do()
        except Exception as error:  # noqa: BLE001 - documented: reported, and the loop goes on
            self.report(error)
            self.patience.rest()
            return None
        self.patience.reset()
        return found

    def report(self, error: Exception) -> None:
        """Log the error with its traceback, and tell the user's handler."""
        self.logger.error(error, exc_info=error)
        if self.on_exception:
            try:
                self.on_exception(self, error)
            except Exception:  # the handler is the user's code
                self.logger.exception("on_exception failed.")
