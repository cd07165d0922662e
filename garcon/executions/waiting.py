"""Waits for the end of an execution by polling its history, less often the longer nothing happens.

Rules:

1. One poll is GetWorkflowExecutionHistory for the newest event alone. SWF allows an account 60 of
   these calls a second (bucket of 2,000), and 6 of DescribeWorkflowExecution: so 600 callers can
   wait at the slowest pace before they use up the account's allowance.
2. The wait between two polls grows by half, from 0.25 s to 10 s, and starts over with each new
   event. A short execution is seen to end soon; a long one is seen to end late by at most half of
   the silence before its end.
3. A transient error is reported and followed by another poll; any other error ends the wait. SWF's
   answers lag behind a start, so an execution that is unknown at first is polled a little longer.
4. An execution that continued as new is followed into its next run: it is the same work.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from garcon.aws.backoff import Backoff
from garcon.aws.retrying import Clock
from garcon.executions import parsing
from garcon.executions.errors import NotFound, RequestRefused, StillOpen
from garcon.executions.recorded_history import Events
from garcon.executions.values import Execution, Status

BACKOFF = Backoff(first=0.25, factor=1.5, cap=10.0, jitter=0.0)
"""A short workflow takes about as long as the first wait; for the longest see rule 1."""

START_LAG = 5.0  # seconds after its start by which SWF's answers have an execution

ReadEvents = Callable[[Execution, int], Events]
OnError = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NewEvents:
    """The events that were added to a run since the poll before, oldest first."""

    execution: Execution
    events: Events


class Watch:
    """One wait for the end of an execution.

    Args:
        read: Reads the events of a run after a number; raises ``RequestRefused`` or ``NotFound``.
        on_error: Called with a sentence about each transient error.
        clock: Source of time.
        timeout: Seconds to wait at most; ``None`` for no limit.
    """

    def __init__(
        self, read: ReadEvents, on_error: OnError, clock: Clock, timeout: float | None
    ) -> None:
        self._read = read
        self._on_error = on_error
        self._clock = clock
        self._began = clock.now()
        self._timeout = timeout
        self._silent_polls = 0

    def follow(self, execution: Execution) -> Iterator[NewEvents]:
        """The events of the execution as they come, from its first until it has closed.

        Raises:
            StillOpen: The timeout is over.
            RequestRefused: SWF refuses the call, and another will not help.
            NotFound: SWF does not know the execution.
        """
        run: Execution | None = execution
        while run:
            run = yield from self._follow_run(run)

    def _follow_run(self, run: Execution) -> Generator[NewEvents, None, Execution | None]:
        """The events of one run; returns the run that it continued as, if it did."""
        seen = 0
        while True:
            if events := self._poll(run, seen):
                yield NewEvents(run, events)
                seen = events[-1]["eventId"]
                self._silent_polls = 0
                if parsing.status(events[-1]) is not Status.OPEN:
                    break
            self._pause(run)
        run_id = parsing.next_run_id(events[-1])
        return Execution(run.workflow_id, run_id) if run_id else None

    def _poll(self, run: Execution, seen: int) -> Events:
        try:
            return self._read(run, seen)
        except NotFound as error:
            if seen or self._clock.now() - self._began > START_LAG:
                raise
            self._on_error(f"{error} Polling its history again.")
        except RequestRefused as error:
            if not error.transient:
                raise
            self._on_error(f"{error} Polling its history again.")
        return []

    def _pause(self, run: Execution) -> None:
        self._silent_polls += 1
        wait = BACKOFF.wait_after(self._silent_polls)
        if self._timeout is not None:
            left = self._began + self._timeout - self._clock.now()
            if left <= 0:
                raise StillOpen(f"{run.workflow_id} is still open after {self._timeout:g} s.")
            wait = min(wait, left)
        self._clock.sleep(wait)
