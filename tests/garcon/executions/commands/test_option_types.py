"""Values of options."""

from __future__ import annotations

import contextlib
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions.commands import option_types

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS = (
    option_types.text,
    option_types.seconds,
    option_types.days,
    option_types.count,
    option_types.priority,
    option_types.address,
)


@pytest.mark.parametrize("check", CHECKS)
@given(st.text(max_size=40) | st.from_regex(r"https?://[\[\]:@/0-9a-z.]{0,20}"))
def test_any_text_is_taken_or_refused(check: Callable[[str], object], text: str) -> None:
    """No text raises another error than the one that argparse reports."""
    with contextlib.suppress(ArgumentTypeError):
        assert check(text) or check is option_types.priority


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8042",
        "https://swf.eu-central-1.amazonaws.com",
        "http://[::1]:8042/",
        "http://swf.local/path",
    ],
)
def test_an_address_stays_as_it_is(address: str) -> None:
    """Names, both kinds of numbers, ports and paths are valid."""
    assert option_types.address(address) == address
