"""Generations: how one starts, proves itself and becomes active, and how it ends.

Rules:

1. A new generation is due at the start, when a restart is requested, and when the active zygote is
   lost: its workers go on, but cannot be replaced. There is one candidate at a time; of the
   restarts that are requested meanwhile, the last one is remembered.
2. A candidate proves itself: its zygote imports within ``import_timeout``, its startup jobs are
   done, then one canary of each task list gets ready and serves for ``min_uptime`` seconds, and
   fails no more tasks than the active generation's workers do (``failure_rate``). Then it becomes
   active: its settings apply, and it takes all slots. The first generation has no service to
   protect, so it becomes active once its startup jobs are done.
3. The startup jobs run one after the other, each in a fork of its own: the first registers the
   flow, the second replays the executions of ``gate_replay`` if deciders run. A job whose worker
   dies is attempted again (``crash_loops``). Open executions that it does not fit stop it, unless a
   kept release serves them (``kept_releases``).
4. A candidate fails if its zygote is lost or late, if SWF, the settings or a gate refuse it, if it
   fails more tasks, or if its workers are in a crash loop. A later candidate is given up, and the
   active generation goes on. The first one ends the program, unless its zygote was lost without a
   message: no process could be started, or it was killed from outside, and the next one may live.
   With ``once`` it ends in any case: a person waits.
5. While there is no zygote, candidates follow one another with growing waits. The program gives up
   when they are in a crash loop and no worker is left.
6. The zygote of a retiring generation is ended when its last worker is gone; that of the previous
   generation not before the probation is over (``probation``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.deploy.deploy_report import deploy_report
from supervisor.core.deploy.kept_releases import settle_misfit
from supervisor.core.deploy.probation import begin_probation
from supervisor.core.deploy.settings_reload import changed, renewed
from supervisor.core.failures import Failure, Gate, Streak
from supervisor.core.generation import Zygote
from supervisor.core.log_names import after
from supervisor.core.rules.crash_loops import back_off, early_deaths_failure, is_crash_loop
from supervisor.core.state import DeployOutcome, DeployRecord
from supervisor.ipc.messages import Level, Register, Replay, Role

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Job


def advance(turn: Turn) -> None:
    """Take the candidate one step on, end old generations, and start a new one if it is due."""
    if turn.state.candidate and turn.state.drain is None:
        _prove(turn, turn.state.candidate)
    # Before the next one starts: two zygotes at once cost their memory.
    _retire_old_generations(turn)
    if turn.state.candidate is None and turn.state.drain is None:
        _start_if_due(turn)


def next_deadline(state: State) -> float:
    """Time at which the candidate is late or may take its next step, or the next one may start."""
    if state.drain:
        return inf
    if state.candidate is None:
        return _replacement_due_at(state) if state.endpoint_ready() else inf
    return min(_import_late_at(state.candidate), _next_step_at(state, state.candidate))


# --- proving --------------------------------------------------------------------------------------


def _prove(turn: Turn, candidate: Generation) -> None:
    if candidate.misfit:
        settle_misfit(turn, candidate, candidate.misfit)
    if failure := candidate.failure or _failure(turn, candidate):
        _fail(turn, candidate, failure)
        return
    if candidate.misfit:
        return
    if candidate.can_fork and not candidate.startup_jobs_done:
        _fork_next_job(turn, candidate)
    if candidate.startup_jobs_done and _proved_at(turn.state, candidate) <= turn.now:
        _activate(turn, candidate)


def _failure(turn: Turn, candidate: Generation) -> Failure | None:
    if _import_late_at(candidate) <= turn.now:
        why = f"importing the flow took longer than {candidate.settings.import_timeout:g} s"
        return Failure(why, exit_codes.FLOW, Gate.IMPORT)
    return early_deaths_failure(candidate, turn.state)


def _fork_next_job(turn: Turn, candidate: Generation) -> None:
    job = _next_job(candidate)
    if job is None:
        candidate.startup_jobs_done = True
    elif _job_due_at(turn.state, candidate) <= turn.now:
        turn.fork(candidate, job)


def _next_job(candidate: Generation) -> Job | None:
    decides = any(size for each, size in candidate.sizes.items() if each.role is Role.DECIDER)
    if not candidate.registered:
        return Register(types=decides)
    histories = candidate.settings.gate_replay
    # The supervisor's own local SWF begins empty, and only --start begins executions there.
    is_new = not (histories.open and candidate.settings.local) and not candidate.settings.retired
    is_gated = is_new and not histories.is_off
    if is_gated and decides and not candidate.replayed:
        return Replay(str(histories))  # a plain ``str``: it is to travel over a channel
    return None


def _import_late_at(candidate: Generation) -> float:
    importing = candidate.zygote is Zygote.IMPORTING
    return candidate.started_at + candidate.settings.import_timeout if importing else inf


def _next_step_at(state: State, candidate: Generation) -> float:
    if candidate.misfit:
        return inf
    if candidate.startup_jobs_done:
        return _proved_at(state, candidate)
    return _job_due_at(state, candidate)


def _job_due_at(state: State, candidate: Generation) -> float:
    """Time at which the next startup job may begin; not while another one runs."""
    # Reporters do not count: they may run before the generation serves.
    busy = any(not each.is_reporter for each in state.workers_of(candidate))
    return inf if busy or not candidate.can_fork else candidate.job_streak.backoff_until


def _proved_at(state: State, candidate: Generation) -> float:
    """Time at which all canaries will have served long enough; the first generation needs none."""
    if state.active is None:
        return -inf
    canaries = [candidate.occupied.get(slot) for slot in candidate.canaries]
    uptimes = (
        each.uptime_reached_at(candidate.settings) if each and each.is_staying else inf
        for each in canaries
    )
    return max(uptimes, default=-inf)  # without canaries: all lists are quiet


# --- becoming active ------------------------------------------------------------------------------


def _activate(turn: Turn, candidate: Generation) -> None:
    state, settings = turn.state, candidate.settings
    new_settings = _describe_changes(state, candidate)
    begin_probation(state, settings)
    state.active, state.candidate = candidate, None
    state.lost_zygotes = Streak()
    state.deploy = DeployRecord(candidate.number, DeployOutcome.ACTIVE)
    candidate.activated_at = turn.now
    turn.apply_settings(settings)
    turn.note(
        Level.INFO,
        "generation_active",
        f"Generation {candidate.number} is active.{new_settings}",
        generation=candidate.number,
        workers=len(candidate.slots),
        **({"build": candidate.build} if candidate.build else {}),
    )


def _describe_changes(state: State, candidate: Generation) -> str:
    old, new = state.settings, candidate.settings
    names = changed(old, new)
    changes = [f"{each} {getattr(new, each)} (was {getattr(old, each)})" for each in names]
    return f" New settings: {', '.join(changes)}." if changes else ""


# --- failing --------------------------------------------------------------------------------------


def _fail(turn: Turn, candidate: Generation, failure: Failure) -> None:
    candidate.given_up = True
    turn.state.candidate = None
    lost = candidate.zygote is Zygote.GONE and failure.code == exit_codes.GAVE_UP
    if turn.state.active is None and (turn.state.settings.once or not lost):
        turn.fail(failure)
        return
    next_one = _back_off_start(turn, failure) if turn.state.lacks_zygote() else ""
    gate = failure.gate or candidate.gate
    active = turn.state.active.number if turn.state.active else None
    text = deploy_report(
        f"Generation {candidate.number} failed at the {gate} gate.{next_one}",
        gate=gate,
        why=failure.why,
        active=active,
        to_do=failure.to_do,
    )
    turn.state.deploy = DeployRecord(candidate.number, DeployOutcome.FAILED, text)
    turn.note(
        Level.ERROR,
        "generation_failed",
        text,
        generation=candidate.number,
        gate=gate.value,
        why=failure.why.splitlines()[0],
        active=active,
        **failure.facts,
    )


def _back_off_start(turn: Turn, failure: Failure) -> str:
    """Put off the start of the next generation; returns when it starts, for people."""
    turn.state.last_failure = failure
    seconds = back_off(turn, turn.state.lost_zygotes)
    return "" if _is_hopeless(turn.state) else f" The next one starts {after(seconds)}."


# --- starting and ending --------------------------------------------------------------------------


def _start_if_due(turn: Turn) -> None:
    state = turn.state
    if _is_hopeless(state):
        turn.fail(_last_failure(state))
    elif state.endpoint_ready() and _is_due(state, turn.now):
        restart, state.restart_request = state.restart_request, None
        settings = renewed(state.settings, restart.settings) if restart else state.settings
        state.candidate = turn.start_generation(settings)
        state.deploy = DeployRecord(state.candidate.number, DeployOutcome.STARTED)
        turn.note(
            Level.INFO,
            "generation_started",
            f"Generation {state.candidate.number} imports the flow.",
            generation=state.candidate.number,
        )


def _is_due(state: State, now: float) -> bool:
    return bool(state.restart_request) or _replacement_due_at(state) <= now


def _replacement_due_at(state: State) -> float:
    return state.lost_zygotes.backoff_until if state.lacks_zygote() else inf


def _is_hopeless(state: State) -> bool:
    in_loop = is_crash_loop(state.lost_zygotes.failures, state.settings)
    return state.lacks_zygote() and in_loop and not any(state.serving())


def _last_failure(state: State) -> Failure:
    failure = state.last_failure or Failure("no generation could be started", exit_codes.GAVE_UP)
    keeps_code = failure.code in (exit_codes.USAGE, exit_codes.FLOW)
    return failure if keeps_code else Failure(failure.why, exit_codes.GAVE_UP)


def _retire_old_generations(turn: Turn) -> None:
    state = turn.state
    for generation in list(state.generations.values()):
        if not state.fills_slots(generation) and not _is_needed(state, generation):
            turn.retire(generation)
            del state.generations[generation.number]


def _is_needed(state: State, retiring: Generation) -> bool:
    reports = bool(state.owed_reports) and state.forking_generation() is retiring
    return reports or retiring is state.previous or any(state.workers_of(retiring))
