"""The reporter: a fork that answers SWF for a dead worker, and ends.

Rules:

1. It calls SWF until the answer is accepted: after a throttle, a reset connection or refused
   credentials it tries again. When its time is over it ends with an error, and the supervisor
   starts another. It goes on if the supervisor dies meanwhile: no other process has the answer.
2. A task that SWF no longer knows needs no report: its timeout, another reporter, or an earlier
   attempt of this one whose response was lost, has closed it.
3. Before it fails a task for a death it counts earlier ones (``poison``). The count may not delay
   the report: it gets a moment, and without it this death counts as the first.
4. A decision task cannot be failed (SWF has no such call). It is answered with a timer, which makes
   the next decision task come, by the flow's own list: the dead decider's sticky list may have no
   poller. The timer has zero seconds, unless the decision has killed too many deciders.
"""

from __future__ import annotations

import queue
import threading
from random import Random
from typing import TYPE_CHECKING, Any

from setproctitle import setproctitle

from garcon import client
from garcon.aws import aws_errors
from garcon.aws.retrying import CLOCK, call_until_accepted
from garcon.decider import decisions
from garcon.tracing import seam
from garcon.utils import UNKNOWN, error_code
from supervisor.child.jobs import poison
from supervisor.child.jobs.poison import DecisionAnswer
from supervisor.child.poll_backoff import BACKOFF, retry_logger
from supervisor.child.worker_context import REPORTS
from supervisor.ipc import messages, spool
from supervisor.ipc.messages import Cancel, Complete, Fail, Result, ReturnTask
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.child.flow_loader import Flow
    from supervisor.child.shutdown import Shutdown
    from supervisor.child.worker_context import WorkerContext

REPORT_SECONDS = 45.0
"""Seconds of one reporter's attempts: less than the supervisor's deadline for it."""

COUNT_SECONDS = 1.0
"""Seconds that counting earlier deaths may take: ten times what SWF takes."""

COUNT_PAGES, COUNT_EVENTS = 20, 250
"""Pages of history that are searched, the latest first, and events a page. Retries follow each
other, so the count is nearly always on the first page, and a small page is fast."""

_RESULTS: dict[type, Result] = {
    Complete: Result.COMPLETED,
    Fail: Result.FAILED,
    Cancel: Result.CANCELED,
    ReturnTask: Result.COMPLETED,
    DecisionAnswer: Result.COMPLETED,
}


def report(context: WorkerContext, order: messages.Report, worker: int, shutdown: Shutdown) -> int:
    """Send the answer to SWF, and the result to the supervisor; returns the exit code."""
    task = order.task
    name = task.activity_id or "a decision"
    setproctitle(f"garcon: reporting {name} of {task.workflow_id}")
    own = getattr(context.flow.target, "client", None)
    answer = _with_deaths(order, context.flow, client.calling(own))
    if isinstance(answer, DecisionAnswer) and answer.error:
        execution = f"{task.workflow_id} (run {task.run_id})"
        log.LOGGER.error("Execution %s is poison: %s", execution, answer.error)
    what = f"reporting {name} of {task.workflow_id}"

    def attempt() -> None:
        send_answer(client.calling(own), task.token, answer, context.flow.name)

    try:
        _deliver(attempt, what, order, context)
    except client.ERRORS as error:
        result = _given_up(error, what)
    else:
        result = _RESULTS[type(answer)]
    if result is None:
        return 1
    spool.remove(context.load.spool, task)
    shutdown.send(messages.Done(worker, result))
    if task.activity_id and isinstance(answer, Fail) and poison.is_counted(answer):
        context.start_tracing()
        _trace_lost(task, context.flow.domain, answer.reason)
    return 0


def _trace_lost(task: messages.Task, domain: str, reason: str) -> None:
    """Make the span of the attempt that its worker did not live to end; it has no duration."""
    if seam.tracer is None:
        return
    run = seam.Run(task.workflow_id, task.run_id)
    attempt = seam.TracedAttempt(
        run,
        domain,
        task.activity_id,
        task.activity_name,
        event_id=task.event_id,
        trace=task.trace,
    )
    seam.tracer.attempt(attempt).end(seam.Ending("lost", reason, is_error=True))


def send_answer(
    swf: Any, token: str, answer: messages.Answer | DecisionAnswer, task_list: str
) -> None:
    """Make the call that carries this answer.

    Args:
        swf: A boto3 client; ``Any`` because its stubs type decisions more narrowly than garcon.
        token: The task's.
        answer: The answer.
        task_list: The list from which a returned decision task comes next time.
    """
    match answer:
        case Complete(result):
            swf.respond_activity_task_completed(taskToken=token, **_present(result=result))
        case Fail(reason, details):
            texts = _present(reason=reason, details=details)
            swf.respond_activity_task_failed(taskToken=token, **texts)
        case Cancel(details):
            swf.respond_activity_task_canceled(taskToken=token, **_present(details=details))
        case ReturnTask():
            swf.respond_decision_task_completed(
                taskToken=token, decisions=decisions.return_task(), taskList={"name": task_list}
            )
        case DecisionAnswer(taken, deaths):
            swf.respond_decision_task_completed(
                taskToken=token,
                decisions=taken,
                taskList={"name": task_list},
                executionContext=str(deaths),
            )


def _present(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _deliver(
    call: Callable[[], None], what: str, order: messages.Report, context: WorkerContext
) -> None:
    seconds = REPORT_SECONDS if order.within is None else min(REPORT_SECONDS, order.within)
    call_until_accepted(
        call,
        seconds,
        retry_logger(what, context.outage_logs[REPORTS]),
        clock=CLOCK,  # no request to leave ends its waits (rule 1)
        is_transient=aws_errors.is_answer_acceptable,
        backoff=BACKOFF,
    )


def _given_up(error: Exception, what: str) -> Result | None:
    """The outcome of the task; ``None`` if SWF may accept the answer from another reporter."""
    if error_code(error) == UNKNOWN:
        return Result.ALREADY_CLOSED
    log.LOGGER.error("%s", client.explain(error, what).sentence)
    return None if aws_errors.is_answer_acceptable(error) else Result.ABANDONED


# --- counting the deaths --------------------------------------------------------------------------


def _with_deaths(order: messages.Report, flow: Flow, swf: Any) -> messages.Answer | DecisionAnswer:
    if not poison.is_counted(order.answer):
        return order.answer
    deaths = 1 + _within(COUNT_SECONDS, lambda: _deaths_before(swf, flow.domain, order.task))
    match order.answer:
        case Fail() as fail:
            return poison.with_deaths(fail, order.task.activity_id, deaths, order.poison_deaths)
        case ReturnTask(death):
            fails = order.fail_poison_decision
            return poison.decision_answer(death, deaths, order.poison_deaths, Random(), fails=fails)
        case _:
            return order.answer


def _within(seconds: float, count: Callable[[], int]) -> int:
    """The result of ``count``; 0 if it fails or takes longer.

    A call to AWS cannot be interrupted: a late one is left to its thread, which ends with the
    process.
    """
    counted: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run() -> None:
        try:
            counted.put(count())
        except client.ERRORS as error:
            problem = client.explain(error, "counting earlier deaths of a task")
            log.LOGGER.warning("%s This death counts as the first.", problem.sentence)
            counted.put(0)

    threading.Thread(target=run, daemon=True).start()
    try:
        return counted.get(timeout=seconds)
    except queue.Empty:
        log.LOGGER.warning(
            "Counting earlier deaths of a task took longer than %g s. This death counts as the"
            " first.",
            seconds,
        )
        return 0


def _deaths_before(swf: Any, domain: str, task: messages.Task) -> int:
    for page in _pages(swf, domain, task):
        deaths = (
            poison.deaths_before(page, task.activity_id)
            if task.activity_id
            else poison.decision_deaths_before(page)
        )
        if deaths is not None:
            return deaths
    return 0


def _pages(swf: Any, domain: str, task: messages.Task) -> Iterator[list[dict[str, Any]]]:
    request: dict[str, Any] = {
        "domain": domain,
        "execution": {"workflowId": task.workflow_id, "runId": task.run_id},
        "reverseOrder": True,
        "maximumPageSize": COUNT_EVENTS,
    }
    for _ in range(COUNT_PAGES):
        page = swf.get_workflow_execution_history(**request)
        yield page["events"]
        if not page.get("nextPageToken"):
            return
        request["nextPageToken"] = page["nextPageToken"]
