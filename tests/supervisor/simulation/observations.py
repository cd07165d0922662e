"""The checker's memory of a scenario: living workers, generations, pools, and what SWF is owed.

It is made of the events that the core gets; ``invariants`` adds the core's actions. Nothing here
looks into the core.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import singledispatchmethod
from math import inf
from typing import TYPE_CHECKING

from supervisor.config.settings import SettingsError
from supervisor.core.pools.poll_limit import PROBES, THROTTLED
from supervisor.core.pools.pool_settings import pool_sizes
from supervisor.ipc import messages
from supervisor.ipc.messages import PollEnd, Report, Role, Serve, Slot, TaskList
from tests.supervisor.simulation.expected_answers import exactly, expected_answer
from tests.supervisor.simulation.pool_observations import PoolObservations
from tests.supervisor.simulation.worker_observations import ObservedSlot, ObservedWorker

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from tests.supervisor.simulation.expected_answers import IsExpected


@dataclass
class Observations:
    """One scenario, up to now."""

    settings: Settings
    now: float = 0.0
    living: dict[int, ObservedWorker] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    zygotes: dict[int, str] = field(default_factory=dict)  # importing, ready, gone
    settings_of: dict[int, Settings] = field(default_factory=dict)  # of each generation
    were_active: set[int] = field(default_factory=set)  # generations that were active once
    active: int = 0
    previous: int = 0  # the generation that may be active again during the probation
    activated_at: float = -inf
    degraded: dict[int, set[str]] = field(default_factory=dict)  # lists of each generation
    given_up: set[int] = field(default_factory=set)
    relied_on: set[int] = field(
        default_factory=set
    )  # generations for which others' workers were asked to leave
    sidecars: dict[str, str] = field(default_factory=dict)  # here, stopping, gone
    asked_to_end: dict[str, float] = field(default_factory=dict)
    hurried: set[str] = field(default_factory=set)  # sidecars that were asked to abandon tasks
    counted: bool = False  # whether the event is a count of the backlog
    owed: dict[str, messages.Task] = field(default_factory=dict)  # tokens whose workers died
    expected: dict[str, IsExpected] = field(default_factory=dict)  # the right answers for them
    settled: Counter[str] = field(default_factory=Counter)  # reported, or noted as not reported
    deaths_noted: Counter[int] = field(default_factory=Counter)
    expected_deaths: set[int] = field(default_factory=set)
    charged_runs: set[tuple[int, str]] = field(default_factory=set)
    slots_seen: dict[tuple[int, Slot], ObservedSlot] = field(default_factory=dict)
    polled_by: dict[TaskList, float] = field(default_factory=dict)  # the latest end of a backoff
    leaving: bool = False
    exit: messages.Exit | None = None

    def __post_init__(self) -> None:
        self.pools = PoolObservations(self.settings)

    def observe(self, event: messages.Event) -> None:
        """Record an event that the core is about to get."""
        self.counted = isinstance(event, messages.Backlog)
        self.pools.shrinking.clear()
        self.record_event(event)

    @singledispatchmethod
    def record_event(self, event: messages.Event) -> None:
        """Record one kind of event."""

    @record_event.register
    def _(self, event: messages.Polling) -> None:
        if seen := self.living.get(event.worker):
            seen.ready_at = min(seen.ready_at, self.now)
            seen.enter_stage(polls=True)

    @record_event.register
    def _(self, event: messages.Parked) -> None:
        seen = self.living.get(event.worker)
        if seen and isinstance(seen.job, Serve):
            seen.ready_at = min(seen.ready_at, self.now)
            seen.enter_stage(parked=True)
            if event.end is PollEnd.EMPTY:
                self.polled_by.pop(seen.job.slot.task_list, None)
            elif event.end is not PollEnd.NONE:
                waits = THROTTLED if event.end is PollEnd.THROTTLED else PROBES
                self.polled_by[seen.job.slot.task_list] = self.now + waits.cap

    @record_event.register
    def _(self, event: messages.Working) -> None:
        if seen := self.living.get(event.worker):
            seen.end_task()
            seen.enter_stage()
            seen.task = event.task
            if isinstance(seen.job, Serve):
                self.polled_by.pop(seen.job.slot.task_list, None)

    @record_event.register
    def _(self, event: messages.Stale) -> None:
        seen = self.living.get(event.worker)
        if seen and seen.task:
            seen.stale, seen.stale_at = event.why, min(seen.stale_at, self.now)

    @record_event.register
    def _(self, event: messages.MemoryExceeded) -> None:
        seen = self.living.get(event.worker)
        if seen and seen.task:
            seen.too_big = True

    @record_event.register
    def _(self, event: messages.ChannelLost) -> None:
        if seen := self.living.get(event.worker):
            seen.channel_lost = True

    @record_event.register
    def _(self, event: messages.WantsReplacement) -> None:
        if seen := self.living.get(event.worker):
            seen.wants_replacement = True

    @record_event.register
    def _(self, event: messages.SpooledReports) -> None:
        for report in event.reports:
            if isinstance(report.answer, messages.HandOut):
                continue
            self.owed[report.task.token] = report.task
            self.expected[report.task.token] = exactly(report.answer)

    @record_event.register
    def _(self, event: messages.Done) -> None:
        if seen := self.living.get(event.worker):
            seen.end_task()
            seen.enter_stage(parked=event.parked, polls=not event.parked)
            if isinstance(seen.job, Report):
                seen.finished = True
                self.settled[seen.job.task.token] += 1

    @record_event.register(messages.Registered)
    @record_event.register(messages.Replayed)
    @record_event.register(messages.NonDeterministic)
    @record_event.register(messages.FlowRefused)
    @record_event.register(messages.OpenSearched)
    def _(self, event: messages.Registered | messages.Replayed | messages.FlowRefused) -> None:
        if seen := self.living.get(event.worker):
            seen.finished = True
            seen.enter_stage()

    @record_event.register
    def _(self, event: messages.Exited) -> None:
        if seen := self.living.get(event.worker):
            asked = seen.asked_to_leave or seen.finished
            if event.status != 0 or not asked or seen.task:
                self.expected_deaths.add(event.worker)
            self._reaped(event.worker, event.post)

    @record_event.register
    def _(self, event: messages.ForkFailed) -> None:
        if event.worker in self.living:
            self.expected_deaths.add(event.worker)
            self._reaped(event.worker)

    @record_event.register
    def _(self, event: messages.GenerationReady) -> None:
        if self.zygotes.get(event.generation) == "importing":
            self.zygotes[event.generation] = "ready"
            with suppress(SettingsError):
                sizes = pool_sizes(self.settings_of[event.generation], event.task_lists)
                self.pools.lists |= sizes.keys()
                self.pools.slots[event.generation] = {
                    Slot(each, i) for each, size in sizes.items() for i in range(size)
                }

    @record_event.register
    def _(self, event: messages.GenerationLost) -> None:
        self.zygotes[event.generation] = "gone"

    @record_event.register
    def _(self, event: messages.SidecarLost) -> None:
        self.sidecars[event.name] = "gone"

    @record_event.register(messages.DrainRequested)
    @record_event.register(messages.TerminationNotice)
    @record_event.register(messages.StopRequested)
    def _(
        self, _event: messages.DrainRequested | messages.TerminationNotice | messages.StopRequested
    ) -> None:
        self.leaving = True

    def _reaped(self, worker: int, post: messages.PostMortem | None = None) -> None:
        seen = self.living.pop(worker)
        if seen.task and (expected := expected_answer(seen, post)):
            self.owed[seen.task.token] = seen.task
            self.expected[seen.task.token] = expected
        for task in post.waiting if post else ():
            if task != seen.task:
                self.owed[task.token] = task
                self.expected[task.token] = exactly(messages.ReturnTask())
        retiring = seen.generation in self.were_active - {self.active}  # so it is not replaced
        if isinstance(seen.job, Serve) and not (seen.asked_to_leave or seen.dismissed or retiring):
            at_slot = self.slots_seen.setdefault((seen.generation, seen.job.slot), ObservedSlot())
            lasted = seen.ready_at + self.settings.min_uptime <= self.now
            at_slot.died_at = self.now
            if lasted:
                at_slot.early_deaths = 0
            elif self._is_charged(seen):
                at_slot.early_deaths += 1

    def _is_charged(self, seen: ObservedWorker) -> bool:
        """Whether an early death counts: of one execution's decisions only the first does."""
        assert isinstance(seen.job, Serve)
        if seen.job.slot.task_list.role is not Role.DECIDER or seen.task is None:
            return True
        run = (seen.generation, seen.task.run_id)
        is_first = run not in self.charged_runs
        self.charged_runs.add(run)
        return is_first
