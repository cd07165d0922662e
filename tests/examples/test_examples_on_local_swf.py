"""Examples of deciders and workers, on the local SWF."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from examples import (
    cancelling,
    children,
    claims,
    coffee,
    continuing,
    lambdas,
    later,
    own_worker,
    retries,
    timers_and_signals,
    versions,
)
from garcon import claims as store
from garcon import client as clients
from garcon import executions
from garcon.local import LocalSWF, Settings
from tests.garcon.drive import Driver
from tests.garcon.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # whole executions


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF in virtual time."""
    with LocalSWF() as made:
        yield made


def test_a_person_answers_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token in the mail is the one with which the refund goes on."""
    mails: list[str] = []
    monkeypatch.setattr(later, "send_mail", lambda _to, text: mails.append(text))
    with LocalSWF() as swf:
        answers = {"refund_approve": lambda context: {"approved": context["euros"] < 100}}
        outcome = swf.run(later, {"euros": 20}, later=answers)
    assert (outcome.status, outcome.context["paid"]) == ("COMPLETED", 20)
    assert mails[0].startswith("Refund 20 euros? https://example.org/yes?t=")


def test_recording_works_on_moto_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two markers record the change and the number that is drawn once."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    from moto import mock_aws  # noqa: PLC0415 - slow to import: not for a run of the fast tests

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


def test_only_the_transient_failure_is_retried(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody at home is retried after growing waits, a wrong address fails at once."""
    monkeypatch.setitem(retries.doorbells, "Elm Street", [False, False, True])
    outcome = swf.run(retries, {"addresses": ["Elm Street", "Nowhere"]})
    assert outcome.status == "COMPLETED"
    assert (outcome.context["delivered"], outcome.context["left_for"]) == ("Elm Street", "Nowhere")
    kinds = [each["eventType"] for each in outcome.history]
    assert (kinds.count("ActivityTaskFailed"), kinds.count("TimerStarted")) == (3, 2)
    assert 900 <= outcome.seconds <= 1800


@pytest.mark.parametrize(
    ("days", "approved", "answer"),
    [(0, True, "approved"), (2, True, "approved"), (1, False, "refused"), (9, None, "refused")],
)
def test_an_expense_is_decided_or_times_out(
    swf: LocalSWF, days: int, *, approved: bool | None, answer: str
) -> None:
    """The signal decides; without one the expense is refused after three reminders."""
    stage = Stage(swf, timers_and_signals).start({"guest": "Ann"}).work()
    for _ in range(min(days, 3)):
        stage.after(timers_and_signals.DAY)
    if approved is not None:
        stage.signal("decision", {"approved": approved})
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    results = [json.loads(each) for each in stage.members_of("ActivityTaskCompleted", "result")]
    assert results[-1] == {"last_mail": f"Ann: {answer}"}
    assert len(results) == 2 + min(days, 3)


def test_a_tour_goes_leg_by_leg(swf: LocalSWF) -> None:
    """Each leg is an execution, and a child that fails does not end the tour."""
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
    """Make the shipping flow with one of its deciders."""
    shipping = versions
    return SimpleNamespace(
        domain=shipping.domain, name=shipping.name, step=shipping.step, decider=decider
    )


def test_new_executions_take_the_change(swf: LocalSWF) -> None:
    """They have the new step, and one number that was drawn once."""
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
    """A parcel that the old code ships is not insured; one that it only weighs is."""
    stage = Stage(swf, deploy(versions.before)).start().work(turns)
    stage.redeploy(deploy(versions.decider))
    stage.work()
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    results = json.dumps(stage.members_of("ActivityTaskCompleted", "result"))
    assert ("insured" in results) is insured
    assert "shipped" in results


def test_a_cancelled_dinner_is_cleared_away(swf: LocalSWF) -> None:
    """The flow's ``on_cancel`` runs, then the execution closes as cancelled."""
    stage = Stage(swf, cancelling).start({"table": 4}).work()
    assert "ActivityTaskCompleted" in stage.kinds
    stage.cancel()
    assert stage.kinds[-1] == "WorkflowExecutionCanceled"
    assert json.loads(stage.members_of("ActivityTaskCompleted", "result")[-1]) == {"cleared": 4}
    assert stage.members_of("ActivityTaskScheduled", "taskPriority")[-1] == "10"


def shrink(picture: dict[str, Any]) -> dict[str, Any]:
    """Stand in for the function in AWS Lambda."""
    if picture["picture"] == "huge":
        raise MemoryError
    return {"small": "quick"}


@pytest.mark.parametrize(("picture", "small"), [("cat", None), ("huge", "huge-small")])
def test_an_activity_replaces_a_failed_lambda_function(picture: str, small: str | None) -> None:
    """The decider sees the failure and schedules the activity."""
    with LocalSWF(lambdas={"shrink": shrink}) as swf:
        outcome = swf.run(lambdas, {"picture": picture}, lambdaRole="arn:aws:iam::role/x")
    assert (outcome.status, outcome.context.get("small")) == ("COMPLETED", small)


def test_a_long_result_goes_through_the_claim_store(
    swf: LocalSWF, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWF gets the digest, the next activity the list; without a store the workflow fails."""
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


def test_the_relay_continues_as_new(swf: LocalSWF) -> None:
    """Each stage is ridden once, and no run has a long history."""
    towns = ["Bern", "Thun", "Brig"]
    outcome = swf.run(continuing, {"towns": towns})
    assert (outcome.status, outcome.context["ridden"]) == ("COMPLETED", towns)
    started = outcome.history[0]["workflowExecutionStartedEventAttributes"]
    assert started["continuedExecutionRunId"]
    assert len(outcome.history) < 20


def test_own_workers_serve_and_exit() -> None:
    """The decider uses its sticky task list too, and no thread is left at the end."""
    stop = threading.Event()
    short = Settings(poll_window=1.0)
    with LocalSWF(short, virtual_time=False) as swf, clients.use(swf.client()):
        serving = threading.Thread(target=own_worker.serve, args=(coffee, stop.is_set))
        serving.start()
        client = executions.Client(coffee)
        started = retried(lambda: client.start({"order": "Ann", "items": ["tea"]}))
        found = client.result(started, timeout=60)
        stop.set()
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


def retried(start: Callable[[], executions.Execution]) -> executions.Execution:
    """Start as soon as the decider has registered the type, within a minute."""
    deadline, pause = time.monotonic() + 60, threading.Event()
    while True:
        try:
            return start()
        except executions.WorkflowError:
            assert time.monotonic() < deadline
            pause.wait(0.01)
