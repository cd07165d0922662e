"""The simulated processes of a world: workers, zygotes, attendants.

1. A process only says what a real one would say over its channel, in the same order.
2. Dead processes say nothing: everything that a process planned ends with it.
"""

from __future__ import annotations

from itertools import cycle
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from supervisor import messages
from supervisor.messages import Register, Replay, Report, Result, Role, Serve, Staleness
from tests.fates import LONG_POLL, End, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fates import Fate, Helper, Version
    from tests.world import World

MOMENT = 0.25
"""Seconds that saying a last word, or closing up, takes."""


class Process:
    """One worker, from its birth to its death."""

    def __init__(self, world: World, fork: messages.Fork, fate: Fate) -> None:
        self.alive = True
        self.stacks: tuple[str, ...] = ()
        self._world = world
        self._number = fork.worker
        self._generation = fork.generation
        self._job = fork.job
        self._fate = fate
        self._told = False
        self._first = True
        self._tasks = 0  # taken up so far
        self._polls_open = 0  # that a sticky decider waits out when it leaves
        self._polls_end = inf
        self._told_at = inf
        self._sticks = False
        self._holds: messages.Task | None = None
        self._left = messages.PostMortem(pid=1000 + fork.worker, host="here")
        if fate.end is End.IN_BOOT:
            self._then(min(fate.after, fate.boot), self._meet_end)
        else:
            self._then(fate.boot, self._start)

    # --- what is done to it

    def tell(self) -> None:
        """A Terminate lands."""
        self._told = self._fate.heeds
        self._told_at = self._world.now

    def dump(self) -> None:
        """Its stacks are asked for."""
        self._will(stacks=("Thread 1",))

    def kill(self) -> None:
        """A KILL lands; the kernel may take its time."""
        self.die(-9, stuck=self._fate.stuck)

    def die(self, status: int, stuck: float = 0.0) -> None:
        if self.alive:
            self.alive = False
            death = messages.Exited(self._number, status, self._left)
            self._world.later(stuck, lambda: self._world.die(death))

    # --- what it does

    def _start(self) -> None:
        match self._job:
            case Serve():
                self._poll()
            case Register():
                version = self._world.zygotes[self._generation].version
                if version.refusal:
                    self._say(messages.Refused(self._number, *version.refusal))
                else:
                    self._say(messages.Registered(self._number))
                self._leave()
            case Replay():
                self._replay()
                self._leave()
            case Report():
                self._say(messages.Done(self._number, Result.FAILED))
                self._leave()

    def _replay(self) -> None:
        if self._world.zygotes[self._generation].version.contradicts:
            then, now = ("CompleteWorkflowExecution",), ("FailWorkflowExecution",)
            self._say(messages.Contradicted(self._number, "w0", 4, then, now))
        else:
            self._say(messages.Replayed(self._number, 1, 2))

    def _poll(self) -> None:
        if self._told:
            self._wait_out()
            return
        self._say(messages.Polling(self._number))
        self._polls_end = self._world.now + LONG_POLL
        first, self._first = self._first, False
        if self._fate.end is End.IN_POLL:
            self._then(self._fate.after, self._meet_end)
        elif not (first and self._fate.deaf):
            self._wait(self._world.next_plan())

    def _wait(self, plan: Plan | None) -> None:
        if plan is None:
            self._then(LONG_POLL, self._poll)
        else:
            self._then(plan.waits, lambda: self._work(plan))

    def _wait_out(self) -> None:
        """Of a sticky decider a second poll is open still."""
        if not self._polls_open:
            self._leave()
            return
        self._polls_open -= 1
        left = max(0.0, self._polls_end - self._world.now)
        plan = self._world.next_plan()
        if plan is None or plan.waits > left:
            self._then(left, self._leave)
        else:
            self._then(plan.waits, lambda: self._work(plan))

    def _leave(self) -> None:
        if not self._fate.lingers:
            self._then(MOMENT, lambda: self.die(0))

    def _meet_end(self) -> None:
        self._will(out_of_memory=self._fate.starved)
        self.die(-9 if self._fate.starved else self._fate.status)

    # --- a task in hand

    def _work(self, plan: Plan) -> None:
        assert isinstance(self._job, Serve)
        role = self._job.seat.task_list.role
        self._tasks += 1
        if self._is_sticky and self._fate.queues and self._tasks == 1:
            waiting = tuple(self._world.task(role, None) for _ in range(2))
        else:
            waiting = self._left.waiting or (self._world.task(role, plan.timeout),)
        self._will(waiting=waiting)
        task = self._holds = waiting[0]
        self._say(messages.Working(self._number, task))
        self._will(begun=self._fate.begins, waiting=waiting[1:])
        if plan.stale and role is Role.ACTIVITY:
            at, why = plan.stale
            self._then_of(task, at, lambda: self._hear_stale(task, why))
        self._then_of(task, plan.swells, lambda: self._say(messages.TooBig(self._number, 1 << 30)))
        if self._fate.end is End.IN_TASK:
            self._then_of(task, min(self._fate.after, plan.lasts), self._meet_end)
        elif not self._fate.hangs:
            self._then_of(task, plan.lasts, lambda: self._answer(task, plan))

    def _hear_stale(self, task: messages.Task, why: Staleness) -> None:
        self._say(messages.Stale(self._number, why))
        if not self._fate.heedless:
            result = Result.GONE if why is Staleness.GONE else Result.CANCELED
            self._then_of(task, MOMENT, lambda: self._done(result))

    def _answer(self, task: messages.Task, plan: Plan) -> None:
        """The result is there; SWF has to accept it."""
        assert isinstance(self._job, Serve)
        if self._job.seat.task_list.role is Role.ACTIVITY:
            self._will(begun=True, answer=messages.Complete(f"of {task.token}"))
        if self._fate.end is End.ANSWERING:
            self._meet_end()
        else:
            result = Result.FAILED if self._fate.fails else Result.COMPLETED
            self._then_of(task, plan.answering, lambda: self._done(result))

    def _done(self, result: Result) -> None:
        self._holds = None
        self._will(begun=False, answer=None)
        self._say(messages.Done(self._number, result))
        if self._tasks == self._fate.tires:
            self._say(messages.Tired(self._number, f"it has done {self._tasks} tasks"))
        if self._fate.end is End.AFTER_TASK:
            self._meet_end()
        elif self._left.waiting:
            self._work(Plan(timeout=None))
        elif self._told:
            self._poll_own_list_again()
            self._wait_out()
        else:  # ``Done`` has said that the next poll follows
            self._sticks = self._is_sticky  # SWF now knows of its own list
            self._polls_open = int(self._sticks)
            self._polls_end = self._world.now + LONG_POLL
            self._wait(self._world.next_plan())

    def _poll_own_list_again(self) -> None:
        """For a while, after each task."""
        grace = self._world.settings.sticky_schedule_to_start
        if self._sticks and self._world.now < self._told_at + grace:
            self._polls_open = 2
            self._polls_end = self._world.now + LONG_POLL

    @property
    def _is_sticky(self) -> bool:
        decides = isinstance(self._job, Serve) and self._job.seat.task_list.role is Role.DECIDER
        return decides and not self._world.settings.no_sticky

    # --- how

    def _will(self, **changes: Any) -> None:
        self._left = msgspec.structs.replace(self._left, **changes)

    def _then_of(self, task: messages.Task, seconds: float, do: Callable[[], None]) -> None:
        """Later, if the task is still in hand."""
        self._then(seconds, lambda: do() if self._holds is task else None)

    def _say(self, event: messages.Event) -> None:
        self._world.say(event)

    def _then(self, seconds: float, do: Callable[[], None]) -> None:
        self._world.later(seconds, lambda: do() if self.alive else None)


class Zygote:
    """One generation's mother; ``fates`` are those of the workers of its own code."""

    def __init__(self, world: World, number: int, version: Version) -> None:
        self.alive = True
        self.version = version
        self.fates: Iterator[Fate] = (cycle if version.forever else iter)(version.workers)
        self._world = world
        self._number = number
        world.later(version.imports, self._import)

    def _import(self) -> None:
        if not self.alive:
            return
        if self.version.failure:
            self.die(*self.version.failure)
            return
        lists = self._world.lists if self.version.lists is None else self.version.lists
        self._world.say(messages.GenerationReady(self._number, lists))
        self._world.later(self.version.lost_after, lambda: self.die("it was lost"))

    def die(self, why: str, code: int = 4, after: float = 0.0) -> None:
        if self.alive:
            self.alive = False
            lost = messages.GenerationLost(self._number, why, code)
            self._world.later(after, lambda: self._world.die(lost))


class Attendant:
    """The endpoint, the starter, or one that stays."""

    def __init__(self, world: World, name: str, fate: Helper) -> None:
        self._world = world
        self._name = name
        self._fate = fate
        self._alive = True
        world.later(fate.ready, self._be_ready)
        world.later(fate.ready + fate.lost_after, lambda: self.die(-9))

    def _be_ready(self) -> None:
        endpoint = "http://127.0.0.1:1" if self._name == "endpoint" else ""
        self._world.say(messages.AttendantReady(self._name, endpoint))
        self._world.later(self._fate.closes, self._close)

    def _close(self) -> None:
        if self._alive and self._name == "starter":
            self._world.say(messages.AllClosed(self._fate.completed))
            self._world.later(MOMENT, lambda: self.die(0))

    def stop(self) -> None:
        if self._fate.heeds:
            self.die(0)

    def die(self, status: int) -> None:
        if self._alive:
            self._alive = False
            self._world.die(messages.AttendantLost(self._name, status))
