"""Crash loops: the one rule for everything that is started again after it ended.

Rules:

1. A worker dies *early* if it dies before it has served for ``min_uptime`` seconds. A startup job
   or a zygote that dies has never served, so its death is always early. Of the deaths in decisions
   of one execution only the first is early (``deaths``).
2. After the first early death at a place the next attempt follows at once. Each further one in a
   row doubles the wait, from ``backoff_initial`` to ``backoff_cap``, less up to half by chance.
3. ``crash_loop_deaths`` early deaths in a row are a *crash loop*. From then on the place is retried
   after the longest wait only. A success ends the row.

================================  ==================================  ===========================
early deaths in a row             what ends the row                   in a crash loop
================================  ==================================  ===========================
at one slot of the active         a worker there that serves for      the list is *degraded* and
generation                        ``min_uptime`` seconds, or          its other slots go on; in
                                  ``resume``                          probation: rolled back
at all canaries and startup jobs  the generation becomes active       the generation is given up;
of a new generation                                                   the active one goes on
at every slot of every list       any ready worker, a new             the program gives up with
                                  generation or a quiet list          exit code 4
of generations that were started  a generation becomes active         the program gives up as soon
because the zygote was lost                                           as no worker is left
of a sidecar                      it runs for ``min_uptime`` seconds  it is started after the
                                                                      longest wait, for ever
================================  ==================================  ===========================

A new generation's deaths are counted over all its places, since a version that fails now and then
is faulty, too. Each place of it backs off by its own row, so that its crashes never delay the
active generation. Reports to SWF are no part of this: ``reports`` says how long they are tried.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.backoff import Backoff
from supervisor.core.failures import Failure, Streak
from supervisor.core.log_names import slot_facts, slot_name
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.config.settings import Settings
    from supervisor.core.generation import Generation, Worker
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Slot, TaskList


def restart_backoff(settings: Settings) -> Backoff:
    """The waits between attempts."""
    return Backoff(settings.backoff_initial, 2.0, settings.backoff_cap, jitter=0.5)


def is_crash_loop(early_deaths: int, settings: Settings) -> bool:
    """Whether this many early deaths in a row are a crash loop."""
    return early_deaths >= settings.crash_loop_deaths


def back_off(turn: Turn, streak: Streak) -> float:
    """Count an early death at a place; returns the seconds until the next attempt there."""
    state = turn.state
    backoff = restart_backoff(state.settings)
    streak.failures += 1
    streak.failed_at = turn.now
    if is_crash_loop(streak.failures, state.settings):
        seconds = backoff.longest_wait(state.jitter)
    else:
        seconds = backoff.wait_after(streak.failures - 1, state.jitter)
    streak.backoff_until = turn.now + seconds
    return seconds


# --- degraded lists -------------------------------------------------------------------------------


def update_degraded_lists(turn: Turn) -> None:
    """End the streaks of slots that are well again; note each list that changed."""
    state, active = turn.state, turn.state.active
    if active is None:
        return
    for worker, streak in list(_recovering(state, active)):
        if worker.uptime_reached_at(state.settings) <= turn.now:
            streak.failures = 0
    before = active.degraded
    loops = _slots_in_crash_loop(active, state.settings)
    active.degraded = tuple(dict.fromkeys(each.task_list for each in loops))
    for task_list in active.degraded:
        if task_list not in before:
            slot = next(each for each in loops if each.task_list == task_list)
            _note_degraded(turn, active, slot)
    for task_list in before:
        if task_list not in active.degraded:
            _note_recovered(turn, active, task_list)


def next_deadline(state: State) -> float:
    """Time at which a slot in a crash loop may be well again."""
    if state.active is None:
        return inf
    recovering = _recovering(state, state.active)
    return min((each.uptime_reached_at(state.settings) for each, _ in recovering), default=inf)


def _recovering(state: State, active: Generation) -> Iterator[tuple[Worker, Streak]]:
    """Ready workers at slots in a crash loop.

    A worker that was ready before the last death there does not count: its replacements die.
    """
    for slot, streak in active.slot_streaks.items():
        worker = active.occupied.get(slot)
        in_loop = is_crash_loop(streak.failures, state.settings)
        if in_loop and worker and worker.is_ready and worker.ready_at > streak.failed_at:
            yield worker, streak


def _slots_in_crash_loop(active: Generation, settings: Settings) -> list[Slot]:
    loops = [
        slot
        for slot, streak in active.slot_streaks.items()
        if is_crash_loop(streak.failures, settings)
    ]
    desired = set(active.slots) if loops else set()
    return [each for each in loops if each in desired]


def _note_degraded(turn: Turn, active: Generation, slot: Slot) -> None:
    settings, deaths = turn.state.settings, active.slot_streaks[slot].failures
    turn.note(
        Level.ERROR,
        "list_degraded",
        f"{slot.task_list.name} is degraded: {deaths} workers in a row at {slot_name(slot)} died"
        f" within {settings.min_uptime:g} s of service. The slot is retried every"
        f" {settings.backoff_cap:g} s at most; see what they died of.",
        **slot_facts(slot),
        generation=active.number,
        deaths=deaths,
    )


def _note_recovered(turn: Turn, active: Generation, task_list: TaskList) -> None:
    turn.note(
        Level.INFO,
        "list_recovered",
        f"{task_list.name} is no longer degraded: none of its slots is in a crash loop.",
        task_list=task_list.name,
        generation=active.number,
    )


# --- giving up ------------------------------------------------------------------------------------


def early_deaths_failure(candidate: Generation, state: State) -> Failure | None:
    """The reason why a new generation is given up, if its early deaths are a crash loop."""
    if not is_crash_loop(candidate.early_deaths, candidate.settings):
        return None
    why = f"{candidate.early_deaths} of its first workers died; the last: {state.last_death}"
    return Failure(why, exit_codes.GAVE_UP, candidate.gate)


def give_up(turn: Turn) -> None:
    """End the program if no slot can keep a worker, and nothing is on its way that may help."""
    state, active = turn.state, turn.state.active
    if active is None or not active.can_fork or state.candidate or state.drain:
        return
    if any(each.quiet for each in state.pools.values()) or state.any_ready():
        return
    if active.slots and len(_slots_in_crash_loop(active, state.settings)) == len(active.slots):
        why = f"no slot can keep a worker; the last death: {state.last_death}"
        turn.fail(Failure(why, exit_codes.GAVE_UP))
