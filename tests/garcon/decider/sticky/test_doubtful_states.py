"""Errors from kept states: they count only if the whole history leads to them, too."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import runner, task
from garcon.decider import DeciderWorker
from garcon.local import LocalSWF
from tests.garcon.decider.sticky_deciders import UNCHECKED, Office, count
from tests.garcon.fakes import FakeSwf, refusal
from tests.garcon.flows import flow, kinds, make
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ = "GetWorkflowExecutionHistory"
STEPS = 4


@task.decorate(timeout=10)
def numbers(activity: Any) -> dict[str, Any]:
    """A result with a list in it."""
    return {"numbers": [1, 2, 3]}


def append(result: dict[str, Any]) -> None:
    """Make a result longer, so that a later run gives another input."""
    result["numbers"].append(4)


def take_out(result: dict[str, Any]) -> None:
    """Remove a key, so that a later run raises."""
    result["taken"] = len(result.pop("numbers"))


CHANGES = pytest.mark.parametrize("change", [append, take_out])


def changing(change: Callable[[dict[str, Any]], None], **members: Any) -> Any:
    """A flow whose decider changes the first result in place, and goes on in steps."""
    first = make("first", run=runner.Sync(numbers.fill()))
    step = make("step")

    def decider(schedule: Any) -> None:
        known = schedule("a", first)
        known.wait()
        change(known.result)
        for number in range(STEPS):
            schedule(f"s{number}", step, input={"n": len(str(known.result))}).wait()

    return flow(first=first, step=step, decider=decider, version="1.0", **members)


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF."""
    with LocalSWF() as made:
        yield made


@CHANGES
@pytest.mark.parametrize("more", [{}, {"build": "b1"}], ids=["plain", "build"])
def test_a_decider_that_changes_a_result_goes_on(
    swf: LocalSWF,
    change: Callable[[dict[str, Any]], None],
    more: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It completes as if it read each history in full; the error names what it changes."""
    errors: list[BaseException] = []
    office = Office(swf, changing(change, on_exception=lambda _, error: errors.append(error)))
    office.decider(**more)
    office.start()
    with caplog.at_level(logging.ERROR):
        history = office.run()
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert count(history, "TimerStarted") == 0
    assert errors == []
    place = "differs from its history in activities.flow_first.flow_first-1-a._result.numbers"
    assert caplog.records
    assert all(place in record.message for record in caplog.records)


def test_a_difference_that_the_history_has_is_reported_once(swf: LocalSWF) -> None:
    """The whole history is read once, and the code is reported as it is."""
    errors: list[BaseException] = []
    names = ["a", "b"]
    step = make("step")

    def decider(schedule: Any) -> None:
        for name in names:
            schedule(name, step).wait()

    made = flow(step=step, decider=decider, on_exception=lambda _, error: errors.append(error))
    office = Office(swf, made)
    office.decider()
    office.start()
    office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 1)
    names[:] = ["other"]
    office.run_until(lambda: bool(errors))
    assert [str(error).partition(" was ")[0] for error in errors] == [
        "Non-deterministic decider: the activity flow_step-1-a"
    ]
    assert swf.counters.calls[READ] == 1


def test_a_failed_activity_costs_no_reading(swf: LocalSWF) -> None:
    """No code can change that an activity has failed: the workflow fails with it at once."""

    @task.decorate(timeout=10)
    def broken(activity: Any) -> None:
        raise ValueError("broken")

    steps = make("good"), make("bad", run=runner.Sync(broken.fill()))

    def decider(schedule: Any) -> None:
        for each in steps:
            schedule("x", each).wait()

    office = Office(swf, flow(good=steps[0], bad=steps[1], decider=decider))
    office.decider()
    office.start()
    assert office.run()[-1]["eventType"] == "WorkflowExecutionFailed"
    assert swf.counters.calls[READ] == 0


def kept(swf: FakeSwf) -> tuple[DeciderWorker, dict[str, Any]]:
    """A decider that keeps a state from which its code raises, and the task that continues it."""
    history = History({"list": []})
    step = make("a")

    def decider(schedule: Any, context: Any) -> None:
        if context["list"]:
            raise ValueError("a changed input")
        context["list"].append("changed")
        schedule("x", step)

    made = flow(swf, a=step, decider=decider)
    worker = DeciderWorker(made, register=False, sticky=UNCHECKED)
    first = history.poll()
    worker.respond(first["taskToken"], worker.decide(first))
    history.scheduled("flow_a", "flow_a-1-x")
    return worker, history.poll(previousStartedEventId=1, events=history.events[1:])


def test_without_the_history_the_task_is_returned() -> None:
    """What SWF does not show now, the next task of the flow's own list brings."""
    swf = FakeSwf()
    worker, poll = kept(swf)
    swf.prepare("get_workflow_execution_history", {"events": []})
    decisions = worker.decide(poll)
    assert kinds(decisions) == ["StartTimer"]
    worker.respond(poll["taskToken"], decisions)
    assert "taskList" not in swf.requests("respond_decision_task_completed")[-1]
    assert len(worker._tasks.histories) == 0


def test_a_refused_reading_decides_nothing() -> None:
    """The workflow does not fail by it: the task times out, and comes again."""
    swf = FakeSwf()
    worker, poll = kept(swf)
    swf.prepare("get_workflow_execution_history", refusal("ThrottlingException"))
    with pytest.raises(Exception, match="ThrottlingException"):
        worker.decide(poll)
