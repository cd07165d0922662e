"""All decisions of the supervisor, without clock, pid, descriptor or network.

1. Every event does two things: one fact is written down (``record``), then all rules run, always in
   the same order. A rule compares what is wanted with what is there and acts on the difference; no
   rule is "on event X do Y".
2. The order has reasons. Who is late counts as dead before the dead are counted; whatever may end
   the program comes before ``leave``, which tells the workers; seats are filled when all others
   have had their say.
3. Each rule tells its own next deadline, beside the rule. After a turn all of them lie ahead.
4. A ready worker that goes on with its loop changes nothing that a rule looks at but its own
   deadline. Such an event is written down, and no rule runs: tasks come by the thousand. A failed
   task of a generation on trial is looked at.
5. Same events, same actions: the only dice are a ``Random`` with the seed of the settings.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING

from supervisor.core import (
    attendants,
    deaths,
    degraded,
    elders,
    generations,
    leaving,
    patience,
    pools,
    probation,
    quiet,
    recycling,
    refusals,
    reports,
    scaling,
    seats,
    service,
    status,
    trial,
)
from supervisor.core.record import record
from supervisor.core.state import State
from supervisor.core.turn import Turn
from supervisor.messages import Done, Polling, Result, Working

if TYPE_CHECKING:
    from supervisor.core.worker import Worker
    from supervisor.messages import Action, Event, ListState, Status
    from supervisor.settings import Settings

RULES = (
    patience.end_the_late,
    deaths.mourn,
    degraded.recover,
    trial.judge,
    probation.watch,
    pools.fit,  # before a candidate's canaries are looked at
    reports.strike_out,  # before who could report is retired
    generations.advance,
    pools.fit,  # for who has just become current
    attendants.attend,  # one waits for a pool that is full
    scaling.keep_counting,
    degraded.give_up,
    reports.strike_out,  # for what ends with the program
    reports.pay_debts,
    leaving.leave,
    elders.relieve,
    recycling.recycle,
    seats.fill,
    seats.tell_when_full,
    quiet.tell_when_still,
    attendants.see_out,
)

DEADLINES = (
    patience.next_deadline,
    degraded.next_deadline,
    attendants.next_deadline,
    probation.next_deadline,
    scaling.next_deadline,
    generations.next_deadline,
    reports.next_deadline,
    leaving.next_deadline,
    recycling.next_deadline,
    seats.next_deadline,
)

LOOK_AROUND = 60.0
"""Seconds until a look that nothing asks for: a rule that forgot its deadline costs a minute, not
for ever."""


class Core:
    """Decides; the shell tells it what happened and carries out what it wishes."""

    def __init__(self, settings: Settings) -> None:
        # Repeatable on purpose; it only spreads rests.
        self._state = State(settings, Random(settings.seed))
        self._deadline = -inf
        self.runs = 0
        """How often the rules have run: if not since, nothing has changed but tasks in hand."""

    def begin(self, now: float) -> list[Action]:
        """The first wishes."""
        return self._run(Turn(self._state, now))

    def handle(self, event: Event, now: float) -> list[Action]:
        """What to do about an event at ``now``: seconds on a clock that never goes back."""
        if self._state.exited:
            return []
        turn = Turn(self._state, now)
        worker = _going_on(event, self._state)
        record(event, turn)
        if worker and now < self._deadline:
            self._deadline = min(self._deadline, worker.late_at)
            return turn.actions
        return self._run(turn)

    def next_deadline(self) -> float:
        """When to send a ``Tick`` if nothing else happens; ``inf`` once the program exits."""
        return self._deadline

    def pool(self) -> tuple[ListState, ...]:
        """How each task list is served at this moment."""
        return status.pool(self._state)

    def status(self, now: float) -> Status:
        """Everything that is known at ``now``, for those who ask."""
        return status.status(self._state, now)

    def refusal(self, event: Event) -> str:
        """Why what somebody asks for cannot be done now, in a sentence; empty if it can."""
        return refusals.refusal(event, self._state)

    @property
    def coming_generation(self) -> int:
        """The number of the next generation."""
        return self._state.last_generation + 1

    def service(self, now: float) -> service.Service:
        """How the service does at ``now``, for whoever manages it."""
        return service.service(self._state, now)

    def _run(self, turn: Turn) -> list[Action]:
        self.runs += 1
        for rule in RULES:
            rule(turn)
        self._deadline = self._next_deadline(turn.now)
        return turn.actions

    def _next_deadline(self, now: float) -> float:
        if self._state.exited:
            return inf
        return min(now + LOOK_AROUND, *(each(self._state) for each in DEADLINES))


def _going_on(event: Event, state: State) -> Worker | None:
    """The worker that said the event, if its loop goes on as it should."""
    if not isinstance(event, Polling | Working | Done):
        return None
    worker = state.workers.get(event.worker)
    if worker is None or not worker.seat or not worker.is_strength:
        return None
    failed = isinstance(event, Done) and event.result is Result.FAILED
    return None if failed and state.on_trial(worker.generation) else worker
