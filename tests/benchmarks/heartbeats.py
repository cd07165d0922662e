"""Heartbeats beyond the account's budget: results refused and calls, by two rules.

``python -m tests.benchmarks.heartbeats [--tasks 96] [--hosts 8] [--rounds 3]``

The tasks run on the local SWF in virtual time, with its quotas; the budget of heartbeats is set to
a fraction of what the fixed rule wants. The *fixed* rule is in this file only: a heartbeat every
third of the timeout, each attempted five times by botocore (standard mode: waits of up to 1, 2, 4,
8 s). The *paced* rule is garcon's (``heartbeat_pace``).
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch

from botocore.exceptions import ClientError

from garcon.activity.heartbeat_pace import THROTTLED_LATEST, HeartbeatPace
from garcon.activity.shared_throttling import SharedThrottling
from garcon.local import LocalSWF, Settings
from garcon.local.engine import throttle
from garcon.utils import UNKNOWN, error_code
from tests.benchmarks import measuring

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    Rule = Generator[float, bool, None]
    """Yields the moment of the next call, and is sent whether SWF accepted it."""

HEARTBEAT = "RecordActivityTaskHeartbeat"
FIXED_PER_TIMEOUT = 3
"""Heartbeats that the fixed rule wants in one timeout."""

LENGTH = 4.0
"""Heartbeat timeouts that a task lasts."""

START = 2.0
"""Seconds in which all tasks begin."""


@dataclass(frozen=True)
class Outcome:
    """The cost and the losses of one run."""

    refused: int
    calls: int
    accepted: int


@dataclass(frozen=True)
class Load:
    """Tasks, and how many times the account's budget the fixed rule would want for them."""

    tasks: int
    hosts: int
    timeout: float = 18.0
    excess: float = 2.1

    @property
    def budget(self) -> float:
        """Heartbeats a second."""
        return self.tasks * FIXED_PER_TIMEOUT / self.timeout / self.excess

    @property
    def bound(self) -> int:
        """Tasks that the budget carries if each sends one at nine tenths of its timeout."""
        return min(self.tasks, int(self.budget * self.timeout * THROTTLED_LATEST))


def fixed_rule(began: float, timeout: float, chance: random.Random) -> Rule:
    """A heartbeat every third, with the attempts of botocore; see the module."""
    due = now = began + timeout / FIXED_PER_TIMEOUT
    while True:
        due = now + timeout / FIXED_PER_TIMEOUT
        for attempt in range(5):
            if (yield now):
                break
            now += chance.random() * 2**attempt if attempt < 4 else 0.0
        now = max(now, due)


def paced_rule(
    began: float, timeout: float, chance: random.Random, throttling: SharedThrottling
) -> Rule:
    """The rule of the product, with what its host shares."""
    pace = HeartbeatPace(timeout, began, chance.uniform)
    now = began
    while True:
        while now < (due := pace.due(throttling.level(now))):
            now = due
        if (yield now):
            pace.note_accepted(now)
        else:
            pace.note_refused(now, "throttled")
            throttling.note_throttled(now)


def is_accepted(call: Any, **members: Any) -> bool:
    """Whether SWF takes the call; a throttle is no answer, and a task that is gone raises."""
    try:
        call(**members)
    except ClientError as error:
        if error_code(error) == UNKNOWN:
            raise
        return False
    return True


def schedule(swf: Any, tasks: int, timeout: float) -> None:
    """Schedule the tasks of one execution."""
    domain, never = {"domain": "d"}, "100000"
    swf.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    swf.register_workflow_type(
        **domain,
        name="w",
        version="1",
        defaultTaskList={"name": "w"},
        defaultChildPolicy="TERMINATE",
        defaultTaskStartToCloseTimeout=never,
        defaultExecutionStartToCloseTimeout=never,
    )
    swf.register_activity_type(
        **domain,
        name="a",
        version="1",
        defaultTaskList={"name": "a"},
        defaultTaskHeartbeatTimeout=str(round(timeout)),
        defaultTaskStartToCloseTimeout=never,
        defaultTaskScheduleToStartTimeout=never,
        defaultTaskScheduleToCloseTimeout=never,
    )
    kind = {"name": "w", "version": "1"}
    swf.start_workflow_execution(**domain, workflowId="one", workflowType=kind)
    decision = swf.poll_for_decision_task(**domain, taskList={"name": "w"})
    decisions = [
        {
            "decisionType": "ScheduleActivityTask",
            "scheduleActivityTaskDecisionAttributes": {
                "activityType": {"name": "a", "version": "1"},
                "activityId": str(number),
            },
        }
        for number in range(tasks)
    ]
    swf.respond_decision_task_completed(taskToken=decision["taskToken"], decisions=decisions)


class Run:
    """Tasks with one rule, on an SWF with one budget."""

    def __init__(
        self, service: LocalSWF, timeout: float, begins: list[float], rules: list[Rule]
    ) -> None:
        self._service = service
        self._swf: Any = service.client()
        self._rules = rules
        self._ends = [begin + LENGTH * timeout for begin in begins]
        schedule(self._swf, len(rules), timeout)
        self._tokens = [self._start(begin) for begin in begins]
        self._alive = set(range(len(rules)))
        self.calls = self.accepted = self.refused = 0

    def _start(self, at: float) -> str:
        self._advance_to(at)
        task = self._swf.poll_for_activity_task(domain="d", taskList={"name": "a"})
        return str(task["taskToken"])

    def _advance_to(self, at: float) -> None:
        self._service.advance(max(0.0, at - self._service.now))

    def go(self) -> Outcome:
        """Send all heartbeats in their order, and each task's answer at its end."""
        queue = [(next(rule), number) for number, rule in enumerate(self._rules)]
        queue += [(end, len(self._rules) + number) for number, end in enumerate(self._ends)]
        heapq.heapify(queue)
        while queue:
            at, number = heapq.heappop(queue)
            self._advance_to(at)
            if number >= len(self._rules):
                self._answer(number - len(self._rules))
            elif number in self._alive:
                heapq.heappush(queue, (self._heartbeat(number), number))
        return Outcome(self.refused, self.calls, self.accepted)

    def _heartbeat(self, number: int) -> float:
        self.calls += 1
        token = {"taskToken": self._tokens[number]}
        try:
            accepted = is_accepted(self._swf.record_activity_task_heartbeat, **token)
        except ClientError:
            self._alive.discard(number)
            return self._ends[number]
        self.accepted += accepted
        return self._rules[number].send(accepted)

    def _answer(self, number: int) -> None:
        self._alive.discard(number)
        try:
            self._swf.respond_activity_task_completed(taskToken=self._tokens[number])
        except ClientError:
            self.refused += 1


def measure(rule: str, load: Load, seed: int) -> Outcome:
    """One run."""
    chance, timeout = random.Random(seed), load.timeout
    shared = [SharedThrottling() for _ in range(load.hosts)]
    begins = sorted(chance.uniform(0.0, START) for _ in range(load.tasks))
    rules: list[Rule] = []
    for number, began in enumerate(begins):
        task = random.Random(f"{seed} {number}")
        if rule == "fixed":
            rules.append(fixed_rule(began, timeout, task))
        else:
            rules.append(paced_rule(began, timeout, task, shared[number % load.hosts]))
    rate = throttle.Rate(max(1.0, load.budget), load.budget)
    with (
        patch.dict(throttle.ACCOUNT, {HEARTBEAT: rate}),
        LocalSWF(Settings(quotas=True), start=0.0, seed=seed) as service,
    ):
        return Run(service, timeout, begins, rules).go()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=96)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(measuring.machine())
    rows = [["wanted", "rule", "results refused", "calls", "accepted", "saved, of the bound"]]
    for excess, timeout in ((2.1, 18.0), (2.6, 18.0), (4.3, 9.0)):
        load = Load(asked.tasks, asked.hosts, timeout, excess)
        for rule in ("fixed", "paced"):
            runs = [measure(rule, load, seed) for seed in range(asked.rounds)]
            refused = measuring.median([each.refused for each in runs])
            rows.append(
                [
                    f"{excess} x the budget, timeout {timeout:g} s",
                    rule,
                    f"{refused:g} of {asked.tasks}",
                    f"{measuring.median([each.calls for each in runs]):g}",
                    f"{measuring.median([each.accepted for each in runs]):g}",
                    f"{asked.tasks - refused:g} of {load.bound}",
                ]
            )
    print()
    print(measuring.table(rows))


if __name__ == "__main__":
    main()
