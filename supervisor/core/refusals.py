"""What of the things that people ask for cannot be done, and why: one sentence each.

1. Whoever asks over the control socket is told before anything happens. What arrives all the same,
   by a signal, is refused by the same rules in the log.
2. To leave is refused to who asks twice. A signal that comes twice is heard all the same: the
   second one means that it is to be sooner (``leaving``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.messages import Role
from supervisor.per_list import named, no_list

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.messages import TaskList

_NOT_YET = "No generation serves yet: ask again when one does."


def refusal(event: messages.Event, state: State) -> str:
    """Why this cannot be done now; empty if it can."""
    match event:
        case messages.RestartAsked() if state.leaving:
            return f"No restart: the program leaves ({state.leaving.why})."
        case messages.ScaleAsked() | messages.QuietAsked() | messages.ResumeAsked():
            return _refusal(event, state)
        case messages.DrainAsked() if state.leaving:
            return f"The program leaves already ({state.leaving.why}). 'stop' ends it now."
        case messages.StopAsked() if state.leaving and state.leaving.stopping:
            return f"The program stops already ({state.leaving.why})."
        case _:
            return ""


def meant(event: messages.ScaleAsked | Quieting, state: State) -> list[TaskList]:
    """The lists that are asked about."""
    if event.task_list is not None:
        return named(event.task_list, state.pools)
    activities = isinstance(event, messages.ScaleAsked)
    return [each for each in state.pools if not activities or each.role is Role.ACTIVITY]


Quieting = messages.QuietAsked | messages.ResumeAsked


def _refusal(event: messages.ScaleAsked | Quieting, state: State) -> str:
    if state.leaving:
        return f"The program leaves ({state.leaving.why}): nothing can be changed any more."
    if not state.pools:
        return _NOT_YET
    lists = meant(event, state)
    if event.task_list is not None and len(lists) != 1:
        return f"{event.task_list}: {no_list(state.pools)}"
    if isinstance(event, messages.ScaleAsked):
        return next(filter(None, (_unfit(event, state, each) for each in lists)), "")
    return _already(event, state, lists)


def _unfit(event: messages.ScaleAsked, state: State, task_list: TaskList) -> str:
    """Why the list cannot have as many workers as are asked for by number."""
    most, span = state.settings.most_workers, state.pools[task_list].span
    if event.size is None:
        return ""  # one more or fewer goes as far as it can
    if not 0 <= event.size <= most:
        return f"{task_list.name} can have 0 to {most} workers, not {event.size}."
    if span and span.within(event.size) != event.size:
        return f"{task_list.name} is sized by its backlog, --scale {span}: {event.size} is outside."
    return ""


def _already(event: Quieting, state: State, lists: list[TaskList]) -> str:
    wants_quiet = isinstance(event, messages.QuietAsked)
    if any(state.pools[each].quiet is not wants_quiet for each in lists):
        return ""
    if event.task_list is None:
        return "Every task list is quiet already." if wants_quiet else "No task list is quiet."
    name = lists[0].name
    return f"{name} is quiet already." if wants_quiet else f"{name} is not quiet."
