"""``garcon.Client`` against the local SWF, in virtual time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import garcon
from garcon import client as clients
from garcon import workflow
from garcon.local import LocalSWF, Settings
from garcon.workflow import Client, Execution, Status
from tests.garcon.workflow.desk import DOMAIN, NAME, START, Desk, coffee, desk

if TYPE_CHECKING:
    from collections.abc import Iterator

BEANS = {"beans": "arabica"}


@pytest.fixture
def cafe() -> Iterator[Desk]:
    """The coffee shop."""
    with desk() as made:
        yield made


def test_garcon_exports_the_client() -> None:
    """``garcon.Client`` is it, loaded at its first use."""
    assert garcon.Client is Client
    with pytest.raises(AttributeError, match="no attribute 'Waiter'"):
        _ = garcon.Waiter


def test_a_result_is_the_context_as_the_decider_saw_it(cafe: Desk) -> None:
    """Input and results of the activities, merged; the workflow of a garcon decider has no own."""
    found = cafe.client.result(cafe.client.start(BEANS))
    assert found.context == {**BEANS, "powder": "ground arabica", "cup": "brewed ground arabica"}
    assert found.result is None


def test_an_id_is_made_up_from_the_flow_s_name(cafe: Desk) -> None:
    """Two starts without an id are two executions, known by the flow's name."""
    first, second = cafe.client.start(BEANS), cafe.client.start(BEANS)
    assert first.workflow_id != second.workflow_id
    assert first.workflow_id.startswith(f"{NAME}-")


def test_a_start_says_all_that_it_was_given(cafe: Desk) -> None:
    """Id, tags, timeouts, child policy and priority arrive; the flow's list gets the decisions."""
    started = cafe.client.start(
        BEANS,
        "order-17",
        ["vip", "table 4"],
        timeout=3600,
        decision_timeout=30,
        child_policy="ABANDON",
        priority=7,
    )
    told = cafe.client.describe("order-17")
    assert told.summary.execution == started
    assert set(told.summary.tags) == {"vip", "table 4"}
    assert (told.timeout, told.decision_timeout) == (3600, 30)
    assert (told.child_policy, told.priority, told.task_list) == ("ABANDON", 7, NAME)


def test_what_a_start_does_not_say_is_as_the_type_was_registered(cafe: Desk) -> None:
    """The registered defaults hold."""
    cafe.client.start(id="order-17")
    told = cafe.client.describe("order-17")
    assert (told.timeout, told.decision_timeout, told.priority) == (30 * 24 * 3600, 60, None)


def test_an_open_id_cannot_be_started_again(cafe: Desk) -> None:
    """The sentence names the id."""
    cafe.client.start(BEANS, "order-17")
    with pytest.raises(workflow.AlreadyOpen, match="order-17 of coffee in cafe"):
        cafe.client.start(BEANS, "order-17")


def test_a_type_that_nobody_registered_is_a_sentence(cafe: Desk) -> None:
    """Whoever starts a flow before its decider is told what is missing."""
    stranger = Client(SimpleNamespace(domain=DOMAIN, name="tea"))
    with pytest.raises(workflow.Refused, match=r"Starting tea-1 .*UnknownResourceFault") as caught:
        stranger.start(id="tea-1")
    assert not caught.value.passing


def test_only_a_flow_with_a_name_is_started(cafe: Desk) -> None:
    """A bare domain can be looked at; to start something takes a name."""
    bare = Client(SimpleNamespace(domain=DOMAIN))
    cafe.client.start(BEANS, "order-17")
    assert len(bare.list()) == 1
    with pytest.raises(workflow.NotAFlow, match="no 'name'"):
        bare.start()


def test_an_object_without_a_domain_is_no_flow() -> None:
    """It is refused at once, not at the first call."""
    with pytest.raises(workflow.NotAFlow, match="no 'domain'"):
        Client(SimpleNamespace(name=NAME))


def test_a_failed_execution_tells_reason_and_details(cafe: Desk) -> None:
    """What the decider said is the error."""
    with pytest.raises(workflow.Failed, match="retry limit") as caught:
        cafe.client.result(cafe.client.start({"beans": "stones"}, "order-17"))
    error = caught.value
    assert (error.status, error.execution.workflow_id) == (Status.FAILED, "order-17")
    assert "stones" in str(error.details)


def test_a_terminated_execution_tells_who_says_what(cafe: Desk) -> None:
    """The reason given is the error's."""
    started = cafe.client.start(BEANS, "order-17")
    cafe.client.terminate("order-17", "closing time", "the lights are out")
    with pytest.raises(
        workflow.Terminated, match="order-17 was terminated: closing time"
    ) as caught:
        cafe.client.result(started)
    assert (caught.value.reason, caught.value.details) == ("closing time", "the lights are out")


def test_an_execution_that_swf_ended_tells_its_cause() -> None:
    """Nobody gave a reason: the cause takes its place."""
    with desk(settings=Settings(event_limit=10)) as cafe:
        started = cafe.client.start(BEANS)
        with pytest.raises(workflow.Terminated, match="EVENT_LIMIT_EXCEEDED"):
            cafe.client.result(started)


def test_an_execution_that_was_open_too_long_tells_how_long_it_may(cafe: Desk) -> None:
    """The timeout is named."""
    cafe.idle = True
    with pytest.raises(workflow.TimedOut, match="it may be open for 60 s"):
        cafe.client.result(cafe.client.start(BEANS, timeout=60))


def test_a_canceled_execution_tells_the_decider_s_details(cafe: Desk) -> None:
    """``cancel`` asks, the decider agrees."""
    started = cafe.client.start(BEANS, "order-17")
    cafe.client.cancel("order-17")
    assert cafe.client.describe("order-17").summary.cancel_requested
    cafe.decide("CancelWorkflowExecution", details="as you like")
    with pytest.raises(workflow.Canceled, match="order-17 was cancelled") as caught:
        cafe.client.result(started)
    assert caught.value.details == "as you like"


def test_the_workflow_s_own_result_is_told(cafe: Desk) -> None:
    """A decider that completes with a result gives it to who waits, read as JSON."""
    started = cafe.client.start(BEANS)
    cafe.decide("CompleteWorkflowExecution", result='{"bill": 3.5}')
    assert cafe.client.result(started).result == {"bill": 3.5}


def test_what_an_execution_continued_as_is_followed(cafe: Desk) -> None:
    """The result is that of the last run, and its context begins with the last run's input."""
    started = cafe.client.start({"beans": "old", "note": "of the first run"}, "order-17")
    cafe.decide("ContinueAsNewWorkflowExecution", input='{"beans": "new"}')
    found = cafe.client.result(started)
    assert found.execution.workflow_id == "order-17"
    assert found.execution.run_id != started.run_id
    assert found.context["cup"] == "brewed ground new"
    assert "note" not in found.context


def test_an_id_means_the_open_run_else_the_latest(cafe: Desk) -> None:
    """After two runs the later is meant, during the third that one."""
    runs = []
    for _ in range(2):
        runs.append(cafe.client.start(BEANS, "order-17"))
        cafe.client.result(runs[-1])
        cafe.swf.advance(10)
    assert cafe.client.find("order-17") == runs[1]
    assert cafe.client.find("order-17") != runs[0]
    cafe.idle = True
    assert cafe.client.start(BEANS, "order-17") == cafe.client.find("order-17")


def test_an_unknown_id_is_not_found(cafe: Desk) -> None:
    """Each method says so, with the id and the domain."""
    for ask in (cafe.client.result, cafe.client.describe, cafe.client.history, cafe.client.cancel):
        with pytest.raises(workflow.NotFound, match="cafe") as caught:
            ask("order-99")
        assert "order-99" in str(caught.value)


def test_a_closed_execution_takes_no_signal(cafe: Desk) -> None:
    """It is not found among the open ones."""
    started = cafe.client.start(BEANS)
    cafe.client.result(started)
    with pytest.raises(workflow.NotFound, match="or it has closed"):
        cafe.client.signal(started, "hurry")
    with pytest.raises(workflow.NotFound, match="or it has closed"):
        cafe.client.terminate(started.workflow_id)


def test_an_unknown_domain_is_not_an_unknown_execution(cafe: Desk) -> None:
    """SWF's code is the same; the person who must act is another."""
    lost = Client(SimpleNamespace(domain="nowhere", name=NAME))
    with pytest.raises(workflow.Refused, match="Unknown domain: nowhere"):
        lost.signal(Execution("order-17", "run"), "hurry")


def test_a_signal_carries_json(cafe: Desk) -> None:
    """Name and input arrive; a signal may carry nothing."""
    cafe.client.start(BEANS, "order-17")
    cafe.client.signal("order-17", "hurry", {"minutes": 5})
    cafe.client.signal("order-17", "thanks")
    told = [
        each["workflowExecutionSignaledEventAttributes"]
        for each in cafe.client.history("order-17")
        if each["eventType"] == "WorkflowExecutionSignaled"
    ]
    assert [each["signalName"] for each in told] == ["hurry", "thanks"]
    assert (told[0]["input"], told[1].get("input")) == ('{"minutes": 5}', None)


def test_a_terminated_run_must_be_the_one_that_is_meant(cafe: Desk) -> None:
    """With a run id an other run of the same id is left alone."""
    cafe.client.start(BEANS, "order-17")
    with pytest.raises(workflow.NotFound):
        cafe.client.terminate(Execution("order-17", "another run"))
    assert cafe.client.describe("order-17").summary.status is Status.OPEN


def test_a_description_counts_what_is_open(cafe: Desk) -> None:
    """One decision waits at the beginning."""
    cafe.client.start(BEANS, "order-17")
    told = cafe.client.describe("order-17")
    assert told.open_counts == {
        "activities": 0,
        "decisions": 1,
        "timers": 0,
        "children": 0,
        "lambdas": 0,
    }
    assert told.summary.started == datetime.fromtimestamp(START, UTC)
    assert (told.summary.name, told.summary.version) == (NAME, "1.0")


@pytest.mark.parametrize("seen", [0, 1, 2])
def test_what_happens_between_two_calls_of_a_look_is_not_missed(cafe: Desk, seen: int) -> None:
    """A look asks how much is new, and then for it; meanwhile there may be more."""
    run = cafe.client.start(BEANS, "order-17")
    cafe.client.signal(run, "before")
    left = ["meanwhile"]

    def meanwhile(**_: object) -> None:
        while left:
            cafe.client.signal(run, left.pop())

    asked = "after-call.swf.GetWorkflowExecutionHistory"
    clients.calling().meta.events.register(asked, meanwhile)
    told = [each["eventId"] for each in cafe.client._since(run, seen)]
    # With one event missing a look is one call, so the other is seen by the next.
    assert told == [1, 2, 3, 4][seen:][: 1 if seen == 2 else None]


def test_an_answer_that_lags_behind_is_no_news(cafe: Desk) -> None:
    """SWF may show fewer events than it has shown before."""
    run = cafe.client.start(BEANS, "order-17")
    assert len(cafe.client.history(run)) == 2
    assert cafe.client._since(run, 2) == []
    assert cafe.client._since(run, 5) == []


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_a_history_is_whole_and_its_times_are_seconds(page: int) -> None:
    """What the service has is what is given, however small its pages."""
    with desk(settings=Settings(page_size=page)) as cafe:
        started = cafe.client.start(BEANS, "order-17")
        cafe.client.result(started)
        assert cafe.client.history("order-17") == cafe.swf.history("order-17")


def test_the_flow_s_own_client_is_used() -> None:
    """A flow that brings its client is asked through it, without anything of the process's."""
    with LocalSWF(start=START) as swf:
        made = coffee()
        made.client = swf.client()
        client = Desk(swf, made).client
        assert client.describe(client.start(BEANS)).summary.status is Status.OPEN


def test_waiting_ends_with_the_timeout(cafe: Desk) -> None:
    """Nobody works: the time given is waited, and no longer."""
    cafe.idle = True
    started = cafe.client.start(BEANS, "order-17")
    with pytest.raises(workflow.StillOpen, match="order-17 is still open after 100 s"):
        cafe.client.result(started, timeout=100)
    assert cafe.swf.now == START + 100
    assert isinstance(workflow.StillOpen("x"), TimeoutError)


def test_throttles_and_lost_answers_are_waited_out(
    cafe: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Looks that fail for a passing reason are repeated, and each is told."""
    started = cafe.client.start(BEANS)
    cafe.swf.inject("throttle", "GetWorkflowExecutionHistory", count=3)
    with caplog.at_level(logging.WARNING, "garcon"):
        assert cafe.client.result(started).context["cup"]
    assert caplog.text.count("ThrottlingException") == 3


def test_a_watcher_hears_of_every_event_once(cafe: Desk) -> None:
    """From the first event to the last, in order."""
    heard: list[Any] = []
    started = cafe.client.start(BEANS)
    cafe.client.result(started, watch=heard.append)
    events = [each for news in heard for each in news.events]
    assert events == cafe.client.history(started)
    assert len(heard) > 1
    assert {news.execution for news in heard} == {started}
