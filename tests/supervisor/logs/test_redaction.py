"""Text that looks like a secret is left out of the log."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.logs import redaction
from supervisor.logs.formatters import JsonFormatter, TerminalFormatter, TextFormatter


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
        '{"url":"http://example.org/x","password":"geheim"}',
        "redis://:geheim@example.org/0",
        "amqp://ann:a@geheim@example.org",
    ],
)
def test_a_secret_is_recognised_by_the_name_beside_it(line: str) -> None:
    """Assignments, headers, addresses and dictionaries in Python and JSON lose their secrets."""
    shown = redaction.text(f"before {line} after")
    assert "geheim" not in shown
    assert redaction.HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_an_access_key_is_recognised_by_its_form() -> None:
    """It begins with four letters that AWS has chosen."""
    assert redaction.text("using AKIAIOSFODNN7EXAMPLE now") == f"using {redaction.HIDDEN} now"


@pytest.mark.parametrize(
    "line",
    [
        "Stack traces of worker 3:",
        "SWF no longer has the task resize-1: it timed out.",
        "http://127.0.0.1:4567/",
        "Missing authentication",
        "the tokens are gone",
        "[Errno 17] /tmp/passwords.txt: File exists",
        "mkdir: /run/db_password: File exists",
        "cannot create directory '/run/secrets': File exists",
        "myflow_secret-1: completed",
        "SWF says ExpiredTokenException: The security token has expired. Renew the credentials.",
        "Unable to locate credentials: give some",
        "workflow_id=order-17 run_id=22fHMbnZWcq0BfuVx6skEUKRRCQ/aBmXwmhwtKE6zmm5I=",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    """Redaction of ordinary sentences would make the log useless."""
    assert redaction.text(line) == line


def test_secret_members_are_left_out_at_any_depth() -> None:
    """Their names remain, and so do empty values."""
    value = {"a": [{"user": "ann", "Password": {"x": 1}}], "api_key": None, "n": 3}
    hidden = {"user": "ann", "Password": redaction.HIDDEN}
    assert redaction.value(value) == {"a": [hidden], "api_key": None, "n": 3}


def test_a_payload_is_redacted_and_cut() -> None:
    """JSON is redacted by its names, other text as text; a long payload is cut."""
    assert redaction.payload('{"token": "geheim"}') == f'{{"token": "{redaction.HIDDEN}"}}'
    assert "geheim" not in redaction.payload("token=geheim, not JSON")
    assert redaction.payload(None) == "null"
    long = redaction.payload(json.dumps("x" * 10_000))
    assert len(long) < 2_100
    assert "10,002 characters" in long
    assert redaction.payload("[" * 100_000).startswith("[[[")


PIECES = ("password=", "token: ", '"api_key": ', "//ann:", "x@", '"', " ", "bearer ", "geheim")


@given(st.lists(st.text(max_size=8) | st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_and_value_can_be_redacted(text: str) -> None:
    """Redaction never fails, and brings nothing back in a text that is redacted already."""
    once = redaction.text(text)
    assert redaction.text(once).count(redaction.HIDDEN) >= once.count(redaction.HIDDEN)
    redaction.value({text: [text]})


@pytest.mark.parametrize("style", [TextFormatter(), TerminalFormatter(), JsonFormatter()])
def test_every_line_of_the_log_is_redacted(style: logging.Formatter) -> None:
    """Its message, facts and traceback lose their secrets."""
    record = logging.LogRecord("flow", logging.INFO, "x", 1, "password=%s", ("geheim",), None)
    record.facts = {"token": "geheim2", "slot": "a/0"}
    record.exc_info = (ValueError, ValueError("api_key='geheim3'"), None)
    line = style.format(record)
    assert "geheim" not in line
    assert "a/0" in line
