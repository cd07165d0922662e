"""Params: the source of a task's argument, such as a context key or a fixed value.

A param names the context keys it needs, so that they are sent to the activity, and makes the value
from the context.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from garcon.errors import GarconError


class UnknownParamException(GarconError):
    """The source of an argument is neither the name of a context key nor a param."""


class BaseParam:
    """Base of all params; a param of one's own inherits and defines ``get_data``."""

    @property
    def requirements(self) -> Iterator[str]:
        """The context keys that the value is made from; none if a subclass names none."""
        yield from ()

    def get_data(self, context: Mapping[str, Any]) -> Any:
        """The value of the argument in this context."""
        raise NotImplementedError


class Param(BaseParam):
    """The value of one context key, ``None`` if the context does not have it.

    Args:
        context_key: The key.
    """

    def __init__(self, context_key: str) -> None:
        self.context_key = context_key

    @property
    def requirements(self) -> Iterator[str]:
        """The one key."""
        yield self.context_key

    def get_data(self, context: Mapping[str, Any]) -> Any:
        """The key's value."""
        return context.get(self.context_key)


class StaticParam(BaseParam):
    """A fixed value, which needs no context key.

    Args:
        value: The value.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def requirements(self) -> Iterator[str]:
        """No key."""
        yield from ()

    def get_data(self, context: Mapping[str, Any]) -> Any:  # noqa: ARG002 - the params' interface
        """The fixed value, whatever the context."""
        return self.value


def parametrize(value: str | BaseParam) -> BaseParam:
    """The param of a ``fill`` argument: a text is the name of a context key.

    Raises:
        UnknownParamException: The value is neither a text nor a param.
    """
    if isinstance(value, BaseParam):
        return value
    if isinstance(value, str):
        return Param(value)
    raise UnknownParamException(
        f"{value!r} is neither the name of a context key nor a param; "
        "for a fixed value write param.StaticParam(value)."
    )


def get_all_requirements(params: Iterable[Any] | Mapping[str, Any]) -> set[str]:
    """The context keys that several params need.

    Args:
        params: Params or names of context keys, or a dictionary of them.
    """
    several = params.values() if isinstance(params, Mapping) else params
    return {key for param in several for key in _keys(parametrize(param))}


def _keys(param: BaseParam) -> Iterable[str]:
    # In production, params of users define `requirements` as a property or as a method.
    keys: Any = param.requirements
    required: Iterable[str] = keys() if callable(keys) else keys
    return required
