"""``garcon.Client`` against the local SWF, in virtual time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import garcon
from garcon import client as clients
from garcon import executions
from garcon.executions import Client, Execution, Status
from garcon.local import LocalSWF, Settings
from tests.garcon.executions.served_flow import DOMAIN, NAME, START, ServedFlow, coffee, served

if TYPE_CHECKING:
    from collections.abc import Iterator

BEANS = {"beans": "arabica"}


@pytest.fixture
def cafe() -> Iterator[ServedFlow]:
    """The coffee flow and its workers."""
    with served() as made:
        yield made


def test_garcon_exports_the_client() -> None:
    """``garcon.Client`` is the client, imported at its first use."""
    assert garcon.Client is Client
    with pytest.raises(AttributeError, match="no attribute 'Waiter'"):
        _ = garcon.Waiter


def test_a_result_has_the_context_as_the_decider_saw_it(cafe: ServedFlow) -> None:
    """It merges the input with the results of the activities; the own result is empty."""
    found = cafe.client.result(cafe.client.start(BEANS))
    assert found.context == {**BEANS, "powder": "ground arabica", "cup": "brewed ground arabica"}
    assert found.result is None


def test_an_id_is_generated_from_the_flow_s_name(cafe: ServedFlow) -> None:
    """Two starts without an id are two executions, whose ids begin with the flow's name."""
    first, second = cafe.client.start(BEANS), cafe.client.start(BEANS)
    assert first.workflow_id != second.workflow_id
    assert first.workflow_id.startswith(f"{NAME}-")


def test_all_options_of_a_start_arrive(cafe: ServedFlow) -> None:
    """SWF has id, tags, timeouts, child policy, priority, and the flow's task list."""
    started = cafe.client.start(
        BEANS,
        "order-17",
        ["vip", "table 4"],
        timeout=3600,
        decision_timeout=30,
        child_policy="ABANDON",
        priority=7,
    )
    found = cafe.client.describe("order-17")
    assert found.summary.execution == started
    assert set(found.summary.tags) == {"vip", "table 4"}
    assert (found.timeout, found.decision_timeout) == (3600, 30)
    assert (found.child_policy, found.priority, found.task_list) == ("ABANDON", 7, NAME)


def test_options_that_are_not_given_are_as_registered(cafe: ServedFlow) -> None:
    """The defaults of the workflow type hold."""
    cafe.client.start(id="order-17")
    found = cafe.client.describe("order-17")
    assert (found.timeout, found.decision_timeout, found.priority) == (30 * 24 * 3600, 60, None)


def test_an_open_id_cannot_be_started_again(cafe: ServedFlow) -> None:
    """The error names the id, the flow and the domain."""
    cafe.client.start(BEANS, "order-17")
    with pytest.raises(executions.AlreadyOpen, match="order-17 of coffee in cafe"):
        cafe.client.start(BEANS, "order-17")


def test_an_unregistered_type_is_refused(cafe: ServedFlow) -> None:
    """Before its decider ran, a flow cannot be started; the error is not transient."""
    unregistered = Client(SimpleNamespace(domain=DOMAIN, name="tea"))
    with pytest.raises(
        executions.RequestRefused, match=r"Starting tea-1 .*UnknownResourceFault"
    ) as caught:
        unregistered.start(id="tea-1")
    assert not caught.value.transient


def test_only_a_flow_with_a_name_is_started(cafe: ServedFlow) -> None:
    """A domain alone is enough to list its executions, not to start one."""
    domain = Client(SimpleNamespace(domain=DOMAIN))
    cafe.client.start(BEANS, "order-17")
    assert len(domain.list()) == 1
    with pytest.raises(executions.NotAFlow, match="no 'name'"):
        domain.start()


def test_an_object_without_a_domain_is_not_a_flow() -> None:
    """It is refused when the client is made, not at the first call."""
    with pytest.raises(executions.NotAFlow, match="no 'domain'"):
        Client(SimpleNamespace(name=NAME))


def test_the_error_of_a_failed_execution_has_reason_and_details(cafe: ServedFlow) -> None:
    """They are those of the decider's FailWorkflowExecution."""
    with pytest.raises(executions.Failed, match="retry limit") as caught:
        cafe.client.result(cafe.client.start({"beans": "stones"}, "order-17"))
    error = caught.value
    assert (error.status, error.execution.workflow_id) == (Status.FAILED, "order-17")
    assert "stones" in str(error.details)


def test_the_error_of_a_terminated_execution_has_reason_and_details(cafe: ServedFlow) -> None:
    """They are those given to ``terminate``."""
    started = cafe.client.start(BEANS, "order-17")
    cafe.client.terminate("order-17", "closing time", "the lights are out")
    with pytest.raises(
        executions.Terminated, match="order-17 was terminated: closing time"
    ) as caught:
        cafe.client.result(started)
    assert (caught.value.reason, caught.value.details) == ("closing time", "the lights are out")


def test_the_error_of_an_execution_that_swf_ended_has_its_cause() -> None:
    """Where there is no reason, SWF's cause takes its place."""
    with served(settings=Settings(event_limit=10)) as cafe:
        started = cafe.client.start(BEANS)
        with pytest.raises(executions.Terminated, match="EVENT_LIMIT_EXCEEDED"):
            cafe.client.result(started)


def test_the_error_of_a_timed_out_execution_has_its_timeout(cafe: ServedFlow) -> None:
    """The sentence has the seconds that it was allowed."""
    cafe.idle = True
    with pytest.raises(executions.TimedOut, match="it was open for its limit of 60 s"):
        cafe.client.result(cafe.client.start(BEANS, timeout=60))


def test_the_error_of_a_canceled_execution_has_the_decider_s_details(cafe: ServedFlow) -> None:
    """``cancel`` requests it, and the decider cancels the execution."""
    started = cafe.client.start(BEANS, "order-17")
    cafe.client.cancel("order-17")
    assert cafe.client.describe("order-17").summary.cancel_requested
    cafe.decide("CancelWorkflowExecution", details="as you like")
    with pytest.raises(executions.Canceled, match="order-17 was cancelled") as caught:
        cafe.client.result(started)
    assert caught.value.details == "as you like"


def test_the_workflow_s_own_result_is_returned(cafe: ServedFlow) -> None:
    """The result of CompleteWorkflowExecution is decoded as JSON."""
    started = cafe.client.start(BEANS)
    cafe.decide("CompleteWorkflowExecution", result='{"bill": 3.5}')
    assert cafe.client.result(started).result == {"bill": 3.5}


def test_an_execution_is_followed_into_its_next_run(cafe: ServedFlow) -> None:
    """The result is that of the last run, and its context begins with the last run's input."""
    started = cafe.client.start({"beans": "old", "note": "of the first run"}, "order-17")
    cafe.decide("ContinueAsNewWorkflowExecution", input='{"beans": "new"}')
    found = cafe.client.result(started)
    assert found.execution.workflow_id == "order-17"
    assert found.execution.run_id != started.run_id
    assert found.context["cup"] == "brewed ground new"
    assert "note" not in found.context


def test_an_id_means_the_open_run_else_the_latest(cafe: ServedFlow) -> None:
    """Of closed runs the later counts, and an open one counts before them."""
    runs = []
    for _ in range(2):
        runs.append(cafe.client.start(BEANS, "order-17"))
        cafe.client.result(runs[-1])
        cafe.swf.advance(10)
    assert cafe.client.find("order-17") == runs[1]
    assert cafe.client.find("order-17") != runs[0]
    cafe.idle = True
    assert cafe.client.start(BEANS, "order-17") == cafe.client.find("order-17")


def test_an_unknown_id_is_not_found(cafe: ServedFlow) -> None:
    """The error of each method has the id and the domain."""
    client = cafe.client
    for method in (client.result, client.describe, client.history, client.cancel):
        with pytest.raises(executions.NotFound, match="cafe") as caught:
            method("order-99")
        assert "order-99" in str(caught.value)


def test_a_closed_execution_takes_no_signal(cafe: ServedFlow) -> None:
    """A signal or a termination finds no open execution, and the error says why that may be."""
    started = cafe.client.start(BEANS)
    cafe.client.result(started)
    with pytest.raises(executions.NotFound, match="or it has closed"):
        cafe.client.signal(started, "hurry")
    with pytest.raises(executions.NotFound, match="or it has closed"):
        cafe.client.terminate(started.workflow_id)


def test_an_unknown_domain_is_not_an_unknown_execution(cafe: ServedFlow) -> None:
    """SWF's code is the same for both, but another person must act."""
    elsewhere = Client(SimpleNamespace(domain="nowhere", name=NAME))
    with pytest.raises(executions.RequestRefused, match="Unknown domain: nowhere"):
        elsewhere.signal(Execution("order-17", "run"), "hurry")


def test_a_signal_carries_json(cafe: ServedFlow) -> None:
    """Name and input arrive; a signal may go without an input."""
    cafe.client.start(BEANS, "order-17")
    cafe.client.signal("order-17", "hurry", {"minutes": 5})
    cafe.client.signal("order-17", "thanks")
    signals = [
        each["workflowExecutionSignaledEventAttributes"]
        for each in cafe.client.history("order-17")
        if each["eventType"] == "WorkflowExecutionSignaled"
    ]
    assert [each["signalName"] for each in signals] == ["hurry", "thanks"]
    assert (signals[0]["input"], signals[1].get("input")) == ('{"minutes": 5}', None)


def test_only_the_named_run_is_terminated(cafe: ServedFlow) -> None:
    """With a run id, the open run of the same workflow id stays open."""
    cafe.client.start(BEANS, "order-17")
    with pytest.raises(executions.NotFound):
        cafe.client.terminate(Execution("order-17", "another run"))
    assert cafe.client.describe("order-17").summary.status is Status.OPEN


def test_a_description_counts_what_is_open(cafe: ServedFlow) -> None:
    """At the beginning one decision task is open."""
    cafe.client.start(BEANS, "order-17")
    found = cafe.client.describe("order-17")
    assert found.open_counts == {
        "activities": 0,
        "decisions": 1,
        "timers": 0,
        "children": 0,
        "lambdas": 0,
    }
    assert found.summary.started == datetime.fromtimestamp(START, UTC)
    assert (found.summary.name, found.summary.version) == (NAME, "1.0")


@pytest.mark.parametrize("seen", [0, 1, 2])
def test_events_between_the_two_calls_of_a_poll_are_not_missed(cafe: ServedFlow, seen: int) -> None:
    """A poll reads how much is new, then reads it; meanwhile more events may be added."""
    run = cafe.client.start(BEANS, "order-17")
    cafe.client.signal(run, "before")
    signals = ["meanwhile"]

    def send_signals(**_: object) -> None:
        while signals:
            cafe.client.signal(run, signals.pop())

    after_call = "after-call.swf.GetWorkflowExecutionHistory"
    clients.calling().meta.events.register(after_call, send_signals)
    numbers = [each["eventId"] for each in cafe.client._read_since(run, seen)]
    # With one event missing, or all, a poll is one call; the other event comes with the next poll.
    assert numbers == {0: [1, 2, 3], 1: [2, 3, 4], 2: [3]}[seen]


def test_an_outdated_answer_brings_no_events(cafe: ServedFlow) -> None:
    """SWF may answer from an older copy, with fewer events than before."""
    run = cafe.client.start(BEANS, "order-17")
    assert len(cafe.client.history(run)) == 2
    assert cafe.client._read_since(run, 2) == []
    assert cafe.client._read_since(run, 5) == []


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_a_history_is_complete_and_its_times_are_seconds(page: int) -> None:
    """It equals the service's own, however small the pages are."""
    with served(settings=Settings(page_size=page)) as cafe:
        started = cafe.client.start(BEANS, "order-17")
        cafe.client.result(started)
        assert cafe.client.history("order-17") == cafe.swf.history("order-17")


def test_the_flow_s_own_client_is_used() -> None:
    """A flow with a client of its own needs none of the process's."""
    with LocalSWF(start=START) as swf:
        made = coffee()
        made.client = swf.client()
        client = ServedFlow(swf, made).client
        assert client.describe(client.start(BEANS)).summary.status is Status.OPEN


def test_waiting_ends_with_the_timeout(cafe: ServedFlow) -> None:
    """While no worker works, the wait lasts for the timeout and no longer."""
    cafe.idle = True
    started = cafe.client.start(BEANS, "order-17")
    with pytest.raises(executions.StillOpen, match="order-17 is still open after 100 s"):
        cafe.client.result(started, timeout=100)
    assert cafe.swf.now == START + 100
    assert isinstance(executions.StillOpen("x"), TimeoutError)


def test_throttled_polls_are_repeated(cafe: ServedFlow, caplog: pytest.LogCaptureFixture) -> None:
    """A poll that fails for a transient reason is repeated, and each failure is logged."""
    started = cafe.client.start(BEANS)
    cafe.swf.inject("throttle", "GetWorkflowExecutionHistory", count=3)
    with caplog.at_level(logging.WARNING, "garcon"):
        assert cafe.client.result(started).context["cup"]
    assert caplog.text.count("ThrottlingException") == 3


def test_a_watch_gets_every_event_once(cafe: ServedFlow) -> None:
    """The callback gets them from the first to the last, in order and in several parts."""
    parts: list[Any] = []
    started = cafe.client.start(BEANS)
    cafe.client.result(started, watch=parts.append)
    events = [event for part in parts for event in part.events]
    assert events == cafe.client.history(started)
    assert len(parts) > 1
    assert {part.execution for part in parts} == {started}


def kinds(cafe: ServedFlow, run: Execution) -> list[str]:
    """The types of the events of a run."""
    return [each["eventType"] for each in cafe.client.history(run)]


def test_a_start_uses_or_terminates_what_is_open(cafe: ServedFlow) -> None:
    """Or fails, which is the default; without an open execution all are one."""
    for act in ("fail", "use", "terminate"):
        first = cafe.client.start(BEANS, act, if_open=act)
        assert kinds(cafe, first)[0] == "WorkflowExecutionStarted"
        if act == "fail":
            with pytest.raises(executions.AlreadyOpen):
                cafe.client.start(BEANS, act, if_open=act)
            continue
        second = cafe.client.start(BEANS, act, if_open=act)
        assert (second == first) is (act == "use")
        assert cafe.client.find(act) == second
        assert (kinds(cafe, first)[-1] == "WorkflowExecutionTerminated") is (act == "terminate")
    with pytest.raises(executions.InputNotSendable, match="one of fail, use, terminate, not 'x'"):
        cafe.client.start(BEANS, "x", if_open="x")


def test_an_open_execution_that_the_lists_do_not_show_is_looked_for_again(
    cafe: ServedFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWF's lists lag behind a start by seconds; after some attempts it is an error."""
    old = cafe.client.start(BEANS, "o")
    cafe.client.terminate("o")
    new = cafe.client.start(BEANS, "o")
    cafe.idle = True
    found = iter([old, old, new])
    monkeypatch.setattr(cafe.client, "find", lambda id_: next(found, new) if id_ == "o" else id_)
    assert cafe.client.start(BEANS, "o", if_open="use") == new
    monkeypatch.setattr(cafe.client, "find", lambda id_: old if id_ == "o" else id_)
    with pytest.raises(executions.RequestRefused, match="do not show the run yet") as refused:
        cafe.client.start(BEANS, "o", if_open="use")
    assert refused.value.transient


def test_a_signal_starts_what_is_not_open(cafe: ServedFlow) -> None:
    """And is sent to what is."""
    runs = [cafe.client.signal_with_start("o", "go", number, BEANS) for number in range(2)]
    assert runs[0] == runs[1]
    assert kinds(cafe, runs[0]).count("WorkflowExecutionSignaled") == 2
    cafe.client.terminate("o")
    last = cafe.client.signal_with_start("o", "go", 3, BEANS, tags=["vip"])
    assert last != runs[0]
    assert cafe.client.describe(last).summary.tags == ("vip",)


def test_an_execution_that_closes_before_the_signal_is_started_anew(
    cafe: ServedFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was found open, and has closed since; after some attempts it is an error."""
    first = cafe.client.start(BEANS, "o")
    cafe.client.terminate("o")
    starting = cafe.client.start
    found = iter([first])
    monkeypatch.setattr(
        cafe.client,
        "start",
        lambda *args, **options: next(found, None) or starting(*args, **options),
    )
    assert cafe.client.signal_with_start("o", "go", 1, BEANS) != first
    monkeypatch.setattr(cafe.client, "start", lambda *_, **__: first)
    with pytest.raises(executions.RequestRefused, match="closes again and again"):
        cafe.client.signal_with_start("o", "go", 1, BEANS)
