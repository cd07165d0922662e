"""The simulated processes of a world: workers, zygotes, attendants.

1. A process only says what a real one would say over its channel, in the same order.
2. Dead processes say nothing: everything that a process planned ends with it.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.messages import Register, Report, Result, Serve
from tests.fates import LONG_POLL, End

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fates import Fate, Helper, Plan, Version
    from tests.world import World

MOMENT = 0.25
"""Seconds that saying a last word, or closing up, takes."""


class Process:
    """One worker, from its birth to its death."""

    def __init__(self, world: World, fork: messages.Fork, fate: Fate) -> None:
        self.alive = True
        self._world = world
        self._number = fork.worker
        self._generation = fork.generation
        self._job = fork.job
        self._fate = fate
        self._told = False
        self._first = True
        if fate.end is End.IN_BOOT:
            self._then(min(fate.after, fate.boot), self._meet_end)
        else:
            self._then(fate.boot, self._start)

    # --- what is done to it

    def tell(self) -> None:
        """A Terminate lands."""
        self._told = self._fate.heeds

    def kill(self) -> None:
        """A KILL lands; the kernel may take its time."""
        self.die(-9, stuck=self._fate.stuck)

    def die(self, status: int, stuck: float = 0.0) -> None:
        if self.alive:
            self.alive = False
            death = messages.Exited(self._number, status)
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
            case Report():
                self._say(messages.Done(self._number, Result.FAILED))
                self._leave()

    def _poll(self) -> None:
        if self._told:
            self._leave()
            return
        self._say(messages.Polling(self._number))
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

    def _work(self, plan: Plan) -> None:
        assert isinstance(self._job, Serve)
        role = self._job.seat.task_list.role
        self._say(messages.Working(self._number, self._world.task(role, plan.timeout)))
        if self._fate.end is End.IN_TASK:
            self._then(min(self._fate.after, plan.lasts), self._meet_end)
        elif not self._fate.hangs:
            self._then(plan.lasts, self._answer)

    def _answer(self) -> None:
        self._say(messages.Done(self._number, Result.COMPLETED))
        if self._fate.end is End.AFTER_TASK:
            self._meet_end()
        elif self._told:
            self._leave()
        else:  # ``Done`` has said that the next poll follows
            self._wait(self._world.next_plan())

    def _leave(self) -> None:
        if not self._fate.lingers:
            self._then(MOMENT, lambda: self.die(0))

    def _meet_end(self) -> None:
        self.die(self._fate.status)

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
    """The endpoint or the starter."""

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
        if self._alive:
            self._world.say(messages.AllClosed(self._fate.completed))
            self._world.later(MOMENT, lambda: self.die(0))

    def stop(self) -> None:
        if self._fate.heeds:
            self.die(0)

    def die(self, status: int) -> None:
        if self._alive:
            self._alive = False
            self._world.die(messages.AttendantLost(self._name, status))
