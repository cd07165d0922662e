"""Wakes stuck executions that new code may fit, when it begins to decide.

A stuck execution waits by a timer, up to an hour. Code that may fit it need not wait as long.

Rules:

1. One decider of each generation does so, once, in a thread beside its polls.
2. Its calls are bounded: one for a list of open executions, and one for each of ``SAMPLE`` of them,
   chosen at random. If none of the first ``FIRST_SAMPLE`` is stuck, it ends: in a fleet most such
   searches find none.
3. A stuck execution is woken by a signal, unless this build is known not to fit it. The decision
   task that follows is the whole test: code that fits goes on, other code returns it. Retired code
   wakes those of its own build alone: no others come to it.
4. Nothing depends on it: its errors are logged, and the execution's timer comes anyway.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from garcon import client
from garcon.executions import criteria, listing, recorded_history
from garcon.executions.values import Status
from garcon.history import build_notes
from garcon.history.reserved_timers import WAKE_SIGNAL
from supervisor.logs import log

if TYPE_CHECKING:
    from garcon.executions.values import Execution
    from supervisor.child.flow_loader import Flow

LISTED = 1_000
SAMPLE, FIRST_SAMPLE = 200, 50
PAUSE = 0.1
"""Seconds between two calls: a sixth of what an account has for histories."""

NEWEST = 100
"""Events that are read of a history: the latest answer is nearly always among them."""


def wake_stuck_executions(
    flow: Flow, rest: threading.Event | None = None, *, retired: bool = False
) -> int:
    """Wake stuck executions that this build may fit; returns their number.

    Args:
        flow: The flow.
        rest: Waits between two calls.
        retired: Whether only executions of this build come to its deciders.
    """
    swf: Any = client.calling(getattr(flow.target, "client", None))
    woken = 0
    try:
        for number, execution in enumerate(_chosen(swf, flow), start=1):
            woken += _wake(swf, flow, execution, retired=retired)
            if number == FIRST_SAMPLE and not woken:
                break
            (rest or threading.Event()).wait(PAUSE)
    except client.ERRORS as error:
        doing = f"looking for stuck executions of {flow.name}"
        log.LOGGER.info("%s", client.explain(error, doing, swf).sentence)
    if woken:
        log.LOGGER.info("Woke %d stuck executions: this code may fit them.", woken)
    return woken


def _chosen(swf: Any, flow: Flow) -> list[Execution]:
    wanted = criteria.Criteria(names=frozenset({flow.name}), statuses=frozenset({Status.OPEN}))
    found = [each.execution for each in listing.take(swf, flow.domain, wanted, LISTED)]
    return random.sample(found, min(SAMPLE, len(found)))


def _wake(swf: Any, flow: Flow, execution: Execution, *, retired: bool) -> bool:
    note = build_notes.latest(recorded_history.newest(swf, flow.domain, execution, NEWEST))
    if note is None or not note.is_stuck or flow.build in note.misfits:
        return False
    if retired and note.build != flow.build:
        return False
    swf.signal_workflow_execution(
        domain=flow.domain,
        workflowId=execution.workflow_id,
        runId=execution.run_id,
        signalName=WAKE_SIGNAL,
    )
    return True
