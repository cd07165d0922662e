"""Options of the server, and the checks of their ranges.

A figure out of its range is refused here with a sentence, not at its first use: a page of no
events, for instance, would look to clients like a broken history.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from garcon.local.engine import Settings

LAST_PORT = 65_535
"""The highest number of a TCP port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Options of the server.

    Attributes:
        port: port on 127.0.0.1; 0 takes a free one.
        poll_seconds: seconds that a poll without work is held; SWF's is 60, and 0 does not wait.
        page_size: most events or items in a page; SWF's is 1,000.
        quotas: whether SWF's rates are enforced.
        ghosts: whether a poller whose connection is gone may still be given a task.
        virtual_time: whether the time jumps to the next due time when all clients are idle.
        seed: source of run ids and of the chance of faults; None takes the seed of the state file,
            or else a random one.
        state: file to continue from and to keep; None keeps nothing.

    Raises:
        ValueError: a figure is out of its range; the message names it.
    """

    port: int = 0
    poll_seconds: float = Settings().poll_window
    page_size: int = Settings().page_size
    quotas: bool = False
    ghosts: bool = True
    virtual_time: bool = False
    seed: int | None = None
    state: Path | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        most = Settings().page_size
        if not 0 <= self.port <= LAST_PORT:
            raise ValueError(f"The port is {self.port}; it must be from 0 (a free one) to 65535.")
        if not 0 <= self.poll_seconds < math.inf:
            problem = f"Polls are held for {self.poll_seconds:g} s"
            raise ValueError(f"{problem}; it must be 0 or more, and SWF's own is 60.")
        if not 1 <= self.page_size <= most:
            raise ValueError(f"The page size is {self.page_size}; it must be from 1 to {most}.")

    def settings(self) -> Settings:
        """The figures of the engine."""
        return Settings(
            poll_window=self.poll_seconds,
            page_size=self.page_size,
            quotas=self.quotas,
            ghosts=self.ghosts,
        )
