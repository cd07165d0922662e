"""Texts of users' objects, which are users' code."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from garcon.aws import limits
from garcon.user_code.text import loggable, repr_of, text_of, traceback_of


class Odd(Exception):
    """An exception whose texts raise."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__()
        self.error = error or KeyError("status")

    def __str__(self) -> str:
        raise self.error

    __repr__ = __str__


class OddNotes(Exception):
    """An exception with notes that cannot be read."""

    @property
    def __notes__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no notes")


class Shouting(str):
    """A text with methods of its own."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        raise RuntimeError("no part of it")

    encode = None  # type: ignore[assignment]


ODD_ERRORS = [KeyError("status"), SystemExit(3), asyncio.CancelledError(), RecursionError()]


@pytest.mark.parametrize("raised", ODD_ERRORS, ids=lambda each: type(each).__name__)
def test_a_text_that_raises_is_the_name_of_the_type(raised: BaseException) -> None:
    """Whatever ``str`` or ``repr`` raises, there is a text."""
    odd = Odd(raised)
    assert text_of(odd) == "Odd"
    assert repr_of(odd) == "<Odd>"
    assert limits.reason(odd) == "Odd"
    assert loggable(odd) == "Odd"
    assert traceback_of(odd).splitlines()[-1].startswith(f"{__name__}.Odd: <")


def test_a_printable_error_is_logged_as_itself() -> None:
    """Filters of users see the exception object in the record."""
    error = ValueError("sour")
    assert loggable(error) is error


def test_the_text_is_a_plain_one() -> None:
    """A subclass of ``str`` cannot fail later, where the text is cut or encoded."""
    assert type(text_of(Shouting("sour"))) is str
    assert limits.reason(Shouting("sour")) == "sour"


def test_a_traceback_without_readable_notes_names_frames_and_error() -> None:
    """An exception that cannot be formatted as a whole still shows where it was raised."""
    with pytest.raises(OddNotes) as caught:
        raise OddNotes("sour")
    shown = traceback_of(caught.value)
    assert "test_text.py" in shown
    # Python 3.13 adds a line of its own about notes that cannot be read.
    assert "OddNotes: sour\n" in shown
