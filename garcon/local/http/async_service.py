"""Carries requests of an asyncio server to the service, and answers to the waiting polls.

- One thread, so no lock. One timer, always set to the engine's next deadline.
- After every input its answers are delivered to the waiting polls.
- An input that cannot be kept in the journal is answered as an internal failure, and is the last:
  the server checks `failure`, and stops.
- With a virtual clock the time jumps to the next due time once no request has come for a moment
  while polls wait and no task is in progress. A worker that was killed during a task still counts
  as working on it; a test of that case needs the wall clock.
"""

import asyncio
import contextlib
import math
from dataclasses import dataclass

from garcon.local.engine import EMPTY_POLLS, Answer, Fault, Wakeup
from garcon.local.service.clock import ServiceClock, TimeJumps, VirtualClock
from garcon.local.service.journal import JournalError
from garcon.local.service.service import Request, Service

QUIET = 0.05
"""Seconds without a request before virtual time jumps: workers need a few milliseconds between
the answer to one request and their next one, and more on a busy machine."""

LONGEST = 3600.0
"""Largest delay of a timer in seconds; event loops do not take the years of a deadline."""


@dataclass(frozen=True, slots=True, eq=False)
class HttpPoll:
    """A waiting long poll; `answer` is set when it has a task or its window ends."""

    poll_id: str
    operation: str
    answer: asyncio.Future[Answer]


class AsyncService:
    """The service in an event loop.

    Args:
        service: the service that carries out the requests.
        clock: the time of the requests.

    Attributes:
        failure: the reason why inputs can no longer be kept, if so.
    """

    def __init__(self, service: Service, clock: ServiceClock) -> None:
        self.service = service
        self.clock = clock
        self.failure: JournalError | None = None
        self._polls: dict[str, HttpPoll] = {}
        self._jumps = TimeJumps()
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._ending = asyncio.Event()
        self._closed = False

    def start(self, request: Request, poller: str) -> Answer | HttpPoll:
        """Carry a request out.

        Raises:
            Fault: the call is refused.
        """
        if self._ending.is_set() and request.polls:
            return EMPTY_POLLS[request.operation]
        if not (request.reads or request.polls):
            self._jumps.note_activity()
        try:
            outcome = self._call(request, poller)
        finally:
            self._deliver()
        if self.failure:
            raise Fault("InternalFailure", str(self.failure))
        return outcome

    def _call(self, request: Request, poller: str) -> Answer | HttpPoll:
        outcome = self.service.call(request, self.clock.now(), poller)
        if isinstance(outcome, Answer):
            return outcome
        answer = asyncio.get_running_loop().create_future()
        poll = HttpPoll(outcome.poll_id, request.operation, answer)
        self._polls[poll.poll_id] = poll
        return poll

    def abandon(self, poll: HttpPoll) -> None:
        """Give up a waiting poll whose connection is gone."""
        if self._polls.pop(poll.poll_id, None):
            poll.answer.cancel()
            self.service.disconnect(poll.poll_id, self.clock.now())
            self._deliver()

    async def pause(self, seconds: float) -> bool:
        """Wait some seconds of the wall clock; False if the server stops before."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return not self._ending.is_set()

    def end_polls(self) -> None:
        """Answer all waiting and later polls with the empty result, since the server stops."""
        self._ending.set()
        for poll in self._polls.values():
            poll.answer.set_result(EMPTY_POLLS[poll.operation])
        self._polls.clear()

    def close(self) -> None:
        """Stop the timer and close the service; a second call does nothing.

        Raises:
            JournalError: the reason for the stop, if inputs could not be kept.
        """
        if self._closed:
            return
        self._closed = True
        if self._timer:
            self._timer.cancel()
        if self.failure:
            raise self.failure
        self.service.close(self.clock.now())

    def _deliver(self) -> None:
        for wakeup in self._take_wakeups():
            poll = self._polls.pop(wakeup.poll_id, None)
            if poll:
                poll.answer.set_result(wakeup.answer)
            if wakeup.answer.body.get("taskToken"):
                self._jumps.note_activity()
        self._set_timer()

    def _take_wakeups(self) -> list[Wakeup]:
        if self.failure:
            return []
        try:
            return self.service.take_wakeups()
        except JournalError as error:
            self.failure = error
            return []

    def _set_timer(self) -> None:
        virtual = isinstance(self.clock, VirtualClock)
        due = self.clock.now() + QUIET if virtual else self.service.engine.next_deadline()
        if due == self._due and self._timer and not virtual:
            return
        self._due = due
        if self._timer:
            self._timer.cancel()
        pause = min(max(0.0, due - self.clock.now()), LONGEST)
        self._timer = asyncio.get_running_loop().call_later(pause, self._carry_out_due)

    def _carry_out_due(self) -> None:
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
        target = self._jumps.target(work, engine.next_deadline())
        clock.move_to(target)
        self._jumps.note_jump(work, target)
