"""Costs of deciding as executions grow: sticky, not sticky, and a decider that reads all.

    python -m tests.benchmarks.decider [--chains N ...] [--owns N ...] [--fans N ...]
                                       [--continued N ...] [--flat N ...] [--all-up-to N]

- chain: N activities one after the other, known by ``requires``; a decision after each.
- own: the same with a decider of one's own, which is run from its start at each decision.
- fan: N activities side by side and one after them; a decision after each.

Of each decision: events and bytes that SWF transferred, CPU of the decider (the service's own is
taken off), and the seconds from its poll to SWF's acceptance of its answer, without a network. CPU
is given as the median of the last tenth of the decisions, where an execution is longest.

"reads all" is a decider in the old way, made for this file: every page, every event of the three
types it knows, at every decision. It and the decider without sticky cost N squared, so by default
they stop at --all-up-to. The local SWF's limit of events is lifted, so that the cost can be seen to
grow; in truth a run of 10,000 events continues as new, which is measured by --continued (a chain,
with a claim store in a directory).

Whether a decision costs more the longer its execution is shows only side by side: the service is in
this process, its thousands of events slow everything down, and the machine has other work. --flat
decides the last steps of a chain of N and those of chains of 100 in turns, see ``flatness``.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garcon import activity, claims, runner
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.decider.history_limit import CONTINUE_AT
from garcon.decider.sticky.stickiness import Sticky
from garcon.local import LocalSWF, Settings
from tests.benchmarks import flatness, measuring
from tests.garcon.decider.sticky_deciders import OneAtATime, waiting
from tests.garcon.flows import flow, make, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

WORK = "work"  # the one list of all activities: the service is not to search through thousands
UNLIMITED = Settings(event_limit=1_000_000)
HEADS = ["decider", "flow", "decisions", "events", "of them new", "MB", "CPU/decision", "step"]


@dataclass
class Figures:
    """The cost of one run, decision by decision."""

    events: int = 0
    bytes: int = 0
    history: int = 0
    cpu: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self, decider: str, shape: str) -> list[str]:
        """One line of the table."""
        return [
            decider,
            shape,
            str(len(self.cpu)),
            f"{self.events:,}",
            f"{self.events / self.history:.2f} x",
            f"{self.bytes / 1e6:.1f}",
            f"{self.late(self.cpu) * 1e3:.2f} ms",
            f"{self.late(self.seconds) * 1e3:.2f} ms",
        ]

    @staticmethod
    def late(values: list[float]) -> float:
        """The median of the last tenth, at least ten of them."""
        return statistics.median(values[-max(10, len(values) // 10) :])


class Measured:
    """A service that counts the bytes it sent and its own CPU."""

    def __init__(self, settings: Settings) -> None:
        self.swf = LocalSWF(settings)
        self.figures = Figures()
        self.own = 0.0
        _carry_out = self.swf._answer

        def answer(target: str, body: bytes, authorization: str) -> Any:
            began = time.thread_time()
            reply = _carry_out(target, body, authorization)
            if target.endswith(("PollForDecisionTask", "GetWorkflowExecutionHistory")):
                self.figures.bytes += len(reply.body)
                self.figures.events += len(json.loads(reply.body).get("events", ()))
            self.own += time.thread_time() - began
            return reply

        self.swf._answer = answer  # type: ignore[method-assign]
        self.client = self.swf.client()

    def decide(self, turn: Callable[[], Any]) -> None:
        """One decision task, measured."""
        self.swf.advance(0.002)
        own, cpu, began = self.own, time.thread_time(), time.perf_counter()
        turn()
        self.figures.seconds.append(time.perf_counter() - began)
        self.figures.cpu.append(time.thread_time() - cpu - (self.own - own))

    def work(self) -> None:
        """One activity task; the answer differs for each, and is not measured."""
        self.swf.advance(0.002)
        task = self.client.poll_for_activity_task(domain="domain", taskList={"name": WORK})
        result = json.dumps({task["activityId"]: 1})
        self.client.respond_activity_task_completed(taskToken=task["taskToken"], result=result)

    def drive(self, turn: Callable[[], Any]) -> Figures:
        """One execution to its end."""
        self.client.start_workflow_execution(
            domain="domain",
            workflowId="workflow",
            workflowType={"name": "flow", "version": "1.0"},
            input="{}",
        )
        self.figures = Figures()
        while self.swf._threads.service.find("workflow").status == "OPEN":
            if waiting(self.swf, "decision"):
                self.decide(turn)
            else:
                self.work()
        for run in self.swf._threads.service.engine.executions():
            self.figures.history += len(self.swf.history("workflow", run.run_id))
        last = self.swf.history("workflow")[-1]["eventType"]
        assert last == "WorkflowExecutionCompleted", last
        return self.figures


# --- the flows


def listed(name: str, **options: Any) -> activity.Activity:
    """An activity on the one list."""
    made = make(name, **options)
    made.task_list = WORK
    return made


def chain(length: int) -> Any:
    """Activities one after the other."""
    found: dict[str, Any] = {}
    before: list[Any] = []
    for number in range(length):
        made = listed(f"a{number:04}", requires=before)
        found[f"a{number:04}"], before = made, [made]
    return flow(**found)


def own(length: int) -> Any:
    """The same by a decider of one's own, of one activity used again and again."""
    step = listed("step")

    def decider(schedule: Any) -> None:
        before: list[Any] = []
        for number in range(length):
            before = [schedule(str(number), step, requires=before)]

    return flow(step=step, decider=decider)


def fan(width: int) -> Any:
    """Activities side by side, and one after them."""
    many = listed(
        "many",
        run=runner.Sync(nothing.fill()),
        generators=[lambda _: [{"number": number} for number in range(width)]],
    )
    return flow(many=many, last=listed("last", requires=[many]))


SHAPES = {"chain": chain, "own": own, "fan": fan}


# --- the deciders


class ReadsAll:
    """A decider in the old way: all pages, all events, three types of them."""

    def __init__(self, measured: Measured, flow_: Any) -> None:
        self.worker = DeciderWorker(flow_)
        self.client: Any = measured.client
        self.request = {"domain": "domain", "taskList": {"name": "flow"}}

    def run(self) -> None:
        """One decision task."""
        page: Any = self.client.poll_for_decision_task(**self.request)
        token, events = page["taskToken"], list(page["events"])
        while page.get("nextPageToken"):
            page = self.client.poll_for_decision_task(
                **self.request, nextPageToken=page["nextPageToken"]
            )
            events += page["events"]
        states, context = self.fold(events)
        decisions: list[Any] = []
        self.worker.create_decisions_from_flow(decisions, states, context)
        self.client.respond_decision_task_completed(taskToken=token, decisions=decisions)

    def fold(self, events: list[Any]) -> Any:
        """The states and the context."""
        states: dict[str, dict[str, activity.ActivityState]] = {}
        scheduled: dict[int, activity.ActivityState] = {}
        context: dict[str, Any] = {}
        for event in events:
            if event["eventType"] == "ActivityTaskScheduled":
                told = event["activityTaskScheduledEventAttributes"]
                of_name = states.setdefault(told["activityType"]["name"], {})
                state = of_name.setdefault(
                    told["activityId"], activity.ActivityState(told["activityId"])
                )
                state.add_state(activity.ACTIVITY_SCHEDULED)
                scheduled[event["eventId"]] = state
            elif event["eventType"] == "ActivityTaskCompleted":
                told = event["activityTaskCompletedEventAttributes"]
                state = scheduled[told["scheduledEventId"]]
                state.add_state(activity.ACTIVITY_COMPLETED)
                state.set_result(json.loads(told["result"]))
                context.update(state.result)
        return states, context


def decider_of(kind: str, measured: Measured, flow_: Any) -> Callable[[], Any]:
    """One turn of a decider of this kind."""
    if kind == "reads all":
        return ReadsAll(measured, flow_).run
    made = DeciderWorker(flow_, sticky=Sticky() if kind == "sticky" else False)
    if kind == "sticky":
        made._tasks.polls = OneAtATime(measured.swf)  # type: ignore[assignment]
    return made.run


def measure(kind: str, shape: str, size: int, continue_at: int | None = None) -> Figures:
    """One decider, one flow."""
    measured = Measured(UNLIMITED)
    flow_ = SHAPES[shape](size)
    flow_.continue_at = continue_at
    with measured.swf, clients.use(measured.client):
        turn = decider_of(kind, measured, flow_)
        gc.collect()
        gc.disable()  # the service's thousands of events are in this process; they are its cost
        try:
            return measured.drive(turn)
        finally:
            gc.enable()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--chains", type=int, nargs="*", default=[10, 100, 1000, 5000])
    parser.add_argument("--owns", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--fans", type=int, nargs="*", default=[10, 100, 900])
    parser.add_argument("--continued", type=int, nargs="*", default=[5000])
    parser.add_argument("--flat", type=int, nargs="*", default=[1000, 5000])
    parser.add_argument("--all-up-to", type=int, default=100)
    asked = parser.parse_args()
    print(measuring.machine())
    rows = [HEADS]
    for shape, sizes in (("chain", asked.chains), ("own", asked.owns), ("fan", asked.fans)):
        for size in sizes:
            for kind in ("sticky", "not sticky", "reads all"):
                skipped = kind == "reads all" and shape == "own"
                if kind == "sticky" or (size <= asked.all_up_to and not skipped):
                    rows.append(measure(kind, shape, size).row(kind, f"{shape} {size}"))
                    print("  ".join(rows[-1]), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        claims.configure(f"file:{folder}")
        for size in asked.continued:
            figures = measure("sticky", "chain", size, CONTINUE_AT)
            rows.append(figures.row("sticky, as new", f"chain {size}"))
            print("  ".join(rows[-1]), flush=True)
        claims.configure(None)
    print()
    print(measuring.table(rows))
    print()
    print(measuring.table([flatness.HEADS, *map(flatness.row, asked.flat)]))


if __name__ == "__main__":
    main()
