"""The actions of the core: each changes the facts and is sent to the shell in one step.

Rules:

1. Rules act through these methods only, so no action goes out that the state does not know.
2. The methods check nothing; the rules decide.
3. A drain only gets stricter: an earlier end, a worse exit code.
"""

# ruff: noqa: D102 - a method is named by the action that it makes

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.generation import Generation, Killing, Leave, ScheduledKill, Worker, Zygote
from supervisor.core.rules.ledger import Ledger
from supervisor.core.stages import Stage, first_stage
from supervisor.core.state import Drain, Sidecar, SidecarState
from supervisor.ipc import messages
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.config.settings import Settings
    from supervisor.core.causes import DeathKind
    from supervisor.core.failures import Failure
    from supervisor.core.rules.ledger import TaskOutcome
    from supervisor.core.state import State
    from supervisor.ipc.messages import Task, TaskList

Fact = str | int | float | None


@dataclass(slots=True)
class Turn:
    """The handling of one event: the facts, the time, and the actions so far."""

    state: State
    now: float
    actions: list[messages.Action] = field(default_factory=list)

    # --- generations

    def start_generation(self, settings: Settings) -> Generation:
        self.state.last_generation += 1
        generation = Generation(self.state.last_generation, settings, self.now)
        self.state.generations[generation.number] = generation
        self.actions.append(messages.StartGeneration(generation.number, settings))
        return generation

    def apply_settings(self, settings: Settings) -> None:
        if settings != self.state.settings:
            self.state.settings = settings
            self.actions.append(messages.ApplySettings(settings))

    def retire(self, generation: Generation) -> None:
        if generation.zygote is not Zygote.GONE:
            generation.zygote = Zygote.GONE
            self.actions.append(messages.RetireGeneration(generation.number))

    # --- workers

    def fork(self, generation: Generation, job: messages.Job) -> Worker:
        self.state.last_worker += 1
        worker = Worker(self.state.last_worker, generation, job)
        worker.enter(first_stage(job), self.now, generation.settings)
        self.state.add_worker(worker)
        instance = self.state.instance
        self.actions.append(messages.Fork(worker.number, generation.number, job, instance))
        return worker

    def ask_to_leave(self, worker: Worker) -> None:
        """Its last poll may bring a task: code that failed, or has to stop, does not start it."""
        is_stopping = self.state.drain is not None and self.state.drain.stopping
        if worker.slot and (is_stopping or worker.generation.has_failed):
            self.actions.append(messages.ReturnUnstarted(worker.number))
        worker.mark_asked_to_leave(self.now, self.state.settings)
        self.actions.append(messages.Terminate(worker.number))

    def grant_permit(self, worker: Worker) -> None:
        worker.has_permit = True
        worker.enter(Stage.WAKING, self.now, self.state.settings)
        self.actions.append(messages.GrantPermit(worker.number))

    def withdraw_permit(self, worker: Worker) -> None:
        worker.has_permit = False
        self.actions.append(messages.WithdrawPermit(worker.number))

    def return_unstarted(self, workers: Iterable[Worker]) -> None:
        """Let those that were asked to leave return what their last polls bring."""
        for worker in workers:
            if worker.leave is Leave.ASKED:
                self.actions.append(messages.ReturnUnstarted(worker.number))

    def dismiss(self, worker: Worker) -> None:
        """End a worker whose slot is gone; one that is on its way out is only not replaced."""
        if worker.is_staying:
            self.ask_to_leave(worker)
        else:
            worker.leave = Leave.DISMISSED

    def schedule_kill(self, worker: Worker, why: str, kind: DeathKind) -> None:
        """Ask a worker for its stacks, and kill it when it had time to write them."""
        worker.scheduled_kill = ScheduledKill(
            self.now + self.state.settings.stacks_timeout, why, kind
        )
        self.actions.append(messages.DumpStacks(worker.number))

    def kill(self, worker: Worker, why: str, kind: DeathKind) -> None:
        until = self.now + self.state.settings.reap_timeout
        worker.killing = Killing(self.now, until, why, kind)
        self.actions.append(messages.Kill(worker.number, why))

    # --- sidecars

    def start_sidecar(self, name: str, lists: tuple[TaskList, ...] = (), hosts: int = 1) -> None:
        before = self.state.sidecars.get(name)
        sidecar = Sidecar(name, SidecarState.STARTING, self.now, lists=lists, hosts=hosts)
        if before is not None:
            sidecar.streak = before.streak  # it ends with a start that lasts, not with a start
        self.state.sidecars[name] = sidecar
        self.actions.append(messages.StartSidecar(name, lists, hosts))

    def stop_sidecar(self, sidecar: Sidecar) -> None:
        if sidecar.status in (SidecarState.STARTING, SidecarState.READY):
            sidecar.status, sidecar.since = SidecarState.STOPPING, self.now
            self.actions.append(messages.StopSidecar(sidecar.name))

    def hurry_sidecar(self, sidecar: Sidecar) -> None:
        """Let retired code abandon its tasks, and exit."""
        sidecar.status, sidecar.since, sidecar.is_hurried = SidecarState.STOPPING, self.now, True
        self.actions.append(messages.StopSidecar(sidecar.name, now=True))

    # --- tasks that were handed out

    def hand_over(self, tasks: tuple[messages.HandedOutTask, ...]) -> None:
        self.actions.append(messages.HandOver(tasks))

    # --- the program

    def begin_drain(
        self,
        why: str,
        *,
        code: int = 0,
        within: float | None = None,
        level: Level = Level.INFO,
    ) -> Drain:
        """Finish the tasks in progress, then exit; at the latest after ``within`` seconds."""
        if self.state.drain is None:
            self.note(level, "draining", f"Draining: {why}.")
        drain = self._drain_for(why, code)
        for seconds in (self.state.settings.drain_timeout, within):
            drain.end_by = min(drain.end_by, inf if seconds is None else self.now + seconds)
        return drain

    def stop(self, why: str, *, code: int = 0) -> None:
        """Exit soon: workers that are left after ``stop_timeout`` are killed."""
        drain = self._drain_for(why, code)
        if not drain.stopping:
            drain.stopping, drain.why, drain.end_why = True, why, ""
            self.return_unstarted(self.state.serving())
            self.note(
                Level.ERROR if code else Level.WARNING, "stopping", f"Stopping: {why.rstrip('.')}."
            )
        drain.end_by = min(drain.end_by, self.now + self.state.settings.stop_timeout)

    def _drain_for(self, why: str, code: int) -> Drain:
        drain = self.state.drain
        if drain is None:
            drain = self.state.drain = Drain(why, code, self._opened_ledger())
        elif code > drain.code:
            drain.why, drain.code, drain.end_why = why, code, ""
        return drain

    def _opened_ledger(self) -> Ledger:
        ledger = Ledger(self.now)
        in_progress = (each.task for each in self.state.serving() if each.task)
        for task in (*in_progress, *(each.task for each in self.state.owed_reports)):
            ledger.add_task(task, self.now)
        return ledger

    def add_to_ledger(self, task: Task) -> None:
        """Enter a task that a worker received, or left behind, during a drain."""
        if self.state.drain:
            self.state.drain.ledger.add_task(task, self.now)

    def close_in_ledger(self, task: Task, outcome: TaskOutcome) -> None:
        """Enter the outcome of a task that ended during a drain."""
        if self.state.drain:
            self.state.drain.ledger.close_task(task, outcome, self.now)

    def fail(self, failure: Failure) -> None:
        """Stop, because the program can no longer do its work."""
        self.stop(failure.why, code=failure.code)

    def exit(self, drain: Drain) -> None:
        for generation in self.state.generations.values():
            self.retire(generation)
        self.state.exited = True
        self.actions.append(messages.Exit(drain.code, drain.why))

    def note(self, level: Level, event: str, text: str, **facts: Fact) -> None:
        self.state.tally.events[event] += 1
        self.actions.append(messages.Note(level, event, text, facts))
