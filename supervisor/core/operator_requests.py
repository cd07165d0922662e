"""Requests of people: restart, scale, recycle, quiet, resume, drain, stop. Refused, or noted.

Rules:

1. A request over the control socket is checked before anything happens, and the client gets the
   refusal. A request that arrives by a signal is checked by the same rules, and refused in the log.
2. A second drain or stop is refused over the control socket. A second signal is not: it means that
   the program is to exit sooner (``drain``).
3. Here is only written down what is desired; ``pools`` gives and takes the slots.
4. One more or one fewer for all lists, by a signal, goes as far as the bounds allow, and stays
   there. A size of a named list that is out of bounds is refused, absolute or relative.
5. By resuming a list the operator declares it healthy: its streaks of early deaths end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config.setting_types import pool_size_refusal
from supervisor.core.deploy.settings_reload import RENEWABLE, changed
from supervisor.core.pools.pool_settings import named, unknown_list
from supervisor.core.pools.pools import resize
from supervisor.ipc import messages
from supervisor.ipc.messages import Level, Role

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import TaskList

QuietOrResume = messages.QuietRequested | messages.ResumeRequested


# --- refusing -------------------------------------------------------------------------------------


def refusal(event: messages.Event, state: State) -> str:
    """The reason why a request cannot be served now, in a sentence; empty if it can."""
    match event:
        case messages.RestartRequested() if state.drain:
            return f"Restart refused: the supervisor is draining ({state.drain.why})."
        case messages.ScaleRequested() | messages.QuietRequested() | messages.ResumeRequested():
            return _pool_refusal(event, state)
        case messages.WantsReplacement():
            return _recycle_refusal(event, state)
        case messages.DrainRequested() if state.drain:
            return (
                f"The supervisor is already draining ({state.drain.why})."
                " To end it now, use 'stop'."
            )
        case messages.StopRequested() if state.drain and state.drain.stopping:
            return f"The supervisor is already stopping ({state.drain.why})."
        case _:
            return ""


def _pool_refusal(event: messages.ScaleRequested | QuietOrResume, state: State) -> str:
    if state.drain:
        return f"The supervisor is draining ({state.drain.why}): its pools cannot be changed."
    if not state.pools:
        return "No generation is active yet: try again when one is."
    lists = _requested_lists(event, state)
    if event.task_list is not None and len(lists) != 1:
        return f"{event.task_list}: {unknown_list(state.pools)}"
    if isinstance(event, messages.ScaleRequested):
        return next(filter(None, (_size_refusal(event, state, each) for each in lists)), "")
    return _quiet_refusal(event, state, lists)


def _recycle_refusal(event: messages.WantsReplacement, state: State) -> str:
    if state.drain:
        return f"The supervisor is draining ({state.drain.why}): no worker is replaced."
    worker = state.workers.get(event.worker)
    slots = state.active.occupied if state.active else {}
    if worker is None or worker not in slots.values() or not worker.is_staying:
        return (
            f"Worker {event.worker} is leaving, or has a job of its own: only a worker of the"
            " active generation is recycled."
        )
    return ""


def _size_refusal(event: messages.ScaleRequested, state: State, task_list: TaskList) -> str:
    pool, size = state.pools[task_list], event.size
    if size is None:
        if event.task_list is None:
            return ""  # rule 4
        size = pool.desired + event.by
    if refusal := pool_size_refusal(task_list.name, size, state.settings.max_workers_per_list):
        return refusal
    if pool.bounds and pool.bounds.clamp(size) != size:
        return (
            f"{task_list.name} is sized by its backlog, --scale {pool.bounds}: {size} is outside."
        )
    return ""


def _quiet_refusal(event: QuietOrResume, state: State, lists: list[TaskList]) -> str:
    quiet = isinstance(event, messages.QuietRequested)
    if any(state.pools[each].quiet is not quiet for each in lists):
        return ""
    if event.task_list is None:
        return "Every task list is already quiet." if quiet else "No task list is quiet."
    return f"{lists[0].name} is already quiet." if quiet else f"{lists[0].name} is not quiet."


# --- writing down ---------------------------------------------------------------------------------


def restart(event: messages.RestartRequested, turn: Turn) -> None:
    """Remember that a new generation is desired, and name the settings that it cannot change."""
    if _refused(event, turn):
        return
    turn.state.restart_request = event
    kept = [each for each in changed(turn.state.settings, event.settings) if each not in RENEWABLE]
    if kept:
        names = ", ".join(kept)
        turn.note(
            Level.WARNING,
            "settings_kept",
            f"A restart does not change these settings: {names}. They keep their old values until"
            " the supervisor is ended and started again.",
            settings=names,
        )
    when = "begins when the present candidate is done" if turn.state.candidate else "begins now"
    turn.note(Level.INFO, "restart_requested", f"The restart {when}: {event.why}.")


def scale(event: messages.ScaleRequested, turn: Turn) -> None:
    """Change the desired number of workers of one list, or of every activity list."""
    if _refused(event, turn):
        return
    for task_list in _requested_lists(event, turn.state):
        before = turn.state.pools[task_list].desired
        size = before + event.by if event.size is None else event.size
        resize(turn, task_list, _bounded(turn.state, task_list, size), event.why)


def quiet_or_resume(event: QuietOrResume, turn: Turn) -> None:
    """Stop polling one list or all, or poll again."""
    if _refused(event, turn):
        return
    quiet = isinstance(event, messages.QuietRequested)
    for task_list in _requested_lists(event, turn.state):
        if turn.state.pools[task_list].quiet is not quiet:
            _set_quiet(turn, task_list, event.why, quiet=quiet)


def _refused(event: messages.Event, turn: Turn) -> bool:
    why = refusal(event, turn.state)
    if why:
        is_restart = isinstance(event, messages.RestartRequested)
        turn.note(Level.WARNING, "restart_refused" if is_restart else "request_refused", why)
    return bool(why)


def _requested_lists(
    event: messages.ScaleRequested | QuietOrResume, state: State
) -> list[TaskList]:
    """The lists that a request names; without a name all that it can mean."""
    if event.task_list is not None:
        return named(event.task_list, state.pools)
    only_activities = isinstance(event, messages.ScaleRequested)
    return [each for each in state.pools if not only_activities or each.role is Role.ACTIVITY]


def _bounded(state: State, task_list: TaskList, size: int) -> int:
    bounds = state.pools[task_list].bounds
    return bounds.clamp(size) if bounds else min(max(size, 0), state.settings.max_workers_per_list)


def _set_quiet(turn: Turn, task_list: TaskList, why: str, *, quiet: bool) -> None:
    pool = turn.state.pools[task_list]
    pool.quiet, pool.is_empty, turn.state.resized = quiet, False, True
    if not quiet:
        _forget_early_deaths(turn.state, task_list)
    what = "is quiet, and its tasks in progress finish" if quiet else "is polled again"
    turn.note(
        Level.INFO,
        "quiet" if quiet else "resumed",
        f"{task_list.name} {what}: {why}.",
        task_list=task_list.name,
        why=why,
    )


def _forget_early_deaths(state: State, task_list: TaskList) -> None:
    for generation in filter(None, (state.active, state.candidate)):
        for slot in [each for each in generation.slot_streaks if each.task_list == task_list]:
            del generation.slot_streaks[slot]
