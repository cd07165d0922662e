"""A shell on a fake kernel, with a scripted core: one host without real processes."""

from __future__ import annotations

import signal
from math import inf
from typing import TYPE_CHECKING, Any

from supervisor.config.settings import Settings
from supervisor.ipc import messages
from supervisor.parent.shell import Shell
from tests.supervisor.parent.fake_kernel import FakeKernel
from tests.supervisor.parent.scripted_core import ScriptedCore

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.ipc.messages import Action, Event
    from tests.supervisor.parent.fake_kernel import FakeProcess

SETTINGS = Settings(flow="shop")
GENERATION = messages.StartGeneration(1, SETTINGS)
EXIT = messages.Exit(0, "drained")
END = 1000.0
"""The time at which SIGTERM ends a host, in virtual seconds."""


class Host:
    """A host whose core starts one generation and, once it is ready, these workers.

    Args:
        workers: How many; their numbers begin at 1.
        first: Further actions of the core at its start.
        settings: Of the supervisor.
        lost: Whether the supervisor has no terminal from the start.
        options: For the shell.
    """

    def __init__(
        self,
        workers: int = 0,
        *first: Action,
        settings: Settings = SETTINGS,
        lost: bool = False,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.kernel = FakeKernel()
        self.core = ScriptedCore(self.kernel.log, messages.StartGeneration(1, settings), *first)
        self.forks = [
            messages.Fork(n + 1, 1, messages.Register(types=True)) for n in range(workers)
        ]
        self.core.answer(messages.GenerationReady, *self.forks)
        self.core.answer(messages.DrainRequested, EXIT)
        self.kernel.terminal_lost = lost
        self.shell = Shell(self.core, settings, kernel=self.kernel, **options)
        self.at = self.kernel.at

    def run(self, until: float = END) -> int:
        """Run until SIGTERM arrives at this time; returns the exit code."""
        if until < inf:
            self.at(until, lambda: self.kernel.signal(signal.SIGTERM))
        try:
            return self.shell.run()
        finally:
            for child in self.shell._children:  # those that were killed at the end
                self.shell._children.remove(child)
            self.kernel.close()

    def worker(self, number: int) -> FakeProcess:
        """The process of a worker."""
        return next(
            process
            for process in self.kernel.processes("worker")
            if isinstance(fork := process.received[0], messages.Fork) and fork.worker == number
        )

    def at_worker(self, seconds: float, number: int, do: Callable[[FakeProcess], object]) -> None:
        """Let a worker do something at this time."""
        self.at(seconds, lambda: do(self.worker(number)))

    def at_process(self, seconds: float, module: str, do: Callable[[FakeProcess], object]) -> None:
        """Let the last process of this module do something at this time."""
        self.at(seconds, lambda: do(self.kernel.process(module)))

    def events(self, *kinds: type[Event]) -> list[Event]:
        """The core's events, or those of these kinds; without the frame of every test."""
        frame = (messages.GenerationReady, messages.DrainRequested)
        return [
            event
            for event, _ in self.core.handled
            if (isinstance(event, kinds) if kinds else not isinstance(event, frame))
        ]

    def events_at(self, seconds: float) -> list[Event]:
        """The events that the core has handled at this time."""
        return [event for event, at in self.core.handled if at == seconds]

    def signals(self) -> list[tuple[str, int]]:
        """The signals that the supervisor has sent before its end: by which method, to whom."""
        return [(call, pid) for at, call, pid in self.kernel.sent if at < END]

    def calls(self, name: str) -> list[object]:
        """The arguments of the calls of this name to the kernel."""
        return [call[1] for call in self.kernel.log if call[0] == name]


def sends(*sent: messages.ChannelMessage) -> Callable[[FakeProcess], None]:
    """The behaviour of a process that sends these messages."""
    return lambda process: process.send(*sent)
