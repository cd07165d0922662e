"""One activity of a past execution, done again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from garcon import runner, task
from garcon.activity import Canceled, Completed, Failed, TaskCanceled
from garcon.workflow import Execution, NotRepeatable
from garcon.workflow.rerun import Attempt, attempts, choose, rerun
from tests.garcon.workflow.desk import coffee, create, history_of
from tests.garcon.workflow.stories import Story

RUN = Execution("order-17", "run-1")


def tried() -> list[Attempt]:
    """The tries of an execution whose first activity failed twice."""
    return attempts(history_of(coffee(retry=1), {"beans": "stones"}))


def flow(work: Any, **options: Any) -> Any:
    """A flow of one activity."""
    made = create(name="grind", run=runner.Sync(work), **options)
    return SimpleNamespace(domain="cafe", name="coffee", grind=made)


def attempt(text: str | None = '{"beans": "b"}') -> Attempt:
    """One try of it."""
    return Attempt(7, "coffee_grind-1", "coffee_grind", 1, text, 60.0)


def test_an_activity_is_done_again_with_the_input_it_had() -> None:
    """The result is what it would have answered."""
    found = choose(attempts(history_of(coffee(), {"beans": "arabica"})), "brew-1", "coffee")
    assert rerun(coffee(), found, RUN, print) == Completed({"cup": "brewed ground arabica"})


def test_a_failure_is_an_outcome_with_its_traceback() -> None:
    """The handler that wakes people is not called."""
    woken: list[Any] = []
    made = coffee(on_exception=lambda *_: woken.append(_))
    outcome = rerun(made, tried()[0], RUN, print)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "These are stones."
    assert "Traceback" in str(outcome.details)
    assert "in grind" in str(outcome.details)
    assert woken == []


def test_heartbeats_go_to_who_looks_on() -> None:
    """With their details."""
    beats: list[str] = []

    @task.decorate(timeout=5)
    def work(activity: Any) -> None:
        activity.heartbeat("half done")

    assert rerun(flow(work.fill()), attempt(), RUN, beats.append) == Completed({})
    assert beats == ["half done"]


def test_a_task_is_told_where_it_is() -> None:
    """Workflow, run, activity and its time, as a worker tells it."""

    @task.decorate(timeout=5)
    def work(activity: Any) -> dict[str, Any]:
        return {
            "where": [activity.workflow_id, activity.run_id, activity.activity_id],
            "time": 50 < activity.time_left <= 60,
        }

    outcome = rerun(flow(work.fill()), attempt(), RUN, print)
    assert outcome == Completed({"where": ["order-17", "run-1", "coffee_grind-1"], "time": True})


def test_a_task_that_agrees_to_be_cancelled_is_an_outcome() -> None:
    """As it would have been for SWF."""

    @task.decorate(timeout=5)
    def work() -> None:
        raise TaskCanceled("stopped")

    assert rerun(flow(work.fill()), attempt(), RUN, print) == Canceled("stopped")


@pytest.mark.parametrize("text", ["no JSON", "[1]", "x" * 40_000])
def test_an_input_that_is_not_garcon_s_is_a_failure(text: str) -> None:
    """It says what is wrong with the input."""

    @task.decorate(timeout=5)
    def work() -> None: ...

    outcome = rerun(flow(work.fill()), attempt(text), RUN, print)
    assert isinstance(outcome, Failed)
    assert "The input of coffee_grind-1" in outcome.reason


def test_a_result_that_swf_would_not_take_is_a_failure() -> None:
    """Here it is seen as there."""

    @task.decorate(timeout=5)
    def work() -> dict[str, str]:
        return {"huge": "x" * 40_000}

    outcome = rerun(flow(work.fill()), attempt(), RUN, print)
    assert isinstance(outcome, Failed)
    assert "'huge'" in outcome.reason


def test_tries_are_counted_for_each_id() -> None:
    """From one, in the order of their events."""
    assert [(each.activity_id, each.number) for each in tried()] == [
        ("coffee_grind-1", 1),
        ("coffee_grind-1", 2),
    ]
    assert tried()[0].start_to_close == 60


def test_an_activity_is_meant_by_its_id_or_its_beginning() -> None:
    """The flow's name may be left out; without a number the last try is meant."""
    found = tried()
    for wanted in ("coffee_grind-1", "grind-1", "grind", "coffee_g", ""):
        assert choose(found, wanted, "coffee").number == 2
    assert choose(found, "grind", "coffee", 1).number == 1


def test_what_is_not_there_or_not_clear_is_a_sentence() -> None:
    """It names those that there are."""
    story = Story()
    for name in ("flow_a", "flow_ab", "flow_abc"):
        story.scheduled(name)
    found = attempts(story.events)
    assert choose(found, "a-1", "flow").activity_name == "flow_a"
    with pytest.raises(
        NotRepeatable, match=r"Several activities begin with 'ab'.*flow_ab-1, flow_abc"
    ):
        choose(found, "ab", "flow")
    with pytest.raises(NotRepeatable, match="No activity begins with 'x'; there are: flow_a-1"):
        choose(found, "x", "flow")
    with pytest.raises(NotRepeatable, match="tried 1 times; there is no try 2"):
        choose(found, "a-1", "flow", 2)
    with pytest.raises(NotRepeatable, match="there are: none"):
        choose([], "x", "flow")


def test_an_activity_that_the_flow_does_not_do_is_named() -> None:
    """Because it is gone, or another program's."""
    gone = Attempt(7, "coffee_roast-1", "coffee_roast", 1, "{}", None)
    with pytest.raises(NotRepeatable, match="no activity coffee_roast; it has: coffee_brew"):
        rerun(coffee(), gone, RUN, print)
    theirs = flow(lambda: None)
    theirs.grind = create(name="grind", external=True, timeout=5)
    with pytest.raises(NotRepeatable, match="done by another program"):
        rerun(theirs, attempt(), RUN, print)
