"""The simulated fleet: hosts, task lists and the account, and what became of every task."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from garcon.activity.heartbeat_pace import TOO_LATE
from supervisor.config.settings import Settings
from supervisor.ipc import messages
from supervisor.ipc.messages import Launch, Role, TaskList
from tests.benchmarks.fleet_model.account import DECISION_POLL, POLL, Account
from tests.benchmarks.fleet_model.host import Host
from tests.benchmarks.fleet_model.task_list import ListPlan, SimulatedList, SimulatedTask
from tests.benchmarks.fleet_model.virtual_clock import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FLOW = TaskList("flow", Role.DECIDER)

DECISION = ListPlan("flow", 0.05, 300, 300, 1.0, 1)
"""The decisions of the flow: one for each task that ends."""

STOPPED = 90.0
"""Seconds from the end of a host to the start of its replacement."""


class Fleet:
    """Hosts that serve the same lists.

    Args:
        hosts: Their number.
        plans: The lists.
        share: What the account's budgets are multiplied by.
        pollers: Open polls that a list takes.
        outages: When SWF is not reached.
        started: Seconds in which all hosts start.
        seed: Source of chance.
        chosen: Further settings of every supervisor.
    """

    def __init__(
        self,
        hosts: int,
        plans: Sequence[ListPlan],
        *,
        share: float = 1.0,
        pollers: int = 1000,
        outages: Iterable[tuple[float, float]] = (),
        started: float = 20.0,
        seed: int = 0,
        **chosen: object,
    ) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.time = VirtualTime()
        self.account = Account(share, outages)
        self.plans = {each.name: each for each in plans}
        self.lists = {
            name: SimulatedList(name, POLL, self.time, self.account, pollers) for name in self.plans
        }
        self.decisions = SimulatedList(FLOW.name, DECISION_POLL, self.time, self.account, pollers)
        self.task_lists = (FLOW, *(TaskList(name, Role.ACTIVITY, name) for name in self.plans))
        self.settings = Settings(
            flow="flow",
            sticky=False,
            pools={each.name: each.workers for each in plans},
            hosts=hosts,
            **chosen,  # type: ignore[arg-type]
        )
        self.size = hosts
        self.crashes = 0
        self.hosts: list[Host] = []
        self.all_hosts = 0
        self.decided = 0
        self.open: dict[str, SimulatedTask] = {}
        self.arrived = self.completed = self.repeated = 0
        self.lost: Counter[str] = Counter()
        self.lost_in_outage = 0
        self.longest_bare = 0.0
        self.events = 0
        self.exits: Counter[int] = Counter()
        self._tokens = 0
        self._replace = True
        for begin, _ in self.account.outages:
            self.time.later(begin, self._break_off)
        for number in range(hosts):
            self.time.later(number / hosts * started, self._start_host)

    # --- hosts

    def _start_host(self) -> None:
        self.all_hosts += 1
        self.hosts.append(Host(self, self.all_hosts, self.settings))

    def note_exit(self, host: Host) -> None:
        """A host has ended; another one takes its place."""
        self.exits[host.exit_code] += 1
        self._add_up(host)
        self.hosts.remove(host)
        self.time.later(STOPPED, self._start_host)

    def _add_up(self, host: Host) -> None:
        self.longest_bare = max(self.longest_bare, host.longest_bare)
        self.events += host.events

    def finish(self) -> None:
        """Add up what the hosts know."""
        for host in self.hosts:
            self._add_up(host)

    def restart(self, first: int, number: int) -> None:
        """New code on some hosts."""
        for host in self.hosts[first : first + number]:
            host.deliver(messages.RestartRequested("deploy"))

    @property
    def is_ready(self) -> bool:
        """Whether the code of every host serves."""
        launches = [host.core.launch() for host in self.hosts]
        return len(launches) == self.size and set(launches) == {Launch.READY}

    def reclaim(self, number: int, within: float) -> None:
        """Spot takes back some hosts."""
        for host in self.random.sample(self.hosts, number):
            host.deliver(messages.TerminationNotice("spot", within))

    def _break_off(self) -> None:
        for each in (*self.lists.values(), self.decisions):
            each.break_off()

    # --- tasks

    def arrive(self, plan: ListPlan, lasts: float) -> None:
        """A workflow schedules a task."""
        self.arrived += 1
        self._schedule(plan, lasts)

    def _schedule(self, plan: ListPlan, lasts: float) -> None:
        self._tokens += 1
        task = SimulatedTask(plan, self.time.now, lasts, str(self._tokens))
        self.lists[plan.name].add(task)

    def answer(self, task: SimulatedTask, *, is_done: bool) -> bool:
        """SWF gets an answer; whether it still has the task."""
        now, plan = self.time.now, task.plan
        if self.open.pop(task.token, None) is None:
            return False
        deadline = min(task.signed_at + plan.heartbeat_timeout, task.given + plan.timeout)
        if now > deadline:
            self._time_out(task, deadline)
            return False
        if is_done:
            self.completed += 1
        else:
            self.repeated += 1
        self._decide(task, is_done=is_done)
        return True

    def _decide(self, ended: SimulatedTask, *, is_done: bool) -> None:
        """SWF schedules a decision; it repeats a task that is not done."""
        self._tokens += 1
        decision = SimulatedTask(DECISION, self.time.now, DECISION.lasts, str(self._tokens))
        decision.repeats = None if is_done else ended
        self.decisions.add(decision)

    def note_decision(self, decision: SimulatedTask) -> None:
        """SWF gets a decision."""
        self.decided += 1
        if task := decision.repeats:
            self._schedule(task.plan, task.lasts)

    def lose(self, task: SimulatedTask, why: str) -> None:
        """SWF gets no answer to this task before its timeout."""
        self.open.pop(task.token, None)
        self.lost[why] += 1

    def _time_out(self, task: SimulatedTask, deadline: float) -> None:
        # Shortly before a deadline the product attempts none (rule 4 of ``heartbeat_pace``).
        late = TOO_LATE * task.plan.heartbeat_timeout
        if any(begin <= deadline < end + late for begin, end in self.account.outages):
            self.lost_in_outage += 1
        else:
            heartbeat = deadline < task.given + task.plan.timeout
            self.lost["heartbeat timeout" if heartbeat else "start-to-close timeout"] += 1
        self._decide(task, is_done=False)


def offer(fleet: Fleet, rate: Callable[[float], float], highest: float, until: float) -> None:
    """Let tasks arrive by chance, ``rate(now)`` a second, which is never above ``highest``."""
    random, time = fleet.random, fleet.time
    plans = list(fleet.plans.values())
    weights = [each.share for each in plans]

    def arrive() -> None:
        if time.now >= until:
            return
        if random.random() * highest < rate(time.now):
            (plan,) = random.choices(plans, weights)
            fleet.arrive(plan, lasts_of(plan, random))
        time.later(random.expovariate(highest), arrive)

    time.later(random.expovariate(highest), arrive)


def lasts_of(plan: ListPlan, random: Random) -> float:
    """Seconds of one task: half to twice the average, by chance."""
    return plan.lasts * random.uniform(0.5, 1.5)
