"""The reporter: a fork that speaks for a dead worker, and ends.

Rules of this file:

1. It tells SWF what the order says, and insists: a throttle, a reset, refused credentials are tried
   again until SWF accepts, or the time is over; then it ends unheard, and the supervisor sends
   another. That it goes on when the supervisor dies meanwhile is on purpose: nobody else will.
2. That SWF no longer knows the task is as good an end as any: somebody, or a timeout, was quicker.
   An earlier try of its own, too, whose answer was lost on the way.
3. Before it fails a task for a death it counts earlier ones (``poison``). The count may not delay
   the report: it is given a moment, and without it this death is the first.
4. A decision task cannot be failed (there is no such call). It is answered with a timer of zero
   seconds, which makes the next decision task come at once, by the flow's own list: that of the
   dead decider alone has nobody any more.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from setproctitle import setproctitle

from garcon import client, decider, trouble
from garcon.utils import UNKNOWN, error_code
from supervisor import log, messages, poison, spool
from supervisor.insisting import insist
from supervisor.messages import Cancel, Complete, Fail, HandBack, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.flow import Flow
    from supervisor.leaving import Leaving
    from supervisor.worker import Estate

REPORT_SECONDS = 45.0
"""Seconds that one reporter tries: less than its supervisor's patience with it."""

COUNT_SECONDS = 1.0
"""Seconds that counting earlier deaths may take: ten times what it takes SWF."""

COUNT_PAGES, COUNT_EVENTS = 20, 250
"""Pages of history that are looked through, the latest first, and events a page: retries follow on
each other, so the first page nearly always tells, and it is small."""

REPORTS = ":reports"
"""Whose voice tells that SWF does not take reports; no task list can have this name."""

_RESULTS: dict[type, Result] = {
    Complete: Result.COMPLETED,
    Fail: Result.FAILED,
    Cancel: Result.CANCELED,
    HandBack: Result.COMPLETED,
}


def report(estate: Estate, order: messages.Report, worker: int, leaving: Leaving) -> int:
    """Tell SWF what the order says, and the supervisor how that went; returns the exit code."""
    task = order.task
    name = task.activity_id or "a decision"
    setproctitle(f"garcon: reporting {name} of {task.workflow_id}")
    own = getattr(estate.flow.target, "client", None)
    answer = _judged(order, estate.flow, client.calling(own))
    what = f"reporting {name} of {task.workflow_id}"

    def attempt() -> None:
        tell(client.calling(own), task.token, answer, estate.flow.name)

    try:
        _deliver(attempt, what, order, estate)
    except client.ERRORS as error:
        result = _given_up(error, what)
    else:
        result = _RESULTS[type(answer)]
    if result is None:
        return 1
    spool.forget(estate.load.spool, task)
    leaving.say(messages.Done(worker, result))
    return 0


def tell(swf: Any, token: str, answer: messages.Answer, task_list: str) -> None:
    """The call that carries this answer. ``swf`` is a boto3 client; its stubs ask for more precise
    decisions than garcon's. ``task_list`` is where a decision that is handed back comes again.
    """
    match answer:
        case Complete(result):
            swf.respond_activity_task_completed(taskToken=token, **_given(result=result))
        case Fail(reason, details):
            given = _given(reason=reason, details=details)
            swf.respond_activity_task_failed(taskToken=token, **given)
        case Cancel(details):
            swf.respond_activity_task_canceled(taskToken=token, **_given(details=details))
        case HandBack():
            swf.respond_decision_task_completed(
                taskToken=token, decisions=decider.hand_back(), taskList={"name": task_list}
            )


def _given(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _deliver(call: Callable[[], None], what: str, order: messages.Report, estate: Estate) -> None:
    seconds = REPORT_SECONDS if order.within is None else min(REPORT_SECONDS, order.within)
    insist(call, what, seconds, _rest, trouble.may_be_taken, voice=estate.voices[REPORTS])


def _rest(seconds: float) -> bool:
    """Whoever asks a reporter to leave asks nobody else to deliver what it holds: it goes on."""
    time.sleep(seconds)
    return True


def _given_up(error: Exception, what: str) -> Result | None:
    """How the task ended; ``None`` if another reporter may yet be heard."""
    if error_code(error) == UNKNOWN:
        return Result.GONE
    log.LOGGER.error("%s", client.explain(error, what).sentence)
    return None if trouble.may_be_taken(error) else Result.ABANDONED


# --- counting the deaths --------------------------------------------------------------------------


def _judged(order: messages.Report, flow: Flow, swf: Any) -> messages.Answer:
    if not poison.counts(order.answer) or not isinstance(order.answer, Fail):
        return order.answer
    deaths = 1 + _within(COUNT_SECONDS, lambda: _deaths_before(swf, flow.domain, order.task))
    return poison.judged(order.answer, order.task.activity_id, deaths, order.poison_deaths)


def _within(seconds: float, count: Callable[[], int]) -> int:
    """What ``count`` returns; 0 if it fails, or takes longer. It is then left alone in its thread,
    which ends with this process.
    """
    counted: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run() -> None:
        try:
            counted.put(count())
        except client.ERRORS as error:
            told = client.explain(error, "counting earlier deaths of a task")
            log.LOGGER.warning("%s This one counts as the first.", told.sentence)
            counted.put(0)

    threading.Thread(target=run, daemon=True).start()
    try:
        return counted.get(timeout=seconds)
    except queue.Empty:
        log.LOGGER.warning("Earlier deaths of a task could not be counted within %g s.", seconds)
        return 0


def _deaths_before(swf: Any, domain: str, task: messages.Task) -> int:
    for page in _pages(swf, domain, task):
        deaths = poison.deaths_before(page, task.activity_id)
        if deaths is not None:
            return deaths
    return 0


def _pages(swf: Any, domain: str, task: messages.Task) -> Iterator[list[dict[str, Any]]]:
    asked: dict[str, Any] = {
        "domain": domain,
        "execution": {"workflowId": task.workflow_id, "runId": task.run_id},
        "reverseOrder": True,
        "maximumPageSize": COUNT_EVENTS,
    }
    for _ in range(COUNT_PAGES):
        page = swf.get_workflow_execution_history(**asked)
        yield page["events"]
        if not page.get("nextPageToken"):
            return
        asked["nextPageToken"] = page["nextPageToken"]
