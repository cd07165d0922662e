"""Loggers named after the execution in progress: ``garcon.{domain}.{workflow_id}.{run_id}``.

Rules:

1. A logger belongs to the object that logs, and the execution to the thread that works on it:
   threads share an activity. A thread that has set none, such as one that a task starts, sees the
   execution that was set last.
2. The loggers are ``logging``'s own, so that handlers and levels of every name above apply. An
   execution's logger that was not configured is forgotten when the work on it ends: ``logging``
   would keep it for the life of the process, one more for every run.
"""

import itertools
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

LOGGER_PREFIX = "garcon"

_NAMED_AFTER = ("execution.domain", "execution.workflow_id", "execution.run_id")
_NONE: Mapping[int | None, str] = MappingProxyType({})
_current: ContextVar[Mapping[int | None, str]] = ContextVar("garcon_loggers", default=_NONE)
"""The names of the loggers in use in this thread, by the number of the object that logs."""

_numbers = itertools.count()  # not identities: a new object may get that of one that is gone


def get_logger_namespace(execution_context: Mapping[str, Any]) -> str:
    """The logger's name for an execution.

    Args:
        execution_context: ``execution.domain``, ``execution.workflow_id``, ``execution.run_id``;
            missing ones are left out of the name.
    """
    known = [str(part) for key in _NAMED_AFTER if (part := execution_context.get(key))]
    return ".".join([LOGGER_PREFIX, *known])


class GarconLogger:
    """Base of classes whose ``logger`` has the execution in its name.

    Set up a handler on the logger ``garcon``, with ``%(name)s`` in its format.
    """

    logger_name: str | None = None
    """Name of the logger that was set last, in whatever thread; ``None`` while none is set."""

    _log_number: int | None = None

    @property
    def logger(self) -> logging.Logger:
        """The logger of the execution in progress in this thread, else of the one set last."""
        name = _current.get().get(self._log_number) or self.logger_name or LOGGER_PREFIX
        return logging.getLogger(name)

    def set_log_context(self, execution_context: Mapping[str, Any]) -> None:
        """Set the execution that this thread works on.

        Args:
            execution_context: As for ``get_logger_namespace``.
        """
        name = get_logger_namespace(execution_context)
        if name == LOGGER_PREFIX:  # it names no execution
            return
        if self._log_number is None:
            self._log_number = next(_numbers)
        _current.set({**_current.get(), self._log_number: name})
        self.logger_name = name

    def unset_log_context(self) -> None:
        """Note that this thread no longer works on an execution."""
        names = _current.get()
        name = names.get(self._log_number, self.logger_name)
        if self._log_number in names:
            _current.set({each: names[each] for each in names if each != self._log_number})
        if name == self.logger_name:
            self.logger_name = None
        if name:
            _forget(name)


def _forget(name: str) -> None:
    """Take an execution's logger out of ``logging``'s books, unless it was configured."""
    loggers = logging.root.manager.loggerDict
    if name not in loggers:  # most often: nothing was logged under it
        return
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001 - held by ``getLogger``
        logger = loggers.get(name)
        if not isinstance(logger, logging.Logger) or logger.handlers or logger.filters:
            return
        if logger.level or name.count(".") <= 1:  # of a domain: there are few, and they are shared
            return
        del loggers[name]
        parent = name.rpartition(".")[0]
        while isinstance(place := loggers.get(parent), logging.PlaceHolder):
            place.loggerMap.pop(logger, None)
            if place.loggerMap:
                return
            del loggers[parent]
            parent = parent.rpartition(".")[0]
