"""Whether a decision costs more the longer its execution is: two sticky deciders, step by step.

One decides a chain of N activities near its end, the other chains of ``SHORT``, in turns, in one
process and at one service. So both meet the same heap and the same noise, and what is left is the
execution's own length. CPU without the service's, median of ``STEPS`` decisions each.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from types import SimpleNamespace
from typing import Any

from garcon import client as clients
from garcon.decider import DeciderWorker, Sticky
from garcon.local import LocalSWF, Settings
from tests.garcon.decider.sticky_deciders import OneAtATime, waiting
from tests.garcon.flows import make

SHORT = 100
STEPS = 400
HEADS = ["in turns", "CPU/decision", f"of chains of {SHORT}", "ratio"]


class Service:
    """A local SWF without a limit of events that counts its own CPU."""

    def __init__(self) -> None:
        self.swf = LocalSWF(Settings(event_limit=1_000_000))
        self.own = 0.0
        _carry_out = self.swf._answer

        def answer(target: str, body: bytes, authorization: str) -> Any:
            began = time.thread_time()
            reply = _carry_out(target, body, authorization)
            self.own += time.thread_time() - began
            return reply

        self.swf._answer = answer  # type: ignore[method-assign]
        self.client = self.swf.client()


class Chains:
    """Executions of one chain, one after the other, and their decider."""

    def __init__(self, service: Service, name: str, length: int) -> None:
        self.cpu: list[float] = []
        self._service, self._name, self._length = service, name, length
        self._decider = DeciderWorker(self._flow(), sticky=Sticky(check=0))
        self._decider._tasks.polls = OneAtATime(service.swf)  # type: ignore[assignment]
        self._lists = {name, self._decider._tasks.lists.private}
        self._started = self._decided = 0
        self._start()

    def _flow(self) -> Any:
        found: dict[str, Any] = {}
        before: list[Any] = []
        for number in range(self._length):
            made = make(f"{self._name}_{number}", requires=before)
            made.task_list = f"{self._name}-work"
            found[f"a{number:05}"], before = made, [made]
        return SimpleNamespace(domain="domain", name=self._name, continue_at=None, **found)

    def _start(self) -> None:
        self._started, self._decided = self._started + 1, 0
        self._service.client.start_workflow_execution(
            domain="domain",
            workflowId=f"{self._name}-{self._started}",
            workflowType={"name": self._name, "version": "1.0"},
            input="{}",
        )

    def step(self) -> None:
        """One decision, and the activity before it."""
        if not self._lists & waiting(self._service.swf, "decision"):
            self._work()
        self._service.swf.advance(0.002)
        own, cpu = self._service.own, time.thread_time()
        self._decider.run()
        self.cpu.append(time.thread_time() - cpu - (self._service.own - own))
        self._decided += 1
        if self._decided > self._length:
            self._start()

    def _work(self) -> None:
        self._service.swf.advance(0.002)
        client = self._service.client
        where: Any = {"domain": "domain", "taskList": {"name": f"{self._name}-work"}}
        task = client.poll_for_activity_task(**where)
        result = json.dumps({task["activityId"]: 1})
        client.respond_activity_task_completed(taskToken=task["taskToken"], result=result)


def row(length: int) -> list[str]:
    """One line of the table: a chain of this length beside short ones."""
    service = Service()
    with service.swf, clients.use(service.client):
        long, short = Chains(service, "long", length), Chains(service, "short", SHORT)
        gc.collect()
        gc.disable()  # as in ``decider``
        try:
            for _ in range(length - STEPS):
                long.step()
            long.cpu.clear()
            for _ in range(STEPS):
                long.step()
                short.step()
        finally:
            gc.enable()
    ours, theirs = statistics.median(long.cpu), statistics.median(short.cpu)
    return [
        f"chain {length}",
        f"{ours * 1e3:.2f} ms",
        f"{theirs * 1e3:.2f} ms",
        f"{ours / theirs:.2f}",
    ]
