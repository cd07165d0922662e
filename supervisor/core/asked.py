"""What people ask of the pools, written down: sizes, quiet, resume.

1. What cannot be done is refused (``refusals``), in the log.
2. Here is only said what is wanted; ``pools`` gives and takes the seats.
3. One more or one fewer goes as far as the bounds, and stays there.
4. Whoever resumes a list says that it is well: its seats rest no more, and it is not degraded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.core.refusals import meant, refusal
from supervisor.messages import Level

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.messages import TaskList


def scale(event: messages.ScaleAsked, turn: Turn) -> None:
    """Want another number of workers on one list or several."""
    if _refused(event, turn):
        return
    for task_list in meant(event, turn.state):
        before = turn.state.pools[task_list].wanted
        size = before + event.by if event.size is None else event.size
        resize(turn, task_list, _possible(turn.state, task_list, size), event.why)


def quieten(event: messages.QuietAsked | messages.ResumeAsked, turn: Turn) -> None:
    """Want nobody on one list or several, or those again who were there."""
    if _refused(event, turn):
        return
    quiet = isinstance(event, messages.QuietAsked)
    for task_list in meant(event, turn.state):
        if turn.state.pools[task_list].quiet is not quiet:
            _turn_quiet(turn, task_list, event.why, quiet=quiet)


def resize(turn: Turn, task_list: TaskList, size: int, why: str) -> None:
    """Want so many workers of a list."""
    pool = turn.state.pools[task_list]
    if size == pool.wanted:
        return
    turn.note(
        Level.INFO,
        "scaled",
        f"{task_list.name}: {size} workers are wanted, {pool.wanted} were ({why}).",
        task_list=task_list.name,
        workers=size,
        before=pool.wanted,
        why=why,
    )
    pool.wanted, turn.state.resized = size, True


def _refused(event: messages.Event, turn: Turn) -> bool:
    why = refusal(event, turn.state)
    if why:
        turn.note(Level.WARNING, "refused", why)
    return bool(why)


def _possible(state: State, task_list: TaskList, size: int) -> int:
    span = state.pools[task_list].span
    return span.within(size) if span else min(max(size, 0), state.settings.most_workers)


def _turn_quiet(turn: Turn, task_list: TaskList, why: str, *, quiet: bool) -> None:
    pool = turn.state.pools[task_list]
    pool.quiet, pool.is_still, turn.state.resized = quiet, False, True
    if not quiet:
        _forgive(turn.state, task_list)
    what = "is quiet: no new polls, tasks in hand are finished" if quiet else "is polled again"
    turn.note(
        Level.INFO,
        "quiet" if quiet else "resumed",
        f"{task_list.name} {what} ({why}).",
        task_list=task_list.name,
        why=why,
    )


def _forgive(state: State, task_list: TaskList) -> None:
    for generation in filter(None, (state.current, state.candidate)):
        generation.degraded_at.pop(task_list, None)
        generation.early_deaths.pop(task_list, None)
        for seat in [each for each in generation.seat_troubles if each.task_list == task_list]:
            del generation.seat_troubles[seat]
