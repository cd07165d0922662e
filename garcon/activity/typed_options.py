"""Options of an activity by their attributes: older names, bare tasks, unknown options."""

import warnings
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from garcon import runner

_ALIASES = {"tasks": "run", "generator": "generators", "runner": "run"}
_ATTRIBUTES = frozenset(
    {
        "client",
        "domain",
        "generators",
        "name",
        "on_exception",
        "priority",
        "requires",
        "restartable",
        "retry",
        "schedule_to_start",
        "task_list",
        "version",
    }
)
_LISTS = ("requires", "generators")
_OF_EXTERNAL = frozenset({"external", "timeout", "heartbeat", "needs"})  # ``create`` has used them


def attributes_of(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The attributes of an activity that these options set; an option that is ``None`` sets none.

    Args:
        data: Options by their current or older names. An unknown one is a ``UserWarning``.
    """
    options = dict(data or {})
    for older, name in _ALIASES.items():
        value = options.pop(older, None)
        if options.get(name) is None:  # else the current name wins, as in 1.1.1
            options[name] = value
    for name in _LISTS:
        if isinstance(options.get(name), AbstractSet | Iterator):
            options[name] = [*options[name]]
    run = options.pop("run", None)
    _warn_of(options.keys() - _ATTRIBUTES - _OF_EXTERNAL)
    if options.get("schedule_to_start") == 0:  # as in 1.1.1, not given
        _warn("schedule_to_start=0 counts as not given; write seconds above 0.")
        del options["schedule_to_start"]
    found = {
        name: value for name, value in options.items() if name in _ATTRIBUTES and value is not None
    }
    return found if run is None else {**found, "runner": _runner_of(run)}


def _runner_of(run: Any) -> runner.BaseRunner:
    """A runner as it is; ``Sync`` for a task or a list of tasks."""
    if isinstance(run, list | tuple):
        return runner.Sync(*run)
    if callable(run) and not hasattr(run, "execute"):
        return runner.Sync(run)
    own: runner.BaseRunner = run  # of any class that has the methods of one
    return own


def _warn_of(unknown: set[str]) -> None:
    if unknown:
        names = ", ".join(sorted(unknown))
        _warn(f"An activity has no option {names}; remove it, or correct its name.", stacklevel=6)


def _warn(text: str, stacklevel: int = 5) -> None:
    warnings.warn(
        text, stacklevel=stacklevel
    )  # the line of the flow that calls ``create``'s function
