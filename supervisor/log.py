"""How every process of the supervisor logs: one line an event, to standard error.

Rules of this file:

1. A line has a time, a level, a sentence and key facts. ``text`` is for people, ``json`` gives one
   object a line with the facts as members. A report has further lines below its first.
2. Facts that hold for a whole process or task (generation, seat, task list, workflow id) are set
   once in ``standing`` and ride on every line, garcon's and the flow's own included.
3. garcon's logger names stay as they are documented (``garcon.{domain}.{workflow}.{run}``).
4. What looks like a secret is left out of every line, the flow's own included (``redaction``).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from supervisor import redaction

if TYPE_CHECKING:
    from supervisor.messages import Instance, LogStyle, Note

LOGGER = logging.getLogger("supervisor")

standing: dict[str, Any] = {}
"""Facts that ride on every line of this process."""


class Text(logging.Formatter):
    """``2026-11-23 10:15:02.123 INFO    sentence  key=value key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; below it the rest of a report, and the traceback where there is one."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        sentence, *more = record.getMessage().splitlines() or [""]
        head = f"{stamp}.{record.msecs:03.0f} {record.levelname:<7} {sentence}"
        told = [head + _as_pairs(_facts(record)), *more, *_traceback(self, record)]
        return redaction.text("\n".join(told))


class Json(logging.Formatter):
    """One JSON object a line: time (seconds since the epoch), level, message and all facts."""

    def format(self, record: logging.LogRecord) -> str:
        """The object; a traceback is a member of its own."""
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
            **_facts(record),
        }
        if trace := _traceback(self, record):
            line["traceback"] = "\n".join(trace)
        return json.dumps(redaction.value(line), default=str)


def configure(style: LogStyle) -> None:
    """Set this process's root logger up; the settings have checked the names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if style.format == "json" else Text())
    logging.basicConfig(level=style.level.upper(), handlers=[handler], force=True)
    # boto's and urllib3's own chatter is for debugging them, not a flow.
    for noisy in ("botocore", "boto3", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.root.level))


def stand_on(instance: Instance) -> None:
    """Let every line say on which EC2 instance it was written."""
    standing.update(instance=instance.id, zone=instance.zone, life_cycle=instance.life_cycle)


def write(note: Note, pid: int | None = None) -> None:
    """Write what the core wants people to read; ``pid`` is that of the worker it is about."""
    facts = {"event": note.event, **note.facts, "pid": pid}
    LOGGER.log(note.level, "%s", note.text, extra={"facts": facts})


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    own = getattr(record, "facts", {})
    return {key: value for key, value in {**standing, **own}.items() if value not in (None, "")}


_IN_WORDS = {"event", "why"}
"""Facts for machines: the sentence tells people the same."""


def _as_pairs(facts: dict[str, Any]) -> str:
    shown = (f"{key}={_quoted(value)}" for key, value in facts.items() if key not in _IN_WORDS)
    return "".join(f"  {pair}" if i == 0 else f" {pair}" for i, pair in enumerate(shown))


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text) if not text or set(text) & set(' "=\n') else text


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    return [formatter.formatException(record.exc_info)] if record.exc_info else []
