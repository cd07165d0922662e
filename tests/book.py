"""What the judge remembers of a story: who lives, what is served, what SWF is owed.

Made of the events that the core is told of; what it wishes is added by the laws that it is held to
(``laws``). The core itself is never looked into.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import singledispatchmethod
from math import inf
from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.messages import Report, Seat, Serve
from supervisor.per_list import pool_sizes
from supervisor.settings import SettingsError
from tests.dues import due_of, exactly
from tests.lives import Life, Rest
from tests.pool_book import PoolBook

if TYPE_CHECKING:
    from supervisor.settings import Settings
    from tests.dues import Due


@dataclass
class Book:
    """One story, up to now."""

    settings: Settings
    now: float = 0.0
    living: dict[int, Life] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    zygotes: dict[int, str] = field(default_factory=dict)  # importing, ready, gone
    chosen: dict[int, Settings] = field(default_factory=dict)  # settings of each generation
    served: set[int] = field(default_factory=set)  # that were current once
    current: int = 0
    previous: int = 0  # what the current one may return to, while it is on probation
    promoted_at: float = -inf
    degraded: dict[int, set[str]] = field(default_factory=dict)  # generations and their lists
    abandoned: set[int] = field(default_factory=set)
    relied_on: set[int] = field(default_factory=set)  # generations that elders left for
    attendants: dict[str, str] = field(default_factory=dict)  # here, stopping, gone
    asked_to_end: dict[str, float] = field(default_factory=dict)
    counted: bool = False  # whether it is the backlog that the core hears of
    owed: dict[str, messages.Task] = field(default_factory=dict)  # tokens whose holders died
    due: dict[str, Due] = field(default_factory=dict)  # what SWF is to be told of them
    settled: Counter[str] = field(default_factory=Counter)  # reported, or noted as not to be
    deaths_noted: Counter[int] = field(default_factory=Counter)
    deaths_due: set[int] = field(default_factory=set)
    rests: dict[tuple[int, Seat], Rest] = field(default_factory=dict)
    leaving: bool = False
    exit: messages.Exit | None = None

    def __post_init__(self) -> None:
        self.pools = PoolBook(self.settings)

    def heard(self, event: messages.Event) -> None:
        """The core is about to be told."""
        self.counted = isinstance(event, messages.Backlog)
        self.pools.shrinking.clear()
        self.note_down(event)

    @singledispatchmethod
    def note_down(self, event: messages.Event) -> None:
        """What the judge remembers of it."""

    @note_down.register
    def _(self, event: messages.Polling) -> None:
        if life := self.living.get(event.worker):
            life.ready_at = min(life.ready_at, self.now)
            life.goes_on()

    @note_down.register
    def _(self, event: messages.Working) -> None:
        if life := self.living.get(event.worker):
            life.lets_go()
            life.goes_on()
            life.task = event.task

    @note_down.register
    def _(self, event: messages.Stale) -> None:
        life = self.living.get(event.worker)
        if life and life.task:
            life.stale, life.stale_at = event.why, min(life.stale_at, self.now)

    @note_down.register
    def _(self, event: messages.TooBig) -> None:
        life = self.living.get(event.worker)
        if life and life.task:
            life.too_big = True

    @note_down.register
    def _(self, event: messages.Tired) -> None:
        if life := self.living.get(event.worker):
            life.tired = True

    @note_down.register
    def _(self, event: messages.Spooled) -> None:
        for report in event.reports:
            self.owed[report.task.token] = report.task
            self.due[report.task.token] = exactly(report.answer)

    @note_down.register
    def _(self, event: messages.Done) -> None:
        if life := self.living.get(event.worker):
            life.lets_go()
            life.goes_on()
            if isinstance(life.job, Report):
                life.finished = True
                self.settled[life.job.task.token] += 1

    @note_down.register(messages.Registered)
    @note_down.register(messages.Replayed)
    @note_down.register(messages.Contradicted)
    @note_down.register(messages.Refused)
    def _(self, event: messages.Registered | messages.Replayed | messages.Refused) -> None:
        if life := self.living.get(event.worker):
            life.finished = True
            life.goes_on()

    @note_down.register
    def _(self, event: messages.Exited) -> None:
        if life := self.living.get(event.worker):
            asked = life.told or life.finished
            if event.status != 0 or not asked or life.task:
                self.deaths_due.add(event.worker)
            self._buried(event.worker, event.post)

    @note_down.register
    def _(self, event: messages.ForkFailed) -> None:
        if event.worker in self.living:
            self.deaths_due.add(event.worker)
            self._buried(event.worker)

    @note_down.register
    def _(self, event: messages.GenerationReady) -> None:
        if self.zygotes.get(event.generation) == "importing":
            self.zygotes[event.generation] = "ready"
            with suppress(SettingsError):
                sizes = pool_sizes(self.chosen[event.generation], event.task_lists)
                self.pools.lists |= sizes.keys()
                self.pools.seats[event.generation] = {
                    Seat(each, i) for each, size in sizes.items() for i in range(size)
                }

    @note_down.register
    def _(self, event: messages.GenerationLost) -> None:
        self.zygotes[event.generation] = "gone"

    @note_down.register
    def _(self, event: messages.AttendantLost) -> None:
        self.attendants[event.name] = "gone"

    @note_down.register(messages.DrainAsked)
    @note_down.register(messages.EndNoticed)
    @note_down.register(messages.StopAsked)
    def _(self, _event: messages.DrainAsked | messages.EndNoticed | messages.StopAsked) -> None:
        self.leaving = True

    def _buried(self, worker: int, post: messages.PostMortem | None = None) -> None:
        life = self.living.pop(worker)
        if life.task and (due := due_of(life, post)):
            self.owed[life.task.token] = life.task
            self.due[life.task.token] = due
        for task in post.waiting if post else ():
            if task != life.task:
                self.owed[task.token] = task
                self.due[task.token] = exactly(messages.HandBack())
        is_elder = life.generation in self.served - {self.current}  # not replaced: no seat rests
        if isinstance(life.job, Serve) and not (life.told or life.unseated or is_elder):
            rest = self.rests.setdefault((life.generation, life.job.seat), Rest())
            lasted = life.ready_at + self.settings.lasting <= self.now
            rest.early_deaths = 0 if lasted else rest.early_deaths + 1
            rest.died_at = self.now
