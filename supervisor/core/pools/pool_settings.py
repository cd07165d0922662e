"""The settings of each task list: its slots, and the bounds of a pool sized by its backlog.

Rules:

1. People name a list by its full name or, if it is an activity's, by the activity's own name.
2. An unknown name is refused with a sentence that lists the known ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from supervisor.config.setting_types import ALL, PollBounds
from supervisor.config.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.config.setting_types import PoolBounds
    from supervisor.ipc.messages import TaskList

T = TypeVar("T")

ANY_POLLS = PollBounds("1..10000")
"""The bounds of a list that ``--polls`` does not name: no pool is larger."""


class NothingToServe(SettingsError):
    """Retired code has no list of its own: it can end."""


def pool_sizes(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, int]:
    """The slots of each task list, in the flow's order.

    Raises ``SettingsError`` as ``pool_bounds`` does, for ``--pool`` too, and if there is no slot at
    all.
    """
    lists = tuple(task_lists)
    given, bounds = _by_list("--pool", settings.pools, lists), pool_bounds(settings, lists)
    sizes = {each: given.get(each, _default_size(settings, each)) for each in lists}
    sizes |= {each: found.clamp(sizes[each]) for each, found in bounds.items()}
    if not any(sizes.values()) and not bounds:
        if settings.served_list:
            raise NothingToServe("Other code serves every list that this retired code has.")
        raise SettingsError(
            "No worker would run: every pool has zero slots. Raise --workers, --deciders or --pool."
        )
    return sizes


def pool_bounds(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, PoolBounds]:
    """The bounds of the pools that are sized by their backlog.

    Raises ``SettingsError`` for a list that the flow does not have, for one that is given twice,
    and for no decider at all: executions would wait for the next count at every step.
    """
    found = _by_list("--scale", settings.scale, tuple(task_lists))
    for each, bounds in found.items():
        if each.role == "decider" and not bounds.least:
            raise SettingsError(
                f"--scale {each.name}={bounds}: this is the decider's list, and one decider has to"
                f" stay; write {each.name}=1..{bounds.most}."
            )
    return found


def poll_bounds(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, PollBounds]:
    """The bounds of the lists whose idle workers need a permit to poll.

    Raises ``SettingsError`` for a list that the flow does not have, and for one that is given
    twice.
    """
    lists = tuple(task_lists)
    given = {name: bounds for name, bounds in settings.polls.items() if name != ALL}
    by_list = _by_list("--polls", given, lists)
    usual = settings.polls.get(ALL, ANY_POLLS)
    bounds = {each: by_list.get(each, usual) for each in lists if each.role == "activity"}
    return {each: found for each, found in bounds.items() if not found.is_all}


def named(name: str, lists: Iterable[TaskList]) -> list[TaskList]:
    """The lists that a name can mean: a full name, else an activity's own.

    A full name wins, since two activities may have the same short one.
    """
    known = tuple(lists)
    return [each for each in known if each.name == name] or [
        each for each in known if each.short_name == name
    ]


def _default_size(settings: Settings, task_list: TaskList) -> int:
    if not settings.retired:
        return settings.deciders if task_list.role == "decider" else settings.workers
    if task_list.role == "decider":
        return min(settings.deciders, 1)
    # Without the lists that other code serves, only those of --pool have workers.
    served = settings.served_list
    return int(bool(served) and not {task_list.name, task_list.short_name} & {*served})


def _by_list(flag: str, given: dict[str, T], lists: tuple[TaskList, ...]) -> dict[TaskList, T]:
    by_list: dict[TaskList, T] = {}
    for name, value in given.items():
        found = named(name, lists)
        if len(found) != 1:
            raise SettingsError(f"{flag} {name}: {unknown_list(lists)}")
        if found[0] in by_list:
            raise SettingsError(f"The list {found[0].name} is given twice in {flag}.")
        by_list[found[0]] = value
    return by_list


def unknown_list(lists: Iterable[TaskList]) -> str:
    """The end of a refusal of a name that is not exactly one list's."""
    known = ", ".join(each.short_name or each.name for each in lists) or "none"
    return f"the flow has no such task list; it has: {known}."
