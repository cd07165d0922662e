"""Overrides of a class's documented methods: in a subclass, on an object, in a patched class."""

import inspect
from collections.abc import Callable, Iterable
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
    """Whether a ``get_history`` has the released form (identity, poll), not just (poll)."""
    parameters = inspect.signature(get_history).parameters.values()
    by_place = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    positional = [each for each in parameters if each.kind in by_place]
    required = [each.name for each in positional if each.default is each.empty]
    if len(required) == 1:
        return required == ["identity"]
    return len(positional) > 1 or any(each.kind is each.VAR_POSITIONAL for each in parameters)
