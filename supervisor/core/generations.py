"""Which code serves: the current generation, and the one that wants to be.

1. A generation is wanted at the start, when a restart is asked for, and when the current zygote is
   lost: its workers go on, but could not be replaced. One candidate at a time; of the restarts that
   are asked for meanwhile, the last one is remembered.
2. A candidate proves itself: its zygote imports within ``import_patience``, its errands are done
   (``gates``), then one canary a task list gets ready and lasts, and fails no more tasks than the
   current one's workers do (``trial``). Then it is the current one, its settings hold, and it takes
   all seats. The first one has nobody to protect, so it is current once its errands are done.
3. A candidate fails when its zygote is lost or late, when SWF, the settings or a gate refuse it,
   when it is convicted, or when more than ``proving_deaths`` of its workers died. A later one is
   abandoned, and the current one never felt it. A first one takes the program with it, unless its
   zygote was lost without a word: no process could be had, or somebody killed it, and the next may
   live.
4. Where no zygote serves, candidates follow one another at growing rests. The program gives up when
   ``generation_tries`` of them failed and no worker is left.
5. The zygote of an elder is retired when the last of its workers is gone, that of the previous
   generation not before its time is over (``probation``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core import gates, outcome, probation
from supervisor.core.generation import Failure, Gate, Zygote
from supervisor.core.renewing import changed, renewed
from supervisor.core.rest import rest
from supervisor.core.state import Deploy, Outcome
from supervisor.messages import Level

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
    return min(_late_at(state.candidate), _step_at(state, state.candidate))


# --- proving --------------------------------------------------------------------------------------


def _prove(turn: Turn, candidate: Generation) -> None:
    if failure := candidate.failure or _found_failing(turn, candidate):
        _fail(turn, candidate, failure)
        return
    if candidate.can_fork and not candidate.cleared:
        gates.take(turn, candidate)
    if candidate.cleared and _proved_at(turn.state, candidate) <= turn.now:
        _promote(turn, candidate)


def _found_failing(turn: Turn, candidate: Generation) -> Failure | None:
    settings = candidate.settings
    if _late_at(candidate) <= turn.now:
        why = f"importing the flow took longer than {settings.import_patience:g} s"
        return Failure(why, exits.FLOW, Gate.IMPORT)
    if candidate.proving_deaths > settings.proving_deaths:
        why = f"its first workers died {candidate.proving_deaths} times"
        why = f"{why}; the last one: {turn.state.last_death}"
        return Failure(why, exits.GAVE_UP, candidate.gate)
    return None


def _promote(turn: Turn, candidate: Generation) -> None:
    state, settings = turn.state, candidate.settings
    news = _news(state, candidate)
    probation.keep(state, state.current, settings)
    state.current, state.candidate = candidate, None
    state.failures, state.restart_rested_at = 0, -inf
    state.deploy = Deploy(candidate.number, Outcome.CURRENT)
    candidate.promoted_at = turn.now
    turn.take_up(settings)
    turn.note(
        Level.INFO,
        "generation_current",
        f"Generation {candidate.number} serves from now on.{news}",
        generation=candidate.number,
        workers=len(candidate.seats),
    )


def _news(state: State, candidate: Generation) -> str:
    """Which settings it brings, for people."""
    new = candidate.settings
    names = changed(state.settings, new)
    told = [f"{each} {getattr(new, each)} (was {getattr(state.settings, each)})" for each in names]
    return f" New settings: {', '.join(told)}." if told else ""


def _fail(turn: Turn, candidate: Generation, failure: Failure) -> None:
    candidate.abandoned = True
    turn.state.candidate = None
    lost = candidate.zygote is Zygote.GONE and failure.code == exits.GAVE_UP
    if turn.state.current is None and not lost:
        turn.fail(failure)
        return
    what_now = _rest(turn, failure) if turn.state.lacks_zygote() else ""
    gate = failure.gate or candidate.gate
    serving = f"generation {turn.state.current.number} goes on" if turn.state.current else "nobody"
    text = outcome.report(
        f"Generation {candidate.number} was stopped at the {gate} gate.{what_now}",
        gate=gate,
        why=failure.why,
        serving=serving,
        to_do=failure.to_do,
    )
    turn.state.deploy = Deploy(candidate.number, Outcome.ABANDONED, text)
    turn.note(
        Level.ERROR,
        "generation_abandoned",
        text,
        generation=candidate.number,
        gate=gate.value,
        why=failure.why.splitlines()[0],
        serving=turn.state.current.number if turn.state.current else None,
        **failure.facts,
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


def _late_at(candidate: Generation) -> float:
    importing = candidate.zygote is Zygote.IMPORTING
    return candidate.started_at + candidate.settings.import_patience if importing else inf


def _step_at(state: State, candidate: Generation) -> float:
    if candidate.cleared:
        return _proved_at(state, candidate)
    return gates.next_take(state, candidate)


def _proved_at(state: State, candidate: Generation) -> float:
    """When all canaries will have lasted; the first generation needs none."""
    if state.current is None:
        return -inf
    canaries = [candidate.seated.get(seat) for seat in candidate.canaries]
    own = candidate.settings
    lasting = (each.lasts_at(own) if each and each.stays else inf for each in canaries)
    return max(lasting, default=-inf)  # none where all lists are quiet


# --- starting and ending --------------------------------------------------------------------------


def _start(turn: Turn) -> None:
    state = turn.state
    if _is_hopeless(state):
        turn.fail(_last_failure(state))
    elif state.endpoint_ready() and _is_wanted(state, turn.now):
        asked, state.restart_asked = state.restart_asked, None
        settings = renewed(state.settings, asked.settings) if asked else state.settings
        state.candidate = turn.start_generation(settings)
        state.deploy = Deploy(state.candidate.number, Outcome.STARTED)
        turn.note(
            Level.INFO,
            "generation_started",
            f"Generation {state.candidate.number} imports the flow.",
            generation=state.candidate.number,
        )


def _is_wanted(state: State, now: float) -> bool:
    return bool(state.restart_asked) or _replacement_at(state) <= now


def _replacement_at(state: State) -> float:
    return state.restart_rested_at if state.lacks_zygote() else inf


def _is_hopeless(state: State) -> bool:
    tried = state.failures >= state.settings.generation_tries
    return state.lacks_zygote() and tried and not any(state.serving())


def _last_failure(state: State) -> Failure:
    failure = state.last_failure or Failure("no generation could be started", exits.GAVE_UP)
    own = failure.code in (exits.USAGE, exits.FLOW)
    return failure if own else Failure(failure.why, exits.GAVE_UP)


def _retire_elders(turn: Turn) -> None:
    state = turn.state
    for generation in list(state.generations.values()):
        if not state.goes_on(generation) and not _is_needed(state, generation):
            turn.retire(generation)
            del state.generations[generation.number]


def _is_needed(state: State, elder: Generation) -> bool:
    reports = bool(state.debts) and state.forker() is elder
    return reports or elder is state.previous or any(state.workers_of(elder))
