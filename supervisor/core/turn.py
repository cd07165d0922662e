"""What the core can do: each wish is remembered in the same step.

1. A rule acts through these methods only, so no action can go out that the state does not know of.
2. The methods check nothing; whether to act is the rules' business.
3. Leaving only ever gets stricter: an earlier end, a worse exit code.
"""

# ruff: noqa: D102 - a wish is named by the action that it makes

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.core.generation import Generation, Zygote
from supervisor.core.ledger import Ledger
from supervisor.core.stages import Stage
from supervisor.core.state import Attendant, Leaving, Standing
from supervisor.core.worker import Doom, Killing, Leave, Worker
from supervisor.messages import Level, Register, Replay, Report

if TYPE_CHECKING:
    from supervisor.core.causes import Kind
    from supervisor.core.generation import Failure
    from supervisor.core.ledger import Fate
    from supervisor.core.state import State
    from supervisor.messages import Task, TaskList
    from supervisor.settings import Settings

Fact = str | int | float | None


@dataclass(slots=True)
class Turn:
    """One event's turn: what is known, what time it is, what was wished so far."""

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

    def take_up(self, settings: Settings) -> None:
        if settings != self.state.settings:
            self.state.settings = settings
            self.actions.append(messages.TakeUp(settings))

    def retire(self, generation: Generation) -> None:
        if generation.zygote is not Zygote.GONE:
            generation.zygote = Zygote.GONE
            self.actions.append(messages.RetireGeneration(generation.number))

    # --- workers

    def fork(self, generation: Generation, job: messages.Job) -> Worker:
        self.state.last_worker += 1
        worker = Worker(self.state.last_worker, generation, job)
        worker.enter(_first_stage(job), self.now, generation.settings)
        self.state.seat(worker)
        instance = self.state.instance
        self.actions.append(messages.Fork(worker.number, generation.number, job, instance))
        return worker

    def tell_to_leave(self, worker: Worker) -> None:
        worker.be_told(self.now, self.state.settings)
        self.actions.append(messages.Terminate(worker.number))

    def take_seat(self, worker: Worker) -> None:
        """Nobody is wanted where it sits any more; who is killed already is only not replaced."""
        if worker.stays:
            self.tell_to_leave(worker)
        else:
            worker.leave = Leave.DISMISSED

    def doom(self, worker: Worker, why: str, kind: Kind) -> None:
        """Ask for its stacks; it is killed when it had the time to write them."""
        worker.doom = Doom(self.now + self.state.settings.stacks_grace, why, kind)
        self.actions.append(messages.DumpStacks(worker.number))

    def kill(self, worker: Worker, why: str, kind: Kind) -> None:
        until = self.now + self.state.settings.reap_patience
        worker.killing = Killing(self.now, until, why, kind)
        self.actions.append(messages.Kill(worker.number, why))

    # --- attendants

    def start_attendant(self, name: str, lists: tuple[TaskList, ...] = ()) -> None:
        before = self.state.attendants.get(name)
        attendant = Attendant(name, Standing.STARTING, self.now, lists=lists)
        if before is not None:
            attendant.trouble = before.trouble
        self.state.attendants[name] = attendant
        self.actions.append(messages.StartAttendant(name, lists))

    def stop_attendant(self, attendant: Attendant) -> None:
        if attendant.standing in (Standing.STARTING, Standing.READY):
            attendant.standing, attendant.since = Standing.STOPPING, self.now
            self.actions.append(messages.StopAttendant(attendant.name))

    # --- the program

    def drain(self, why: str, *, code: int = 0, within: float | None = None) -> Leaving:
        """Finish what is in hand and leave, within the seconds given and those of the settings."""
        if self.state.leaving is None:
            self.note(Level.INFO, "draining", f"Draining: {why}.")
        leaving = self._leave(why, code)
        for seconds in (self.state.settings.drain_timeout, within):
            leaving.end_by = min(leaving.end_by, inf if seconds is None else self.now + seconds)
        return leaving

    def stop(self, why: str, *, code: int = 0) -> None:
        """Leave now: whoever is left after ``stop_patience`` is killed."""
        leaving = self._leave(why, code)
        if not leaving.stopping:
            leaving.stopping, leaving.why = True, why
            self.note(
                Level.ERROR if code else Level.WARNING, "stopping", f"Stopping: {why.rstrip('.')}."
            )
        leaving.end_by = min(leaving.end_by, self.now + self.state.settings.stop_patience)

    def _leave(self, why: str, code: int) -> Leaving:
        leaving = self.state.leaving
        if leaving is None:
            leaving = self.state.leaving = Leaving(why, code, self._opened_ledger())
        elif code > leaving.code:
            leaving.why, leaving.code = why, code
        return leaving

    def _opened_ledger(self) -> Ledger:
        ledger = Ledger(self.now)
        held = (each.task for each in self.state.serving() if each.task)
        for task in (*held, *(each.task for each in self.state.debts)):
            ledger.take(task, self.now)
        return ledger

    def account(self, task: Task, fate: Fate | None = None) -> None:
        """While the program leaves: a task has come, or has met its fate."""
        if self.state.leaving and fate:
            self.state.leaving.ledger.close(task, fate, self.now)
        elif self.state.leaving:
            self.state.leaving.ledger.take(task, self.now)

    def fail(self, failure: Failure) -> None:
        """Stop, because there is nothing left to keep alive."""
        self.stop(failure.why, code=failure.code)

    def exit(self, leaving: Leaving) -> None:
        for generation in self.state.generations.values():
            self.retire(generation)
        self.state.exited = True
        self.actions.append(messages.Exit(leaving.code, leaving.why))

    def note(self, level: Level, event: str, text: str, **facts: Fact) -> None:
        self.actions.append(messages.Note(level, event, text, facts))


def _first_stage(job: messages.Job) -> Stage:
    match job:
        case Register():
            return Stage.REGISTERING
        case Replay():
            return Stage.REPLAYING
        case Report():
            return Stage.REPORTING
        case _:
            return Stage.BOOTING
