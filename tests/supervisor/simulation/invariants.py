"""Invariants of the core, checked from its events and actions alone.

Rules:

1. The checker keeps its own observations of events and actions; it never looks into the core.
2. Every action is checked when the core returns it, every turn and every scenario at its end.
3. A broken invariant raises at once: a fake that lets faults pass is worth nothing.
"""

from __future__ import annotations

from functools import singledispatchmethod
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc import messages
from supervisor.ipc.messages import Register, Report, SearchOpen, Serve, Slot
from tests.supervisor.simulation.observations import Observations
from tests.supervisor.simulation.worker_observations import ObservedSlot, ObservedWorker

if TYPE_CHECKING:
    from supervisor.core import Core
    from supervisor.ipc.messages import TaskList

NOT_LEFT = "it did not leave when asked to"
"""The reason of a kill that a worker does not escape by going on."""

RESTARTED_SIDECARS = ("ec2", "backlog", "heartbeats", messages.RETIRED)
"""Sidecars that are started again when they are lost."""

ROUNDING = 1e-6
"""Seconds that sums of floats may be off."""


class InvariantBroken(AssertionError):
    """The core broke an invariant."""


class Checker(Observations):
    """Checks one core."""

    def check_turn(self, core: Core) -> None:
        """Check the end of a turn: a deadline is set, and it lies ahead."""
        deadline = core.next_deadline()
        if self.exit:
            _check(deadline == inf, "no deadline after the exit")
            return
        _check(deadline > self.now, f"the deadline {deadline} lies in the future of {self.now}")
        _check(deadline < inf, "a deadline is always set until the exit")
        for worker, seen in self.living.items():
            _check(
                not seen.too_big or seen.killed_at < inf,
                f"{worker} exceeds its memory and is killed at once",
            )

        self._check_polls()

    def _check_polls(self) -> None:
        """A list with an idle worker is polled, unless it backs off after a failed poll."""
        if self.leaving:
            return
        own: dict[TaskList, list[ObservedWorker]] = {}
        for seen in self.living.values():
            if isinstance(seen.job, Serve) and seen.stays:
                own.setdefault(seen.job.slot.task_list, []).append(seen)
        for task_list, workers in own.items():
            if any(each.parked for each in workers) and not any(each.polls for each in workers):
                backs_off = self.now <= self.polled_by.get(task_list, -inf) + ROUNDING
                _check(backs_off, f"{task_list} is polled")

    def finish(self) -> None:
        """Check the end: every death was noted once, every owed report was settled once."""
        for worker in self.expected_deaths:
            _check(self.deaths_noted[worker] == 1, f"the death of {worker} is noted once")
        _check(set(self.deaths_noted) <= self.expected_deaths, "only deaths are noted as deaths")
        for token in self.owed:
            _check(self.settled[token] == 1, f"the report of {token} is settled once")
        _check(set(self.settled) <= set(self.owed), "only tasks of dead workers are reported")

    @singledispatchmethod
    def check(self, action: messages.Action) -> None:
        """Check an action that the core returned now."""
        _check(self.exit is None, f"no action after the exit: {action}")

    @check.register
    def _(self, action: messages.StartGeneration) -> None:
        _check(not self.leaving, "no generation is started in a drain")
        _check(action.generation == len(self.zygotes) + 1, "generations count up from 1")
        importing = [each for each, state in self.zygotes.items() if state == "importing"]
        _check(not importing, f"one candidate at a time, not beside {importing}")
        self.zygotes[action.generation] = "importing"
        self.settings_of[action.generation] = action.settings

    @check.register
    def _(self, action: messages.RetireGeneration) -> None:
        state = self.zygotes.get(action.generation, "gone")
        _check(
            state != "gone",
            f"generation {action.generation} is retired once, while its zygote lives",
        )
        kept = action.generation == self.previous and not self.leaving
        seconds = self.settings_of[self.active].probation if self.active else 0.0
        on_probation = self.now < self.activated_at + seconds - ROUNDING
        _check(
            not (kept and on_probation), f"generation {action.generation} is kept for a rollback"
        )
        self.zygotes[action.generation] = "gone"

    @check.register
    def _(self, action: messages.Fork) -> None:
        _check(action.worker not in self.known, "a worker's number is used once")
        _check(self.zygotes.get(action.generation) == "ready", f"the zygote of {action} can fork")
        match action.job:
            case Serve(slot=slot):
                self._check_serving_fork(action.generation, slot)
            case Register():
                self._check_registering_fork(action.generation)
            case SearchOpen():
                _check(not self.leaving, "nothing is searched in a drain")
            case Report(task=task, answer=answer):
                self._check_reporting_fork(task, answer)
        self.known.add(action.worker)
        self.living[action.worker] = ObservedWorker(action.generation, action.job, self.now)

    def _check_serving_fork(self, generation: int, slot: Slot) -> None:
        _check(not self.leaving, "only reporters are forked in a drain")
        self._check_room(generation, slot)
        self._check_slot_is_free(generation, slot)
        at_slot = self.slots_seen.get((generation, slot), ObservedSlot())
        least = self._shortest_wait(at_slot.early_deaths)
        _check(self.now - at_slot.died_at >= least - ROUNDING, f"{slot} backs off for {least} s")

    def _shortest_wait(self, early_deaths: int) -> float:
        """Seconds after so many early deaths in a row; the first is followed by none."""
        if early_deaths >= self.settings.crash_loop_deaths:
            return self.settings.backoff_cap / 2
        grown = self.settings.backoff_initial * 2.0 ** min(early_deaths - 2, 64)
        return min(grown, self.settings.backoff_cap) / 2 if early_deaths > 1 else 0.0

    def _check_room(self, generation: int, slot: Slot) -> None:
        """Beside the pool are ``surge`` workers at most, and replaced ones of the active code."""
        serving = [
            each
            for each in self.living.values()
            if isinstance(each.job, Serve)
            and not (each.generation == self.active and (each.asked_to_leave or each.replaced))
        ]
        retiring = [each for each in serving if each.generation in self.were_active - {self.active}]
        kept = any(each.is_at(slot, each.generation) and each.is_ready for each in retiring)
        if generation == self.active and kept:
            slots = self.pools.total(generation)
            beside = len(serving) + 1 - slots
            _check(
                beside <= self.settings.surge.of(slots), f"{slot} waits for room: {beside} beside"
            )

    def _check_slot_is_free(self, generation: int, slot: Slot) -> None:
        task_list = slot.task_list
        own = [
            each
            for each in self.living.values()
            if each.serves(task_list, generation) and not each.dismissed
        ]
        there = [each for each in own if each.is_at(slot, generation) and not each.replaced]
        beside = [each for each in there if not each.asked_to_leave]
        taken = {
            each.job.slot for each in own if isinstance(each.job, Serve) and not each.asked_to_leave
        }
        size = self.pools.desired(task_list, generation)
        _check(len({*taken, slot}) <= size, f"{task_list} has {size} slots of a generation at most")
        if not beside:
            others = [each for each in there if not each.wants_replacement]
            _check(not others, f"no other worker of generation {generation} occupies {slot}")
            return
        wants_replacement = len(beside) == 1 and beside[0].wants_replacement and beside[0].is_ready
        _check(
            wants_replacement,
            f"a replacement at {slot} is for one worker that wants it: {beside}",
        )
        taken = {each.job.slot for each in own if isinstance(each.job, Serve)}
        most = max(1, size // 10)
        _check(len(own) - len(taken) < most, f"{task_list} recycles {most} at once")

    def _check_registering_fork(self, generation: int) -> None:
        _check(not self.leaving, "nothing is registered in a drain")
        workers = [each for each in self.living.values() if not isinstance(each.job, Report)]
        beside = [each for each in workers if each.generation == generation]
        _check(not beside, "a generation registers before any other work")

    def _check_reporting_fork(self, task: messages.Task, answer: messages.Answer) -> None:
        _check(task.token in self.owed, f"the worker of {task.token} died with it")
        _check(not self.settled[task.token], f"{task.token} is reported once")
        jobs = [seen.job for seen in self.living.values() if not seen.finished]
        beside = [job for job in jobs if isinstance(job, Report) and job.task == task]
        _check(not beside, f"one reporter at a time for {task.token}")
        _check(self.expected[task.token](answer), f"{answer} is the right answer for {task.token}")

    @check.register
    def _(self, action: messages.GrantPermit) -> None:
        _check(action.worker in self.living, f"{action} is for a living worker")
        seen = self.living[action.worker]
        _check(seen.parked and seen.stays, f"{action} is for a parked worker")
        seen.parked, seen.polls = False, True

    @check.register
    def _(self, action: messages.WithdrawPermit) -> None:
        _check(action.worker in self.living, f"{action} is for a living worker")
        _check(self.living[action.worker].task is not None, f"{action} is for a busy worker")

    @check.register
    def _(self, action: messages.Terminate) -> None:
        _check(action.worker in self.living, f"{action} is for a living worker")
        seen = self.living[action.worker]
        _check(not seen.asked_to_leave, f"{action} is sent once")
        _check(seen.killed_at == inf, f"{action} is not sent to a killed worker")
        _check(not isinstance(seen.job, Report), f"{action} is not sent to a reporter")
        is_job = isinstance(seen.job, SearchOpen) and seen.generation != self.active
        if not self.leaving and seen.generation not in self.given_up and not is_job:
            self._check_replaced(action.worker, seen)
        seen.asked_to_leave = True

    def _check_replaced(self, worker: int, seen: ObservedWorker) -> None:
        assert isinstance(seen.job, Serve), f"{worker} has a job that is needed"
        slot = seen.job.slot
        if slot.task_list in self.pools.shrinking:
            self._check_dismissed(worker, seen, slot.task_list)
            return
        replacements = [
            each.generation
            for each in self.living.values()
            if self._may_replace(each, seen) and each.is_at(slot, each.generation) and each.is_ready
        ]
        if seen.generation != self.active and slot not in self.pools.slots[self.active]:
            replacements.append(self.active)
        _check(bool(replacements), f"the replacement of {worker} is ready, or its slot is gone")
        self.relied_on.add(self.active)

    def _may_replace(self, replacement: ObservedWorker, retiring: ObservedWorker) -> bool:
        """Whether it is of the active code, or of later code that was active once."""
        if replacement.generation == retiring.generation:
            return (
                replacement.generation == self.active
                and retiring.wants_replacement
                and not replacement.wants_replacement
            )
        later = (
            replacement.generation > retiring.generation
            and replacement.generation in self.were_active
        )
        return replacement.generation == self.active or later

    def _check_dismissed(self, worker: int, seen: ObservedWorker, task_list: TaskList) -> None:
        own = [each for each in self.living.values() if each.serves(task_list)]
        left = sum(each.is_ready for each in own if each is not seen)
        # The size of a retiring generation no longer counts, but that of a candidate does.
        generation = self.active if seen.generation in self.were_active else seen.generation
        enough = not seen.is_ready or left >= self.pools.desired(task_list, generation)
        _check(enough, f"{worker} stays: {task_list} has no surplus of workers")
        _check(not (self.counted and seen.task), f"{worker} is busy: the backlog may not end it")
        seen.dismissed = True

    @check.register
    def _(self, action: messages.DumpStacks) -> None:
        _check(action.worker in self.living, f"{action} is for a living worker")
        seen = self.living[action.worker]
        _check(seen.killed_at == inf, f"{action} comes before the kill")
        _check(not seen.stacks_asked, f"{action} is sent once until the worker goes on")
        seen.stacks_asked_at, seen.stacks_asked = self.now, True

    @check.register
    def _(self, action: messages.Kill) -> None:
        _check(action.worker in self.living, f"{action} is for a living worker")
        seen = self.living[action.worker]
        _check(seen.killed_at == inf, f"{action} is sent once")
        seen.killed_at = self.now
        overdue = action.why == NOT_LEFT
        asked = (
            seen.stacks_asked
            and self.now - seen.stacks_asked_at + ROUNDING >= self.settings.stacks_timeout
        )
        seen.interrupted = self.leaving and not (asked or overdue or seen.too_big)
        if not (seen.too_big or seen.channel_lost or seen.interrupted):
            self._check_late_kill(action, seen)

    def _check_late_kill(self, action: messages.Kill, seen: ObservedWorker) -> None:
        _check(seen.stacks_asked or action.why == NOT_LEFT, f"{action}: it has not gone on")
        waited = self.now - seen.stacks_asked_at + ROUNDING
        _check(waited >= self.settings.stacks_timeout, f"{action} comes after the stacks")
        if "it went on" in action.why:
            _check(seen.stale is not None, f"{action}: its task is stale")
            waited = self.now - seen.stale_at + ROUNDING
            _check(waited >= self.settings.cancel_grace, f"{action}: its task had its grace")

    @check.register
    def _(self, action: messages.Note) -> None:
        match action.event:
            case "worker_died":
                self._death_noted(int(str(action.facts["worker"])))
            case "report_lost" | "report_unneeded":
                self.settled[self._token(action)] += 1
            case "generation_failed":
                self._give_up(int(str(action.facts["generation"])))
            case "list_degraded":
                self._degraded(action)
            case "list_recovered":
                lists = self.degraded[int(str(action.facts["generation"]))]
                lists.remove(str(action.facts["task_list"]))
            case "generation_active":
                self._activate(int(str(action.facts["generation"])))
            case "generation_rolled_back":
                self._roll_back(int(str(action.facts["active"])))
            case "stopping" | "draining":
                self.leaving = True
            case "scaled" | "quiet" | "resumed":
                self._pool_changed(action)

    def _degraded(self, note: messages.Note) -> None:
        generation = int(str(note.facts["generation"]))
        self.degraded.setdefault(generation, set()).add(str(note.facts["task_list"]))
        place = (note.facts["task_list"], note.facts["slot"])
        deaths = [
            seen.early_deaths
            for (number, slot), seen in self.slots_seen.items()
            if number == generation and (slot.task_list.name, slot.index) == place
        ]
        _check(
            max(deaths) >= self.settings.crash_loop_deaths, f"{place} is in a crash loop: {deaths}"
        )

    def _pool_changed(self, note: messages.Note) -> None:
        task_list, fits = self.pools.changed(note)
        _check(fits, f"the pool of {task_list} keeps its bounds: {note}")
        if note.event == "resumed":
            self.slots_seen = {
                k: v for k, v in self.slots_seen.items() if k[1].task_list != task_list
            }
        for seen in self.living.values():
            seen.dismissed |= seen.serves(task_list) and seen.killed_at < inf

    def _activate(self, generation: int) -> None:
        fit = self.zygotes.get(self.active) == "ready" and not self.degraded.get(self.active)
        self.previous = self.active if fit else 0
        self.pools.adopted(self.active, generation)
        self.active, self.activated_at = generation, self.now
        self.were_active.add(generation)

    def _roll_back(self, generation: int) -> None:
        on_probation = (
            self.now < self.activated_at + self.settings_of[self.active].probation + ROUNDING
        )
        _check(generation == self.previous, f"{generation} is the generation before {self.active}")
        _check(on_probation, f"generation {self.active} is in probation")
        _check(self.zygotes[generation] == "ready", f"the zygote of {generation} can fork")
        self.pools.adopted(self.active, generation)
        self.active, self.previous = generation, 0
        for seen in self.living.values():
            leaves = seen.asked_to_leave or seen.killed_at < inf
            seen.replaced = seen.replaced or (seen.generation == generation and leaves)

    def _give_up(self, generation: int) -> None:
        _check(generation not in self.relied_on, f"no worker left for generation {generation}")
        self.given_up.add(generation)

    def _death_noted(self, worker: int) -> None:
        self.deaths_noted[worker] += 1
        if seen := self.living.get(worker):
            waited = self.now - seen.killed_at + ROUNDING
            _check(waited >= self.settings.reap_timeout, f"{worker} is dead, or was waited for")
            self.expected_deaths.add(worker)
            self._reaped(worker)

    def _token(self, note: messages.Note) -> str:
        workflow = note.facts["workflow_id"]
        return next(each.token for each in self.owed.values() if each.workflow_id == workflow)

    @check.register
    def _(self, action: messages.ApplySettings) -> None:
        _check(action.settings != self.settings, "only settings that do not apply yet are applied")
        _check(
            action.settings in self.settings_of.values(),
            "applied settings are those of a generation",
        )
        self.settings = self.pools.settings = action.settings

    @check.register
    def _(self, action: messages.StartSidecar) -> None:
        is_restarted = action.name.startswith(RESTARTED_SIDECARS)
        again = is_restarted and self.sidecars.get(action.name) == "gone"
        _check(again or action.name not in self.sidecars, f"the {action.name} is started once")
        needed = (again or action.name == "heartbeats") and (
            bool(self.living) or not self._all_settled()
        )
        needed = needed and not action.name.startswith(messages.RETIRED)
        _check(needed or not self.leaving, "a sidecar is started in a drain only if it is needed")
        self.sidecars[action.name] = "here"

    @check.register
    def _(self, action: messages.StopSidecar) -> None:
        is_retired = action.name.startswith(messages.RETIRED)
        state = self.sidecars.get(action.name)
        asked = "stopping" if action.now and state == "stopping" else "here"
        _check(state == asked, f"the {action.name} is stopped once")
        _check(is_retired or not action.now, "only retired code has tasks to abandon")
        _check(not action.now or self.leaving, "it finishes its tasks, but in a drain")
        _check(
            not self.living or is_retired or action.name == "backlog",
            f"the {action.name} is no longer needed",
        )
        others = [each for each in self.sidecars if each != action.name and not self._ended(each)]
        _check(
            action.name != "local_endpoint" or not others, f"the endpoint is stopped after {others}"
        )
        self.sidecars[action.name] = "stopping"
        if action.now:
            self.hurried.add(action.name)
        self.asked_to_end[action.name] = self.now

    def _all_settled(self) -> bool:
        return all(self.settled[each] for each in self.owed)

    def _ended(self, name: str) -> bool:
        waited = self.now - self.asked_to_end.get(name, inf) + ROUNDING
        patience = self.settings.sidecar_timeout
        if name.startswith(messages.RETIRED):
            patience += self.settings.stop_timeout if name in self.hurried else inf
        return self.sidecars[name] == "gone" or waited >= patience

    @check.register
    def _(self, action: messages.Exit) -> None:
        _check(self.exit is None, "the program exits once")
        _check(not self.living, f"no worker is left: {sorted(self.living)}")
        _check(self._all_settled(), f"no report is owed: {self.owed} but {self.settled}")
        here = [each for each in self.sidecars if not self._ended(each)]
        _check(not here, f"every sidecar has ended, or was waited for: {here}")
        alive = [each for each, state in self.zygotes.items() if state != "gone"]
        _check(not alive, f"no zygote is left: {alive}")
        self.exit = action


def _check(holds: bool, text: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not holds:
        raise InvariantBroken(text)
