"""Carries requests of an asyncio server to the service, and answers to those who wait.

- One thread, so no lock. One timer, always set to the engine's next deadline.
- After every input the answers that it led to are handed to the waiting polls.
- An input that the journal could not keep is answered as an internal failure, and is the last: who
  serves looks at `failure`, and ends.
- With a virtual clock the time jumps to the next thing due, once nothing has come in for a moment
  while polls wait and no task is in anybody's hands. A worker that was killed holding a task still
  counts as working on it: who tests that needs the wall clock.
"""

import asyncio
import contextlib
import math
from dataclasses import dataclass

from garcon.local.clock import Clock, Leaps, VirtualClock
from garcon.local.engine import EMPTY_POLLS, Answer, Fault, Wakeup
from garcon.local.journal import JournalError
from garcon.local.service import Request, Service

QUIET = 0.05
"""Seconds without a request before virtual time jumps: workers need a few milliseconds between
the answer to one request and their next one, and more on a busy machine."""

LONGEST = 3600.0
"""Seconds a timer is set for at most; event loops do not take the years that deadlines may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Poll:
    """A long poll that waits; `answer` comes when there is a task or its window ends."""

    poll_id: str
    operation: str
    answer: asyncio.Future[Answer]


class Exchange:
    """The service in an event loop.

    Args:
        service: where requests are carried out.
        clock: the time they are carried out at.

    Attributes:
        failure: why nothing can be kept any longer, if so.
    """

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self.failure: JournalError | None = None
        self._polls: dict[str, Poll] = {}
        self._leaps = Leaps()
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._ending = asyncio.Event()

    def start(self, request: Request, poller: str) -> Answer | Poll:
        """Carry a request out.

        Raises:
            Fault: the call is refused.
        """
        if self._ending.is_set() and request.polls:
            return EMPTY_POLLS[request.operation]
        if not (request.reads or request.polls):
            self._leaps.happened()
        try:
            outcome = self._call(request, poller)
        finally:
            self._deliver()
        if self.failure:
            raise Fault("InternalFailure", str(self.failure))
        return outcome

    def _call(self, request: Request, poller: str) -> Answer | Poll:
        outcome = self.service.call(request, self.clock.now(), poller)
        if isinstance(outcome, Answer):
            return outcome
        answer = asyncio.get_running_loop().create_future()
        poll = Poll(outcome.poll_id, request.operation, answer)
        self._polls[poll.poll_id] = poll
        return poll

    def abandon(self, poll: Poll) -> None:
        """The connection of a waiting poll has gone."""
        if self._polls.pop(poll.poll_id, None):
            poll.answer.cancel()
            self.service.disconnect(poll.poll_id, self.clock.now())
            self._deliver()

    async def pause(self, seconds: float) -> bool:
        """Hold a request for so many seconds of the wall's; False if the server ends before."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return not self._ending.is_set()

    def end_polls(self) -> None:
        """Answer all waiting polls empty, and those still to come, since the server ends."""
        self._ending.set()
        for poll in self._polls.values():
            poll.answer.set_result(EMPTY_POLLS[poll.operation])
        self._polls.clear()

    def close(self) -> None:
        """Stop the timer and let go of the service.

        Raises:
            JournalError: why it had to end, if that is so.
        """
        if self._timer:
            self._timer.cancel()
        if self.failure:
            raise self.failure
        self.service.close(self.clock.now())

    def _deliver(self) -> None:
        for wakeup in self._wakeups():
            poll = self._polls.pop(wakeup.poll_id, None)
            if poll:
                poll.answer.set_result(wakeup.answer)
            if wakeup.answer.body.get("taskToken"):
                self._leaps.happened()
        self._set_timer()

    def _wakeups(self) -> list[Wakeup]:
        if self.failure:
            return []
        try:
            return self.service.take_wakeups()
        except JournalError as error:
            self.failure = error
            return []

    def _set_timer(self) -> None:
        quiet = isinstance(self.clock, VirtualClock)
        due = self.clock.now() + QUIET if quiet else self.service.engine.next_deadline()
        if due == self._due and self._timer and not quiet:
            return
        self._due = due
        if self._timer:
            self._timer.cancel()
        pause = min(max(0.0, due - self.clock.now()), LONGEST)
        self._timer = asyncio.get_running_loop().call_later(pause, self._fall_due)

    def _fall_due(self) -> None:
        self._timer = None
        if isinstance(self.clock, VirtualClock):
            if not self._is_idle():
                return
            self._jump(self.clock)
        self.service.engine.advance(self.clock.now())
        self._deliver()

    def _is_idle(self) -> bool:
        return bool(self._polls) and self.service.engine.started_tasks == 0

    def _jump(self, clock: VirtualClock) -> None:
        engine = self.service.engine
        work = engine.next_work_deadline()
        target = self._leaps.target(work, engine.next_deadline())
        clock.move_to(target)
        self._leaps.jumped(work, target)
