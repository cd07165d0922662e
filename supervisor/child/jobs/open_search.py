"""The search for an open execution of this build: a job of retired code, now and then.

Rules:

1. SWF's list of open executions says nothing of builds. So the newest events of each are read,
   until one is found whose latest note names this build. The oldest executions come first: old code
   has begun old ones.
2. It is bounded: one call for the list, one for each of ``MOST`` executions, five a second, and ten
   minutes. It makes no second attempt at a call: the account's budget belongs to the workers.
3. The search is complete only if each open execution was read, and its latest note, or a whole
   history without one. A refused call, more executions, or a note that is not among the newest
   events leave it incomplete: then no one knows, and the code goes on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from setproctitle import setproctitle

from garcon import client
from garcon.aws.single_attempt import single_attempt
from garcon.executions import listing, recorded_history
from garcon.history import build_notes
from garcon.utils import UNKNOWN, error_code
from supervisor.ipc.messages import OpenSearched
from supervisor.logs import log

if TYPE_CHECKING:
    from garcon.executions.recorded_history import Events
    from garcon.executions.values import Execution
    from supervisor.child.flow_loader import Flow
    from supervisor.child.shutdown import Shutdown

MOST = 1_000
"""Executions that are read: one page of the list."""

PAUSE = 0.2
"""Seconds between two calls: a twelfth of what an account has for histories."""

LONGEST = 600.0
"""Seconds of a whole search."""

NEWEST = 100
"""Events that are read of a history, as by ``wake_stuck``."""


def search(flow: Flow, worker: int, shutdown: Shutdown) -> int:
    """Search, and report what was found; returns the exit code."""
    setproctitle(f"garcon: searching open executions of {flow.name}")
    own = getattr(flow.target, "client", None)
    found = complete = False
    try:
        found, complete = _search(flow, client.calling(own), shutdown)
    except (*client.ERRORS, ValueError) as error:
        doing = f"searching for open executions of build {flow.build}"
        log.LOGGER.info("%s This code goes on.", client.explain(error, doing, own).sentence)
    shutdown.send(OpenSearched(worker, found, complete))
    return 0


def _search(flow: Flow, swf: Any, shutdown: Shutdown) -> tuple[bool, bool]:
    """Whether an execution of this build is open, and else whether all have been read."""
    until = time.monotonic() + LONGEST
    with single_attempt(swf):
        listed = listing.oldest_open(swf, flow.domain, flow.name, MOST + 1)
    complete = len(listed) <= MOST
    for each in listed[:MOST]:
        if not shutdown.wait(PAUSE) or time.monotonic() > until:
            return False, False
        latest = _newest(swf, flow.domain, each.execution)
        note = build_notes.latest(latest)
        if note and note.build == flow.build:
            return True, complete
        # Not the whole history: its note may stand before the events that were read.
        complete = complete and (note is not None or not latest or latest[-1]["eventId"] == 1)
    return False, complete


def _newest(swf: Any, domain: str, execution: Execution) -> Events:
    """The latest events, the latest first; none of an execution that is gone."""
    try:
        with single_attempt(swf):
            return recorded_history.newest(swf, domain, execution, NEWEST)
    except client.ERRORS as error:
        if error_code(error) != UNKNOWN:
            raise
        return []  # it has closed since it was listed, and its domain keeps nothing
