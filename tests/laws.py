"""What the core may never do, judged from what it heard and wished alone.

1. The judge keeps its own book of events and actions (``book``); it never looks into the core.
2. Every action is judged when it is wished, every turn when it is over, every story at its end.
3. A broken law raises at once: a fake that lets faults pass is worth nothing.
"""

from __future__ import annotations

from functools import singledispatchmethod
from math import inf
from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.messages import Register, Report, Seat, Serve
from tests.book import Book
from tests.lives import Life, Rest

if TYPE_CHECKING:
    from supervisor.core import Core
    from supervisor.messages import TaskList

OVERDUE = "it did not leave when told to"
"""Why somebody is killed whom going on does not save."""

COMPANIONS = ("ec2", "scale")
"""Attendants that are started again when they are lost."""

WINK = 1e-6
"""Seconds that sums of floats may be off."""


class Broken(AssertionError):
    """The core did what it may never do."""


class Judge(Book):
    """Watches one core."""

    def over(self, core: Core) -> None:
        """A turn is over: something is due, and it lies ahead."""
        deadline = core.next_deadline()
        if self.exit:
            _law(deadline == inf, "nothing is due after the exit")
            return
        _law(deadline > self.now, f"the deadline {deadline} lies in the future of {self.now}")
        _law(deadline < inf, "something is always due until the exit")
        for worker, life in self.living.items():
            _law(not life.too_big or life.killed_at < inf, f"{worker} is too big to live")

    def finish(self) -> None:
        """The story is over: every death was noted once, every owed report settled once."""
        for worker in self.deaths_due:
            _law(self.deaths_noted[worker] == 1, f"the death of {worker} is noted once")
        _law(set(self.deaths_noted) <= self.deaths_due, "only deaths are noted as deaths")
        for token in self.owed:
            _law(self.settled[token] == 1, f"the report of {token} is settled once")
        _law(set(self.settled) <= set(self.owed), "only the tasks of the dead are reported")

    @singledispatchmethod
    def wished(self, action: messages.Action) -> None:
        """The core wishes this, now."""
        _law(self.exit is None, f"nothing is wished after the exit: {action}")

    @wished.register
    def _(self, action: messages.StartGeneration) -> None:
        _law(not self.leaving, "no generation is started while leaving")
        _law(action.generation == len(self.zygotes) + 1, "generations count up from 1")
        trying = [each for each, state in self.zygotes.items() if state == "importing"]
        _law(not trying, f"one candidate at a time, not beside {trying}")
        self.zygotes[action.generation] = "importing"
        self.chosen[action.generation] = action.settings

    @wished.register
    def _(self, action: messages.RetireGeneration) -> None:
        state = self.zygotes.get(action.generation, "gone")
        _law(state != "gone", f"generation {action.generation} is retired alive and once")
        kept = action.generation == self.previous and not self.leaving
        seconds = self.chosen[self.current].probation if self.current else 0.0
        on_probation = self.now < self.promoted_at + seconds - WINK
        _law(not (kept and on_probation), f"generation {action.generation} is kept to return to")
        self.zygotes[action.generation] = "gone"

    @wished.register
    def _(self, action: messages.Fork) -> None:
        _law(action.worker not in self.known, "a worker's number is never used again")
        _law(self.zygotes.get(action.generation) == "ready", f"the zygote of {action} can fork")
        match action.job:
            case Serve(seat=seat):
                self._serve(action.generation, seat)
            case Register():
                self._register(action.generation)
            case Report(task=task, answer=answer):
                self._report(task, answer)
        self.known.add(action.worker)
        self.living[action.worker] = Life(action.generation, action.job, self.now)

    def _serve(self, generation: int, seat: Seat) -> None:
        _law(not self.leaving, "nobody but reporters is forked while leaving")
        self._there_is_room(generation, seat)
        self._seat_is_free(generation, seat)
        rest = self.rests.get((generation, seat), Rest())
        if rest.early_deaths > 1:  # the first is followed by a new try at once
            grown = self.settings.rest_factor ** min(rest.early_deaths - 2, 64)
            least = min(self.settings.rest_initial * grown, self.settings.rest_cap) / 2
            _law(self.now - rest.died_at >= least - WINK, f"{seat} rests {least} s")

    def _there_is_room(self, generation: int, seat: Seat) -> None:
        """Beside the pool are ``surge`` at most, and who of the same code is on its way out."""
        serving = [
            each
            for each in self.living.values()
            if isinstance(each.job, Serve)
            and not (each.generation == self.current and (each.told or each.relieved))
        ]
        elders = [each for each in serving if each.generation in self.served - {self.current}]
        kept = any(_sits(each, each.generation, seat) and each.serves_on for each in elders)
        if generation == self.current and kept:
            seats = self.pools.total(generation)
            beside = len(serving) + 1 - seats
            _law(beside <= self.settings.surge.of(seats), f"{seat} waits for room: {beside} beside")

    def _seat_is_free(self, generation: int, seat: Seat) -> None:
        task_list = seat.task_list
        own = [
            each
            for each in self.living.values()
            if _serves(each, generation, task_list) and not each.unseated
        ]
        there = [each for each in own if _sits(each, generation, seat) and not each.relieved]
        beside = [each for each in there if not each.told]
        taken = {each.job.seat for each in own if isinstance(each.job, Serve) and not each.told}
        size = self.pools.wanted(task_list, generation)
        _law(len({*taken, seat}) <= size, f"{task_list} has {size} seats of a generation at most")
        if not beside:
            told = [each for each in there if not each.tired]
            _law(not told, f"nobody of generation {generation} still sits at {seat}")
            return
        tired = len(beside) == 1 and beside[0].tired and beside[0].serves_on
        _law(tired, f"at {seat} of generation {generation} sits one tired worker at most: {beside}")
        taken = {each.job.seat for each in own if isinstance(each.job, Serve)}
        most = max(1, size // 10)
        _law(len(own) - len(taken) < most, f"{task_list} recycles {most} at once")

    def _register(self, generation: int) -> None:
        _law(not self.leaving, "nothing is registered while leaving")
        lives = [each for each in self.living.values() if not isinstance(each.job, Report)]
        beside = [life for life in lives if life.generation == generation]
        _law(not beside, "a generation registers alone")

    def _report(self, task: messages.Task, answer: messages.Answer) -> None:
        _law(task.token in self.owed, f"the holder of {task.token} died with it")
        _law(not self.settled[task.token], f"{task.token} is reported once")
        jobs = [life.job for life in self.living.values() if not life.finished]
        beside = [job for job in jobs if isinstance(job, Report) and job.task == task]
        _law(not beside, f"one reporter at a time for {task.token}")
        _law(self.due[task.token](answer), f"{answer} is what {task.token} is due")

    @wished.register
    def _(self, action: messages.Terminate) -> None:
        _law(action.worker in self.living, f"{action} is for a living worker")
        life = self.living[action.worker]
        _law(not life.told, f"{action} is said once")
        _law(life.killed_at == inf, f"{action} is not said to a killed one")
        _law(not isinstance(life.job, Report), f"{action} is not said to a reporter")
        if not self.leaving and life.generation not in self.abandoned:
            self._give_way(action.worker, life)
        life.told = True

    def _give_way(self, worker: int, life: Life) -> None:
        _law(isinstance(life.job, Serve), f"{worker} has an errand that is wanted")
        assert isinstance(life.job, Serve)
        seat = life.job.seat
        if seat.task_list in self.pools.shrinking:
            self._loses_its_seat(worker, life, seat.task_list)
            return
        heirs = [
            each.generation
            for each in self.living.values()
            if self._may_inherit(each, life)
            and _sits(each, each.generation, seat)
            and each.serves_on
        ]
        if life.generation != self.current and seat not in self.pools.seats[self.current]:
            heirs.append(self.current)
        _law(bool(heirs), f"the heir of {worker} is ready, or its seat is gone")
        self.relied_on.add(self.current)

    def _may_inherit(self, heir: Life, elder: Life) -> bool:
        """Of the code that serves now, or of later code than the elder's that has served."""
        if heir.generation == elder.generation:
            return heir.generation == self.current and elder.tired and not heir.tired
        later = heir.generation > elder.generation and heir.generation in self.served
        return heir.generation == self.current or later

    def _loses_its_seat(self, worker: int, life: Life, task_list: TaskList) -> None:
        own = [each for each in self.living.values() if _is_of(each, task_list)]
        left = sum(each.serves_on for each in own if each is not life)
        enough = not life.serves_on or left >= self.pools.wanted(task_list, life.generation)
        _law(enough, f"{worker} stays: {task_list} has no more workers than it should")
        _law(not (self.counted and life.task), f"{worker} is busy: no backlog may end it")
        life.unseated = True

    @wished.register
    def _(self, action: messages.DumpStacks) -> None:
        _law(action.worker in self.living, f"{action} is for a living worker")
        life = self.living[action.worker]
        _law(life.killed_at == inf, f"{action} comes before the kill")
        _law(not life.is_asked, f"{action} is asked once")
        life.asked_at, life.is_asked = self.now, True

    @wished.register
    def _(self, action: messages.Kill) -> None:
        _law(action.worker in self.living, f"{action} is for a living worker")
        life = self.living[action.worker]
        _law(life.killed_at == inf, f"{action} is sent once")
        life.killed_at = self.now
        overdue = action.why == OVERDUE
        asked = life.is_asked and self.now - life.asked_at + WINK >= self.settings.stacks_grace
        life.interrupted = self.leaving and not (asked or overdue or life.too_big)
        if not life.too_big and not life.interrupted:
            self._had_its_time(action, life)

    def _had_its_time(self, action: messages.Kill, life: Life) -> None:
        _law(life.is_asked or action.why == OVERDUE, f"{action}: it has not gone on")
        waited = self.now - life.asked_at + WINK
        _law(waited >= self.settings.stacks_grace, f"{action} comes after the stacks")
        if "it went on" in action.why:
            _law(life.stale is not None, f"{action}: its task is stale")
            waited = self.now - life.stale_at + WINK
            _law(waited >= self.settings.cancel_grace, f"{action}: its task had its grace")

    @wished.register
    def _(self, action: messages.Note) -> None:
        match action.event:
            case "worker_died":
                self._death_noted(int(str(action.facts["worker"])))
            case "report_lost" | "report_needless":
                self.settled[self._token(action)] += 1
            case "generation_abandoned":
                self._abandoned(int(str(action.facts["generation"])))
            case "list_degraded":
                told = self.degraded.setdefault(int(str(action.facts["generation"])), set())
                told.add(str(action.facts["task_list"]))
            case "list_recovered":
                told = self.degraded[int(str(action.facts["generation"]))]
                told.remove(str(action.facts["task_list"]))
            case "generation_current":
                self._promoted(int(str(action.facts["generation"])))
            case "generation_returned":
                self._returned(int(str(action.facts["serving"])))
            case "stopping" | "draining":
                self.leaving = True
            case "scaled" | "quiet" | "resumed":
                self._pool_changed(action)

    def _pool_changed(self, note: messages.Note) -> None:
        task_list, fits = self.pools.changed(note)
        _law(fits, f"the pool of {task_list} keeps its bounds: {note}")
        if note.event == "resumed":
            self.rests = {k: v for k, v in self.rests.items() if k[1].task_list != task_list}
        for life in self.living.values():
            life.unseated |= _is_of(life, task_list) and life.killed_at < inf

    def _promoted(self, generation: int) -> None:
        fit = self.zygotes.get(self.current) == "ready" and not self.degraded.get(self.current)
        self.previous = self.current if fit else 0
        self.pools.adopted(self.current, generation)
        self.current, self.promoted_at = generation, self.now
        self.served.add(generation)

    def _returned(self, generation: int) -> None:
        on_probation = self.now < self.promoted_at + self.chosen[self.current].probation + WINK
        _law(generation == self.previous, f"{generation} is what {self.current} may return to")
        _law(on_probation, f"generation {self.current} is on probation")
        _law(self.zygotes[generation] == "ready", f"the zygote of {generation} can fork")
        self.pools.adopted(self.current, generation)
        self.current, self.previous = generation, 0
        for life in self.living.values():
            leaves = life.told or life.killed_at < inf
            life.relieved = life.relieved or (life.generation == generation and leaves)

    def _abandoned(self, generation: int) -> None:
        _law(generation not in self.relied_on, f"nobody had left for generation {generation}")
        self.abandoned.add(generation)

    def _death_noted(self, worker: int) -> None:
        self.deaths_noted[worker] += 1
        if life := self.living.get(worker):
            waited = self.now - life.killed_at + WINK
            _law(waited >= self.settings.reap_patience, f"{worker} is dead, or was waited for")
            self.deaths_due.add(worker)
            self._buried(worker)

    def _token(self, note: messages.Note) -> str:
        workflow = note.facts["workflow_id"]
        return next(each.token for each in self.owed.values() if each.workflow_id == workflow)

    @wished.register
    def _(self, action: messages.TakeUp) -> None:
        _law(action.settings != self.settings, "settings are taken up that are not in force")
        _law(action.settings in self.chosen.values(), "settings are a generation's")
        self.settings = self.pools.settings = action.settings

    @wished.register
    def _(self, action: messages.StartAttendant) -> None:
        again = action.name in COMPANIONS and self.attendants.get(action.name) == "gone"
        _law(again or action.name not in self.attendants, f"the {action.name} is started once")
        needed = again and (bool(self.living) or not self._all_settled())
        _law(needed or not self.leaving, "no attendant is started while leaving")
        self.attendants[action.name] = "here"

    @wished.register
    def _(self, action: messages.StopAttendant) -> None:
        _law(self.attendants.get(action.name) == "here", f"the {action.name} is stopped once")
        _law(not self.living or action.name == "scale", f"nobody needs the {action.name} any more")
        others = [each for each in self.attendants if each != action.name and not self._ended(each)]
        _law(action.name != "endpoint" or not others, f"the endpoint is stopped after {others}")
        self.attendants[action.name] = "stopping"
        self.asked_to_end[action.name] = self.now

    def _all_settled(self) -> bool:
        return all(self.settled[each] for each in self.owed)

    def _ended(self, name: str) -> bool:
        waited = self.now - self.asked_to_end.get(name, inf) + WINK
        return self.attendants[name] == "gone" or waited >= self.settings.attendant_patience

    @wished.register
    def _(self, action: messages.Exit) -> None:
        _law(self.exit is None, "the program exits once")
        _law(not self.living, f"nobody is left behind: {sorted(self.living)}")
        _law(self._all_settled(), f"no report is left behind: {self.owed} but {self.settled}")
        here = [each for each in self.attendants if not self._ended(each)]
        _law(not here, f"every attendant has ended, or was waited for: {here}")
        alive = [each for each, state in self.zygotes.items() if state != "gone"]
        _law(not alive, f"no zygote is left behind: {alive}")
        self.exit = action


def _is_of(life: Life, task_list: TaskList) -> bool:
    return isinstance(life.job, Serve) and life.job.seat.task_list == task_list


def _serves(life: Life, generation: int, task_list: TaskList) -> bool:
    return _is_of(life, task_list) and life.generation == generation


def _sits(life: Life, generation: int, seat: Seat) -> bool:
    return life.generation == generation and isinstance(life.job, Serve) and life.job.seat == seat


def _law(holds: bool, text: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not holds:
        raise Broken(text)
