"""A simulated host: one core of the product, and the processes that carry out its actions."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

from garcon.activity.shared_throttling import SharedThrottling
from supervisor.core import Core
from supervisor.ipc import messages
from supervisor.ipc.messages import Register, Replay, Report, Role, Serve
from tests.benchmarks.fleet_model.processes import (
    Counter,
    DecidingWorker,
    Process,
    Registrar,
    Replayer,
    Reporter,
    ServingWorker,
)
from tests.benchmarks.fleet_model.task_list import TRIP, SimulatedList

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.config.settings import Settings
    from tests.benchmarks.fleet_model.fleet import Fleet

MESSAGE = 0.001
"""Seconds of a message between the supervisor and a child."""

IMPORT, FORK, BOOT = 3.0, 0.01, 0.2
"""Seconds of an import, of each fork, and until a fork is ready."""


@dataclass(slots=True, eq=False)
class HostList:
    """One list on one host.

    Attributes:
        at_swf: The list.
        parked: Workers that are parked.
        polling: Workers that poll, or whose poll's answer is on its way.
        backs_off_until: When the backoff after the last failed poll ends at the latest.
        bare_since: Since when workers are parked and none polls.
        longest_bare: Most seconds of that, in which no backoff was the reason.
    """

    at_swf: SimulatedList
    parked: int = 0
    polling: int = 0
    backs_off_until: float = -inf
    bare_since: float = inf
    longest_bare: float = 0.0

    def watch(self, now: float) -> None:
        """Look whether an idle list is polled; to be called after each change."""
        if self.parked and not self.polling:
            self.bare_since = min(self.bare_since, now)
        elif self.bare_since < inf:
            begun = max(self.bare_since, self.backs_off_until)
            self.longest_bare = max(self.longest_bare, now - begun)
            self.bare_since = inf


class Host:
    """One host.

    Attributes:
        ended: Whether its program has exited.
        exit_code: Its code.
    """

    trip = TRIP

    def __init__(self, fleet: Fleet, number: int, settings: Settings) -> None:
        self.fleet = fleet
        self.number = number
        self.settings = settings
        self.random = Random(f"{fleet.seed} {number}")
        self.throttling = SharedThrottling()
        self.lists = {name: HostList(each) for name, each in fleet.lists.items()}
        self.ended = False
        self.exit_code = -1
        self.events = 0
        self._workers: dict[int, Process] = {}
        self._counter: Counter | None = None
        self._tick_at = inf
        self.core = Core(settings, Random(f"{fleet.seed} {number} core"))
        self._carry_out(self.core.begin(self.now))
        self._set_tick()

    @property
    def now(self) -> float:
        """The time."""
        return self.fleet.time.now

    def later(self, seconds: float, do: Callable[..., object], *args: Any) -> None:
        """Do this after so many seconds."""
        self.fleet.time.later(seconds, do, *args)

    def deliver(self, event: messages.Event) -> None:
        """An event reaches the core."""
        if self.ended:
            return
        self.events += 1
        if actions := self.core.handle(event, self.fleet.time.now):
            self._carry_out(actions)
        self._set_tick()

    def bury(self, death: messages.Exited) -> None:
        """The kernel reports a death."""
        self._workers.pop(death.worker, None)
        self.deliver(death)

    def crash_one(self) -> bool:
        """Let the code of a task in progress kill its worker; whether there is one."""
        for each in self._workers.values():
            if isinstance(each, ServingWorker) and each.alive and each.task:
                each.die(-11)
                return True
        return False

    def kill(self, nth: int) -> None:
        """Kill one of its processes, whatever it does."""
        if living := [each for each in self._workers.values() if each.alive]:
            living[nth % len(living)].die(-9)

    @property
    def longest_bare(self) -> float:
        """Most seconds for which a list with a parked worker had no poll."""
        return max(each.longest_bare for each in self.lists.values())

    def _set_tick(self) -> None:
        deadline = self.core.next_deadline()
        if deadline < self._tick_at:
            self._tick_at = deadline
            self.later(max(0.0, deadline - self.now), self._tick, deadline)

    def _tick(self, planned: float) -> None:
        if planned != self._tick_at:  # an earlier one was set since
            return
        self._tick_at = inf
        if self.now >= self.core.next_deadline():
            self.deliver(messages.Tick())
        else:
            self._set_tick()

    def _carry_out(self, actions: list[messages.Action]) -> None:  # noqa: C901, PLR0912 - a line for each action
        forks = 0
        for action in actions:
            match action:
                case messages.GrantPermit(worker=number):
                    self._signal(number, "grant_permit")
                case messages.WithdrawPermit(worker=number):
                    self._set(number, "is_withdrawn")
                case messages.Fork():
                    forks += 1
                    self._fork(action, forks * FORK)
                case messages.Terminate(worker=number):
                    self._signal(number, "ask_to_leave")
                case messages.ReturnUnstarted(worker=number):
                    self._set(number, "returns")
                case messages.Kill(worker=number):
                    self.later(MESSAGE, self._kill, number)
                case messages.StartGeneration(generation=number):
                    self.later(IMPORT, self._import, number)
                case messages.RetireGeneration(generation=number):
                    lost = messages.GenerationLost(number, "it was retired", 4)
                    self.later(MESSAGE, self.deliver, lost)
                case messages.StartSidecar(name="backlog"):
                    self._counter = Counter(self, action)
                case messages.StopSidecar():
                    if self._counter:
                        self._counter.stop()
                case messages.Exit(code=code):
                    self._exit(code)
                case _:
                    pass

    def _import(self, generation: int) -> None:
        self.deliver(messages.GenerationReady(generation, self.fleet.task_lists))

    def _fork(self, fork: messages.Fork, after: float) -> None:
        worker: Process
        match fork.job:
            case Serve(slot=slot) if slot.task_list.role is Role.DECIDER:
                worker = DecidingWorker(self, fork.worker, self.fleet.decisions)
            case Serve(slot=slot):
                own, permit = self.lists[slot.task_list.name], fork.job.needs_permit
                worker = ServingWorker(self, fork.worker, own, needs_permit=permit)
            case Report() as order:
                worker = Reporter(self, fork.worker, order)
            case Register():
                worker = Registrar(self, fork.worker)
            case Replay():
                worker = Replayer(self, fork.worker)
        self._workers[fork.worker] = worker
        self.later(after + BOOT, worker.start)

    def _signal(self, number: int, method: str) -> None:
        if worker := self._workers.get(number):
            self.later(MESSAGE, getattr(worker, method))

    def _set(self, number: int, name: str) -> None:
        # A byte in the memory that both share.
        if worker := self._workers.get(number):
            setattr(worker, name, True)

    def _kill(self, number: int) -> None:
        if worker := self._workers.get(number):
            worker.die(-9)

    def _exit(self, code: int) -> None:
        self.ended, self.exit_code = True, code
        if self._counter:
            self._counter.alive = False
        self.fleet.note_exit(self)
