"""The small processes beside the pool, and the end of everything.

1. ``endpoint`` (an SWF of our own, where ``local`` is set) starts first; without it nothing can be
   served, so its loss ends the program.
2. ``starter`` starts the executions that were asked for, once, when the pool first has its full
   strength. With ``once``, the end of the executions is the end of the program, and so is losing
   the starter before it.
3. Others stay as long as the program does (``companions``).
4. The program exits when no worker and no report is left. Attendants are stopped before that, in
   turn: the starter, whose last words may change the exit code; the companions, once the drain is
   reported, for when ``ec2`` lets its group go on the host may be gone at once; the endpoint, to
   which others may still speak. Who does not end within ``attendant_patience`` is not waited for:
   it reads end-of-file when we are gone.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core import companions, drain_report
from supervisor.core.generation import Failure
from supervisor.core.state import Attendant, Standing
from supervisor.messages import Level

if TYPE_CHECKING:
    from supervisor.core.state import Leaving, State
    from supervisor.core.turn import Turn

ENDPOINT = "endpoint"
STARTER = "starter"


def attend(turn: Turn) -> None:
    """Start attendants, and draw the consequences of those that ended."""
    state = turn.state
    for attendant in state.attendants.values():
        if attendant.lost:
            _lose(turn, attendant)
    companions.keep(turn)
    if state.leaving:
        return
    if _endpoint_late_at(state) <= turn.now:
        _fail(turn, f"it was not ready within {state.settings.import_patience:g} s")
    _start(turn)
    if state.settings.once and state.all_closed is not None:
        turn.drain("the executions have closed", code=0 if state.all_closed else exits.ABANDONED)


def see_out(turn: Turn) -> None:
    """When nothing is left to do: stop attendants, then the program."""
    leaving = turn.state.leaving
    if leaving is None or not turn.state.nothing_left():
        return
    _give_up_late(turn)
    if not _stopped(turn, STARTER):
        return
    if not leaving.reported:
        _report(turn, leaving)
    others = turn.state.attendants.keys() - {STARTER, ENDPOINT}
    if _stopped(turn, *sorted(others)) and _stopped(turn, ENDPOINT):
        turn.exit(leaving)


def next_deadline(state: State) -> float:
    """When an attendant is late, at its start or at its end."""
    ends = (_late_at(state, each) for each in state.attendants.values())
    return min([_endpoint_late_at(state), companions.next_deadline(state), *ends])


# --- starting and losing --------------------------------------------------------------------------


def _start(turn: Turn) -> None:
    state = turn.state
    if state.settings.local and ENDPOINT not in state.attendants:
        turn.start_attendant(ENDPOINT)
    if state.settings.start and STARTER not in state.attendants and _is_full(state):
        turn.start_attendant(STARTER)


def _is_full(state: State) -> bool:
    return state.current is not None and state.current.is_full


def _lose(turn: Turn, attendant: Attendant) -> None:
    why, attendant.lost = attendant.lost, ""
    if attendant.name == ENDPOINT:
        _fail(turn, why)
    elif attendant.name == STARTER:
        _lose_starter(turn, why, attendant.status)
    else:
        companions.lose(turn, attendant, why)


def _lose_starter(turn: Turn, why: str, status: int) -> None:
    if turn.state.all_closed is not None or turn.state.leaving:
        return
    if status == 0 and not turn.state.settings.once:
        return  # it was to start the executions, not to see them end
    text = f"the starter ended before the executions did: {why}"
    if turn.state.settings.once:
        turn.drain(text, code=exits.ABANDONED)
    else:
        turn.note(Level.WARNING, "attendant_lost", f"{text[0].upper()}{text[1:]}.")


def _fail(turn: Turn, why: str) -> None:
    turn.fail(Failure(f"there is no local SWF any more: {why}", exits.GAVE_UP))


def _endpoint_late_at(state: State) -> float:
    endpoint = state.attendants.get(ENDPOINT)
    if endpoint is None or endpoint.standing is not Standing.STARTING or state.leaving:
        return inf
    return endpoint.since + state.settings.import_patience


# --- the end --------------------------------------------------------------------------------------


def _stopped(turn: Turn, *names: str) -> bool:
    """Stop these if they are there; whether they are gone."""
    found = [each for each in turn.state.attendants.values() if each.name in names]
    for each in found:
        turn.stop_attendant(each)
    return all(each.standing is Standing.GONE for each in found)


def _report(turn: Turn, leaving: Leaving) -> None:
    leaving.reported = True
    if turn.state.settings.once and not turn.state.all_closed:  # whoever asked us to leave
        leaving.code = max(leaving.code, exits.ABANDONED)
    drain_report.tell(turn, leaving)


def _give_up_late(turn: Turn) -> None:
    for attendant in turn.state.attendants.values():
        if _late_at(turn.state, attendant) <= turn.now:
            attendant.standing = Standing.GONE
            turn.note(
                Level.WARNING,
                "attendant_left_behind",
                f"The {attendant.name} attendant did not end when asked; it is not waited for.",
            )


def _late_at(state: State, attendant: Attendant) -> float:
    stopping = attendant.standing is Standing.STOPPING
    return attendant.since + state.settings.attendant_patience if stopping else inf
