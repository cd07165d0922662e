"""The log of every process of the supervisor: one record an event, to standard error.

Rules of this file:

1. A record has a time, a level, a sentence and facts (``formatters``).
2. Facts of a whole process or task (generation, slot, workflow id) are set once, in
   ``process_facts``, and stand on all its lines, also those of garcon and of the flow.
3. The names of garcon's loggers are documented (``garcon.{domain}.{workflow}.{run}``).
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from supervisor.logs.facts import process_facts
from supervisor.logs.formatters import LOGGER_NAME, JsonFormatter, TerminalFormatter, TextFormatter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LOGGER", "configure", "name_instance", "process_facts", "write"]

LOGGER = logging.getLogger(LOGGER_NAME)


def configure(level: str, log_format: str, handler: logging.Handler | None = None) -> None:
    """Set up this process's root logger; ``log_format`` is ``text`` or ``json``.

    Without a ``handler`` records go straight to standard error, and wait for its reader.
    """
    handler = handler or logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Their own debug lines help to mend them, not a flow.
    for name in ("botocore", "boto3", "urllib3"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


def _formatter(log_format: str) -> logging.Formatter:
    if log_format == "json":
        return JsonFormatter()
    return TerminalFormatter() if sys.stderr.isatty() else TextFormatter()


def name_instance(instance: str, zone: str, life_cycle: str) -> None:
    """Put the EC2 instance on all lines of this process."""
    process_facts.update(instance=instance, zone=zone, life_cycle=life_cycle)


def write(level: int, text: str, facts: Mapping[str, Any]) -> None:
    """Log one record with these facts beside its sentence."""
    LOGGER.log(level, "%s", text, extra={"facts": facts})
