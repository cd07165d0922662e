"""Params: the sources of a task's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import param

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Joined(param.BaseParam):
    """A param of one's own with its requirements as a property."""

    @property
    def requirements(self) -> Iterator[str]:
        yield from ("a", "b")

    def get_data(self, context: Mapping[str, Any]) -> Any:
        return f"{context.get('a')}{context.get('b')}"


class Called(param.BaseParam):
    """A param of one's own with its requirements as a method."""

    def requirements(self) -> list[str]:  # type: ignore[override]
        return ["c"]


def test_text_stands_for_a_context_key() -> None:
    """A text is the name of a key, whose value may be missing."""
    made = param.parametrize("key")
    assert list(made.requirements) == ["key"]
    assert (made.get_data({"key": 0}), made.get_data({})) == (0, None)


def test_a_static_param_needs_no_key() -> None:
    """A fixed value is the same in every context, and no key is sent for it."""
    static = param.StaticParam([1])
    assert list(static.requirements) == []
    assert static.get_data({"any": 2}) == [1]


def test_own_params_of_both_kinds_have_requirements() -> None:
    """``requirements`` may be a property or a method."""
    params = [Joined(), Called(), param.StaticParam(1), param.Param("d")]
    assert param.get_all_requirements(params) == {"a", "b", "c", "d"}
    assert param.get_all_requirements({"x": params[0], "y": "e"}) == {"a", "b", "e"}
    assert param.parametrize(params[0]).get_data({"a": 1, "b": 2}) == "12"


def test_anything_else_is_refused_with_a_hint() -> None:
    """The error for a plain value shows the right form."""
    with pytest.raises(param.UnknownParamException, match="StaticParam"):
        param.parametrize(3)  # type: ignore[arg-type]


def test_the_base_needs_no_key_and_gives_no_value() -> None:
    """A param of one's own has to define ``get_data`` alone."""
    base = param.BaseParam()
    assert list(base.requirements) == []
    with pytest.raises(NotImplementedError):
        base.get_data({})
