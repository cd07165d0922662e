"""Carries requests of threads to one service, and blocks the threads whose polls wait.

- One lock for all. A long poll waits on its condition until another thread brings work.
- With the wall clock, a waiting thread wakes at the engine's next deadline.
- With a virtual clock, a waiting thread moves the time to the next due time once all clients are
  idle (`idle_detection`) and no request has come for a moment. In the moment, a thread outside the
  service can make its next request; a program of one thread needs none.
- Lambda functions run in the thread whose request led to them, outside the lock.
"""

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from garcon.local.engine import EMPTY_POLLS, Answer, Invocation
from garcon.local.service.clock import ServiceClock, TimeJumps, VirtualClock
from garcon.local.service.idle_detection import IdleDetector
from garcon.local.service.service import Request, Service
from garcon.payload import safe_json

LOGGER = logging.getLogger("garcon.local")

T = TypeVar("T")

QUIET = 0.02
"""Seconds without a request before the time jumps to due work: ten times what a thread needs from
one request to its next."""

SLACK = 0.2
"""Seconds without a request before idle polls end, when no work is due: so they cost only a few
requests a second, and the time does not run far ahead of a test that is about to make a request."""

REASON_CHARACTERS = 256
"""Characters in the reason of a lambda function's failure, the model's limit."""


class ThreadedService:
    """One service for many threads.

    Args:
        service: the service that carries out the requests.
        clock: the time of the requests.
        lambdas: the lambda functions, by name.
    """

    def __init__(
        self, service: Service, clock: ServiceClock, lambdas: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        self.service = service
        self.clock = clock
        self._lambdas = lambdas
        self._changed = threading.Condition()
        self._idle_detector = IdleDetector()
        self._jumps = TimeJumps()
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
            self._idle_detector.note_call(thread)
            if not request.reads:  # a test that reads a history in a loop must not stop the time
                self._latest_input = time.monotonic()
            answer = self._carry_out(request, thread)
            token = answer.body.get("taskToken")
            if token:
                self._idle_detector.note_task(token, thread)
            if token or not (request.reads or request.polls):
                self._jumps.note_activity()
        self._run_lambdas()
        return answer

    def note_answer(self, token: str) -> None:
        """Note that a task was answered, whether or not the service accepted the answer."""
        with self._changed:
            self._idle_detector.note_answer(token)

    def _carry_out(self, request: Request, thread: threading.Thread) -> Answer:
        try:
            outcome = self.service.call(request, self.clock.now(), thread.name)
        finally:
            self._deliver()
        if isinstance(outcome, Answer):
            return outcome
        try:
            return self._wait(lambda: self._find_answer(request.operation, outcome.poll_id))
        except BaseException:  # Ctrl-C while waiting: the connection is gone
            self.service.disconnect(outcome.poll_id, self.clock.now())
            raise

    def _find_answer(self, operation: str, poll_id: str) -> Answer | None:
        return EMPTY_POLLS[operation] if self._closed else self._answers.pop(poll_id, None)

    def _wait(self, find: Callable[[], T | None]) -> T:
        with self._idle_detector.waiting(threading.current_thread()):
            while (result := find()) is None:
                self._pause()
                self._carry_out_due()
        return result

    def _pause(self) -> None:
        if not isinstance(self.clock, VirtualClock):
            self._changed.wait(min(self._next_due() - self.clock.now(), threading.TIMEOUT_MAX))
            return
        work = self._next_work()
        moment = 0 if self._idle_detector.has_one_client() else QUIET if work < math.inf else SLACK
        passed = time.monotonic() - self._latest_input
        if passed >= moment and self._idle_detector.is_idle():
            self._jump(self.clock, work)
        else:
            self._changed.wait(max(moment - passed, QUIET))

    def _jump(self, clock: VirtualClock, work: float) -> None:
        target = self._jumps.target(work, self._next_due())
        clock.move_to(target)
        self._jumps.note_jump(work, target)
        self._latest_input = time.monotonic()

    def _next_due(self) -> float:
        return min([self.service.engine.next_deadline(), *self._sleepers])

    def _next_work(self) -> float:
        return min([self.service.engine.next_work_deadline(), *self._sleepers])

    def _carry_out_due(self) -> None:
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
            outcome = _invoke(self._lambdas, invocation)
        with self._changed:
            self.service.finish_lambda(invocation, self.clock.now(), **outcome)
            self._deliver()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for some seconds of the clock."""
        with self._changed:
            until = self.clock.now() + seconds
            self._sleepers.append(until)
            try:
                self._wait(lambda: True if self.clock.now() >= until else None)
            finally:
                self._sleepers.remove(until)

    def advance(self, seconds: float) -> None:
        """Let some seconds pass at once, and carry out all that is due in them.

        Raises:
            TypeError: the clock is the wall's, which cannot be moved.
        """
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("the time can be moved with virtual time only")
        with self._changed:
            self.clock.move_to(self.clock.now() + seconds)
            self._carry_out_due()

    def pass_time(self, at_most: float = math.inf) -> None:
        """Let the time pass until the next due time, and carry out what is due then.

        Args:
            at_most: Seconds after which the caller has something to do.
        """
        with self._changed:
            now = self.clock.now()
            until = min(self._next_due(), now + at_most)
            if isinstance(self.clock, VirtualClock):
                self.clock.move_to(min(until, now + 1e9))
            else:
                self._changed.wait(min(until - now, threading.TIMEOUT_MAX))
            self._carry_out_due()

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block in which the time does not jump."""
        with self._changed:
            self._idle_detector.hold(1)
        try:
            yield
        finally:
            with self._changed:
                self._idle_detector.hold(-1)
                self._latest_input = time.monotonic()
                self._changed.notify_all()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A block in which no other thread changes the service: for reading the engine."""
        with self._changed:
            yield

    def close(self) -> None:
        """Answer waiting polls with the empty result; the service takes no further requests."""
        with self._changed:
            self._closed = True
            self.service.close(self.clock.now())
            self._changed.notify_all()


def _invoke(
    functions: Mapping[str, Callable[[Any], Any]], invocation: Invocation
) -> dict[str, str]:
    """Run a lambda function; returns the arguments of `Engine.finish_lambda`.

    Input and result are JSON text, as in AWS Lambda; input that is not JSON is passed as text. An
    exception of the function is the failure in the history, and is logged.
    """
    function = functions.get(invocation.name)
    if function is None:
        return {"reason": "ResourceNotFoundException", "details": f"No function {invocation.name}"}
    try:
        return {"result": json.dumps(function(_read_input(invocation.input)))}
    except Exception as error:  # user code: any failure is the function's
        LOGGER.exception("The lambda function %s failed.", invocation.name)
        return {"reason": type(error).__name__[:REASON_CHARACTERS], "details": str(error)}


def _read_input(text: str) -> Any:
    try:
        return safe_json.loads(text) if text else None
    except ValueError:
        return text
