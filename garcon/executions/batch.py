"""One act on many executions: redrive, signal, cancel or terminate each of them once.

Rules:

1. A call is sent once, not again by botocore. If it is unknown whether SWF received one, because of
   an error or because an earlier process was killed, the execution's history shows it.
2. The pace leaves half of the account's budget to others: SWF allows an account 60 calls a second
   for histories and terminations, 30 for signals and requests to cancel. A redrive reads a history,
   a page of 1,000 events a call.
3. An execution that the act does not fit, because it has closed meanwhile or completed, is skipped.
   One that SWF refuses is left as failed, and the others go on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from garcon.aws.backoff import Backoff
from garcon.aws.retrying import Clock
from garcon.aws.single_attempt import single_attempt
from garcon.executions.batch_report import BatchOutcome, BatchReport, Line
from garcon.executions.client import Client
from garcon.executions.criteria import Criteria
from garcon.executions.errors import (
    AlreadyOpen,
    InputNotSendable,
    NotFound,
    NotRedrivable,
    RequestRefused,
)
from garcon.executions.recorded_history import PAGE, Event, attributes, moment
from garcon.executions.values import Execution, Status, Summary

SHARE = 0.5  # of the account's budget
HISTORIES, TERMINATIONS, SIGNALS = 60.0, 60.0, 30.0
"""Calls a second that SWF allows an account (Developer Guide, quotas)."""

ATTEMPTS = 6
BACKOFF = Backoff(first=1.0, factor=2.0, cap=30.0)
"""A throttle or an outage of a minute does not fail an execution."""

CLOCK_SKEW = 60.0  # seconds by which this host's clock may differ from SWF's

_UNFIT = (AlreadyOpen, InputNotSendable, NotFound, NotRedrivable)

REDRIVABLE = frozenset({Status.FAILED, Status.TIMED_OUT, Status.TERMINATED, Status.CANCELED})


class Pace:
    """A token bucket of one token: calls in a row, no closer than their rate allows.

    Args:
        rate: Calls a second.
        clock: Source of time.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        self._seconds = 1.0 / rate
        self._clock = clock
        self._next = clock.now()

    def wait(self, calls: int = 1) -> None:
        """Wait until so many further calls may be sent."""
        now = self._clock.now()
        if now < self._next:
            self._clock.sleep(self._next - now)
        self._next = max(now, self._next) + calls * self._seconds


@dataclass(frozen=True, slots=True)
class Act:
    """The act that is carried out on each execution.

    Attributes:
        verb: Its name.
        do: Does it; returns a sentence about the outcome.
        found: The sentence if an execution's history shows that it was done since a time, in
            seconds since the epoch; else ``None``.
        pace: Waits before each call.
    """

    verb: str
    do: Callable[[Execution], str]
    found: Callable[[Execution, float], str | None]
    pace: Pace


def signal(client: Client, clock: Clock, name: str, value: Any) -> Act:
    """Send a signal."""

    def do(execution: Execution) -> str:
        client.signal(execution, name, value)
        return f"received the signal {name}"

    def is_ours(event: Event) -> bool:
        return bool(
            event["eventType"] == "WorkflowExecutionSignaled"
            and attributes(event)["signalName"] == name
        )

    found = _in_history(client, is_ours, f"received the signal {name}")
    return Act("signal", do, found, Pace(SIGNALS * SHARE, clock))


def cancel(client: Client, clock: Clock) -> Act:
    """Request to cancel."""

    def do(execution: Execution) -> str:
        client.cancel(execution)
        return "asked to cancel"

    def is_ours(event: Event) -> bool:
        return bool(event["eventType"] == "WorkflowExecutionCancelRequested")

    found = _in_history(client, is_ours, "asked to cancel")
    return Act("cancel", do, found, Pace(SIGNALS * SHARE, clock))


def terminate(client: Client, clock: Clock, *options: str | None) -> Act:
    """Terminate, with the options of ``Client.terminate``."""

    def do(execution: Execution) -> str:
        client.terminate(execution, *options)
        return "terminated"

    def is_ours(event: Event) -> bool:
        return bool(event["eventType"] == "WorkflowExecutionTerminated")

    found = _in_history(client, is_ours, "terminated")
    return Act("terminate", do, found, Pace(TERMINATIONS * SHARE, clock))


def redrive(
    client: Client,
    clock: Clock,
    from_activity: str | None,
    values: Mapping[str, Any] | None,
    build: str | None = None,
) -> Act:
    """Redrive, with the options of ``Client.redrive``."""
    pace = Pace(HISTORIES * SHARE, clock)

    def read(execution: Execution) -> list[dict[str, Any]]:
        events = client.history(execution)
        pace.wait(len(events) // PAGE + 1)
        return events

    redriver = client.redriver(read)

    def do(execution: Execution) -> str:
        found = redriver.redrive(execution, from_activity, values, build)
        how = "goes on" if found.is_new else "was redriven before"
        return f"{how} in the run {found.execution.run_id}"

    def found(execution: Execution, _: float) -> str | None:
        earlier = redriver.earlier(execution)
        return f"goes on in the run {earlier.execution.run_id}" if earlier else None

    return Act("redrive", do, found, pace)


def _in_history(
    client: Client, is_ours: Callable[[Event], bool], sentence: str
) -> Callable[[Execution, float], str | None]:
    def found(execution: Execution, since: float) -> str | None:
        events = reversed(client.history(execution))
        recent = (each for each in events if moment(each) >= since - CLOCK_SKEW)
        return sentence if any(map(is_ours, recent)) else None

    return found


def redrivable(client: Client, criteria: Criteria) -> list[Summary]:
    """The executions to redrive: closed without completing, and the latest run of their ids."""
    statuses = (criteria.statuses or REDRIVABLE) & REDRIVABLE
    wanted = [*client.select(criteria.of_statuses(statuses))] if statuses else []
    if not wanted:
        return []
    latest: dict[str, Execution] = {}
    for each in client.select(Criteria(names=criteria.names, since=_first_start(wanted))):
        latest.setdefault(each.execution.workflow_id, each.execution)
    return [each for each in wanted if latest[each.execution.workflow_id] == each.execution]


def _first_start(summaries: Iterable[Summary]) -> datetime:
    return min(each.started for each in summaries)


def carry_out(
    client: Client,
    act: Act,
    report: BatchReport,
    clock: Clock,
    now: Callable[[], float],
) -> Iterator[Line]:
    """Act on all that is left of a batch; yields each execution after its outcome.

    Args:
        client: The client.
        act: The act.
        report: The report.
        clock: Source of time for waits.
        now: Gives seconds since the epoch, for the report.
    """
    for number, line in report.left():
        with single_attempt(client.swf):
            outcome, text = _settle(act, report, number, clock, now)
        report.note_outcome(number, outcome, text)
        yield line


def _settle(
    act: Act, report: BatchReport, number: int, clock: Clock, now: Callable[[], float]
) -> tuple[BatchOutcome, str]:
    attempts = 0
    while True:
        try:
            return BatchOutcome.DONE, _attempt(act, report, number, now)
        except _UNFIT as error:
            return BatchOutcome.SKIPPED, str(error)
        except RequestRefused as error:
            attempts += 1
            if not error.transient or attempts == ATTEMPTS:
                return BatchOutcome.FAILED, str(error)
        clock.sleep(BACKOFF.wait_after(attempts))


def _attempt(act: Act, report: BatchReport, number: int, now: Callable[[], float]) -> str:
    line = report.lines[number]
    act.pace.wait()
    if line.began is not None and (text := act.found(line.execution, line.began)):
        return text
    report.note_attempt(number, line.began if line.began is not None else now())
    return act.do(line.execution)
