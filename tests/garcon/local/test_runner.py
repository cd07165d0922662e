"""`LocalSWF.run`: a flow driven to its end in one thread."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from garcon import activity, runner, task
from garcon import client as clients
from garcon.errors import InvalidFlow
from garcon.local import LocalSWF, Settings
from garcon.local import runner as local_runner
from garcon.local.outcome import Outcome, Stuck

CREATE = activity.create("cafe", "coffee")


@task.decorate(timeout=60)
def grind(beans: str) -> dict[str, str]:
    """Grind the beans."""
    return {"powder": f"ground {beans}"}


@task.decorate(timeout=60)
def brew(powder: str) -> dict[str, str]:
    """Brew a cup."""
    return {"cup": f"brewed {powder}"}


def flow(**members: Any) -> Any:
    """Two activities, one after the other."""
    ground = CREATE(name="grind", run=runner.Sync(grind.fill(beans="beans")))
    brewed = CREATE(name="brew", requires=[ground], run=runner.Sync(brew.fill(powder="powder")))
    made = {"domain": "cafe", "name": "coffee", "grind": ground, "brew": brewed, **members}
    return SimpleNamespace(**made)


def failing(times: int, **options: Any) -> Any:
    """A flow of one activity that fails so many times."""
    left = [times]

    @task.decorate(timeout=60)
    def stumble() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("spilled")

    serve = CREATE(name="serve", run=runner.Sync(stumble.fill()), **options)
    return SimpleNamespace(domain="cafe", name="coffee", serve=serve)


@pytest.fixture
def swf() -> Any:
    """A service with virtual time that begins at a given moment."""
    with LocalSWF(start=1_700_000_000) as service:
        yield service


def test_a_flow_runs_to_its_end(swf: LocalSWF) -> None:
    """Activities run in the order of their requirements, and their results are the context."""
    outcome = swf.run(flow(), {"beans": "arabica"})
    assert outcome.status == "COMPLETED"
    assert outcome.activities() == ["coffee_grind-1", "coffee_brew-1"]
    assert outcome.context["cup"] == "brewed ground arabica"
    assert outcome.seconds == 0


@pytest.mark.parametrize("flows", [("coffee",), (flow(), "coffee")])
def test_what_is_no_flow_is_told(swf: LocalSWF, flows: tuple[Any, ...]) -> None:
    """A flow's name in the place of the flow, or a flow that cannot work, is named as such."""
    with pytest.raises(InvalidFlow, match="The flow 'coffee' cannot work"):
        swf.run(flows[0], also=flows[1:])


def test_the_same_run_gives_the_same_history() -> None:
    """Same seed, same start, same input: the same history but for who polled."""

    def story() -> list[str]:
        with LocalSWF(start=1_700_000_000) as service:
            return [each["eventType"] for each in service.run(flow(), {"beans": "b"}).history]

    assert story() == story()


def test_retries_are_taken(swf: LocalSWF) -> None:
    """An activity that fails twice and may be retried twice completes at its third try."""
    outcome = swf.run(failing(2, retry=2))
    assert outcome.status == "COMPLETED"
    assert len(outcome.activities("ActivityTaskFailed")) == 2
    assert outcome.activities("ActivityTaskCompleted") == ["coffee_serve-1"]


def test_a_failed_flow_tells_why(swf: LocalSWF) -> None:
    """Beyond its retries a flow has failed, with the reason of its decider."""
    outcome = swf.run(failing(1))
    assert outcome.status == "FAILED"
    assert outcome.reason is not None
    assert "retry limit" in outcome.reason


def test_a_decider_that_raises_tells_its_traceback(swf: LocalSWF) -> None:
    """An error in the user's decider is the failure's reason, its traceback the details."""

    def decider(schedule: Any) -> None:
        assert callable(schedule)
        raise RuntimeError("no idea")

    outcome = swf.run(flow(decider=decider))
    assert (outcome.status, outcome.reason) == ("FAILED", "no idea")
    assert "in decider" in (outcome.details or "")


def test_an_activity_that_nobody_serves_times_out(
    swf: LocalSWF, caplog: pytest.LogCaptureFixture
) -> None:
    """An external activity without its program times out in virtual time, and is named."""
    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone)
    assert outcome.status == "FAILED"
    assert outcome.activities("ActivityTaskTimedOut") == ["coffee_brew-1"]
    assert "Nobody works on the activity list coffee_brew" in caplog.text


def test_an_external_activity_is_done_by_a_function(swf: LocalSWF) -> None:
    """A function stands for the program of an external activity: input in, result out."""
    seen = []

    def elsewhere(given: dict[str, Any]) -> dict[str, Any]:
        seen.append(given["beans"])
        return {"cup": "from a machine"}

    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone, {"beans": "robusta"}, external={"coffee_brew": elsewhere})
    assert (outcome.status, outcome.context["cup"], seen) == (
        "COMPLETED",
        "from a machine",
        ["robusta"],
    )


def test_an_external_function_that_raises_fails_its_activity(swf: LocalSWF) -> None:
    """What the function raises is the failure of the activity."""

    def elsewhere(_: Any) -> None:
        raise OSError("jammed")

    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone, external={"coffee_brew": elsewhere})
    assert outcome.activities("ActivityTaskFailed") == ["coffee_brew-1"]


def test_a_flows_own_client_is_not_used(swf: LocalSWF) -> None:
    """Whatever client the flow brought, the run stays in the service."""
    outcome = swf.run(flow(client=object()), {"beans": "b"})
    assert outcome.status == "COMPLETED"


def test_afterwards_everything_is_as_before(swf: LocalSWF) -> None:
    """The process's clients and the activities' clocks are given back."""
    made = flow()
    before = (clients._state, made.grind.clock, made.grind.patience)
    swf.run(made, {"beans": "b"})
    assert (clients._state, made.grind.clock, made.grind.patience) == before


def test_a_fault_on_the_way_is_rested_on_in_virtual_time(swf: LocalSWF) -> None:
    """Answers that fail for a while are sent again; the rests take no time of ours."""
    swf.inject("error", "RespondActivityTaskCompleted", count=5)
    outcome = swf.run(flow(), {"beans": "b"})
    assert outcome.status == "COMPLETED"
    assert outcome.seconds > 5


@pytest.mark.parametrize("operation", ["PollForActivityTask", "RegisterDomain"])
def test_throttles_are_rested_on_in_virtual_time(swf: LocalSWF, operation: str) -> None:
    """The growing rests after throttles pass by the service's clock, not by ours."""
    before = swf.now
    swf.inject("throttle", operation, count=4)
    assert swf.run(flow(), {"beans": "b"}).status == "COMPLETED"
    assert swf.now > before


def test_a_fault_that_never_ends_is_told(swf: LocalSWF, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose workers only rest any more does not hang: it says what it did."""
    monkeypatch.setattr("garcon.local.runner.RESTS", 50)
    swf.inject("throttle", "PollForDecisionTask")
    with pytest.raises(Stuck, match=r"rested 50 times .* a fault ordered that never ends"):
        swf.run(flow(), {"beans": "b"})


def test_a_lost_answer_is_no_lost_task(swf: LocalSWF) -> None:
    """An answer that was taken while its confirmation was lost counts once."""
    swf.inject("reset-after", "RespondActivityTaskCompleted", count=1)
    outcome = swf.run(flow(), {"beans": "b"})
    assert outcome.status == "COMPLETED"
    assert len(outcome.activities("ActivityTaskCompleted")) == 2


def test_on_the_walls_time_a_run_waits_for_what_is_due() -> None:
    """Without virtual time a timeout is waited for."""
    with LocalSWF(virtual_time=False) as swf:
        lone = failing(0)
        lone.serve.schedule_to_start = 1
        lone.serve = CREATE(name="serve", external=True, timeout=1, schedule_to_start=1)
        outcome = swf.run(lone)
        assert outcome.activities("ActivityTaskTimedOut") == ["coffee_serve-1"]
        assert outcome.seconds >= 1


def test_a_run_that_turns_in_circles_is_stuck(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that takes too many steps ends with a sentence instead of never."""
    monkeypatch.setattr(local_runner, "STEPS", 3)
    with pytest.raises(Stuck, match="still open after 3 steps"):
        swf.run(flow(), {"beans": "b"})


def test_a_run_with_the_event_limit_is_terminated() -> None:
    """A run that meets the limit of events tells that it was terminated."""
    with LocalSWF(Settings(event_limit=10)) as swf:
        assert swf.run(flow(), {"beans": "b"}).status == "TERMINATED"


def closed(**closing: Any) -> Outcome:
    """An outcome of two events."""
    start = {
        "eventId": 1,
        "eventTimestamp": 10.0,
        "eventType": "WorkflowExecutionStarted",
        "workflowExecutionStartedEventAttributes": {"input": '{"a": 1}'},
    }
    end = {
        "eventId": 2,
        "eventTimestamp": 12.5,
        "eventType": "WorkflowExecutionCompleted",
        "workflowExecutionCompletedEventAttributes": closing,
    }
    return Outcome("w", "r", [start, end])


@pytest.mark.parametrize(
    ("text", "value"), [('{"b": 2}', {"b": 2}), ("plain", "plain"), ("", None), (None, None)]
)
def test_a_result_is_read_as_json_if_it_is(text: str | None, value: Any) -> None:
    """The workflow's result is JSON, or the text it is, or nothing."""
    outcome = closed(result=text) if text is not None else closed()
    assert (outcome.result, outcome.seconds, outcome.context) == (value, 2.5, {"a": 1})


def test_a_run_says_nothing_of_its_own(swf: LocalSWF, caplog: pytest.LogCaptureFixture) -> None:
    """A run without trouble logs no warning."""
    with caplog.at_level(logging.WARNING):
        swf.run(flow(), {"beans": "b"})
    assert caplog.text == ""
