"""One activity of a past execution, run again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from garcon import runner, task
from garcon.activity import AttemptCanceled, AttemptFailed, TaskCanceled
from garcon.executions import Execution, NotRepeatable
from garcon.executions.rerun import Attempt, attempts, choose, rerun
from tests.garcon.executions.scenarios import Scenario
from tests.garcon.executions.served_flow import coffee, create, history_of
from tests.garcon.flows import completed

RUN = Execution("order-17", "run-1")


def failed_attempts() -> list[Attempt]:
    """The attempts of an execution whose first activity failed twice."""
    return attempts(history_of(coffee(retry=1), {"beans": "stones"}))


def flow(work: Any, **options: Any) -> Any:
    """A flow of one activity."""
    made = create(name="grind", run=runner.Sync(work), **options)
    return SimpleNamespace(domain="cafe", name="coffee", grind=made)


def attempt(text: str | None = '{"beans": "b"}') -> Attempt:
    """One attempt at it."""
    return Attempt(7, "coffee_grind-1", "coffee_grind", 1, text, 60.0)


def test_an_activity_runs_again_with_its_recorded_input() -> None:
    """The outcome has the result that a worker would have sent."""
    found = choose(attempts(history_of(coffee(), {"beans": "arabica"})), "brew-1", "coffee")
    assert rerun(coffee(), found, RUN, print) == completed(cup="brewed ground arabica")


def test_a_failure_is_an_outcome_with_its_traceback() -> None:
    """The flow's ``on_exception`` is not called."""
    calls: list[Any] = []
    made = coffee(on_exception=lambda *arguments: calls.append(arguments))
    outcome = rerun(made, failed_attempts()[0], RUN, print)
    assert isinstance(outcome, AttemptFailed)
    assert outcome.reason == "These are stones."
    assert "Traceback" in str(outcome.details)
    assert "in grind" in str(outcome.details)
    assert calls == []


def test_heartbeats_go_to_the_callback() -> None:
    """The callback gets their details."""
    heartbeats: list[str] = []

    @task.decorate(timeout=5)
    def work(activity: Any) -> None:
        activity.heartbeat("half done")

    assert rerun(flow(work.fill()), attempt(), RUN, heartbeats.append) == completed()
    assert heartbeats == ["half done"]


def test_a_task_sees_its_execution() -> None:
    """A task sees workflow, run, activity and time left, as in a worker."""

    @task.decorate(timeout=5)
    def work(activity: Any) -> dict[str, Any]:
        return {
            "where": [activity.workflow_id, activity.run_id, activity.activity_id],
            "time": 50 < activity.time_left <= 60,
        }

    outcome = rerun(flow(work.fill()), attempt(), RUN, print)
    assert outcome == completed(where=["order-17", "run-1", "coffee_grind-1"], time=True)


def test_a_task_that_cancels_itself_is_an_outcome() -> None:
    """The outcome has the details that SWF would have got."""

    @task.decorate(timeout=5)
    def work() -> None:
        raise TaskCanceled("stopped")

    assert rerun(flow(work.fill()), attempt(), RUN, print) == AttemptCanceled("stopped")


@pytest.mark.parametrize("text", ["no JSON", "[1]", "x" * 40_000])
def test_an_unreadable_input_is_a_failure(text: str) -> None:
    """The reason names the input."""

    @task.decorate(timeout=5)
    def work() -> None: ...

    outcome = rerun(flow(work.fill()), attempt(text), RUN, print)
    assert isinstance(outcome, AttemptFailed)
    assert "The input of coffee_grind-1" in outcome.reason


def test_a_result_that_swf_would_refuse_is_a_failure() -> None:
    """The reason names the key that is too long."""

    @task.decorate(timeout=5)
    def work() -> dict[str, str]:
        return {"huge": "x" * 40_000}

    outcome = rerun(flow(work.fill()), attempt(), RUN, print)
    assert isinstance(outcome, AttemptFailed)
    assert "'huge'" in outcome.reason


def test_attempts_are_numbered_for_each_id() -> None:
    """Numbers begin at one, in the order of the events."""
    found = failed_attempts()
    assert [(each.activity_id, each.number) for each in found] == [
        ("coffee_grind-1", 1),
        ("coffee_grind-1", 2),
    ]
    assert found[0].start_to_close == 60


def test_an_attempt_is_chosen_by_its_id_or_its_beginning() -> None:
    """The flow's name may be left out; without a number the last attempt is chosen."""
    found = failed_attempts()
    for prefix in ("coffee_grind-1", "grind-1", "grind", "coffee_g", ""):
        assert choose(found, prefix, "coffee").number == 2
    assert choose(found, "grind", "coffee", 1).number == 1


def test_an_ambiguous_or_unknown_activity_is_refused() -> None:
    """The sentence lists the ids, or the number of attempts."""
    scenario = Scenario()
    for name in ("flow_a", "flow_ab", "flow_abc"):
        scenario.scheduled(name)
    found = attempts(scenario.events)
    assert choose(found, "a-1", "flow").activity_name == "flow_a"
    several = r"Several activities begin with 'ab'.*flow_ab-1, flow_abc"
    with pytest.raises(NotRepeatable, match=several):
        choose(found, "ab", "flow")
    with pytest.raises(NotRepeatable, match="No activity begins with 'x'; there are: flow_a-1"):
        choose(found, "x", "flow")
    with pytest.raises(NotRepeatable, match="had 1 attempt; there is no attempt 2"):
        choose(found, "a-1", "flow", 2)
    with pytest.raises(NotRepeatable, match="there are: none"):
        choose([], "x", "flow")


def test_an_activity_that_the_flow_does_not_run_is_named() -> None:
    """The flow may no longer have it, or it may be external."""
    gone = Attempt(7, "coffee_roast-1", "coffee_roast", 1, "{}", None)
    with pytest.raises(NotRepeatable, match="no activity coffee_roast; it has: coffee_brew"):
        rerun(coffee(), gone, RUN, print)
    external = flow(lambda: None)
    external.grind = create(name="grind", external=True, timeout=5)
    with pytest.raises(NotRepeatable, match="coffee_grind is external"):
        rerun(external, attempt(), RUN, print)
