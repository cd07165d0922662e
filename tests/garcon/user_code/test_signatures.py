"""Signatures of the user's functions."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from garcon.user_code.signatures import signature_of


def plain(activity: Any, *, price: int = 1) -> None:
    """A task."""


class Unhashable:
    """A callable object that no dictionary takes."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, context: Any) -> None:
        """Do nothing."""


@pytest.mark.parametrize("fn", [plain, Unhashable(), Unhashable().__call__, len])
def test_the_signature_is_that_of_inspect(fn: Any) -> None:
    """This holds for any callable, also at the second look."""
    assert [signature_of(fn), signature_of(fn)] == [inspect.signature(fn)] * 2


def test_that_of_a_plain_function_is_read_once() -> None:
    """A worker calls the same task thousands of times."""
    assert signature_of(plain) is signature_of(plain)


def test_what_is_not_callable_is_refused() -> None:
    """As by ``inspect``."""
    with pytest.raises(TypeError):
        signature_of("text")  # type: ignore[arg-type]
