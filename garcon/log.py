"""Loggers named after the execution at work: ``garcon.{domain}.{workflow_id}.{run_id}``.

Rules:

1. What is being worked on belongs to the thread of work, not to the activity, which threads share:
   it lives in a context variable.
2. A logger for one execution is not registered with ``logging``, which would keep it for the life
   of the process: one more for every run. It is a child of ``garcon.{domain}``, so it has the
   handlers and level set up there or above.
"""

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

LOGGER_PREFIX = "garcon"

_NAMED_AFTER = ("execution.domain", "execution.workflow_id", "execution.run_id")
_current: ContextVar[logging.Logger | None] = ContextVar("garcon_logger", default=None)


def get_logger_namespace(execution_context: Mapping[str, Any]) -> str:
    """The logger's name for an execution; members the context does not have are left out."""
    known = (execution_context.get(key) for key in _NAMED_AFTER)
    return ".".join([LOGGER_PREFIX, *(str(part) for part in known if part)])


class GarconLogger:
    """Gives its heirs a ``logger`` that carries the execution in its name.

    Set up a handler on the logger ``garcon``, with ``%(name)s`` in its format.
    """

    @property
    def logger(self) -> logging.Logger:
        """The logger of the execution at work in this thread, else the logger ``garcon``."""
        return _current.get() or logging.getLogger(LOGGER_PREFIX)

    def set_log_context(self, execution_context: Mapping[str, Any]) -> None:
        """From now on this thread works on the execution of these ``execution.*`` members."""
        _current.set(_logger_for(execution_context))

    def unset_log_context(self) -> None:
        """This thread works on no execution any more."""
        _current.set(None)


def _logger_for(execution_context: Mapping[str, Any]) -> logging.Logger:
    logger = logging.getLoggerClass()(get_logger_namespace(execution_context))
    domain = {key: execution_context.get(key) for key in _NAMED_AFTER[:1]}
    logger.parent = logging.getLogger(get_logger_namespace(domain))
    return logger
