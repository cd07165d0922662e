"""The memory that a zygote shares with every worker that it forks."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garcon import tracing
from supervisor.child.poll_backoff import shared_outage_logs
from supervisor.logs import log

if TYPE_CHECKING:
    from supervisor.child.flow_loader import Flow
    from supervisor.child.poll_backoff import OutageLog
    from supervisor.ipc import messages

REPORTS = ":reports"
"""The key of the outage log that all reporters share; no task list has a colon in its name."""


class OnceForAll:
    """A flag that all processes share which are forked after it was made."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def take(self) -> bool:
        """Whether this is the first to ask."""
        is_first = self._byte[0] == 0
        self._byte[0] = 1
        return is_first


@dataclass(frozen=True)
class WorkerContext:
    """The flow, its settings, and the outage logs of its workers.

    Attributes:
        flow: The flow, as it was imported.
        load: The supervisor's order to the zygote.
        outage_logs: One for all workers of a task list, by the list's name, and one for reporters.
        stuck_wake: Whether a decider has woken stuck executions.
        is_traced: Whether workers trace.
    """

    flow: Flow
    load: messages.Load
    outage_logs: dict[str, OutageLog]
    stuck_wake: OnceForAll
    is_traced: bool

    def start_tracing(self) -> None:
        """Trace in this process, if workers trace; an exit handler sends the last spans.

        Not before the fork: the exporter has a thread.
        """
        if not self.is_traced:
            return
        try:
            tracing.start(service=self.flow.name)
        except tracing.TracingUnavailable as error:
            log.LOGGER.warning("This process is not traced. %s", error)


def worker_context(flow: Flow, load: messages.Load) -> WorkerContext:
    """Make it before any fork: outage logs and flag are shared memory."""
    names = [task_list.name for task_list in flow.task_lists]
    logs = shared_outage_logs([*names, REPORTS])
    return WorkerContext(flow, load, logs, OnceForAll(), is_traced=_is_traced(load))


def _is_traced(load: messages.Load) -> bool:
    """Whether workers trace; what they need for it is imported here, and shared."""
    if not (load.otel and tracing.is_configured()):
        return False
    try:
        tracing.load()
    except tracing.TracingUnavailable as error:
        log.LOGGER.warning("Nothing is traced. %s", error)
        return False
    return True
