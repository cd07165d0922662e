"""From events to facts, outside of the pool: sidecars, people, and the host.

The rules of ``record`` hold here, too.
"""

from __future__ import annotations

from functools import singledispatch
from math import inf
from typing import TYPE_CHECKING

from supervisor.core import operator_requests
from supervisor.core.causes import how_ended
from supervisor.core.deploy import kept_releases
from supervisor.core.pools import scaling
from supervisor.core.rules import interruptions, warm_pool
from supervisor.core.rules.drain import take_signal
from supervisor.core.state import SidecarState
from supervisor.ipc import messages
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from supervisor.core.turn import Turn


@singledispatch
def record_outside(event: messages.Event, turn: Turn) -> None:  # noqa: ARG001 - the cases use it
    """Write down what happened."""
    raise TypeError(f"{event!r} is not an event")


# --- sidecars -----------------------------------------------------------------------------------


@record_outside.register(messages.SidecarReady)
def _(event: messages.SidecarReady, turn: Turn) -> None:
    sidecar = turn.state.sidecars.get(event.name)
    if sidecar and sidecar.status is SidecarState.STARTING:
        sidecar.status, sidecar.since = SidecarState.READY, turn.now
        sidecar.was_ready, sidecar.build = True, event.build
        if sidecar.release:
            turn.note(
                Level.INFO,
                "retired_serving",
                f"Release {sidecar.release} is served as retired code.",
                sidecar=sidecar.name,
                build=event.build,
            )


@record_outside.register(messages.SidecarUnneeded)
def _(event: messages.SidecarUnneeded, turn: Turn) -> None:
    sidecar = turn.state.sidecars.get(event.name)
    if sidecar and sidecar.release and sidecar.status is SidecarState.READY:
        kept_releases.note_unneeded(turn, sidecar, event.seconds)


@record_outside.register(messages.SidecarLost)
def _(event: messages.SidecarLost, turn: Turn) -> None:
    sidecar = turn.state.sidecars.get(event.name)
    if sidecar and sidecar.status is not SidecarState.GONE:
        sidecar.ended_as_asked = sidecar.status is SidecarState.STOPPING
        sidecar.status, sidecar.exit_status = SidecarState.GONE, event.status
        if not sidecar.ended_as_asked:
            sidecar.lost = event.why or how_ended(event.status)


@record_outside.register(messages.TasksTaken)
def _(_event: messages.TasksTaken, turn: Turn) -> None:
    turn.state.handed_out.is_sending = False


@record_outside.register(messages.TasksEnded)
def _(event: messages.TasksEnded, turn: Turn) -> None:
    turn.state.handed_out.remove(event.numbers)


@record_outside.register(messages.AllClosed)
def _(event: messages.AllClosed, turn: Turn) -> None:
    turn.state.all_closed = event.completed
    how = "all completed" if event.completed else "not all completed"
    turn.note(Level.INFO, "all_closed", f"All executions of --start have closed; {how}.")


# --- requested by people, and by the host --------------------------------------------------------


@record_outside.register(messages.DrainRequested)
def _(event: messages.DrainRequested, turn: Turn) -> None:
    drain = turn.begin_drain(event.why, within=event.within)
    if event.within is None:
        take_signal(turn, drain, event.why)


@record_outside.register(messages.TerminationNotice)
def _(event: messages.TerminationNotice, turn: Turn) -> None:
    before = turn.state.drain.end_by if turn.state.drain else inf
    drain = turn.begin_drain(event.why, within=event.within)
    if drain.end_by < before:
        drain.end_why = event.why


@record_outside.register(messages.InstanceKnown)
def _(event: messages.InstanceKnown, turn: Turn) -> None:
    turn.state.instance = event.instance
    turn.state.may_be_taken_away = event.in_group or event.instance.life_cycle == interruptions.SPOT
    interruptions.warn(turn)


@record_outside.register(messages.WarmPool)
def _(event: messages.WarmPool, turn: Turn) -> None:
    warm_pool.note_warm_pool(turn, is_warm=event.is_warm)


@record_outside.register(messages.GroupSized)
def _(event: messages.GroupSized, turn: Turn) -> None:
    turn.state.group_size = event.hosts


@record_outside.register(messages.StopRequested)
def _(event: messages.StopRequested, turn: Turn) -> None:
    turn.stop(event.why)


@record_outside.register(messages.RestartRequested)
def _(event: messages.RestartRequested, turn: Turn) -> None:
    operator_requests.restart(event, turn)


@record_outside.register(messages.ScaleRequested)
def _(event: messages.ScaleRequested, turn: Turn) -> None:
    operator_requests.scale(event, turn)


@record_outside.register(messages.QuietRequested)
@record_outside.register(messages.ResumeRequested)
def _(event: messages.QuietRequested | messages.ResumeRequested, turn: Turn) -> None:
    operator_requests.quiet_or_resume(event, turn)


@record_outside.register(messages.Backlog)
def _(event: messages.Backlog, turn: Turn) -> None:
    scaling.size_by_backlog(event, turn)
