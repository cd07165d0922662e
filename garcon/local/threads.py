"""Carries requests of threads to one service, and lets those wait who must.

- One lock for all; a long poll waits on its condition, and is woken by whoever brought work.
- With the wall clock, who waits wakes for the engine's next deadline.
- With a virtual clock, who waits moves the time to the next thing due once everybody is idle (see
  `presence`) and has been for a moment. The moment is what a thread outside needs to come back
  with its next request; a program of one thread needs none.
- Lambda functions run in the thread whose request led to them, outside the lock.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from garcon.local.clock import Clock, Leaps, VirtualClock
from garcon.local.engine import EMPTY_POLLS, Answer, Invocation
from garcon.local.lambdas import invoke
from garcon.local.presence import Presence
from garcon.local.service import Request, Service

T = TypeVar("T")

QUIET = 0.02
"""Seconds without a request before the time jumps to work that is due: ten times what a thread
takes from one request to its next."""

SLACK = 0.2
"""The same before idle polls end, when nothing else is due: so they cost no more than a few
requests a second, and the time does not run far ahead of a test that is about to do something."""


class Threads:
    """One service for many threads.

    Args:
        service: where requests are carried out.
        clock: the time they are carried out at.
        lambdas: the lambda functions, by name.
    """

    def __init__(
        self, service: Service, clock: Clock, lambdas: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        self.service = service
        self.clock = clock
        self._lambdas = lambdas
        self._changed = threading.Condition()
        self._presence = Presence()
        self._leaps = Leaps()
        self._answers: dict[str, Answer] = {}
        self._sleepers: list[float] = []
        self._latest_input = time.monotonic()
        self._closed = False

    def request(self, request: Request) -> Answer:
        """Carry a request out; a long poll returns when it has a task or its window ends.

        Raises:
            Fault: the call is refused.
        """
        thread = threading.current_thread()
        with self._changed:
            self._presence.calls(thread)
            if not request.reads:  # somebody who looks again and again must not stop the time
                self._latest_input = time.monotonic()
            answer = self._carry_out(request, thread)
            token = answer.body.get("taskToken")
            if token:
                self._presence.takes(token, thread)
            if token or not (request.reads or request.polls):
                self._leaps.happened()
        self._run_lambdas()
        return answer

    def answered(self, token: str) -> None:
        """Somebody has answered for a task, whether or not the service took the answer."""
        with self._changed:
            self._presence.answers(token)

    def _carry_out(self, request: Request, thread: threading.Thread) -> Answer:
        try:
            outcome = self.service.call(request, self.clock.now(), thread.name)
        finally:
            self._deliver()
        if isinstance(outcome, Answer):
            return outcome
        try:
            return self._wait(lambda: self._find(request.operation, outcome.poll_id))
        except BaseException:  # Ctrl-C while waiting: the connection has gone
            self.service.disconnect(outcome.poll_id, self.clock.now())
            raise

    def _find(self, operation: str, poll_id: str) -> Answer | None:
        return EMPTY_POLLS[operation] if self._closed else self._answers.pop(poll_id, None)

    def _wait(self, found: Callable[[], T | None]) -> T:
        with self._presence.waiting(threading.current_thread()):
            while (result := found()) is None:
                self._pause()
                self._fall_due()
        return result

    def _pause(self) -> None:
        if not isinstance(self.clock, VirtualClock):
            self._changed.wait(min(self._next() - self.clock.now(), threading.TIMEOUT_MAX))
            return
        work = self._next_work()
        moment = 0 if self._presence.alone() else QUIET if work < math.inf else SLACK
        passed = time.monotonic() - self._latest_input
        if passed >= moment and self._presence.idle():
            self._jump(self.clock, work)
        else:
            self._changed.wait(max(moment - passed, QUIET))

    def _jump(self, clock: VirtualClock, work: float) -> None:
        target = self._leaps.target(work, self._next())
        clock.move_to(target)
        self._leaps.jumped(work, target)
        self._latest_input = time.monotonic()

    def _next(self) -> float:
        return min([self.service.engine.next_deadline(), *self._sleepers])

    def _next_work(self) -> float:
        return min([self.service.engine.next_work_deadline(), *self._sleepers])

    def _fall_due(self) -> None:
        self.service.engine.advance(self.clock.now())
        self._deliver()

    def _deliver(self) -> None:
        wakeups = self.service.take_wakeups()
        self._answers.update((wakeup.poll_id, wakeup.answer) for wakeup in wakeups)
        self._changed.notify_all()

    def _run_lambdas(self) -> None:
        with self._changed:
            invocations = self.service.engine.take_invocations()
        for invocation in invocations:
            self._run_lambda(invocation)

    def _run_lambda(self, invocation: Invocation) -> None:
        with self.held():
            how = invoke(self._lambdas, invocation)
        with self._changed:
            self.service.finish_lambda(invocation, self.clock.now(), **how)
            self._deliver()

    def sleep(self, seconds: float) -> None:
        """Let the calling thread wait for so many seconds of the clock."""
        with self._changed:
            until = self.clock.now() + seconds
            self._sleepers.append(until)
            try:
                self._wait(lambda: True if self.clock.now() >= until else None)
            finally:
                self._sleepers.remove(until)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once, and everything happen that is due in them.

        Raises:
            TypeError: the clock is the wall's, which nobody moves.
        """
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("the time can be moved with virtual time only")
        with self._changed:
            self.clock.move_to(self.clock.now() + seconds)
            self._fall_due()

    def pass_time(self) -> None:
        """Let the time go on until something is due."""
        with self._changed:
            if isinstance(self.clock, VirtualClock):
                self.clock.move_to(min(self._next(), self.clock.now() + 1e9))
            else:
                self._changed.wait(min(self._next() - self.clock.now(), threading.TIMEOUT_MAX))
            self._fall_due()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, the time does not jump."""
        with self._changed:
            self._presence.hold(1)
        try:
            yield
        finally:
            with self._changed:
                self._presence.hold(-1)
                self._latest_input = time.monotonic()
                self._changed.notify_all()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within, nothing changes: for reading the engine."""
        with self._changed:
            yield

    def close(self) -> None:
        """Answer waiting polls empty; later requests are not to come."""
        with self._changed:
            self._closed = True
            self.service.close(self.clock.now())
            self._changed.notify_all()
