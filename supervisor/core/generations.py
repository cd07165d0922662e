"""Which code serves: the current generation, and the one that wants to be.

1. A generation is wanted at the start, when a restart is asked for, and when the current zygote is
   lost: its workers go on, but could not be replaced. One candidate at a time; of the restarts that
   are asked for meanwhile, one is remembered.
2. A candidate proves itself: its zygote imports within ``import_patience``, one fork registers the
   flow, then one canary a task list gets ready and lasts. Then it is the current one and takes all
   seats. The first generation has nobody to protect, so it is current once it is registered.
3. A candidate fails when its zygote is lost or late, when SWF or the settings refuse it, or when
   more than ``proving_deaths`` of its workers died. A later one is abandoned, and the current one
   never felt it. A first one takes the program with it, unless its zygote was lost without a word:
   no process could be had, or somebody killed it, and the next may live.
4. Where no zygote serves, candidates follow one another at growing rests. The program gives up when
   ``generation_tries`` of them failed and no worker is left.
5. The zygote of an elder is retired when the last of its workers is gone.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.generation import Failure, Zygote
from supervisor.core.rest import rest
from supervisor.core.state import BAD_SETTINGS, BROKEN_FLOW, GAVE_UP
from supervisor.messages import Level, Register, Role

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def advance(turn: Turn) -> None:
    """Take the candidate one step on, end what is past, find whether a new one is wanted."""
    if turn.state.candidate and turn.state.leaving is None:
        _prove(turn, turn.state.candidate)
    _retire_elders(turn)  # before the next one starts: two imports at once cost their memory
    if turn.state.candidate is None and turn.state.leaving is None:
        _start(turn)


def next_deadline(state: State) -> float:
    """When a candidate is late or has proved itself, or the next one may start."""
    if state.leaving:
        return inf
    if state.candidate is None:
        return _replacement_at(state) if state.endpoint_ready() else inf
    return min(_late_at(state, state.candidate), _step_at(state, state.candidate))


# --- proving --------------------------------------------------------------------------------------


def _prove(turn: Turn, candidate: Generation) -> None:
    failure = candidate.failure or _found_failing(turn, candidate)
    if failure:
        _fail(turn, candidate, failure)
    elif candidate.can_fork and not candidate.registered:
        _register(turn, candidate)
    elif candidate.registered and _proved_at(turn.state, candidate) <= turn.now:
        _promote(turn, candidate)


def _found_failing(turn: Turn, candidate: Generation) -> Failure | None:
    settings = turn.state.settings
    if _late_at(turn.state, candidate) <= turn.now:
        why = f"importing the flow took longer than {settings.import_patience:g} s"
        return Failure(why, BROKEN_FLOW)
    if candidate.proving_deaths > settings.proving_deaths:
        why = f"its first workers died {candidate.proving_deaths} times"
        return Failure(f"{why}; the last one: {turn.state.last_death}", GAVE_UP)
    return None


def _register(turn: Turn, candidate: Generation) -> None:
    if not _registers(turn.state, candidate) and candidate.registering.until <= turn.now:
        decides = any(each.role is Role.DECIDER for each in candidate.task_lists)
        turn.fork(candidate, Register(types=decides))


def _registers(state: State, candidate: Generation) -> bool:
    """Whether somebody is at it; reporters of the dead may be there before anybody serves."""
    return any(not each.is_reporter for each in state.workers_of(candidate))


def _promote(turn: Turn, candidate: Generation) -> None:
    turn.state.current, turn.state.candidate = candidate, None
    turn.state.failures, turn.state.restart_rested_at = 0, -inf
    turn.note(
        Level.INFO,
        "generation_current",
        f"Generation {candidate.number} serves from now on.",
        generation=candidate.number,
        workers=len(candidate.seats),
    )


def _fail(turn: Turn, candidate: Generation, failure: Failure) -> None:
    candidate.abandoned = True
    turn.state.candidate = None
    lost = candidate.zygote is Zygote.GONE and failure.code == GAVE_UP
    if turn.state.current is None and not lost:
        turn.fail(failure)
        return
    what_now = _rest(turn, failure) if turn.state.lacks_zygote() else ""
    if turn.state.current:
        what_now = f" Generation {turn.state.current.number} goes on.{what_now}"
    turn.note(
        Level.ERROR,
        "generation_abandoned",
        f"Generation {candidate.number} was given up: {failure.why}.{what_now}",
        generation=candidate.number,
        why=failure.why,
    )


def _rest(turn: Turn, failure: Failure) -> str:
    """Put the next candidate off; returns what is done, for people."""
    turn.state.last_failure = failure
    turn.state.failures += 1
    if _is_hopeless(turn.state):
        return ""
    seconds = rest(turn.state.settings, turn.state.failures, turn.state.jitter)
    turn.state.restart_rested_at = turn.now + seconds
    return f" The next one is tried in {seconds:.1f} s."


def _late_at(state: State, candidate: Generation) -> float:
    importing = candidate.zygote is Zygote.IMPORTING
    return candidate.started_at + state.settings.import_patience if importing else inf


def _step_at(state: State, candidate: Generation) -> float:
    if candidate.registered:
        return _proved_at(state, candidate)
    busy = not candidate.can_fork or _registers(state, candidate)
    return inf if busy else candidate.registering.until


def _proved_at(state: State, candidate: Generation) -> float:
    """When all canaries will have lasted; the first generation needs none."""
    if state.current is None:
        return -inf
    canaries = [candidate.seated.get(seat) for seat in candidate.canaries]
    return max(each.lasts_at(state.settings) if each and each.stays else inf for each in canaries)


# --- starting and ending --------------------------------------------------------------------------


def _start(turn: Turn) -> None:
    state = turn.state
    if _is_hopeless(state):
        turn.fail(_last_failure(state))
    elif state.endpoint_ready() and _is_wanted(state, turn.now):
        state.restart_asked = None
        state.candidate = turn.start_generation()


def _is_wanted(state: State, now: float) -> bool:
    return bool(state.restart_asked) or _replacement_at(state) <= now


def _replacement_at(state: State) -> float:
    return state.restart_rested_at if state.lacks_zygote() else inf


def _is_hopeless(state: State) -> bool:
    tried = state.failures >= state.settings.generation_tries
    return state.lacks_zygote() and tried and not any(state.serving())


def _last_failure(state: State) -> Failure:
    failure = state.last_failure or Failure("no generation could be started", GAVE_UP)
    own = failure.code in (BAD_SETTINGS, BROKEN_FLOW)
    return failure if own else Failure(failure.why, GAVE_UP)


def _retire_elders(turn: Turn) -> None:
    state = turn.state
    for generation in list(state.generations.values()):
        if not state.goes_on(generation) and not _is_needed(state, generation):
            turn.retire(generation)
            del state.generations[generation.number]


def _is_needed(state: State, elder: Generation) -> bool:
    reports = bool(state.debts) and state.forker() is elder
    return reports or any(state.workers_of(elder))
