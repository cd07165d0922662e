"""The simulated workers and zygotes of a world.

Rules:

1. A process sends only what a real one would send over its channel, in the same order.
2. A dead process sends nothing: everything that it had planned ends with it.
"""

from __future__ import annotations

from itertools import cycle
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from supervisor.ipc import messages
from supervisor.ipc.messages import (
    PollEnd,
    Register,
    Replay,
    Report,
    Result,
    Role,
    SearchOpen,
    Serve,
    Staleness,
)
from tests.supervisor.simulation.scenarios import LONG_POLL, End, TaskPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.supervisor.simulation.scenarios import Version, WorkerPlan
    from tests.supervisor.simulation.world import World

MOMENT = 0.25
"""Seconds that a last message, or an exit, takes."""


class Process:
    """One worker, from its fork to its death."""

    def __init__(self, world: World, fork: messages.Fork, worker_plan: WorkerPlan) -> None:
        self.alive = True
        self.stacks: tuple[str, ...] = ()
        self._world = world
        self._number = fork.worker
        self._generation = fork.generation
        self._job = fork.job
        self._plan = worker_plan
        self._asked_to_leave = self._returns_unstarted = False
        self._first = True
        self._parked = self._withdrawn = False
        self._tasks = 0  # begun so far
        self._polls_open = 0  # polls that a sticky decider waits for when it leaves
        self._polls_end = inf
        self._asked_at = inf
        self._sticks = False
        self._task: messages.Task | None = None
        self._post_mortem = messages.PostMortem(pid=1000 + fork.worker, host="here")
        if worker_plan.end is End.IN_BOOT:
            self._later(min(worker_plan.after, worker_plan.boot), self._end)
        else:
            self._later(worker_plan.boot, self._start)

    # --- actions of the supervisor

    def ask_to_leave(self) -> None:
        """A ``Terminate`` arrives."""
        self._asked_to_leave = self._plan.obeys
        self._asked_at = self._world.now
        if self._parked and self._asked_to_leave:
            self._parked = False
            self._leave()

    def grant_permit(self) -> None:
        """A ``GrantPermit`` arrives; a process that does not wake sleeps on."""
        self._withdrawn = False
        if self.alive and self._parked and self._plan.wakes:
            self._parked = False
            self._poll()

    def withdraw_permit(self) -> None:
        """A ``WithdrawPermit`` arrives."""
        self._withdrawn = True

    def return_unstarted(self) -> None:
        """A ``ReturnUnstarted`` arrives."""
        self._returns_unstarted = True

    def dump_stacks(self) -> None:
        """A ``DumpStacks`` arrives."""
        self._leave_behind(stacks=("Thread 1",))

    def take_task(self, task_plan: TaskPlan) -> None:
        """SWF hands it a task."""
        self._later(0, lambda: self._work(task_plan))

    def end_poll(self, end: PollEnd = PollEnd.EMPTY) -> None:
        """SWF has no task, or does not answer."""
        self._later(0, lambda: self._go_on(end))

    def kill(self) -> None:
        """A ``Kill`` arrives; the kernel may take its time."""
        self.die(-9, unreaped_for=self._plan.unreaped_for)

    def die(self, status: int, unreaped_for: float = 0.0) -> None:
        if self.alive:
            self.alive = False
            death = messages.Exited(self._number, status, self._post_mortem)
            self._world.later(unreaped_for, lambda: self._world.die(death))

    # --- its work

    def _start(self) -> None:
        match self._job:
            case Serve():
                self._go_on(PollEnd.NONE)
            case Register():
                version = self._world.zygotes[self._generation].version
                if version.refusal:
                    self._send(messages.FlowRefused(self._number, *version.refusal))
                else:
                    self._send(messages.Registered(self._number))
                self._leave()
            case Replay():
                self._replay()
                self._leave()
            case SearchOpen():
                self._send(messages.OpenSearched(self._number, *self._world.next_search()))
                self._leave()
            case Report():
                self._send(messages.Done(self._number, Result.FAILED))
                self._leave()

    def _replay(self) -> None:
        version = self._world.zygotes[self._generation].version
        if version.non_deterministic or version.misfits:
            then, now = ("CompleteWorkflowExecution",), ("FailWorkflowExecution",)
            self._send(
                messages.NonDeterministic(
                    self._number, "w0", 4, then, now, builds=version.misfits, report="1 differs."
                )
            )
        else:
            self._send(messages.Replayed(self._number, 1, 2))

    def _go_on(self, end: PollEnd) -> None:
        """Poll, or ask for a permit to."""
        if self._asked_to_leave:
            self._wait_out()
        elif self._needs_permit:
            self._send(messages.Parked(self._number, end))
            self._parked = True
        else:
            self._poll()

    def _poll(self) -> None:
        self._send(messages.Polling(self._number))
        self._polls_end = self._world.now + LONG_POLL
        first, self._first = self._first, False
        if self._plan.end is End.IN_POLL:
            self._later(self._plan.after, self._end)
        elif not (first and self._plan.poll_hangs):
            self._wait_for_task()

    def _wait_for_task(self) -> None:
        if self._world.swf_list and self._needs_permit:
            self._world.swf_list.poll(self)
        else:
            self._wait(self._world.next_task_plan())

    def _wait(self, task_plan: TaskPlan | None) -> None:
        if task_plan is None:
            self._later(LONG_POLL, lambda: self._go_on(PollEnd.EMPTY))
        elif task_plan.poll_end:
            end = task_plan.poll_end
            self._later(max(MOMENT, task_plan.waits), lambda: self._go_on(end))
        else:
            self._later(task_plan.waits, lambda: self._work(task_plan))

    def _wait_out(self) -> None:
        """Wait for the second poll of a sticky decider, which is still open."""
        if not self._polls_open:
            self._leave()
            return
        self._polls_open -= 1
        left = max(0.0, self._polls_end - self._world.now)
        task_plan = self._world.next_task_plan()
        if task_plan is None or task_plan.poll_end or task_plan.waits > left:
            self._later(left, self._leave)
        else:
            self._later(task_plan.waits, lambda: self._work(task_plan))

    def _leave(self) -> None:
        if not self._plan.lingers:
            self._later(MOMENT, lambda: self.die(0))

    def _end(self) -> None:
        self._leave_behind(out_of_memory=self._plan.out_of_memory)
        self.die(-9 if self._plan.out_of_memory else self._plan.status)

    # --- a task in progress

    def _work(self, task_plan: TaskPlan) -> None:
        assert isinstance(self._job, Serve)
        role = self._job.slot.task_list.role
        self._tasks += 1
        if self._is_sticky and self._plan.queues and self._tasks == 1:
            waiting = tuple(self._world.task(role, None) for _ in range(2))
        else:
            waiting = self._post_mortem.waiting or (
                self._world.task(role, task_plan.timeout, task_plan.run),
            )
        self._leave_behind(waiting=waiting)
        task = self._task = waiting[0]
        self._send(messages.Working(self._number, task))
        if self._returns_unstarted:
            self._leave_behind(waiting=waiting[1:])
            self._later_in_task(task, MOMENT, lambda: self._done(Result.RETURNED))
            return
        self._leave_behind(started=self._plan.starts, waiting=waiting[1:])
        if task_plan.stale and role is Role.ACTIVITY:
            at, why = task_plan.stale
            self._later_in_task(task, at, lambda: self._hear_stale(task, why))
        self._later_in_task(
            task,
            task_plan.too_big_at,
            lambda: self._send(messages.MemoryExceeded(self._number, 1 << 30)),
        )
        if self._plan.end is End.IN_TASK:
            self._later_in_task(task, min(self._plan.after, task_plan.lasts), self._end)
        elif not self._plan.hangs:
            self._later_in_task(task, task_plan.lasts, lambda: self._answer(task, task_plan))

    def _hear_stale(self, task: messages.Task, why: Staleness) -> None:
        self._send(messages.Stale(self._number, why))
        if not self._plan.ignores_stale:
            result = Result.ALREADY_CLOSED if why is Staleness.CLOSED else Result.CANCELED
            self._later_in_task(task, MOMENT, lambda: self._done(result))

    def _answer(self, task: messages.Task, task_plan: TaskPlan) -> None:
        """Answer SWF with the result, which it has to accept."""
        assert isinstance(self._job, Serve)
        if self._job.slot.task_list.role is Role.ACTIVITY:
            complete = messages.Complete(f"of {task.token}")
            self._leave_behind(
                started=True, answer=messages.HandOut() if task_plan.hands_out else complete
            )
            if task_plan.hands_out:
                self._world.handed_out.add(task.token)
        if self._plan.end is End.ANSWERING:
            self._end()
        else:
            result = Result.FAILED if self._plan.fails else Result.COMPLETED
            if task.token in self._world.handed_out:
                result = Result.HANDED_OUT
            self._later_in_task(task, task_plan.answering, lambda: self._done(result))

    def _done(self, result: Result) -> None:
        self._task = None
        self._leave_behind(started=False, answer=None)
        parked = self._needs_permit and self._withdrawn
        self._send(messages.Done(self._number, result, parked))
        if self._tasks == self._plan.retires_after:
            why = f"task limit reached, {self._tasks} done"
            self._send(messages.WantsReplacement(self._number, why))
        if self._plan.end is End.AFTER_TASK:
            self._end()
        elif self._post_mortem.waiting:
            self._work(TaskPlan(timeout=None))
        elif self._asked_to_leave:
            self._poll_own_list_again()
            self._wait_out()
        elif parked:
            self._parked = True
        else:  # ``Done`` means that the next poll follows
            self._sticks = self._is_sticky  # SWF now knows its own list
            self._polls_open = int(self._sticks)
            self._polls_end = self._world.now + LONG_POLL
            self._wait_for_task()

    def _poll_own_list_again(self) -> None:
        """Poll the own list for a while after each task, as a sticky decider does."""
        grace = self._world.settings.sticky_schedule_to_start
        if self._sticks and self._world.now < self._asked_at + grace:
            self._polls_open = 2
            self._polls_end = self._world.now + LONG_POLL

    @property
    def _needs_permit(self) -> bool:
        return isinstance(self._job, Serve) and self._job.needs_permit

    @property
    def _is_sticky(self) -> bool:
        decides = isinstance(self._job, Serve) and self._job.slot.task_list.role is Role.DECIDER
        return decides and self._world.settings.sticky

    # --- helpers

    def _leave_behind(self, **changes: Any) -> None:
        self._post_mortem = msgspec.structs.replace(self._post_mortem, **changes)

    def _later_in_task(self, task: messages.Task, seconds: float, do: Callable[[], None]) -> None:
        """Do this later, if the task is still in progress."""
        self._later(seconds, lambda: do() if self._task is task else None)

    def _send(self, event: messages.Event) -> None:
        self._world.send(event)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._world.later(seconds, lambda: do() if self.alive else None)


class Zygote:
    """One generation's zygote, with the plans of the workers of its own code."""

    def __init__(self, world: World, number: int, version: Version) -> None:
        self.alive = True
        self.hangs = False
        self.version = version
        self.workers: Iterator[WorkerPlan] = (cycle if version.repeats else iter)(version.workers)
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
        code = self.version
        self._world.send(
            messages.GenerationReady(
                self._number,
                lists,
                code.external_lists,
                code.restart_unset,
                build=code.build,
                release=code.release,
                older=code.older,
                releases=code.releases,
            )
        )
        self._world.later(self.version.lost_after, lambda: self.die("it was lost"))

    def die(self, why: str, code: int = 4, after: float = 0.0) -> None:
        if self.alive:
            self.alive = False
            lost = messages.GenerationLost(self._number, why, code)
            self._world.later(after, lambda: self._world.die(lost))
            self._world.later(after, lambda: self._world.lose_unborn(self._number))
