"""What the settings say of each task list: its seats, and the bounds of those sized by backlog.

1. People name a list as the settings do and as the commands do: by its full name, or an activity's
   by the activity's own.
2. A name that is no list's is refused with a sentence that tells which there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from supervisor.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.messages import TaskList
    from supervisor.spans import Span

T = TypeVar("T")


def pool_sizes(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, int]:
    """Seats wanted on each task list, in the flow's order.

    Raises ``SettingsError`` as ``spans`` does, for ``--pool`` too, and when no seat is left at all.
    """
    lists = tuple(task_lists)
    asked, bounds = _by_list("--pool", settings.pools, lists), spans(settings, lists)
    sizes = {each: asked.get(each, _usual_size(settings, each)) for each in lists}
    sizes |= {each: span.within(sizes[each]) for each, span in bounds.items()}
    if not any(sizes.values()) and not bounds:
        raise SettingsError(
            "No worker would run: every pool has zero seats. Raise --workers, --deciders or --pool."
        )
    return sizes


def spans(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, Span]:
    """The bounds of the lists that are sized by their backlog.

    Raises ``SettingsError`` for a list that the flow has not, or that is given twice, and for the
    decider's: how many decisions wait says little, for each takes milliseconds.
    """
    found = _by_list("--scale", settings.scale, tuple(task_lists))
    for each in found:
        if each.role != "activity":
            raise SettingsError(f"--scale {each.name}: it is the decider's list; use --deciders.")
    return found


def named(name: str, lists: Iterable[TaskList]) -> list[TaskList]:
    """The lists that people mean by a name: a full name, else an activity's own.

    A full one wins: the short ones of two activities may be alike.
    """
    known = tuple(lists)
    return [each for each in known if each.name == name] or [
        each for each in known if each.short == name
    ]


def _usual_size(settings: Settings, task_list: TaskList) -> int:
    return settings.deciders if task_list.role == "decider" else settings.workers


def _by_list(flag: str, given: dict[str, T], lists: tuple[TaskList, ...]) -> dict[TaskList, T]:
    by_list: dict[TaskList, T] = {}
    for name, value in given.items():
        found = named(name, lists)
        if len(found) != 1:
            raise SettingsError(f"{flag} {name}: {no_list(lists)}")
        if found[0] in by_list:
            raise SettingsError(f"The list {found[0].name} is given twice in {flag}.")
        by_list[found[0]] = value
    return by_list


def no_list(lists: Iterable[TaskList]) -> str:
    """What to say of a name that is not one list's."""
    known = ", ".join(each.short or each.name for each in lists) or "none"
    return f"the flow has no such task list; it has: {known}."
