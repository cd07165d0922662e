"""Waiting for an execution by looking at its history, more rarely the longer nothing happens.

Rules:

1. A look is GetWorkflowExecutionHistory for the newest event alone. SWF lets an account make 60 of
   these calls a second (bucket of 2,000), and of DescribeWorkflowExecution 6: with the former, 600
   callers can wait at the slowest pace before they spend the account's allowance.
2. Rests grow by half from a quarter of a second to ten seconds, and start over when something has
   happened. So what ends soon is seen soon, and an end is seen late by half of the silence before
   it at most.
3. Troubles that pass are rested on and told; others end the waiting. An execution that SWF does not
   know yet, because its answers lag behind a start, is waited for a moment.
4. An execution that continued as new is followed: its next run is the same piece of work.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from garcon.insist import Clock
from garcon.workflow import closing
from garcon.workflow.errors import NotFound, Refused, StillOpen
from garcon.workflow.history import Events
from garcon.workflow.values import Execution, Status

FIRST_REST = 0.25  # seconds; a short workflow takes about as long
LONGEST_REST = 10.0  # seconds; see rule 1
GROWTH = 1.5
APPEARING = 5.0  # seconds after which an execution that was started is to be seen

Read = Callable[[Execution, int], Events]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class News:
    """What happened to a run since the look before: its new events, oldest first."""

    execution: Execution
    events: Events


def rests() -> Iterator[float]:
    """Seconds to wait before each further look."""
    rest = FIRST_REST
    while True:
        yield rest
        rest = min(rest * GROWTH, LONGEST_REST)


class Watch:
    """One wait for the end of an execution.

    Args:
        read: Gives the events of a run after a number; raises ``Refused`` or ``NotFound``.
        tell: Hears a sentence about each trouble that is rested on.
        clock: The time.
        timeout: Seconds to wait at most; ``None`` for ever.
    """

    def __init__(self, read: Read, tell: Tell, clock: Clock, timeout: float | None) -> None:
        self._read = read
        self._tell = tell
        self._clock = clock
        self._began = clock.now()
        self._timeout = timeout
        self._rests = rests()

    def follow(self, execution: Execution) -> Iterator[News]:
        """What happens to the execution, from its first event until it has closed.

        Raises:
            StillOpen: The time is over.
            Refused: SWF does not answer, and waiting will not cure it.
            NotFound: SWF does not know the execution.
        """
        run: Execution | None = execution
        while run:
            run = yield from self._follow(run)

    def _follow(self, run: Execution) -> Generator[News, None, Execution | None]:
        """What happens to one run; the run that it continued as, if it did."""
        seen = 0
        while True:
            if events := self._look(run, seen):
                yield News(run, events)
                seen = events[-1]["eventId"]
                self._rests = rests()
                if closing.status(events[-1]) is not Status.OPEN:
                    break
            self._rest(run)
        run_id = closing.continued(events[-1])
        return Execution(run.workflow_id, run_id) if run_id else None

    def _look(self, run: Execution, seen: int) -> Events:
        try:
            return self._read(run, seen)
        except NotFound as error:
            if seen or self._clock.now() - self._began > APPEARING:
                raise
            self._tell(str(error))
        except Refused as error:
            if not error.passing:
                raise
            self._tell(f"{error} Looking again.")
        return []

    def _rest(self, run: Execution) -> None:
        rest = next(self._rests)
        if self._timeout is not None:
            left = self._began + self._timeout - self._clock.now()
            if left <= 0:
                raise StillOpen(f"{run.workflow_id} is still open after {self._timeout:g} s.")
            rest = min(rest, left)
        self._clock.sleep(rest)
