"""The examples of what a flow can say, against the local SWF."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from examples import (
    cancelling,
    children,
    claims,
    coffee,
    continuing,
    lambdas,
    own_worker,
    retries,
    timers_and_signals,
    versions,
)
from garcon import claims as store
from garcon import client as clients
from garcon import workflow
from garcon.local import LocalSWF, Settings
from tests.garcon.drive import Driver
from tests.garcon.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF in virtual time."""
    with LocalSWF() as made:
        yield made


def test_recording_works_on_another_swf_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against moto, which has markers: the change, the number drawn once, three steps."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    with mock_aws():
        client = boto3.client("swf", "us-east-1")
        with clients.use(client):
            events = Driver(client, versions).run({})
    assert events[-1]["eventType"] == "WorkflowExecutionCompleted"
    markers = [
        each["markerRecordedEventAttributes"] for each in events if "Marker" in each["eventType"]
    ]
    assert [each["markerName"] for each in markers] == [
        "garcon-side-effect-number",
        "garcon-version-insure",
    ]


def test_the_courier_comes_again_but_not_to_a_wrong_address(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody home is tried again after growing rests; what will not pass is given up at once."""
    monkeypatch.setitem(retries.doorbells, "Elm Street", [False, False, True])
    outcome = swf.run(retries, {"addresses": ["Elm Street", "Nowhere"]})
    assert outcome.status == "COMPLETED"
    assert (outcome.context["delivered"], outcome.context["left_for"]) == ("Elm Street", "Nowhere")
    kinds = [each["eventType"] for each in outcome.history]
    assert (kinds.count("ActivityTaskFailed"), kinds.count("TimerStarted")) == (3, 2)
    assert 900 <= outcome.seconds <= 1800


@pytest.mark.parametrize(
    ("days", "approved", "said"),
    [(0, True, "approved"), (2, True, "approved"), (1, False, "refused"), (9, None, "refused")],
)
def test_an_expense_is_decided_or_times_out(
    swf: LocalSWF, days: int, *, approved: bool | None, said: str
) -> None:
    """The boss decides, or after three reminders the calendar does."""
    stage = Stage(swf, timers_and_signals).start({"guest": "Ann"}).work()
    for _ in range(min(days, 3)):
        stage.after(timers_and_signals.DAY)
    if approved is not None:
        stage.signal("decision", {"approved": approved})
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    results = [json.loads(each) for each in stage.told("ActivityTaskCompleted", "result")]
    assert results[-1] == {"last_mail": f"Ann: {said}"}
    assert len(results) == 2 + min(days, 3)


def test_a_tour_goes_leg_by_leg(swf: LocalSWF) -> None:
    """Children play, one that fails does not end the tour, each leg is an execution."""
    towns = ["Rome", "Atlantis", "Oslo"]
    outcome = swf.run(children, {"towns": towns}, also=[children.concert], tagList=["mine"])
    assert (outcome.status, outcome.context["concerts"]) == ("COMPLETED", 2)
    start = outcome.history[0]["workflowExecutionStartedEventAttributes"]
    assert json.loads(start["input"]) == {"towns": ["Oslo"], "done": ["Rome"]}
    assert start["tagList"] == ["mine"]
    child = next(
        each["startChildWorkflowExecutionInitiatedEventAttributes"]
        for each in outcome.history
        if each["eventType"] == "StartChildWorkflowExecutionInitiated"
    )
    assert (child["workflowId"], child["tagList"]) == ("tour-1-Oslo", ["concert"])


def deploy(decider: Any) -> Any:
    """The shipping flow with one of its deciders."""
    shipping = versions
    return SimpleNamespace(
        domain=shipping.domain, name=shipping.name, step=shipping.step, decider=decider
    )


def test_new_executions_live_by_the_change(swf: LocalSWF) -> None:
    """They are insured, under the number that was drawn once."""
    outcome = swf.run(deploy(versions.decider), {})
    numbers = {outcome.context[each] for each in ("weighed", "insured", "shipped")}
    assert (outcome.status, len(numbers)) == ("COMPLETED", 1)


@pytest.mark.parametrize(
    ("turns", "insured"),
    [(1, True), (3, False)],
    ids=["weighing when the change comes", "shipping when the change comes"],
)
def test_executions_past_the_change_go_on_without(
    swf: LocalSWF, turns: int, *, insured: bool
) -> None:
    """What the old code ships is not insured any more; what it only weighs is."""
    stage = Stage(swf, deploy(versions.before)).start().work(turns)
    stage.redeploy(deploy(versions.decider))
    stage.work()
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    results = json.dumps(stage.told("ActivityTaskCompleted", "result"))
    assert ("insured" in results) is insured
    assert "shipped" in results


def test_a_dinner_that_is_cancelled_is_cleared_away(swf: LocalSWF) -> None:
    """The flow's own on_cancel runs, and then the execution ends as cancelled."""
    stage = Stage(swf, cancelling).start({"table": 4}).work()
    assert "ActivityTaskCompleted" in stage.kinds
    stage.cancel()
    assert stage.kinds[-1] == "WorkflowExecutionCanceled"
    assert json.loads(stage.told("ActivityTaskCompleted", "result")[-1]) == {"cleared": 4}
    assert stage.told("ActivityTaskScheduled", "taskPriority")[-1] == "10"


def shrink(picture: dict[str, Any]) -> dict[str, Any]:
    """The function in AWS Lambda."""
    if picture["picture"] == "huge":
        raise MemoryError
    return {"small": "quick"}


@pytest.mark.parametrize(("picture", "small"), [("cat", None), ("huge", "huge-small")])
def test_a_lambda_function_that_fails_is_replaced(picture: str, small: str | None) -> None:
    """Its failure is an outcome that the flow can use."""
    with LocalSWF(lambdas={"shrink": shrink}) as swf:
        outcome = swf.run(lambdas, {"picture": picture}, lambdaRole="arn:aws:iam::role/x")
    assert (outcome.status, outcome.context.get("small")) == ("COMPLETED", small)


def test_a_long_reading_list_goes_by_the_claim_store(
    swf: LocalSWF, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWF sees the digest, the next activity the list; without a store the workflow fails."""
    monkeypatch.setenv(store.ENVIRONMENT, f"file:{tmp_path}")
    outcome = swf.run(claims, {"books": 2000})
    assert outcome.status == "COMPLETED"
    assert outcome.context["letters"] == sum(map(len, outcome.context["titles"])) > 32_768
    (first, _) = [
        each["activityTaskCompletedEventAttributes"]["result"]
        for each in outcome.history
        if each["eventType"] == "ActivityTaskCompleted"
    ]
    assert json.loads(first).keys() == {store.CLAIM, "characters"}
    monkeypatch.delenv(store.ENVIRONMENT)
    assert swf.run(claims, {"books": 2000}).status == "FAILED"


def test_the_relay_goes_on_in_new_runs(swf: LocalSWF) -> None:
    """No stage is ridden twice or left out, and no run's history is long."""
    towns = ["Bern", "Thun", "Brig"]
    outcome = swf.run(continuing, {"towns": towns})
    assert (outcome.status, outcome.context["ridden"]) == ("COMPLETED", towns)
    started = outcome.history[0]["workflowExecutionStartedEventAttributes"]
    assert started["continuedExecutionRunId"]
    assert len(outcome.history) < 20


def test_a_worker_of_ones_own_serves_and_leaves() -> None:
    """The order is served by both lists of its decider, and no thread is left when it is over."""
    over = threading.Event()
    short = Settings(poll_window=1.0)
    with LocalSWF(short, virtual_time=False) as swf, clients.use(swf.client()):
        serving = threading.Thread(target=own_worker.serve, args=(coffee, over.is_set))
        serving.start()
        # Registering is the first thing that it does.
        client = workflow.Client(coffee)
        started = insisted(lambda: client.start({"order": "Ann", "items": ["tea"]}))
        found = client.result(started, timeout=60)
        over.set()
        serving.join(60)
        assert not serving.is_alive()
        history = client.history(started)
    assert found.context["said"] == "Ann: tea, enjoy!"
    lists = {
        each["decisionTaskScheduledEventAttributes"]["taskList"]["name"]
        for each in history
        if each["eventType"] == "DecisionTaskScheduled"
    }
    assert len(lists) == 2


def insisted(start: Callable[[], workflow.Execution]) -> workflow.Execution:
    """Start as soon as the type is registered, within the limit."""
    by, rest = time.monotonic() + 60, threading.Event()
    while True:
        try:
            return start()
        except workflow.WorkflowError:
            assert time.monotonic() < by
            rest.wait(0.01)
