"""Documented methods of a decider: their forms, and overrides (in a subclass, object or class)."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class Overridables:
    """The documented methods of a class.

    They are read once, when the class is made: a class that is patched later counts as overridden.

    Args:
        owner: The class.
        names: The methods' names.
    """

    def __init__(self, owner: type, names: Iterable[str]) -> None:
        self._originals = {name: getattr(owner, name) for name in names}

    def is_overridden(self, instance: Any, name: str) -> bool:
        """Whether a method of an object is not the class's own."""
        return name in vars(instance) or getattr(type(instance), name) is not self._originals[name]

    def any_overridden(self, instance: Any) -> bool:
        """Whether any of the methods is not the class's own."""
        owner = type(instance)
        if {name: getattr(owner, name) for name in self._originals} != self._originals:
            return True
        return not vars(instance).keys().isdisjoint(self._originals)


def takes_identity(get_history: Callable[..., Any]) -> bool:
    """Whether a ``get_history`` has the form of 1.1.1 (identity, poll), not just (poll)."""
    parameters = inspect.signature(get_history).parameters.values()
    by_place = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    positional = [each for each in parameters if each.kind in by_place]
    required = [each.name for each in positional if each.default is each.empty]
    if len(required) == 1:
        return required == ["identity"]
    return len(positional) > 1 or any(each.kind is each.VAR_POSITIONAL for each in parameters)


def identity_and_poll(args: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Any, Any]:
    """The arguments of ``get_history``, which may be given by place, by name, or both.

    Args:
        args: ``(poll)`` or ``(identity, poll)``.
        options: ``identity`` and ``poll``, where they are given by name.

    Raises:
        TypeError: With the forms that are right.
    """
    places = [name for name in ("identity", "poll") if name not in options]
    given = {**dict(zip(places[-len(args) :], args, strict=False)), **options}
    if len(args) > len(places) or "poll" not in given or given.keys() - {"identity", "poll"}:
        raise TypeError("The forms are get_history(poll) and get_history(identity, poll).")
    return given.get("identity"), given["poll"]
