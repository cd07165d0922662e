"""Keys of instances, and the handlers of throttled calls."""

from __future__ import annotations

import hashlib
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from garcon import utils
from tests.garcon.fakes import refusal


def test_key_is_the_sha1_that_running_executions_carry() -> None:
    """The key never changes, because histories have it in activity ids."""
    text = "'a':'1';'b':'x';"
    expected = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    assert utils.create_dictionary_key({"b": "x", "a": 1}) == expected


def test_keys_of_different_contents_differ() -> None:
    """Two contents have two keys."""
    assert utils.create_dictionary_key({"a": 1}) != utils.create_dictionary_key({"a": 2})


def test_only_a_throttle_is_not_a_non_throttle_error() -> None:
    """The ``giveup`` callback is true for every error but SWF's throttle."""
    assert not utils.non_throttle_error(refusal("ThrottlingException"))
    assert utils.non_throttle_error(refusal("UnknownResourceFault"))
    assert utils.non_throttle_error(ValueError("no response"))


@pytest.mark.parametrize(("code", "gives_up"), [("ThrottlingException", False), ("Other", True)])
def test_an_error_of_boto2_has_its_code_in_an_attribute(code: str, *, gives_up: bool) -> None:
    """As the reference documents it."""
    error = Exception()
    error.error_code = code  # type: ignore[attr-defined]
    assert utils.non_throttle_error(error) is gives_up


def test_backoff_handler_logs_attempt_and_wait(caplog: pytest.LogCaptureFixture) -> None:
    """It logs both through the owner's logger."""
    owner = SimpleNamespace(logger=logging.getLogger("garcon.owner"))
    with caplog.at_level(logging.INFO, "garcon.owner"):
        utils.throttle_backoff_handler({"args": (owner,), "tries": 3, "wait": 2.5})
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "3" in record.getMessage()
    assert "2.5" in record.getMessage()


@pytest.mark.parametrize("wrong", [{1: "a", "b": 2}, {None: 1, "a": 2}, {"a": "\ud800"}])
def test_a_dictionary_without_a_key_is_answered_with_a_sentence(wrong: Any) -> None:
    """It fails the workflow, whose author reads what to change."""
    with pytest.raises(
        (TypeError, ValueError), match=r"A generator's dictionary|cannot be: use texts"
    ):
        utils.create_dictionary_key(wrong)
