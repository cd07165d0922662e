"""The first difference between two states.

States are compared down to plain values, so that a new attribute of a state is compared without a
change here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """The path to the first difference, such as ``activities.flow_a.flow_a-1.states``, or None."""
    if type(one) is not type(other):
        return path or "."
    if isinstance(one, Mapping):
        return _of_members(one, other, path) or _of_attributes(one, other, path)
    if isinstance(one, Sequence) and not isinstance(one, str | bytes):
        return _of_members(dict(enumerate(one)), dict(enumerate(other)), path)
    if hasattr(one, "__dict__") and not callable(one):
        return _of_attributes(one, other, path)
    return None if one == other else path or "."


def _of_attributes(one: Any, other: Any, path: str) -> str | None:
    return _of_members(getattr(one, "__dict__", {}), getattr(other, "__dict__", {}), path)


def _of_members(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str) -> str | None:
    if one.keys() != other.keys():
        names = sorted(str(each) for each in one.keys() ^ other.keys())
        return f"{path}.{names[0]}".lstrip(".")
    return next(_differences(one, other, path), None)


def _differences(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str) -> Iterator[str]:
    for name, value in one.items():
        if found := difference(value, other[name], f"{path}.{name}".lstrip(".")):
            yield found
