"""A family of runs: a flow that continues as new twice, each run with a child that does so once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from garcon import activity, runner, task
from garcon.decider import DeciderWorker
from garcon.tracing import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pytest

    from garcon import Schedule
    from garcon.local import LocalSWF

INPUT = {"left": 2}

contexts: list[dict[str, Any]] = []
"""What tasks were given since a test began."""


@task.decorate(timeout=60)
def look(context: Mapping[str, Any], activity: Any) -> dict[str, Any]:
    """Return the whole context."""
    contexts.append(dict(context))
    return dict(context)


@task.decorate(timeout=60)
def work() -> dict[str, Any]:
    """Do nothing."""
    return {"worked": True}


def leaf_flow() -> Any:
    """The child: two activities, in two runs."""
    create = activity.create("tests", "leaf")
    first = create(name="first", run=runner.Sync(look))
    second = create(name="second", requires=[first], run=runner.Sync(work.fill()))
    return SimpleNamespace(domain="tests", name="leaf", first=first, second=second, continue_at=6)


leaf = leaf_flow()
own = activity.create("tests", "trunk")(name="own", run=runner.Sync(work.fill()))


def decide(schedule: Schedule, context: dict[str, Any]) -> None:
    """Wait for an activity and a child, then continue as new, or end."""
    left = context["left"]
    schedule("begin", own).wait()
    schedule.child(f"leaf-{left}", leaf, {"size": left}).wait()
    if left:
        schedule.continue_as_new({"left": left - 1})


trunk = SimpleNamespace(domain="tests", name="trunk", own=own, decider=decide)


def in_processes(
    monkeypatch: pytest.MonkeyPatch,
    choose: Callable[[Any], Iterator[DeciderWorker]],
    is_traced: Callable[[Mapping[str, Any]], bool] = lambda _: True,
) -> None:
    """Let deciders of ``LocalSWF.run`` be those of several processes, traced or not."""

    class Fleet(DeciderWorker):
        def __init__(self, flow: Any, register: bool = True) -> None:  # noqa: FBT001, FBT002 - as its base
            super().__init__(flow, register=register)
            self._processes = choose(flow)

        def run(self, identity: str | None = None) -> bool:
            worker = next(self._processes)
            if poll := worker.poll(identity):
                start = poll["events"][0]["workflowExecutionStartedEventAttributes"]
                with monkeypatch.context() as patch:
                    if not is_traced(start):
                        patch.setattr(seam, "tracer", None)
                    worker.respond(poll["taskToken"], worker.decide(poll, identity))
            return True

    monkeypatch.setattr("garcon.local.driver.DeciderWorker", Fleet)


def in_turn(flow: Any) -> Iterator[DeciderWorker]:
    """Two processes."""
    both = [DeciderWorker(flow, register=False), DeciderWorker(flow, register=False)]
    while True:
        yield from both


def always_new(flow: Any) -> Iterator[DeciderWorker]:
    """A new process at each decision."""
    while True:
        yield DeciderWorker(flow, register=False)


def histories(swf: LocalSWF) -> dict[str, list[dict[str, Any]]]:
    """The histories of all runs, by run id; those of the flow that began come first, in order."""
    closed = swf.client().list_closed_workflow_executions(
        domain="tests", startTimeFilter={"oldestDate": datetime.fromtimestamp(0, UTC)}
    )
    found = {
        each["execution"]["runId"]: swf.history(
            each["execution"]["workflowId"], each["execution"]["runId"]
        )
        for each in closed["executionInfos"]
    }
    return dict(sorted(found.items(), key=lambda item: _place(item[1])))


def _place(events: list[dict[str, Any]]) -> tuple[bool, int, str]:
    """The place of a run in its family."""
    start = events[0]["workflowExecutionStartedEventAttributes"]
    left = json.loads(start["input"]).get("left")
    return left is None, -(left or 0), start.get("continuedExecutionRunId", "")


def texts(events: Iterable[Mapping[str, Any]]) -> str:
    """Events as one text."""
    return json.dumps([*events])
