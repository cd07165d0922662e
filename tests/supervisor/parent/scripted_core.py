"""A core that decides nothing: it records events and answers with the actions of the test."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.config.settings import Settings
from supervisor.core import Core
from supervisor.ipc import messages

if TYPE_CHECKING:
    from supervisor.ipc.messages import Action, Event, ListState


class ScriptedCore(Core):
    """Records and answers.

    Attributes:
        log: Events and calls to the kernel, in their order.
        handled: Each event, and when it was handled.
        deadline: The next ``Tick``; it is moved to ``inf`` by the tick.
        lists: The pool.
        refusals: The refusal of each kind of request.
    """

    def __init__(self, log: list[tuple[object, ...]], *first: Action) -> None:
        super().__init__(Settings(flow="shop"))
        self.log = log
        self.handled: list[tuple[Event, float]] = []
        self.deadline = inf
        self.lists: tuple[ListState, ...] = ()
        self.refusals: dict[type[Event], str] = {}
        self._first = list(first)
        self._answers: dict[type[Event], list[Action]] = {}

    def answer(self, kind: type[Event], *actions: Action) -> None:
        """Answer events of this kind with these actions."""
        self._answers[kind] = list(actions)

    def begin(self, now: float) -> list[Action]:
        """The first actions."""
        return self._first

    def handle(self, event: Event, now: float) -> list[Action]:
        """Record the event, and answer it."""
        self.handled.append((event, now))
        self.log.append(("handle", event))
        if isinstance(event, messages.Tick):
            self.deadline = inf
        return self._answers.get(type(event), [])

    def next_deadline(self) -> float:
        """As the test has set it."""
        return self.deadline

    def pool(self) -> tuple[ListState, ...]:
        """As the test has set it."""
        return self.lists

    def refusal(self, event: Event) -> str:
        """As the test has set it."""
        return self.refusals.get(type(event), "")
