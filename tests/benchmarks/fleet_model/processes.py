"""The processes of a simulated host: workers that serve a list, registrars, reporters, counters.

Rules:

1. A process sends only what a real one sends, in the same order, and calls SWF as a real one does.
2. A dead process sends nothing.
3. Heartbeats, waits and counts are due when the product's own rules say so.
"""

from __future__ import annotations

from itertools import count, cycle
from typing import TYPE_CHECKING

from garcon.activity.activity import ANSWER_SECONDS
from garcon.activity.heartbeat_pace import HeartbeatPace
from garcon.aws.retrying import CALL_BACKOFF
from garcon.aws.throttles import ATTEMPTS
from supervisor import exit_codes
from supervisor.child.jobs.reporter import REPORT_SECONDS
from supervisor.child.jobs.throttle_wait import THROTTLED_SECONDS
from supervisor.child.poll_backoff import BACKOFF
from supervisor.core.pools.poll_limit import PROBES, THROTTLED
from supervisor.ipc import messages
from supervisor.ipc.messages import PollEnd, Result, Role
from supervisor.sidecars.count_pace import CountPace
from tests.benchmarks.fleet_model.account import (
    COMPLETE,
    COUNT,
    DECIDE,
    DECISION_COUNT,
    FAIL,
    HEARTBEAT,
    REPLAY,
    TYPES,
    Reply,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.benchmarks.fleet_model.host import Host, HostList
    from tests.benchmarks.fleet_model.task_list import SimulatedList, SimulatedTask

MOMENT = 0.05
"""Seconds that an exit takes."""

GHOST = "given to a dead poller"
"""The reason for the loss of a task that SWF gives to a process that has just ended."""

COUNTS = (COUNT, DECISION_COUNT)

BOTO_ATTEMPTS = 5
"""Attempts of botocore at an answer (``garcon.client.CALLING``)."""


def answer_waits(random: Random) -> Iterator[float]:
    """The waits between the attempts at a throttled answer: botocore's, garcon's documented ones,
    and those of ``call_until_accepted``.
    """
    for outer in count(1):
        for documented in range(1, ATTEMPTS + 1):
            for attempt in range(BOTO_ATTEMPTS - 1):
                yield random.random() * 2.0**attempt
            if documented < ATTEMPTS:
                yield random.uniform(0.0, 2.0 ** (documented - 1))
        yield CALL_BACKOFF.wait_after(outer, random)


class Process:
    """One process of a host."""

    __slots__ = ("alive", "host", "number")

    def __init__(self, host: Host, number: int) -> None:
        self.alive = True
        self.host = host
        self.number = number

    def start(self) -> None:
        """It has booted."""

    def ask_to_leave(self) -> None:
        """A ``Terminate`` arrives."""

    def die(self, status: int) -> None:
        """It ends; a moment later the host knows."""
        if self.alive:
            self.alive = False
            post = messages.PostMortem(pid=self.number)
            self.host.later(MOMENT, self.host.bury, messages.Exited(self.number, status, post))


class ServingWorker(Process):
    """A worker of one slot."""

    __slots__ = (
        *("asked", "failures", "is_withdrawn", "needs_permit", "own", "pace", "parked"),
        *("returns", "task"),
    )

    def __init__(self, host: Host, number: int, own: HostList, *, needs_permit: bool) -> None:
        super().__init__(host, number)
        self.own = own
        self.needs_permit = needs_permit
        self.failures = 0
        self.parked = self.asked = self.is_withdrawn = self.returns = False
        self.task: SimulatedTask | None = None
        self.pace: HeartbeatPace | None = None

    # --- actions of the core

    def start(self) -> None:
        """It is ready, and waits for its first permit."""
        self._go_on(PollEnd.NONE)

    def ask_to_leave(self) -> None:
        """It leaves at once, or after its poll or task."""
        self.asked = True
        if self.parked:
            self._unpark()
            self.own.watch(self.host.now)
            self.die(0)

    def grant_permit(self) -> None:
        """It polls."""
        self.is_withdrawn = False
        if self.alive and self.parked:
            self._unpark()
            self.own.polling += 1
            self.host.deliver(messages.Polling(self.number))
            self.own.at_swf.poll(self)
            self.own.watch(self.host.now)

    def die(self, status: int) -> None:
        """Its poll or task, if it has one, is abandoned."""
        if self.alive and self.parked:
            self._unpark()
        elif self.alive and self.task is None and self.own.at_swf.drop(self):
            self.own.polling -= 1
        self.own.watch(self.host.now)
        super().die(status)

    # --- SWF answers its poll

    def take_task(self, task: SimulatedTask) -> None:
        """The poll brought this task."""
        if not self.alive:
            self.host.fleet.lose(task, GHOST)
            return
        self.own.polling -= 1
        self.task, self.failures = task, 0
        plan, now = task.plan, self.host.now
        told = messages.Task(task.token, "w", "r", "a", plan.timeout)
        self.host.fleet.open[task.token] = task
        self.host.deliver(messages.Working(self.number, told))
        self.own.watch(now)
        if self.returns:
            self._answer(
                FAIL, now + ANSWER_SECONDS, answer_waits(self.host.random), Result.RETURNED
            )
            return
        self.pace = HeartbeatPace(plan.heartbeat_timeout, task.signed_at, self.host.random.uniform)
        self.host.later(task.lasts, self._finish, task)
        self._schedule_heartbeat(self.pace, now + task.lasts)

    def end_poll(self, end: PollEnd) -> None:
        """The poll brought none."""
        if self.alive:
            self.own.polling -= 1
            if end is not PollEnd.EMPTY:
                waits = THROTTLED if end is PollEnd.THROTTLED else PROBES
                self.own.backs_off_until = self.host.now + waits.cap
            self._go_on(end)

    def _go_on(self, end: PollEnd) -> None:
        if not self.alive:
            return
        if self.asked:
            self.die(0)
            return
        if not self.needs_permit:
            self._poll_again(end)
            return
        self.parked = True
        self.own.parked += 1
        self.host.deliver(messages.Parked(self.number, end))
        self.own.watch(self.host.now)

    def _poll_again(self, end: PollEnd) -> None:
        """Without permits: poll, after a failure a little later."""
        self.failures = 0 if end in (PollEnd.NONE, PollEnd.EMPTY) else self.failures + 1
        self.host.later(BACKOFF.wait_after(self.failures, self.host.random), self._poll)

    def _poll(self) -> None:
        if not self.alive:
            return
        if self.asked:
            self.die(0)
            return
        self.own.polling += 1
        self.host.deliver(messages.Polling(self.number))
        self.own.at_swf.poll(self)

    def _unpark(self) -> None:
        self.parked = False
        self.own.parked -= 1

    # --- a task

    def _schedule_heartbeat(self, pace: HeartbeatPace, until: float) -> None:
        now = self.host.now
        due = pace.due(self.host.throttling.level(now))
        if due < until:
            self.host.later(max(0.0, due - now), self._heartbeat, pace, until)

    def _heartbeat(self, pace: HeartbeatPace, until: float) -> None:
        now, host = self.host.now, self.host
        if not self.alive or self.pace is not pace or self.task is None:
            return
        if pace.due(host.throttling.level(now)) > now + 1e-6:  # throttled meanwhile
            self._schedule_heartbeat(pace, until)
            return
        reply = host.fleet.account.call(HEARTBEAT, now)
        if reply is Reply.ACCEPTED and now <= pace.deadline:
            pace.note_accepted(now)
            self.task.signed_at = now
        elif reply is Reply.ACCEPTED:
            self.pace = None  # SWF no longer has the task; its answer will find out
            return
        else:
            pace.note_refused(now, reply.name)
            if reply is Reply.THROTTLED:
                host.throttling.note_throttled(now)
        self._schedule_heartbeat(pace, until)

    def _finish(self, task: SimulatedTask) -> None:
        if self.alive and self.task is task:
            until = max(task.given + task.plan.timeout, self.host.now + ANSWER_SECONDS)
            self._answer(COMPLETE, until, answer_waits(self.host.random), Result.COMPLETED)

    def _answer(self, call: str, until: float, waits: Iterator[float], result: Result) -> None:
        task, host = self.task, self.host
        if not self.alive or task is None:
            return
        reply = host.fleet.account.call(call, host.now)
        if reply is Reply.ACCEPTED:
            taken = host.fleet.answer(task, is_done=result is Result.COMPLETED)
            self._end_task(result if taken else Result.ALREADY_CLOSED)
        elif host.now + (wait := next(waits)) > until:
            host.fleet.lose(task, "no answer accepted in time")
            self._end_task(Result.ABANDONED)
        else:
            host.later(wait, self._answer, call, until, waits, result)
            if self.pace and self.pace.due(host.throttling.level(host.now)) < host.now + wait:
                self._schedule_heartbeat(self.pace, host.now + wait)

    def _end_task(self, result: Result) -> None:
        self.task = self.pace = None
        is_parked = self.is_withdrawn and not self.asked
        if is_parked:
            self.parked = True
            self.own.parked += 1
        elif not self.asked:
            self.own.polling += 1
        self.host.deliver(messages.Done(self.number, result, is_parked))
        if self.asked:
            self.die(0)
        elif not is_parked:
            self.own.at_swf.poll(self)
        self.own.watch(self.host.now)


class DecidingWorker(Process):
    """A decider: it polls without permits, and decides in a moment. It is not sticky."""

    __slots__ = ("asked", "at_swf", "failures", "returns", "task")

    def __init__(self, host: Host, number: int, at_swf: SimulatedList) -> None:
        super().__init__(host, number)
        self.at_swf = at_swf
        self.asked = self.returns = False
        self.failures = 0
        self.task: SimulatedTask | None = None

    def start(self) -> None:
        """It is ready, and polls."""
        self._poll()

    def ask_to_leave(self) -> None:
        """It leaves after its poll, or its backoff."""
        self.asked = True

    def die(self, status: int) -> None:
        """Its decision, if it has one, comes again."""
        if self.alive:
            self.at_swf.drop(self)
            if self.task:
                self._return(self.task)
        super().die(status)

    def _return(self, decision: SimulatedTask) -> None:
        """SWF schedules it once more: by a report, or by its timeout."""
        self.host.later(MOMENT, self.at_swf.add, decision)

    def _poll(self) -> None:
        if not self.alive:
            return
        if self.asked:
            self.die(0)
            return
        self.host.deliver(messages.Polling(self.number))
        self.at_swf.poll(self)

    def take_task(self, task: SimulatedTask) -> None:
        """A decision."""
        if not self.alive:
            self._return(task)
            return
        self.failures = 0
        self.task = task
        self.host.deliver(messages.Working(self.number, messages.Task(task.token, "w", task.token)))
        self.host.later(task.lasts, self._answer, answer_waits(self.host.random))

    def end_poll(self, end: PollEnd) -> None:
        """The poll brought none."""
        if end is PollEnd.EMPTY:
            self.failures = 0
            self._poll()
        else:
            self.failures += 1
            self.host.later(BACKOFF.wait_after(self.failures, self.host.random), self._poll)

    def _answer(self, waits: Iterator[float]) -> None:
        host, task = self.host, self.task
        if not self.alive or task is None:
            return
        if host.fleet.account.call(DECIDE, host.now) is not Reply.ACCEPTED:
            host.later(next(waits), self._answer, waits)
            return
        self.task = None
        host.fleet.note_decision(task)
        host.deliver(messages.Done(self.number, Result.COMPLETED))
        if self.asked:
            self.die(0)
        else:
            self.at_swf.poll(self)


class StartupJob(Process):
    """A job that makes some calls before new code serves."""

    __slots__ = ()
    calls: tuple[str, ...] = ()

    def start(self) -> None:
        """It is forked."""
        self._call(self.calls, 0, self.host.now + THROTTLED_SECONDS)

    def succeed(self) -> None:
        """All calls are made."""

    def give_up(self) -> None:
        """A throttle outlasted the wait."""

    def _call(self, left: tuple[str, ...], attempts: int, until: float) -> None:
        if not self.alive:
            return
        host = self.host
        if not left:
            self.succeed()
            self.die(0)
        elif host.fleet.account.call(left[0], host.now) is Reply.ACCEPTED:
            host.later(host.trip, self._call, left[1:], 0, host.now + THROTTLED_SECONDS)
        elif host.now + (wait := BACKOFF.wait_after(attempts + 1, host.random)) > until:
            self.give_up()
            self.die(exit_codes.GAVE_UP)
        else:
            host.later(wait, self._call, left, attempts + 1, until)


class Registrar(StartupJob):
    """Lists the types; the claim store is set, so it does not look for claims."""

    __slots__ = ()
    calls = TYPES

    def succeed(self) -> None:
        """SWF knows everything."""
        self.host.deliver(messages.Registered(self.number))

    def give_up(self) -> None:
        """It reports that SWF refuses it."""
        why = "it was throttled"
        self.host.deliver(messages.FlowRefused(self.number, why, exit_codes.GAVE_UP))


class Replayer(StartupJob):
    """Replays open executions; the core starts another one if it gives up."""

    __slots__ = ()
    calls = REPLAY

    def succeed(self) -> None:
        """All fit."""
        self.host.deliver(messages.Replayed(self.number, 20, 200))


class Reporter(Process):
    """Answers for the task of a dead worker."""

    __slots__ = ("order",)

    def __init__(self, host: Host, number: int, order: messages.Report) -> None:
        super().__init__(host, number)
        self.order = order

    def start(self) -> None:
        """It is forked."""
        within = REPORT_SECONDS if self.order.within is None else self.order.within
        self._call(0, self.host.now + min(REPORT_SECONDS, within))

    def _call(self, attempts: int, until: float) -> None:
        if not self.alive:
            return
        host = self.host
        if host.fleet.account.call(FAIL, host.now) is Reply.ACCEPTED:
            task = host.fleet.open.get(self.order.task.token)
            taken = task is not None and host.fleet.answer(task, is_done=False)
            result = Result.FAILED if taken else Result.ALREADY_CLOSED
            host.deliver(messages.Done(self.number, result))
            self.die(0)
        elif host.now + (wait := BACKOFF.wait_after(attempts + 1, host.random)) > until:
            self.die(1)
        else:
            host.later(wait, self._call, attempts + 1, until)


class Counter:
    """The sidecar that counts the tasks that wait."""

    def __init__(self, host: Host, order: messages.StartSidecar) -> None:
        self.alive = True
        self._host = host
        self._name = order.name
        self._lists = cycle(order.lists)
        interval = host.settings.scale_interval
        self._pace = CountPace(order.hosts, len(order.lists), interval)
        self._failures = 0
        host.later(MOMENT, self._begin)

    def _begin(self) -> None:
        self._host.deliver(messages.SidecarReady(self._name))
        self._host.later(self._pace.wait(self._host.random), self._take_turn)

    def _take_turn(self) -> None:
        if not self.alive:
            return
        host, wait, task_list = self._host, 0.0, next(self._lists)
        name, decides = task_list.name, task_list.role is Role.DECIDER
        if not self._pace.is_due(host.random):
            host.deliver(messages.Backlog(name, None))
        elif (reply := host.fleet.account.call(COUNTS[decides], host.now)) is Reply.ACCEPTED:
            self._failures = 0
            self._pace.note_accepted()
            counted = host.fleet.decisions if decides else host.fleet.lists[name]
            waiting = len(counted.tasks)
            host.deliver(messages.Backlog(name, waiting, counting=self._pace.counting))
        else:
            if reply is Reply.THROTTLED:
                self._pace.note_refused()
            self._failures += 1
            wait = BACKOFF.wait_after(self._failures, host.random)
        host.later(max(wait, self._pace.wait(host.random)), self._take_turn)

    def stop(self) -> None:
        """It is asked to end."""
        self.alive = False
        self._host.later(MOMENT, self._host.deliver, messages.SidecarLost(self._name, 0))
