"""A simulated host around a core: clock, kernel, zygotes, workers, sidecars and SWF.

Rules:

1. There is no real time, process or chance: a scenario plans what happens to each process, and the
   clock jumps to the next happening.
2. The core gets events in the shell's order: messages, then deaths, then requests, then ``Tick``;
   only then are its actions carried out.
3. A signal arrives a moment after it was sent. What a process sends until then crosses it.
4. Just before anything happens the core gets a ``Tick`` that it did not ask for. It must not act,
   else some rule has a wrong deadline.
5. A checker sees every event and every action (``invariants``), so that each scenario tests all
   invariants.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import operator
from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from supervisor.config.setting_types import ALL, HistorySource, PollBounds
from supervisor.config.settings import Settings
from supervisor.core import Core
from supervisor.core.pools.pool_settings import pool_sizes
from supervisor.ipc import messages
from supervisor.ipc.messages import Role, Serve, Slot, TaskList
from tests.supervisor.simulation.invariants import Checker
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    GOOD,
    HangZygote,
    KillWorker,
    KillZygote,
    Scenario,
    SidecarPlan,
    Version,
)
from tests.supervisor.simulation.simulated_processes import Process, Zygote
from tests.supervisor.simulation.simulated_sidecar import Sidecar
from tests.supervisor.simulation.swf_list import SwfList

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.supervisor.simulation.scenarios import OutsideEvent, TaskPlan, WorkerPlan

T = TypeVar("T")

DECIDER = TaskList("flow", Role.DECIDER)
RESIZE = TaskList("flow_resize", Role.ACTIVITY, "resize")
LISTS = (DECIDER, RESIZE)

ALL_POLL: dict[str, Any] = {"polls": {ALL: PollBounds(ALL)}}
"""Settings without permits: each idle worker polls."""

LANDS = 0.0625
"""Seconds until a signal reaches a process, or a fork is done."""

EARLY = 1 / 64
"""Seconds before the next happening at which the core must not act."""

MANY_TURNS = 50_000
"""No scenario has so many turns: the core spins."""

NO_GATE = HistorySource("off")
"""The tests of gates choose one; in the others a start has one job less."""


def simulate(scenario: Scenario | None = None, **settings_of: Any) -> World:
    """A world with one decider and two workers, unless the settings say otherwise."""
    usual = {"flow": "flow", "workers": 2, "gate_replay": NO_GATE}
    return World(Settings(**{**usual, **settings_of}), scenario)


class World:
    """A host on which everything is planned, and the core that runs there."""

    lists = LISTS

    def __init__(self, settings: Settings, scenario: Scenario | None = None) -> None:
        self.settings = settings
        self.scenario = scenario or Scenario()
        self.core = Core(settings, is_kept=self.scenario.is_kept)
        self.checker = Checker(settings)
        self.now = 0.0
        self.log: list[tuple[float, messages.Event | messages.Action]] = []
        self.processes: dict[int, Process] = {}
        self.zygotes: dict[int, Zygote] = {}
        self._unborn: dict[int, int] = {}  # by worker: the hanging zygote
        self.sidecars: dict[str, Sidecar] = {}
        self.lowest: Counter[TaskList] = Counter()  # ready workers since it was first full
        # After each turn: the ready workers, and the smallest size that each list had in it.
        self.strengths: list[tuple[float, Counter[TaskList], Counter[TaskList]]] = []
        self._worker_plans = iter(self.scenario.workers)
        self._versions = iter(self.scenario.versions)
        self._task_plans = iter(self.scenario.tasks)
        self._job_plans = iter(self.scenario.jobs)
        self._sidecar_plans = iter(self.scenario.sidecars)
        self._searches = iter(self.scenario.searches)
        self._tokens = itertools.count(1)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.handed_out: set[str] = set()  # tokens of tasks that other programs answer
        self.swf_list: SwfList | None = None
        self._sent: list[messages.Event] = []
        self._deaths: list[messages.Event] = []
        self._asked: list[messages.Event] = []
        if self.scenario.arrivals is not None:
            self.swf_list = SwfList(self, self.scenario)
        for at, order in self.scenario.timeline:
            self.later(at, functools.partial(self._obey, order))
        self._carry_out(self._judged(self.core.begin(0.0)))
        if self.scenario.spool:
            self.later(0, lambda: self.send(messages.SpooledReports(self.scenario.spool)))
        self.handed_out |= {
            each.task.token
            for each in self.scenario.spool
            if isinstance(each.answer, messages.HandOut)
        }

    # --- the clock

    def run(self, until: float = inf) -> World:
        """Let time pass up to a moment, or up to the exit."""
        for _ in range(MANY_TURNS):
            if self.exit:
                return self
            at = min(self._due[0][0] if self._due else inf, self.core.next_deadline())
            if at > until:
                self.now = max(self.now, until)
                return self
            self._tick_early(at)
            self.now = max(self.now, at + self.scenario.lag)
            self._turn()
        raise AssertionError(f"the core spins at {self.now}: {self.log[-20:]}")

    def finish(self, until: float = inf) -> World:
        """Run, and check the scenario as a whole."""
        self.run(until)
        self.checker.finish()
        return self

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        if seconds < inf:
            heapq.heappush(self._due, (self.now + seconds, next(self._order), do))

    def _tick_early(self, at: float) -> None:
        if at - EARLY > self.now:
            self.now = at - EARLY
            wished = self._handle(messages.Tick())
            assert not wished, f"{wished} at {self.now} were due earlier, and no deadline said so"

    def _turn(self) -> None:
        while self._due and self._due[0][0] <= self.now:
            heapq.heappop(self._due)[2]()
        events = [*self._sent, *self._deaths, *self._asked]
        self._sent, self._deaths, self._asked = [], [], []
        if self.now >= self.core.next_deadline():
            events.append(messages.Tick())
        wished: list[messages.Action] = []
        sizes: list[Counter[TaskList]] = []
        for event in events:
            wished += self._handle(event)
            if self.checker.pools.slots:  # else the settings may not fit the flow
                sizes.append(Counter(self.desired))
        self._carry_out(wished)
        self._watch_strength(sizes)
        if self.swf_list:
            lives = self.checker.living.values()
            self.swf_list.watch(has_parked=any(each.parked and each.stays for each in lives))

    def _handle(self, event: messages.Event) -> list[messages.Action]:
        self.checker.now = self.now
        self.checker.observe(event)
        self.log.append((self.now, event))
        return self._judged(self.core.handle(event, self.now))

    # --- events

    def send(self, event: messages.Event) -> None:
        self._sent.append(event)

    def ask(self, event: messages.Event) -> None:
        """Let people request something now."""
        self.later(0, lambda: self._asked.append(event))

    def die(self, event: messages.Event) -> None:
        self._deaths.append(event)

    def _judged(self, actions: list[messages.Action]) -> list[messages.Action]:
        for action in actions:
            self.log.append((self.now, action))
            self.checker.check(action)
        self.checker.check_turn(self.core)
        return actions

    # --- carrying out

    def _carry_out(self, actions: list[messages.Action]) -> None:  # noqa: C901, PLR0912 - a line for each action
        for action in actions:
            match action:
                case messages.StartGeneration(generation=number):
                    self.zygotes[number] = Zygote(self, number, next(self._versions, Version()))
                case messages.RetireGeneration(generation=number):
                    self.zygotes[number].die("it was retired", after=LANDS)
                case messages.Fork():
                    self._fork(action)
                case messages.GrantPermit(worker=number):
                    self._signal(number, Process.grant_permit)
                case messages.WithdrawPermit(worker=number):
                    self._signal(number, Process.withdraw_permit)
                case messages.Terminate(worker=number):
                    self._signal(number, Process.ask_to_leave)
                case messages.Kill(worker=number) if number in self._unborn:
                    del self._unborn[number]
                    failure = messages.ForkFailed(number, "no answer", unanswered=True)
                    self.later(0, functools.partial(self.die, failure))
                case messages.Kill(worker=number):
                    self._signal(number, Process.kill)
                case messages.ReturnUnstarted(worker=number):
                    self._signal(number, Process.return_unstarted)
                case messages.DumpStacks(worker=number):
                    self._signal(number, Process.dump_stacks)
                case messages.StartSidecar(name=name):
                    self.sidecars[name] = Sidecar(self, name, self._sidecar_plan(name))
                case messages.HandOver(tasks=tasks):
                    self.sidecars["heartbeats"].keep(tasks)
                case messages.StopSidecar(name=name, now=now):
                    self.later(LANDS, functools.partial(self.sidecars[name].stop, now=now))
                case _:
                    pass

    def _sidecar_plan(self, name: str) -> SidecarPlan:
        own = {"local_endpoint": self.scenario.endpoint, "starter": self.scenario.starter}
        own |= dict(self.scenario.retired)
        return own[name] if name in own else next(self._sidecar_plans, SidecarPlan())

    def _fork(self, fork: messages.Fork) -> None:
        worker_plan = self._plan(fork.job, self.zygotes[fork.generation])
        self.later(LANDS, lambda: self._born(fork, worker_plan))

    def _plan(self, job: messages.Job, zygote: Zygote) -> WorkerPlan:
        if not isinstance(job, Serve):
            return next(self._job_plans, GOOD)
        if job.slot.task_list in zygote.version.crashing_lists:
            return CRASHES_BOOTING
        return next(itertools.chain(zygote.workers, self._worker_plans), GOOD)

    def _born(self, fork: messages.Fork, worker_plan: WorkerPlan) -> None:
        zygote = self.zygotes[fork.generation]
        if zygote.alive and zygote.hangs:
            self._unborn[fork.worker] = fork.generation
        elif zygote.alive and worker_plan.forks:
            self.processes[fork.worker] = Process(self, fork, worker_plan)
        else:
            self.die(messages.ForkFailed(fork.worker, "no process"))

    def lose_unborn(self, generation: int) -> None:
        """The zygote of a generation has died, and with it the requests that it let wait."""
        for worker in [each for each, of in self._unborn.items() if of == generation]:
            del self._unborn[worker]
            self.die(messages.ForkFailed(worker, "its zygote died"))

    def _signal(self, number: int, send: Callable[[Process], None]) -> None:
        def land() -> None:
            if number in self.processes:
                send(self.processes[number])

        # At the arrival and not now: a signal for a worker that is not forked yet is kept for it.
        self.later(LANDS, land)

    def _obey(self, order: OutsideEvent) -> None:
        match order:
            case KillWorker(nth=nth):
                if living := [each for each in self.processes.values() if each.alive]:
                    living[nth % len(living)].die(-9)
            case KillZygote(nth=nth) | HangZygote(nth=nth):
                if zygotes := [each for each in self.zygotes.values() if each.alive]:
                    zygote = zygotes[nth % len(zygotes)]
                    zygote.hangs = True
                    if isinstance(order, KillZygote):
                        zygote.die("it was killed")
            case _:
                self._asked.append(order)

    # --- tasks of SWF

    def next_search(self) -> tuple[bool, bool]:
        """Whether the next search finds an execution, and whether it reads all."""
        return next(self._searches, (False, True))

    def next_task_plan(self) -> TaskPlan | None:
        return next(self._task_plans, None)

    def task(self, role: Role, timeout: float | None, run: str = "") -> messages.Task:
        n = next(self._tokens)
        activity = "" if role is Role.DECIDER else f"a{n}"
        timeout = None if role is Role.DECIDER else timeout
        return messages.Task(f"t{n}", f"w{n}", run or f"r{n}", activity, timeout)

    # --- questions of tests

    @property
    def exit(self) -> messages.Exit | None:
        return self.checker.exit

    @property
    def desired(self) -> dict[TaskList, int]:
        pools = self.checker.pools
        usual = pool_sizes(self.checker.settings, self.lists)
        sizes = {each: pools.sizes.get(each, size) for each, size in usual.items()}
        return {each: size for each, size in sizes.items() if size and each not in pools.quiet}

    def strength(self) -> Counter[TaskList]:
        """Ready workers by task list."""
        lives = self.checker.living.values()
        return Counter(
            each.job.slot.task_list
            for each in lives
            if isinstance(each.job, Serve) and each.is_ready
        )

    def served_by(self) -> dict[Slot, int]:
        """The slots with a ready worker, and its generation."""
        lives = self.checker.living.values()
        return {
            each.job.slot: each.generation
            for each in lives
            if isinstance(each.job, Serve) and each.is_ready
        }

    def logged(self, kind: type[T]) -> list[T]:
        """All events and actions of one kind, in order."""
        return [each for _, each in self.log if isinstance(each, kind)]

    def notes(self, event: str) -> list[messages.Note]:
        return [each for each in self.logged(messages.Note) if each.event == event]

    def reports(self) -> list[messages.Report]:
        """The jobs of all reporters."""
        jobs = [each.job for each in self.logged(messages.Fork)]
        return [job for job in jobs if isinstance(job, messages.Report)]

    def deaths(self) -> list[str]:
        """The texts of the notes of deaths."""
        return [each.text for each in self.notes("worker_died")]

    def when(self, what: messages.Event | messages.Action) -> float:
        """The moment of the first such event or action."""
        return next(at for at, each in self.log if each == what)

    def count_serving_forks(self, number: int) -> int:
        """The number of workers of this generation that were forked to serve."""
        forks = [each for each in self.logged(messages.Fork) if each.generation == number]
        return sum(isinstance(each.job, Serve) for each in forks)

    def _proved_strength(self) -> Counter[TaskList]:
        """Ready workers without canaries, which may be given up any moment."""
        lives = self.checker.living.values()
        return Counter(
            each.job.slot.task_list
            for each in lives
            if isinstance(each.job, Serve)
            and each.is_ready
            and each.generation in self.checker.were_active
        )

    def _watch_strength(self, sizes: list[Counter[TaskList]]) -> None:
        if not self.checker.pools.slots:
            return
        strength = self._proved_strength()
        least = functools.reduce(operator.and_, sizes, Counter(self.desired))
        self.strengths.append((self.now, strength, least))
        if not self.lowest and all(strength[each] >= n for each, n in self.desired.items()):
            self.lowest = Counter(self.desired)
        if self.lowest and not self.checker.leaving:
            self.lowest = Counter({each: min(n, strength[each]) for each, n in self.lowest.items()})
