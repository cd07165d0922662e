"""Attendants that stay as long as the program does.

1. They start at once, and nothing waits for them: the pool does without.
2. A lost one is a warning, and is started again: at once if it had lasted, else after a growing
   rest.
3. A drain needs them, too: it may be what they are for. So they go on until nothing is left to do,
   and are stopped then, with all others (``attendants``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.rest import rest
from supervisor.core.state import Standing
from supervisor.messages import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.core.state import Attendant, State
    from supervisor.core.turn import Turn

EC2 = "ec2"

WANTED: dict[str, Callable[[State], bool]] = {
    EC2: lambda state: state.settings.ec2 == "on",
}
"""Every companion's name, and whether the settings ask for it."""


def keep(turn: Turn) -> None:
    """Start those that are wanted and not there."""
    for name, due_at in list(_missing(turn.state)):
        if due_at <= turn.now:
            turn.start_attendant(name)


def next_deadline(state: State) -> float:
    """When the next one is started again."""
    return min((due_at for _, due_at in _missing(state)), default=inf)


def lose(turn: Turn, attendant: Attendant, why: str) -> None:
    """Tell of a loss, and let it rest."""
    settings, trouble = turn.state.settings, attendant.trouble
    lasted = turn.now - attendant.since >= settings.lasting
    trouble.in_a_row = 0 if lasted else trouble.in_a_row + 1
    seconds = rest(settings, trouble.in_a_row, turn.state.jitter)
    trouble.until = turn.now + seconds
    when = f"in {seconds:.1f} s" if seconds else "at once"
    turn.note(
        Level.WARNING,
        "attendant_lost",
        f"The {attendant.name} attendant is lost: {why}. It is started again {when}.",
        attendant=attendant.name,
    )


def _missing(state: State) -> Iterator[tuple[str, float]]:
    """Who is wanted and not there, and from when on it may be started."""
    if state.nothing_left():
        return
    for name, is_wanted in WANTED.items():
        attendant = state.attendants.get(name)
        if is_wanted(state) and (attendant is None or attendant.standing is Standing.GONE):
            yield name, attendant.trouble.until if attendant else -inf
