"""What looks like a secret is left out of what people read."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor import log, redaction


@pytest.mark.parametrize(
    "line",
    [
        "password=geheim",
        "PASSWORD: geheim",
        "token: geheim",
        'db_password="geheim und mehr"',
        "{'api_key': 'geheim'}",
        '{"accessToken": "geheim", "b": 1}',
        "aws_secret_access_key = geheim",
        "Authorization: Bearer geheim",
        "https://ann:geheim@example.org/x",
        "session-key=geheim;path=/",
    ],
)
def test_a_secret_is_known_by_the_name_beside_it(line: str) -> None:
    """In assignments, headers, addresses, and what Python and JSON make of dictionaries."""
    shown = redaction.text(f"before {line} after")
    assert "geheim" not in shown
    assert redaction.HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_an_access_key_is_known_by_its_form() -> None:
    """AWS gives them four letters to begin with."""
    assert redaction.text("using AKIAIOSFODNN7EXAMPLE now") == f"using {redaction.HIDDEN} now"


@pytest.mark.parametrize(
    "line",
    [
        "What worker 3 was at:",
        "SWF no longer has the task resize-1: it timed out.",
        "http://127.0.0.1:4567/",
        "Missing authentication",
        "the tokens are gone",
        "SWF says ExpiredTokenException: The security token has expired. Renew the credentials.",
        "Unable to locate credentials: give some",
        "workflow_id=order-17 run_id=22fHMbnZWcq0BfuVx6skEUKRRCQ/aBmXwmhwtKE6zmm5I=",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    """A net that catches everything would leave nothing to read."""
    assert redaction.text(line) == line


def test_values_of_telling_names_are_left_out_at_any_depth() -> None:
    """Names stay, and so does what is not there."""
    value = {"a": [{"user": "ann", "Password": {"x": 1}}], "api_key": None, "n": 3}
    hidden = {"user": "ann", "Password": redaction.HIDDEN}
    assert redaction.value(value) == {"a": [hidden], "api_key": None, "n": 3}


def test_a_payload_is_redacted_and_cut() -> None:
    """JSON by its names; what is no JSON, as text; what is long, by its beginning."""
    assert redaction.payload('{"token": "geheim"}') == f'{{"token": "{redaction.HIDDEN}"}}'
    assert "geheim" not in redaction.payload("token=geheim, and no JSON")
    assert redaction.payload(None) == "null"
    long = redaction.payload(json.dumps("x" * 10_000))
    assert len(long) < 2_100
    assert "10,002 characters" in long
    assert redaction.payload("[" * 100_000).startswith("[[[")


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text_and_value_can_be_shown(text: str) -> None:
    """Redacting never fails, and what is redacted stays as it is."""
    once = redaction.text(text)
    assert redaction.HIDDEN not in once or redaction.text(once).count(redaction.HIDDEN) >= 1
    redaction.value({text: [text]})


@pytest.mark.parametrize("style", [log.Text(), log.Json()], ids=["text", "json"])
def test_every_line_of_the_log_is_redacted(style: logging.Formatter) -> None:
    """Message, facts and traceback."""
    record = logging.LogRecord("flow", logging.INFO, "x", 1, "password=%s", ("geheim",), None)
    record.facts = {"token": "geheim2", "seat": "a/0"}
    record.exc_info = (ValueError, ValueError("api_key='geheim3'"), None)
    line = style.format(record)
    assert "geheim" not in line
    assert "a/0" in line
