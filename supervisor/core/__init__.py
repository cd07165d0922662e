"""All decisions of the supervisor. Pure: no clock, process, descriptor or network.

Rules:

1. Every event is handled in two steps: its fact is written down (``record``), then all rules run,
   always in the same order. A rule compares what is desired with what is there and acts on the
   difference; no rule is "on event X do Y".
2. The order has reasons. A late worker counts as dead before deaths are settled; everything that
   may end the program comes before the drain; slots are filled when all other rules have acted.
3. Each rule has its next deadline beside it, in the same file. After a turn all deadlines lie
   ahead.
4. A ready worker that goes on with its loop changes nothing that a rule looks at but its own
   deadline, and who of its list may poll (``permits``). Such an event is written down and no
   other rule runs: tasks come by the thousand. The exceptions are a failed task of a generation
   that has a fallback, and one that was handed out.
5. The same events give the same actions: all chance comes from one ``Random`` with the seed of the
   settings.

The ways through the core, each beginning in ``record``:

* A crash: ``deaths`` owes SWF an answer and lets the slot back off, ``crash_loops`` looks for a
  loop, ``reports`` forks a reporter, ``slots`` fills the slot.
* A deploy: ``generations`` starts a candidate, forks its startup jobs and makes it active,
  ``slots`` fills its slots, ``replacement`` lets the old workers leave; ``probation`` may roll
  back.
* A drain: ``drain`` asks all workers to leave, ``sidecars`` stops the sidecars and the program.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING

from supervisor.core import operator_requests, service_view, snapshot
from supervisor.core.deploy import (
    failure_rate,
    generations,
    kept_releases,
    lost_zygotes,
    probation,
    replacement,
)
from supervisor.core.pools import permits, pools, scaling, slots
from supervisor.core.record import record
from supervisor.core.rules import (
    crash_loops,
    deadlines,
    deaths,
    drain,
    handing_out,
    recycling,
    reports,
    sidecars,
    unused_build,
    warm_pool,
)
from supervisor.core.state import State
from supervisor.core.turn import Turn
from supervisor.ipc.messages import Done, Parked, Polling, Result, Working

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from supervisor.core.generation import Worker
    from supervisor.ipc.messages import Action, Event, Launch, ListState, Status
    from supervisor.ipc.messages.tallies import Tallies

RULES = (
    warm_pool.hold_polls,  # before the pools are fitted
    deadlines.end_late_workers,
    deaths.settle_deaths,
    lost_zygotes.end_hung_zygotes,
    pools.fit_pools,  # a crash loop counts at a desired slot only
    crash_loops.update_degraded_lists,
    failure_rate.stop_failing_code,
    probation.end_probation,
    pools.fit_pools,  # before the canaries of a candidate are judged
    reports.drop_hopeless,  # before a generation that could report is retired
    kept_releases.note_late_ones,  # before a candidate that waits for them goes on
    generations.advance,
    pools.fit_pools,  # for a generation that has just become active
    crash_loops.update_degraded_lists,  # the same
    handing_out.send_handed_out,
    sidecars.run_sidecars,  # the starter waits for a full pool
    kept_releases.serve_kept_releases,  # beside the generation that has just become active
    unused_build.end_unused_build,
    scaling.run_backlog_sidecar,
    crash_loops.give_up,
    reports.drop_hopeless,  # for reports that end with the program
    reports.send_reports,
    drain.drain_workers,
    replacement.retire_old_workers,
    recycling.recycle_workers,
    slots.fill_slots,
    slots.note_full_strength,
    slots.note_empty_lists,
    permits.give_permits,  # when all are asked to leave who are to leave
    sidecars.stop_sidecars_and_exit,
)

DEADLINES = (
    warm_pool.next_deadline,
    deadlines.next_deadline,
    crash_loops.next_deadline,
    sidecars.next_deadline,
    kept_releases.next_deadline,
    unused_build.next_deadline,
    probation.next_deadline,
    scaling.next_deadline,
    generations.next_deadline,
    reports.next_deadline,
    drain.next_deadline,
    recycling.next_deadline,
    slots.next_deadline,
    permits.next_deadline,
)

LOOK_AROUND = 60.0
"""Seconds until the rules run although nothing is due: a rule with a wrong deadline then costs a
minute, not for ever."""


class Core:
    """Turns events into actions. The shell sends the events and carries the actions out.

    Args:
        settings: Of this supervisor.
        jitter: Source of chance for waits; one with the seed of the settings if not given.
        is_kept: Whether it is retired code that another supervisor has started.
    """

    def __init__(
        self, settings: Settings, jitter: Random | None = None, *, is_kept: bool = False
    ) -> None:
        # Seeded, so that a run can be repeated; it only spreads waits.
        self._state = State(settings, jitter or Random(settings.jitter_seed), is_kept=is_kept)
        self._deadline = -inf
        self.runs = 0
        """The number of runs of the rules. In between nothing changes but tasks in progress."""

    def begin(self, now: float) -> list[Action]:
        """The first actions."""
        return self._run(Turn(self._state, now))

    def handle(self, event: Event, now: float) -> list[Action]:
        """The actions for an event at ``now``, in seconds on a clock that never goes back."""
        if self._state.exited:
            return []
        turn = Turn(self._state, now)
        worker = _routine_worker(event, self._state)
        record(event, turn)
        if worker and now < self._deadline:
            given_late_at = permits.give_after(worker, turn)
            self._deadline = min(self._deadline, worker.late_at, given_late_at)
            return turn.actions
        return self._run(turn)

    def next_deadline(self) -> float:
        """Time to send a ``Tick`` if nothing else happens; ``inf`` once the program exits."""
        return self._deadline

    def pool(self) -> tuple[ListState, ...]:
        """The task lists with their workers at this moment."""
        return snapshot.pool(self._state)

    def launch(self) -> Launch:
        """The outcome of the start."""
        return snapshot.launch(self._state)

    def unused_for(self, now: float) -> float | None:
        """Seconds for which the build was unused, if it drains for that; else ``None``."""
        use = self._state.build_use
        return now - use.unused_since if use.is_over and self._state.drain else None

    def status(self, now: float) -> Status:
        """The facts at ``now``, for ``status``."""
        return snapshot.status(self._state, now)

    def tallies(self) -> Tallies:
        """The counts since the start, for metrics."""
        return self._state.tally.snapshot()

    def refusal(self, event: Event) -> str:
        """The reason why a request cannot be served now, in a sentence; empty if it can."""
        return operator_requests.refusal(event, self._state)

    @property
    def coming_generation(self) -> int:
        """The number of the next generation."""
        return self._state.last_generation + 1

    def service(self, now: float) -> service_view.Service:
        """The state of the service at ``now``, for a service manager."""
        return service_view.service(self._state, now)

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


_ROUTINE = (Parked, Polling, Working, Done)


def _routine_worker(event: Event, state: State) -> Worker | None:
    """The worker that sent the event, if its loop just goes on (rule 4)."""
    if not isinstance(event, _ROUTINE):
        return None
    worker = state.workers.get(event.worker)
    if worker is None or not worker.slot or not worker.is_ready:
        return None
    if isinstance(event, Done) and event.result is Result.HANDED_OUT:
        return None  # its heartbeats are to go on
    failed = isinstance(event, Done) and event.result in (Result.FAILED, Result.STUCK)
    return None if failed and state.has_fallback(worker.generation) else worker
