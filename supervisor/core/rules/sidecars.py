"""The sidecars (small processes beside the pool), and the exit of the program.

Rules:

1. The *endpoint* (a local SWF, with ``local``) starts first; without it no task can be served, so
   its loss ends the program.
2. The *starter* starts the executions of ``start``, once, when the pool first has its full
   strength. With ``once``, the end of the executions is the end of the program, and so is the loss
   of the starter before it, and a list that is degraded before they are started.
3. The *ec2*, *monitor*, *emf* and *otel_metrics* sidecars start at once, and the pool does not wait
   for them; the *sampler* starts with the first active generation. A lost one is started again
   (``crash_loops``), in a drain as well: ``ec2`` may be what the drain is for, and the others show
   it. So does *heartbeats* once it is needed (``handing_out``).
4. The program exits when no worker and no owed report is left. Before that it stops the sidecars in
   turn: first the starter, whose last message may change the exit code; then the others, once the
   drain is reported, for when ``ec2`` completes its lifecycle hook the host may be gone at once;
   last the endpoint, which the others may still call. A sidecar that does not end within
   ``sidecar_timeout`` is not waited for: it reads end-of-file when the supervisor is gone.

Retired code runs as sidecars, too, by rules of its own (``kept_releases``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.failures import Failure, Streak
from supervisor.core.log_names import after, sentence
from supervisor.core.rules.crash_loops import back_off
from supervisor.core.rules.drain_report import note_report
from supervisor.core.state import LOCAL_ENDPOINT, Sidecar, SidecarState
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from supervisor.core.state import Drain, State
    from supervisor.core.turn import Turn

STARTER = "starter"
EC2 = "ec2"
MONITOR = "monitor"
EMF = "emf"
OTEL_METRICS = "otel_metrics"
SAMPLER = "sampler"
HEARTBEATS = "heartbeats"


def run_sidecars(turn: Turn) -> None:
    """Start the sidecars that are due, and settle those that were lost."""
    state = turn.state
    for sidecar in state.sidecars.values():
        if sidecar.lost and not sidecar.release:
            _settle_loss(turn, sidecar)
    for name in _independent_ones(state):
        if _due_at(state, name) <= turn.now:
            turn.start_sidecar(name, hosts=state.settings.hosts or state.group_size or 1)
    if state.drain:
        return
    if _endpoint_late_at(state) <= turn.now:
        _fail_without_swf(turn, f"it was not ready within {state.settings.import_timeout:g} s")
    _start_local_ones(turn)
    _fail_without_start(turn)
    if state.settings.once and state.all_closed is not None:
        code = 0 if state.all_closed else exit_codes.ABANDONED
        turn.begin_drain("all executions of --start have closed", code=code)


def stop_sidecars_and_exit(turn: Turn) -> None:
    """Stop the sidecars, then the program, when nothing else is left."""
    drain = turn.state.drain
    if drain is None or not turn.state.only_sidecars_left():
        return
    _abandon_late_ones(turn)
    if not _stopped(turn, STARTER):
        return
    if not drain.reported:
        _report_drain(turn, drain)
    others = turn.state.sidecars.keys() - {STARTER, LOCAL_ENDPOINT}
    if _stopped(turn, *sorted(others)) and _stopped(turn, LOCAL_ENDPOINT):
        turn.exit(drain)


def next_deadline(state: State) -> float:
    """Time at which a sidecar is due, or late at its start or its end."""
    ends = (_stop_late_at(state, each) for each in state.sidecars.values())
    starts = (_due_at(state, name) for name in _independent_ones(state))
    return min([_endpoint_late_at(state), *starts, *ends])


# --- starting -------------------------------------------------------------------------------------


def _independent_ones(state: State) -> tuple[str, ...]:
    """The sidecars that settings or handed-out tasks need, from their start to the pool's end."""
    if state.only_sidecars_left():
        return ()
    settings = state.settings
    wanted = {EC2: settings.ec2 == "on", MONITOR: settings.http is not None}
    wanted |= {HEARTBEATS: bool(state.handed_out.tasks)}
    wanted |= {EMF: settings.emf is not None, OTEL_METRICS: settings.otel_metrics}
    # It asks SWF for executions of the flow, whose name is known by then.
    wanted |= {SAMPLER: settings.sample_executions > 0 and state.active is not None}
    return tuple(name for name, is_wanted in wanted.items() if is_wanted)


def _due_at(state: State, name: str) -> float:
    """Time at which this sidecar may start; ``inf`` if it runs."""
    sidecar = state.sidecars.get(name)
    if sidecar is None:
        return -inf
    return sidecar.streak.backoff_until if sidecar.status is SidecarState.GONE else inf


def _start_local_ones(turn: Turn) -> None:
    state = turn.state
    if state.settings.local and LOCAL_ENDPOINT not in state.sidecars:
        turn.start_sidecar(LOCAL_ENDPOINT)
    if state.settings.start and STARTER not in state.sidecars and _is_full(state):
        turn.start_sidecar(STARTER)


def _is_full(state: State) -> bool:
    # Without a slot it would be full, too: in a warm pool, or before that is known.
    return state.active is not None and state.active.is_full and not state.holds_polls


def _endpoint_late_at(state: State) -> float:
    endpoint = state.sidecars.get(LOCAL_ENDPOINT)
    if endpoint is None or endpoint.status is not SidecarState.STARTING or state.drain:
        return inf
    return endpoint.since + state.settings.import_timeout


# --- losses ---------------------------------------------------------------------------------------


def _settle_loss(turn: Turn, sidecar: Sidecar) -> None:
    why, sidecar.lost = sidecar.lost, ""
    if sidecar.name == LOCAL_ENDPOINT:
        _fail_without_swf(turn, why)
    elif sidecar.name == STARTER:
        _settle_starter(turn, why, sidecar.exit_status)
    else:
        _back_off_sidecar(turn, sidecar, why)


def _fail_without_start(turn: Turn) -> None:
    """End a trial whose executions are never started: the pool does not get its full strength."""
    state = turn.state
    if not state.settings.once or STARTER in state.sidecars or state.active is None:
        return
    if state.active.degraded and state.candidate is None:
        lists = ", ".join(each.name for each in state.active.degraded)
        why = (
            f"no execution was started, for {lists} cannot keep its workers; the last death:"
            f" {state.last_death}"
        )
        turn.fail(Failure(why, exit_codes.GAVE_UP))


def _fail_without_swf(turn: Turn, why: str) -> None:
    turn.fail(Failure(f"the local SWF is lost: {why}", exit_codes.GAVE_UP))


def _settle_starter(turn: Turn, why: str, status: int) -> None:
    if turn.state.all_closed is not None or turn.state.drain:
        return
    if status == 0 and not turn.state.settings.once:
        return  # its work was to start the executions, not to see them end
    text = f"the starter ended before the executions closed: {why}"
    if turn.state.settings.once:
        # An error, because a live view shows warnings only, and the starter's own message is lost.
        turn.begin_drain(text, code=exit_codes.ABANDONED, level=Level.ERROR)
    else:
        turn.note(Level.WARNING, "sidecar_lost", sentence(f"{text}."), sidecar=STARTER)


def _back_off_sidecar(turn: Turn, sidecar: Sidecar, why: str) -> None:
    if turn.now - sidecar.since >= turn.state.settings.min_uptime:
        sidecar.streak = Streak()
        seconds = 0.0
    else:
        seconds = back_off(turn, sidecar.streak)
    turn.note(
        Level.WARNING,
        "sidecar_lost",
        f"The {sidecar.name} sidecar is lost: {why}. It is started again {after(seconds)}.",
        sidecar=sidecar.name,
    )


# --- the exit -------------------------------------------------------------------------------------


def _abandon_late_ones(turn: Turn) -> None:
    for sidecar in turn.state.sidecars.values():
        if _stop_late_at(turn.state, sidecar) <= turn.now:
            sidecar.status = SidecarState.GONE
            turn.note(
                Level.WARNING,
                "sidecar_left_behind",
                f"The {sidecar.name} sidecar did not end when asked to; the exit does not wait"
                " for it.",
                sidecar=sidecar.name,
            )


def _stop_late_at(state: State, sidecar: Sidecar) -> float:
    stopping = sidecar.status is SidecarState.STOPPING and not sidecar.release
    return sidecar.since + state.settings.sidecar_timeout if stopping else inf


def _stopped(turn: Turn, *names: str) -> bool:
    """Ask these sidecars to end; returns whether all are gone."""
    found = [each for each in turn.state.sidecars.values() if each.name in names]
    for each in found:
        turn.stop_sidecar(each)
    return all(each.status is SidecarState.GONE for each in found)


def _report_drain(turn: Turn, drain: Drain) -> None:
    drain.reported = True
    if turn.state.settings.once and not turn.state.all_closed:
        drain.code = max(drain.code, exit_codes.ABANDONED)  # however the drain began
    note_report(turn, drain)
