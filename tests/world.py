"""A simulated host around a core: clock, kernel, zygotes, workers, attendants and SWF.

1. No real time, process or chance: a script tells what befalls whom, and the clock jumps to the
   next thing that happens.
2. The core is spoken to in the shell's order: what was said, then deaths, then what people ask,
   then ``Tick``; only then are its actions carried out.
3. A signal lands a moment after it was sent. What a process says until then crosses it.
4. Just before anything happens the core is sent a ``Tick`` that it did not ask for. It must wish
   nothing, else some rule has not told its deadline.
5. A judge sees every event and every action (``laws``), so that each story is a test of all laws.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import operator
from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from supervisor import messages
from supervisor.core import Core
from supervisor.messages import Role, Seat, Serve, TaskList
from supervisor.per_list import pool_sizes
from supervisor.settings import Settings
from tests.actors import Attendant, Process, Zygote
from tests.fates import CRASHES_BOOTING, GOOD, Helper, Murder, Script, Version, ZygoteMurder
from tests.laws import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fates import Fate, Order, Plan

T = TypeVar("T")

DECIDER = TaskList("flow", Role.DECIDER)
RESIZE = TaskList("flow_resize", Role.ACTIVITY, "resize")
LISTS = (DECIDER, RESIZE)

LANDS = 0.0625
"""Seconds until a signal reaches a process, or a fork is done."""

EARLY = 1 / 64
"""Seconds before the next happening at which the core is asked for nothing."""

MANY_TURNS = 50_000
"""No story is this long: the core spins."""


def tell(script: Script | None = None, **chosen: Any) -> World:
    """A world with one decider and two workers, unless the settings are chosen otherwise."""
    return World(Settings(**{"flow": "flow", "workers": 2, **chosen}), script)


class World:
    """Runs one core on a host where all is told in advance."""

    lists = LISTS

    def __init__(self, settings: Settings, script: Script | None = None) -> None:
        self.settings = settings
        self.script = script or Script()
        self.core = Core(settings)
        self.judge = Judge(settings)
        self.now = 0.0
        self.log: list[tuple[float, messages.Event | messages.Action]] = []
        self.processes: dict[int, Process] = {}
        self.zygotes: dict[int, Zygote] = {}
        self.helpers: dict[str, Attendant] = {}
        self.lowest: Counter[TaskList] = Counter()  # strength since it was first full
        # After each turn: the strength, and the least size that each list was to have in it.
        self.pictures: list[tuple[float, Counter[TaskList], Counter[TaskList]]] = []
        self._fates = iter(self.script.fates)
        self._versions = iter(self.script.versions)
        self._plans = iter(self.script.plans)
        self._errands = iter(self.script.errands)
        self._companions = iter(self.script.companions)
        self._tokens = itertools.count(1)
        self._happenings: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._said: list[messages.Event] = []
        self._deaths: list[messages.Event] = []
        self._asked: list[messages.Event] = []
        for at, order in self.script.orders:
            self.later(at, functools.partial(self._obey, order))
        self._perform(self._judged(self.core.begin(0.0)))
        if self.script.spool:
            self.later(0, lambda: self.say(messages.Spooled(self.script.spool)))

    # --- the clock

    def run(self, until: float = inf) -> World:
        """Let everything happen that happens up to a moment, or up to the exit."""
        for _ in range(MANY_TURNS):
            if self.exit:
                return self
            at = min(self._happenings[0][0] if self._happenings else inf, self.core.next_deadline())
            if at > until:
                self.now = max(self.now, until)
                return self
            self._tick_early(at)
            self.now = max(self.now, at + self.script.lag)
            self._turn()
        raise AssertionError(f"the core spins at {self.now}: {self.log[-20:]}")

    def finish(self, until: float = inf) -> World:
        """Run, and judge the story as a whole."""
        self.run(until)
        self.judge.finish()
        return self

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        if seconds < inf:
            heapq.heappush(self._happenings, (self.now + seconds, next(self._order), do))

    def _tick_early(self, at: float) -> None:
        if at - EARLY > self.now:
            self.now = at - EARLY
            wished = self._handle(messages.Tick())
            assert not wished, f"{wished} at {self.now} were due earlier, and no deadline said so"

    def _turn(self) -> None:
        while self._happenings and self._happenings[0][0] <= self.now:
            heapq.heappop(self._happenings)[2]()
        events = [*self._said, *self._deaths, *self._asked]
        self._said, self._deaths, self._asked = [], [], []
        if self.now >= self.core.next_deadline():
            events.append(messages.Tick())
        wished: list[messages.Action] = []
        sizes: list[Counter[TaskList]] = []
        for event in events:
            wished += self._handle(event)
            if self.judge.pools.seats:  # else the settings may not fit the flow
                sizes.append(Counter(self.wanted))
        self._perform(wished)
        self._watch_strength(sizes)

    def _handle(self, event: messages.Event) -> list[messages.Action]:
        self.judge.now = self.now
        self.judge.heard(event)
        self.log.append((self.now, event))
        return self._judged(self.core.handle(event, self.now))

    # --- speaking to the core

    def say(self, event: messages.Event) -> None:
        self._said.append(event)

    def ask(self, event: messages.Event) -> None:
        """What people ask for, now."""
        self.later(0, lambda: self._asked.append(event))

    def die(self, event: messages.Event) -> None:
        self._deaths.append(event)

    def _judged(self, actions: list[messages.Action]) -> list[messages.Action]:
        for action in actions:
            self.log.append((self.now, action))
            self.judge.wished(action)
        self.judge.over(self.core)
        return actions

    # --- carrying out

    def _perform(self, actions: list[messages.Action]) -> None:
        for action in actions:
            match action:
                case messages.StartGeneration(generation=number):
                    self.zygotes[number] = Zygote(self, number, next(self._versions, Version()))
                case messages.RetireGeneration(generation=number):
                    self.zygotes[number].die("it was retired", after=LANDS)
                case messages.Fork():
                    self._fork(action)
                case messages.Terminate(worker=number):
                    self._signal(number, Process.tell)
                case messages.Kill(worker=number):
                    self._signal(number, Process.kill)
                case messages.DumpStacks(worker=number):
                    self._signal(number, Process.dump)
                case messages.StartAttendant(name=name):
                    self.helpers[name] = Attendant(self, name, self._helper(name))
                case messages.StopAttendant(name=name):
                    self.later(LANDS, self.helpers[name].stop)
                case _:
                    pass

    def _helper(self, name: str) -> Helper:
        own = {"endpoint": self.script.endpoint, "starter": self.script.starter}
        return own[name] if name in own else next(self._companions, Helper())

    def _fork(self, fork: messages.Fork) -> None:
        fate = self._fate(fork.job, self.zygotes[fork.generation])
        self.later(LANDS, lambda: self._born(fork, fate))

    def _fate(self, job: messages.Job, zygote: Zygote) -> Fate:
        if not isinstance(job, Serve):
            return next(self._errands, GOOD)
        if job.seat.task_list in zygote.version.cursed:
            return CRASHES_BOOTING
        return next(itertools.chain(zygote.fates, self._fates), GOOD)

    def _born(self, fork: messages.Fork, fate: Fate) -> None:
        if self.zygotes[fork.generation].alive and fate.forks:
            self.processes[fork.worker] = Process(self, fork, fate)
        else:
            self.die(messages.ForkFailed(fork.worker, "no process"))

    def _signal(self, number: int, send: Callable[[Process], None]) -> None:
        def land() -> None:
            if number in self.processes:
                send(self.processes[number])

        # As late as the fork may be: a signal for a worker without a pid is kept for it.
        self.later(LANDS, land)

    def _obey(self, order: Order) -> None:
        match order:
            case Murder(nth=nth):
                if living := [each for each in self.processes.values() if each.alive]:
                    living[nth % len(living)].die(-9)
            case ZygoteMurder(nth=nth):
                if zygotes := [each for each in self.zygotes.values() if each.alive]:
                    zygotes[nth % len(zygotes)].die("it was killed")
            case _:
                self._asked.append(order)

    # --- what SWF hands out

    def next_plan(self) -> Plan | None:
        return next(self._plans, None)

    def task(self, role: Role, timeout: float | None) -> messages.Task:
        n = next(self._tokens)
        activity = "" if role is Role.DECIDER else f"a{n}"
        timeout = None if role is Role.DECIDER else timeout
        return messages.Task(f"t{n}", f"w{n}", f"r{n}", activity, timeout)

    # --- what tests ask

    @property
    def exit(self) -> messages.Exit | None:
        return self.judge.exit

    @property
    def wanted(self) -> dict[TaskList, int]:
        pools = self.judge.pools
        usual = pool_sizes(self.judge.settings, self.lists)
        sizes = {each: pools.sizes.get(each, size) for each, size in usual.items()}
        return {each: size for each, size in sizes.items() if size and each not in pools.quiet}

    def strength(self) -> Counter[TaskList]:
        """Ready workers that will go on, by task list."""
        lives = self.judge.living.values()
        return Counter(
            each.job.seat.task_list
            for each in lives
            if isinstance(each.job, Serve) and each.serves_on
        )

    def served_by(self) -> dict[Seat, int]:
        """The seats that are served, and by which generation."""
        lives = self.judge.living.values()
        return {
            each.job.seat: each.generation
            for each in lives
            if isinstance(each.job, Serve) and each.serves_on
        }

    def said(self, kind: type[T]) -> list[T]:
        """All events and actions of one kind, in order."""
        return [each for _, each in self.log if isinstance(each, kind)]

    def notes(self, event: str) -> list[messages.Note]:
        return [each for each in self.said(messages.Note) if each.event == event]

    def reports(self) -> list[messages.Report]:
        """What SWF was told, or was tried to be told."""
        jobs = [each.job for each in self.said(messages.Fork)]
        return [job for job in jobs if isinstance(job, messages.Report)]

    def deaths(self) -> list[str]:
        """The lines that tell of deaths."""
        return [each.text for each in self.notes("worker_died")]

    def when(self, what: messages.Event | messages.Action) -> float:
        """The moment when this was first said or wished."""
        return next(at for at, each in self.log if each == what)

    def serves(self, number: int) -> int:
        """How many workers generation ``number`` was asked for, errands left aside."""
        forks = [each for each in self.said(messages.Fork) if each.generation == number]
        return sum(isinstance(each.job, Serve) for each in forks)

    def _proved_strength(self) -> Counter[TaskList]:
        """Strength without canaries: they may be given up any moment."""
        lives = self.judge.living.values()
        return Counter(
            each.job.seat.task_list
            for each in lives
            if isinstance(each.job, Serve)
            and each.serves_on
            and each.generation in self.judge.served
        )

    def _watch_strength(self, sizes: list[Counter[TaskList]]) -> None:
        if not self.judge.pools.seats:
            return
        strength = self._proved_strength()
        least = functools.reduce(operator.and_, sizes, Counter(self.wanted))
        self.pictures.append((self.now, strength, least))
        if not self.lowest and all(strength[each] >= n for each, n in self.wanted.items()):
            self.lowest = Counter(self.wanted)
        if self.lowest and not self.judge.leaving:
            self.lowest = Counter({each: min(n, strength[each]) for each, n in self.lowest.items()})
