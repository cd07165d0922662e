"""Formats of the log: text for files, a compact form for terminals, JSON for collectors.

Rules of this file:

1. A record of text is one line: time, level, sentence, facts. Only a report of the supervisor and a
   traceback have more lines; each begins with two spaces, as no record does.
2. Text shows a fact only if the sentence does not (``facts``); JSON has all facts.
3. Text that others wrote has no control characters (``control_characters``), and no secret as far
   as it can be recognised (``redaction``), in sentence, facts and traceback.
4. A record of JSON is always one line.
"""

from __future__ import annotations

import json
import logging
import os
import time
from typing import TYPE_CHECKING, Any

from supervisor.logs import redaction, tracebacks
from supervisor.logs.control_characters import escape, report_lines
from supervisor.logs.facts import facts_of, shown_facts
from supervisor.logs.safe_text import message, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGGER_NAME = "supervisor"


class TextFormatter(logging.Formatter):
    """``2026-11-23 10:15:02.123 INFO    sentence  key=value key=value``, in local time."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the rest of a report and the traceback."""
        sentence = redaction.text(message(record).rstrip())
        first, *more = _sentence_lines(record, sentence)
        facts = redaction.text(" ".join(shown_facts(sentence, facts_of(record))))
        trace = (f"  {redaction.text(line)}" for line in _trace(record))
        return "\n".join([self._head(record, first, facts), *more, *trace])

    def _head(self, record: logging.LogRecord, sentence: str, facts: str) -> str:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        line = f"{stamp}.{record.msecs:03.0f} {record.levelname:<7} {sentence}"
        return f"{line}  {facts}" if facts else line


_DIM, _RESET = "\x1b[2m", "\x1b[0m"
_COLOURS = {
    logging.DEBUG: _DIM,
    logging.INFO: "\x1b[32m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}


class TerminalFormatter(TextFormatter):
    """``10:15:02 INFO    sentence  key=value``: the level coloured, the facts dim.

    Without colour if ``NO_COLOR`` is set (https://no-color.org) or the terminal has none.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._has_colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def _head(self, record: logging.LogRecord, sentence: str, facts: str) -> str:
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = self._in(_COLOURS.get(record.levelno, ""), f"{record.levelname:<7}")
        line = f"{self._in(_DIM, stamp)} {level} {sentence}"
        return f"{line}  {self._in(_DIM, facts)}" if facts else line

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if colour and self._has_colour else text


class JsonFormatter(logging.Formatter):
    """One JSON object: ``timestamp``, ``level``, ``logger``, ``message``, ``pid`` and all facts."""

    def format(self, record: logging.LogRecord) -> str:
        """The object; a traceback is a member of its own."""
        line: dict[str, Any] = {
            "timestamp": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record),
            "pid": record.process,
            **facts_of(record),
        }
        if trace := _trace(record):
            line["traceback"] = "\n".join(trace)
        return json.dumps(redaction.value(line), default=text_of)


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as in RFC 3339: UTC, with milliseconds."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03}Z"


# --- sentences and tracebacks ---------------------------------------------------------------------


def _sentence_lines(record: logging.LogRecord, sentence: str) -> list[str]:
    return report_lines(sentence) if record.name == LOGGER_NAME else [escape(sentence)]


def _trace(record: logging.LogRecord) -> list[str]:
    """The traceback; at level debug nothing of it is folded."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return []
    is_debugging = logging.root.isEnabledFor(logging.DEBUG)
    return tracebacks.lines(error, sentence=message(record), fold=not is_debugging)
