"""How many processes a rolling restart may cost beside the pool.

1. Beside the pool are the living that serve, less the seats that are wanted: heirs, elders that end
   their last poll or task, canaries. Not counted is who of the current generation is relieved: a
   generation that returns does not wait until those it had told to leave have ended their tasks.
2. A seat that an elder still serves gets its heir while there are fewer of them than ``surge``.
3. A seat that nobody serves is filled whatever there is beside: strength comes before economy.
4. Canaries are not held back: without them nobody knows whether the code is any good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.messages import Seat


def room(state: State) -> int:
    """How many heirs of elders may be forked now."""
    if state.current is None:
        return 0
    wanted = len(state.wanted_seats(state.current))
    beside = sum(1 for _ in state.serving()) - len(state.current.relieved) - wanted
    return state.settings.surge.of(wanted) - beside


def kept_by_elders(state: State) -> set[Seat]:
    """The seats that an elder serves and goes on serving."""
    if len(state.generations) == 1:
        return set()
    elders = (each for each in state.serving() if not state.goes_on(each.generation))
    return {each.seat for each in elders if each.seat and each.is_strength}
