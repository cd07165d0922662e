"""How to serve over HTTP: what may be chosen, and which choices are refused.

A choice that could not be carried out is refused here, with a sentence, and not where it would
first be felt: a page of no events, for instance, would be told to clients as a broken history.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from garcon.local.engine import Settings

LAST_PORT = 65_535
"""The highest number a TCP port has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve.

    Attributes:
        port: on 127.0.0.1; 0 takes a free one.
        poll_seconds: how long a poll without work is held; SWF's is 60, and 0 does not wait.
        page_size: events or items a page at most; SWF's is 1,000.
        quotas: whether SWF's rates are enforced.
        ghosts: whether a poller whose connection has gone may still be handed a task.
        virtual_time: whether the time jumps to the next thing due when all is idle.
        seed: what run ids and the chance of faults are made from; None takes what the state file
            was begun with, and else a random one.
        state: file to continue from and to keep; None keeps nothing.

    Raises:
        ValueError: a figure is out of its range; the message is a sentence for whoever chose it.
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
        """Refuse what cannot be carried out."""
        most = Settings().page_size
        if not 0 <= self.port <= LAST_PORT:
            raise ValueError(f"The port is {self.port}; it must be from 0 (a free one) to 65535.")
        if not 0 <= self.poll_seconds < math.inf:
            told = f"Polls are held for {self.poll_seconds:g} s"
            raise ValueError(f"{told}; it must be 0 or more, and SWF's own is 60.")
        if not 1 <= self.page_size <= most:
            raise ValueError(f"The page size is {self.page_size}; it must be from 1 to {most}.")

    def settings(self) -> Settings:
        """The engine's part of it."""
        return Settings(
            poll_window=self.poll_seconds,
            page_size=self.page_size,
            quotas=self.quotas,
            ghosts=self.ghosts,
        )
