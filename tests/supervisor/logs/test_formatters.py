"""One record is one line; no text that others wrote forges another or reaches the terminal."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.logs import formatters, log
from supervisor.logs.formatters import JsonFormatter, TerminalFormatter, TextFormatter
from tests.supervisor.logs.records import raised, record

if TYPE_CHECKING:
    from collections.abc import Iterator

FORGED = "late\n2026-11-29 07:26:41.076 ERROR   the disk is full\x1b[31m\r\u2028\x9b2J"

PLAIN = {"NO_COLOR": "1"}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setattr(time, "localtime", time.gmtime)
    yield
    log.process_facts.clear()


def fail(message: str) -> None:
    """Code of a flow that fails."""
    raise ValueError(message)


# --- one line -------------------------------------------------------------------------------------


def test_a_record_of_text_is_one_line() -> None:
    """Date, time, level, sentence and facts stand on it, in this order."""
    line = TextFormatter().format(record("Ready.", level=logging.WARNING, slot="a/0", lasted=1.5))
    assert line == "1970-01-01 00:00:01.250 WARNING Ready.  slot=a/0 lasted=1.5"


def test_a_record_on_a_terminal_is_short() -> None:
    """Time of day instead of the date; the level has its colour, time and facts are dim."""
    text = TerminalFormatter({}).format(record("Ready.", level=logging.ERROR, slot="a/0"))
    assert text == "\x1b[2m00:00:01\x1b[0m \x1b[31mERROR  \x1b[0m Ready.  \x1b[2mslot=a/0\x1b[0m"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_turned_off(environ: dict[str, str]) -> None:
    """``NO_COLOR`` and a dumb terminal get the same line without escape sequences."""
    line = TerminalFormatter(environ).format(record("Ready.", slot="a/0"))
    assert line == "00:00:01 INFO    Ready.  slot=a/0"


def test_a_record_of_json_is_one_object_with_all_facts() -> None:
    """It has an RFC 3339 timestamp, and each fact as a member, whatever the sentence shows."""
    text = JsonFormatter().format(record("Slot a/0 is ready.\nYes.", slot="a/0", event="ready"))
    line = json.loads(text)
    assert "\n" not in text
    assert line.pop("pid")
    assert line == {
        "timestamp": "1970-01-01T00:00:01.250Z",
        "level": "info",
        "logger": "supervisor",
        "message": "Slot a/0 is ready.\nYes.",
        "slot": "a/0",
        "event": "ready",
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1795937538.3016, "2026-11-29T07:32:18.301Z"),
        (0.9999, "1970-01-01T00:00:00.999Z"),
    ],
)
def test_timestamps_are_utc_with_milliseconds(seconds: float, text: str) -> None:
    """They are as in RFC 3339, and never rounded into the next second."""
    assert formatters.timestamp(seconds) == text


# --- text that others wrote -----------------------------------------------------------------------


@pytest.mark.parametrize("logger", ["supervisor", "garcon.shop", "flow"])
@pytest.mark.parametrize("style", [TextFormatter(), TerminalFormatter(PLAIN), JsonFormatter()])
def test_a_line_break_in_user_text_forges_no_record(style: logging.Formatter, logger: str) -> None:
    """In the sentence, in a fact and in a traceback it is escaped; so is an escape sequence."""
    error = raised(lambda: fail(FORGED))
    text = style.format(record(f"It said {FORGED}", logger=logger, error=error, reason=FORGED))
    first, *more = text.splitlines()
    assert "the disk is full" in first
    assert all(line.startswith("  ") for line in more)
    assert not [each for each in text if unicodedata.category(each) == "Cc" and each != "\n"]


@given(st.text(), st.text())
@example("a\n  b", "\x85\u2029")
def test_no_text_breaks_a_line_of_the_flow(message: str, value: str) -> None:
    """Whatever a flow logs is one line of text, and of JSON, without control characters."""
    made = record(message, logger="flow", value=value)
    for style in (TextFormatter(), TerminalFormatter(PLAIN), JsonFormatter()):
        line = style.format(made)
        assert len(line.splitlines()) == 1
        assert line.isprintable() or not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)


def test_a_report_keeps_its_lines() -> None:
    """Lines of a report of the supervisor are indented; other line breaks in it are escaped."""
    text = TextFormatter().format(record("Drained.\n  finished  a\n  died      b\nc", code=1))
    assert text.splitlines()[1:] == ["  finished  a", "  died      b\\nc"]
    assert text.splitlines()[0].endswith("Drained.  code=1")


def test_the_message_of_a_flow_loses_its_last_line_break() -> None:
    """A trailing line break is no content, and is not shown as one."""
    assert TextFormatter().format(record("done\n", logger="flow")).endswith(" done")


# --- setting it up --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log_format", "terminal", "kind"),
    [
        ("text", False, TextFormatter),
        ("text", True, TerminalFormatter),
        ("json", True, JsonFormatter),
    ],
)
def test_a_terminal_gets_the_compact_form(
    monkeypatch: pytest.MonkeyPatch,
    log_format: str,
    terminal: bool,  # noqa: FBT001 - a case
    kind: type,
) -> None:
    """Standard error decides for text; JSON stays JSON."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(logging, "basicConfig", lambda **given: seen.update(given))
    seen: dict[str, list[logging.Handler]] = {}
    log.configure("info", log_format)
    assert type(seen["handlers"][0].formatter) is kind


def test_facts_of_the_process_stand_on_all_lines() -> None:
    """Lines of garcon and of the flow have them too."""
    log.process_facts.update(generation=3, slot="make/0")
    line = TextFormatter().format(record("working", logger="flow"))
    assert line.endswith(" working  generation=3 slot=make/0")
    assert json.loads(JsonFormatter().format(record("working", logger="flow")))["slot"] == "make/0"


class Odd(Exception):
    """An object of a user's, whose text raises."""

    def __str__(self) -> str:
        raise asyncio.CancelledError


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_objects_without_a_text_are_logged(formatter: logging.Formatter) -> None:
    """Whatever a task logs, its line is written."""
    bare = logging.LogRecord("x", logging.INFO, "", 0, Odd(), (), (Odd, Odd(), None))
    filled = logging.LogRecord("x", logging.INFO, "", 0, "dish %s", (Odd(),), None)
    wrong = logging.LogRecord("x", logging.INFO, "", 0, "dish %d", ("soup",), None)
    filled.facts = {"dish": Odd()}
    lines = [formatter.format(each) for each in (bare, filled, wrong)]
    assert "Odd" in lines[0]
    assert "dish %s (its arguments cannot be shown: CancelledError)" in lines[1]
    assert "dish %d (its arguments cannot be shown: TypeError)" in lines[2]
