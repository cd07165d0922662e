"""Where a task's argument comes from: a key of the context, a fixed value, or one's own rule.

A param says which keys of the context it needs (so that they are sent to the activity) and, given
the context, its value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from garcon.errors import GarconError


class UnknownParamException(GarconError):
    """What was given to ``fill`` is neither the name of a context key nor a param."""


class BaseParam:
    """Base of all params; inherit and give both members."""

    @property
    def requirements(self) -> Iterator[str]:
        """The keys of the context that the value is made from."""
        raise NotImplementedError

    def get_data(self, context: Mapping[str, Any]) -> Any:
        """The value of the argument in this context."""
        raise NotImplementedError


class Param(BaseParam):
    """The value of one key of the context, ``None`` if it is not there."""

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
    """A value known when the flow is written; it needs nothing from the context."""

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
    """The param that ``value`` stands for: a text is the name of a context key.

    Raises:
        UnknownParamException: It is neither a text nor a param.
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
    """The context keys that these params need together.

    Args:
        params: Params or names of context keys; of a dictionary its values.
    """
    each = params.values() if isinstance(params, Mapping) else params
    return {key for param in each for key in _keys(parametrize(param))}


def _keys(param: BaseParam) -> Iterable[str]:
    # Own params in production have `requirements` both as a property and as a method.
    keys: Any = param.requirements
    found: Iterable[str] = keys() if callable(keys) else keys
    return found
