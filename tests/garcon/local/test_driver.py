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
from garcon.local import driver as local_runner
from garcon.local.run_outcome import RunOutcome, Stuck

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
    """A flow of one activity that fails the given number of times."""
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
    """A service with virtual time from a fixed moment on."""
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
def test_an_invalid_flow_is_named(swf: LocalSWF, flows: tuple[Any, ...]) -> None:
    """A flow's name in place of the flow, or a flow that cannot work, is named in the error."""
    with pytest.raises(InvalidFlow, match="The flow 'coffee' cannot work"):
        swf.run(flows[0], also=flows[1:])


def test_the_same_run_gives_the_same_history() -> None:
    """The same seed, start and input give the same events."""

    def event_types() -> list[str]:
        with LocalSWF(start=1_700_000_000) as service:
            return [each["eventType"] for each in service.run(flow(), {"beans": "b"}).history]

    assert event_types() == event_types()


def test_retries_are_carried_out(swf: LocalSWF) -> None:
    """An activity that fails twice and may be retried twice completes at its third attempt."""
    outcome = swf.run(failing(2, retry=2))
    assert outcome.status == "COMPLETED"
    assert len(outcome.activities("ActivityTaskFailed")) == 2
    assert outcome.activities("ActivityTaskCompleted") == ["coffee_serve-1"]


def test_a_failed_flow_has_a_reason(swf: LocalSWF) -> None:
    """Beyond its retries a flow has failed, with the reason of its decider."""
    outcome = swf.run(failing(1))
    assert outcome.status == "FAILED"
    assert outcome.reason is not None
    assert "retry limit" in outcome.reason


def test_an_error_in_a_decider_leaves_its_traceback(swf: LocalSWF) -> None:
    """The error of the user's decider is the failure's reason, its traceback the details."""

    def decider(schedule: Any) -> None:
        assert callable(schedule)
        raise RuntimeError("no idea")

    outcome = swf.run(flow(decider=decider))
    assert (outcome.status, outcome.reason) == ("FAILED", "no idea")
    assert "in decider" in (outcome.details or "")


@task.decorate(timeout=3600, heartbeat=60)
def ask(activity: Any, by: Any) -> dict[str, str]:
    """Hand the task out."""
    return {"token": activity.later()}


def asking() -> Any:
    """A flow of one activity that hands its task out."""
    approve = CREATE(name="approve", run=runner.Sync(ask.fill(by="beans")))
    return flow(grind=None, brew=None, approve=approve)


def test_a_task_that_was_handed_out_is_answered_by_a_function(swf: LocalSWF) -> None:
    """It gets the activity's input, and its result is the activity's."""

    def approved(context: dict[str, Any]) -> dict[str, Any]:
        return {"approved": context["beans"]}

    outcome = swf.run(asking(), {"beans": "robusta"}, later={"coffee_approve": approved})
    assert (outcome.status, outcome.context["approved"]) == ("COMPLETED", "robusta")
    assert "token" not in outcome.context


def test_an_exception_of_the_function_fails_what_was_handed_out(swf: LocalSWF) -> None:
    """The activity fails with it, as where the other program answers so."""

    def forbidden(context: dict[str, Any]) -> dict[str, Any]:
        raise PermissionError("no beans")

    outcome = swf.run(asking(), {}, later={"coffee_approve": forbidden})
    assert outcome.status == "FAILED"
    assert outcome.activities("ActivityTaskFailed") == ["coffee_approve-1"]


def test_a_task_without_an_answer_times_out_by_its_own_timeout(swf: LocalSWF) -> None:
    """Its heartbeats go on in virtual time, so the heartbeat timeout does not end it before."""
    outcome = swf.run(asking(), {})
    assert outcome.status == "FAILED"
    assert outcome.seconds == 3600
    (timed_out,) = (each for each in outcome.history if each["eventType"] == "ActivityTaskTimedOut")
    assert timed_out["activityTaskTimedOutEventAttributes"]["timeoutType"] == "START_TO_CLOSE"


def test_workers_are_their_own_again_after_a_run(swf: LocalSWF) -> None:
    """A later task of the same activity is not handed to a service that has ended."""
    made = asking()
    before = made.approve.handed_out_tasks
    swf.run(made, {}, later={"coffee_approve": lambda _: None})
    assert made.approve.handed_out_tasks is before


def test_an_activity_without_a_worker_times_out(
    swf: LocalSWF, caplog: pytest.LogCaptureFixture
) -> None:
    """An external activity without its program times out in virtual time, and the log names it."""
    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone)
    assert outcome.status == "FAILED"
    assert outcome.activities("ActivityTaskTimedOut") == ["coffee_brew-1"]
    assert "No worker serves the activity list coffee_brew" in caplog.text


def test_an_external_activity_is_done_by_a_function(swf: LocalSWF) -> None:
    """A function replaces the program of an external activity: input in, result out."""
    seen = []

    def elsewhere(context: dict[str, Any]) -> dict[str, Any]:
        seen.append(context["beans"])
        return {"cup": "from a machine"}

    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone, {"beans": "robusta"}, external={"coffee_brew": elsewhere})
    assert (outcome.status, outcome.context["cup"], seen) == (
        "COMPLETED",
        "from a machine",
        ["robusta"],
    )


def test_an_external_function_that_raises_fails_its_activity(swf: LocalSWF) -> None:
    """The exception of the function is the failure of the activity."""

    def elsewhere(_: Any) -> None:
        raise OSError("jammed")

    lone = flow(brew=CREATE(name="brew", external=True, timeout=60), grind=None)
    outcome = swf.run(lone, external={"coffee_brew": elsewhere})
    assert outcome.activities("ActivityTaskFailed") == ["coffee_brew-1"]


def test_a_flows_own_client_is_not_used(swf: LocalSWF) -> None:
    """The run stays in the service, even if the flow has a client of its own."""
    outcome = swf.run(flow(client=object()), {"beans": "b"})
    assert outcome.status == "COMPLETED"


def test_a_run_restores_clients_and_clocks(swf: LocalSWF) -> None:
    """Afterwards the process's clients and the activities' clocks are as before."""
    made = flow()
    before = (clients._state, made.grind.clock, made.grind.poll_backoff)
    swf.run(made, {"beans": "b"})
    assert (clients._state, made.grind.clock, made.grind.poll_backoff) == before


def test_back_offs_after_faults_take_virtual_time(swf: LocalSWF) -> None:
    """Responses that fail for a while are sent again, with back-offs by the service's clock."""
    swf.inject("error", "RespondActivityTaskCompleted", count=5)
    outcome = swf.run(flow(), {"beans": "b"})
    assert outcome.status == "COMPLETED"
    assert outcome.seconds > 5


@pytest.mark.parametrize("operation", ["PollForActivityTask", "RegisterDomain"])
def test_back_offs_after_throttles_take_virtual_time(swf: LocalSWF, operation: str) -> None:
    """The growing back-offs pass by the service's clock, not by the wall's."""
    before = swf.now
    swf.inject("throttle", operation, count=4)
    assert swf.run(flow(), {"beans": "b"}).status == "COMPLETED"
    assert swf.now > before


def test_an_endless_fault_is_an_error(swf: LocalSWF, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose workers only back off ends with the cause in place of a hang."""
    monkeypatch.setattr("garcon.local.driver.BACKOFFS", 50)
    swf.inject("throttle", "PollForDecisionTask")
    with pytest.raises(Stuck, match=r"backed off 50 times .* a fault injected without a count"):
        swf.run(flow(), {"beans": "b"})


def test_a_lost_answer_does_not_repeat_a_task(swf: LocalSWF) -> None:
    """A response that was accepted while its confirmation was lost counts once."""
    swf.inject("reset-after", "RespondActivityTaskCompleted", count=1)
    outcome = swf.run(flow(), {"beans": "b"})
    assert outcome.status == "COMPLETED"
    assert len(outcome.activities("ActivityTaskCompleted")) == 2


def test_on_the_walls_time_a_run_waits_for_timeouts() -> None:
    """Without virtual time a timeout takes its time."""
    with LocalSWF(virtual_time=False) as swf:
        lone = failing(0)
        lone.serve.schedule_to_start = 1
        lone.serve = CREATE(name="serve", external=True, timeout=1, schedule_to_start=1)
        outcome = swf.run(lone)
        assert outcome.activities("ActivityTaskTimedOut") == ["coffee_serve-1"]
        assert outcome.seconds >= 1


def test_a_run_without_end_is_stuck(swf: LocalSWF, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that takes too many steps ends with a sentence."""
    monkeypatch.setattr(local_runner, "STEPS", 3)
    with pytest.raises(Stuck, match="still open after 3 steps"):
        swf.run(flow(), {"beans": "b"})


def test_a_run_with_the_event_limit_is_terminated() -> None:
    """The outcome of a run that meets the limit of events is TERMINATED."""
    with LocalSWF(Settings(event_limit=10)) as swf:
        assert swf.run(flow(), {"beans": "b"}).status == "TERMINATED"


def closed(**closing: Any) -> RunOutcome:
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
    return RunOutcome("w", "r", [start, end])


@pytest.mark.parametrize(
    ("text", "value"), [('{"b": 2}', {"b": 2}), ("plain", "plain"), ("", None), (None, None)]
)
def test_a_result_is_read_as_json_or_text(text: str | None, value: Any) -> None:
    """The workflow's result is a JSON value, a text, or None."""
    outcome = closed(result=text) if text is not None else closed()
    assert (outcome.result, outcome.seconds, outcome.context) == (value, 2.5, {"a": 1})


def test_a_run_without_trouble_logs_no_warning(
    swf: LocalSWF, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver itself has nothing to report."""
    with caplog.at_level(logging.WARNING):
        swf.run(flow(), {"beans": "b"})
    assert caplog.text == ""
