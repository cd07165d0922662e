"""`LocalSWF` for programs that poll by themselves: threads, time, faults, clients."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
)
from botocore.parsers import JSONParser

from garcon.client import POLL_READ_TIMEOUT
from garcon.local import FaultKind, LocalSWF, Settings
from garcon.local.inprocess_client import _session as make_session
from garcon.local.service.clock import IDLE_WINDOWS
from tests.garcon.local.conformance.account import (
    TimedAccount,
    background,
    complete,
    decision,
    refused,
    schedule,
)

HOUR = 3600


@pytest.fixture
def swf() -> Any:
    """A service with virtual time."""
    with LocalSWF() as service:
        yield service


def work(account: TimedAccount, steps: int) -> None:
    """Complete the given number of activity tasks, waiting for each."""
    while steps:
        task = account.poll_activity()
        if task.get("taskToken"):
            account.call("respond_activity_task_completed", taskToken=task["taskToken"])
            steps -= 1


# Clients.


def test_a_client_never_reaches_a_network(swf: LocalSWF) -> None:
    """The endpoint is a name that cannot exist, so a client without its handler fails."""
    assert swf.client().meta.endpoint_url.endswith(".invalid")


def test_clients_share_one_service(swf: LocalSWF) -> None:
    """The calls of one client are seen by another."""
    swf.client().register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    answer = swf.client().list_domains(registrationStatus="REGISTERED")
    assert [each["name"] for each in answer["domainInfos"]] == ["d"]


def test_services_share_nothing() -> None:
    """Two services in one process have separate domains."""
    with LocalSWF() as first, LocalSWF() as second:
        first.client().register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
        assert second.client().list_domains(registrationStatus="REGISTERED")["domainInfos"] == []


def test_a_clients_region_and_config_are_the_callers(swf: LocalSWF) -> None:
    """The options of the caller are in effect."""
    client = swf.client(Config(user_agent_extra="me"), region_name="eu-west-1")
    assert client.meta.region_name == "eu-west-1"
    config: Any = client.meta.config
    assert config.read_timeout == POLL_READ_TIMEOUT


def test_the_machines_configuration_does_not_matter(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that does not exist, or an endpoint of the environment, changes nothing."""
    make_session.cache_clear()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", "http://127.0.0.1:1")
    answer = swf.client().list_domains(registrationStatus="REGISTERED")
    assert answer["domainInfos"] == []


def test_the_same_seed_gives_the_same_history() -> None:
    """Two services with one seed and one start give histories that are equal to the last id."""

    def history() -> list[dict[str, Any]]:
        with LocalSWF(seed=7, start=1_700_000_000) as service:
            account = TimedAccount(service)
            account.start()
            account.decide(schedule())
            account.complete_activity()
            return service.history("w")

    assert history() == history()


# Time.


def test_the_time_stands_still_during_work(swf: LocalSWF) -> None:
    """Between calls no time passes, however long they take."""
    account = TimedAccount(swf)
    before = swf.now
    account.start()
    task = account.decision_task()
    account.respond(task, complete())
    assert swf.now == before


def test_an_idle_poll_takes_a_window_of_virtual_time(swf: LocalSWF) -> None:
    """A poll without work returns at once, and the time has moved by its window."""
    account = TimedAccount(swf)
    before = swf.now
    assert not account.poll_activity().get("taskToken")
    assert swf.now == before + 60


def test_workers_in_threads_get_through_hourly_retries(swf: LocalSWF) -> None:
    """A decider and a worker in threads of their own, with an hour's timer between attempts."""
    account = TimedAccount(swf)
    account.start(executionStartToCloseTimeout=str(400 * HOUR))

    def decide() -> None:
        for number in range(5):
            account.respond(wait_for_decision(account), schedule(f"try-{number}"))
            timer = decision("StartTimer", timerId="rest", startToFireTimeout=str(HOUR))
            account.respond(wait_for_decision(account), timer)
        account.respond(wait_for_decision(account), complete())

    begun = swf.now
    with background(decide), background(lambda: work(account, 5)):
        pass
    assert account.kinds()[-1] == "WorkflowExecutionCompleted"
    assert 5 * HOUR <= swf.now - begun < 6 * HOUR + 60 * 60 * IDLE_WINDOWS


def wait_for_decision(account: TimedAccount) -> Any:
    """Poll until there is a decision task."""
    while not (task := account.poll_decision()).get("taskToken"):
        pass
    return task


def test_a_worker_that_dies_lets_its_task_time_out(swf: LocalSWF) -> None:
    """A thread that ends during a task does not stop the time."""
    account = TimedAccount(swf)
    account.start()
    account.decide(schedule())
    with background(account.activity_task):
        pass
    task = wait_for_decision(account)
    assert task["events"][-3]["eventType"] == "ActivityTaskTimedOut"


def test_a_worker_at_work_stops_the_time(swf: LocalSWF, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a thread works on a task, others wait and nothing times out."""
    looks = threading.Semaphore(0)
    pause = swf._threads._pause

    def counted() -> None:
        pause()
        looks.release()

    monkeypatch.setattr(swf._threads, "_pause", counted)
    account = TimedAccount(swf)
    account.start()
    account.decide(schedule(startToCloseTimeout="1"))
    token = account.activity_task()["taskToken"]
    before = swf.now
    with background(account.poll_decision) as tasks:
        # From its second look on, the waiting thread would move the time of idle clients.
        assert all(looks.acquire(timeout=20) for _ in range(4))
        assert swf.now == before
        account.call("respond_activity_task_completed", taskToken=token)
    assert tasks[0]["taskToken"]


def wait_until_polling(swf: LocalSWF) -> None:
    """Wait until a poll has arrived."""
    until = time.monotonic() + 20
    while not any(each.pollers for each in list(swf._threads.service.engine.task_lists())):
        assert time.monotonic() < until, "there is no poll"


def test_windows_are_skipped_only_for_clients_that_only_poll(swf: LocalSWF) -> None:
    """A client that works between its polls waits for each window."""
    account = TimedAccount(swf)
    account.start(executionStartToCloseTimeout="86400")
    account.decide()
    before = swf.now
    for number in range(2 * IDLE_WINDOWS):
        assert not account.poll_activity().get("taskToken")
        account.in_domain("register_activity_type", name=f"type-{number}", version="1")
    assert swf.now - before == pytest.approx(2 * IDLE_WINDOWS * 60)


def test_held_time_does_not_jump(swf: LocalSWF) -> None:
    """During `hold` a poll waits for work that is being prepared, and no time passes."""
    account = TimedAccount(swf)
    before = swf.now
    with swf.hold(), background(account.poll_decision) as tasks:
        wait_until_polling(swf)
        account.start()
    assert tasks[0]["taskToken"]
    assert swf.now == before


def test_reads_do_not_stop_the_time(swf: LocalSWF) -> None:
    """A test that reads a history in a loop sees the timer fire."""
    account = TimedAccount(swf)
    account.start()
    account.decide(decision("StartTimer", timerId="t", startToFireTimeout="600"))
    with background(lambda: wait_for_decision(account)):
        until = time.monotonic() + 20
        while "TimerFired" not in account.kinds():
            assert time.monotonic() < until, "the time stands still"


def test_only_changes_count_as_work(swf: LocalSWF) -> None:
    """The quiet moment before a jump begins with the last request that was not a read."""
    account = TimedAccount(swf)
    before = swf._threads._latest_input
    account.call("list_domains", registrationStatus="REGISTERED")
    assert swf._threads._latest_input == before
    account.start()
    assert swf._threads._latest_input > before


def test_an_interrupted_poll_has_lost_its_connection(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a poll leaves a ghost poller, as over HTTP."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    account = TimedAccount(swf)
    monkeypatch.setattr(swf._threads, "_pause", interrupt)
    with pytest.raises(KeyboardInterrupt):
        account.poll_activity()
    (left,) = swf._threads.service.engine.task_lists()
    assert (left.pollers, left.ghosts) == ((), 1)


def test_time_is_moved_by_hand(swf: LocalSWF) -> None:
    """`advance` carries out all that is due, each thing at its own time."""
    account = TimedAccount(swf)
    account.start()
    account.decide(decision("StartTimer", timerId="t", startToFireTimeout="600"))
    begun = swf.now
    swf.advance(HOUR)
    event = next(each for each in swf.history("w") if each["eventType"] == "TimerFired")
    assert event["eventTimestamp"] == pytest.approx(begun + 600, abs=0.001)


def test_the_walls_time_passes_by_itself() -> None:
    """Without virtual time a poll waits for its window, and the time cannot be moved."""
    with LocalSWF(Settings(poll_window=0.2), virtual_time=False) as swf:
        account = TimedAccount(swf)
        begun = time.monotonic()
        assert not account.poll_activity().get("taskToken")
        assert time.monotonic() - begun >= 0.19
        with pytest.raises(TypeError, match="virtual time only"):
            swf.advance(1)


def test_a_poll_on_the_walls_time_is_woken_by_work() -> None:
    """A waiting poll is answered when work arrives, long before its window ends."""
    with LocalSWF(virtual_time=False) as swf:
        account = TimedAccount(swf)
        with background(account.poll_decision) as tasks:
            wait_until_polling(swf)
            account.start()
        assert tasks[0]["taskToken"]


def test_closing_ends_polls_and_refuses_calls() -> None:
    """At the close waiting polls are answered empty, and later calls fail to connect."""
    with LocalSWF(virtual_time=False) as swf:
        account = TimedAccount(swf)
        with background(account.poll_activity) as tasks:
            wait_until_polling(swf)
            swf.close()
    assert tasks[0].get("taskToken") is None
    with pytest.raises(EndpointConnectionError):
        account.poll_activity()


# Faults.


def domains(account: TimedAccount) -> Any:
    """A call without side effects, for faults."""
    return account.call("list_domains", registrationStatus="REGISTERED")


def test_a_throttle_and_an_error_are_answers(swf: LocalSWF) -> None:
    """For boto3 an injected throttle or 500 is the same as the service's own."""
    account = TimedAccount(swf)
    swf.inject("throttle", "ListDomains", count=1)
    with refused("ThrottlingException", "Rate exceeded"):
        domains(account)
    swf.inject(FaultKind.ERROR, "ListDomains", count=1)
    with pytest.raises(ClientError) as caught:
        domains(account)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert domains(account)["domainInfos"]


def test_a_fault_spares_other_operations(swf: LocalSWF) -> None:
    """A fault for one operation applies to no other, and can be removed."""
    account = TimedAccount(swf)
    swf.inject("error", "PollForActivityTask")
    assert domains(account)["domainInfos"]
    with pytest.raises(ClientError):
        account.poll_activity()
    swf.clear_faults()
    assert account.poll_activity().get("taskToken") is None


@pytest.mark.parametrize(("kind", "done"), [("reset-before", False), ("reset-after", True)])
def test_a_reset_loses_the_request_or_the_answer(swf: LocalSWF, kind: str, done: bool) -> None:  # noqa: FBT001 - a table's column
    """A reset before leaves the call undone; after a reset after, it was carried out."""
    account = TimedAccount(swf)
    swf.inject(kind, "StartWorkflowExecution", count=1)
    with pytest.raises(ConnectionClosedError):
        account.start()
    answer = account.in_domain("count_pending_decision_tasks", taskList={"name": "decide"})
    assert answer["count"] == done


def test_a_retrying_client_recovers_from_a_fault(swf: LocalSWF) -> None:
    """A client with retries in its config makes them, as with the service."""
    client = swf.client(Config(retries={"mode": "standard", "total_max_attempts": 2}))
    swf.inject("reset-before", count=1)
    assert client.list_domains(registrationStatus="REGISTERED")["domainInfos"] == []


def test_garbage_is_a_result_without_members(swf: LocalSWF) -> None:
    """boto3 reads a page of a proxy, in place of an answer, as a result without members."""
    swf.inject("garbage", "ListDomains", count=1)
    answer = swf.client().list_domains(registrationStatus="REGISTERED")
    assert "domainInfos" not in answer


def test_a_delay_takes_the_services_time(swf: LocalSWF) -> None:
    """A delayed request is carried out later by the service's clock, not by the wall's."""
    account = TimedAccount(swf)
    before = swf.now
    swf.inject("delay", "ListDomains", count=1, seconds=HOUR)
    domains(account)
    assert swf.now == before + HOUR


# Reading.


def test_a_run_is_found_without_a_look_at_the_others(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver asks for its execution at each step, among thousands of children."""
    run_id = TimedAccount(swf).start("w")
    monkeypatch.setattr(swf._threads.service.engine, "executions", pytest.fail)
    assert len(swf.history("w", run_id)) == 2
    with pytest.raises(LookupError, match="'other'"):
        swf.history("w", "other")


def test_events_are_as_botocore_parses_them_and_are_not_parsed(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history equals what botocore makes of it; each call gives events of its own."""
    account = TimedAccount(swf)
    run_id = account.start("w", input="{}")
    account.decide(schedule("a"), schedule("b"))
    work(account, 2)
    parsed: list[str] = []
    theirs = JSONParser._handle_structure  # type: ignore[attr-defined]  # private

    def note(self: Any, shape: Any, value: Any) -> Any:
        parsed.append(shape.name)
        return theirs(self, shape, value)

    monkeypatch.setattr(JSONParser, "_handle_structure", note)
    ids = {"workflowId": "w", "runId": run_id}
    given = account.in_domain("get_workflow_execution_history", execution=ids)["events"]
    assert "History" in parsed
    assert not {"HistoryEvent", "ActivityTaskScheduledEventAttributes"} & set(parsed)
    shape = account.client.meta.service_model.shape_for("History")
    body = json.dumps({"events": swf.history("w")}).encode()
    answer = {"status_code": 200, "headers": {}, "body": body}
    assert given == JSONParser().parse(answer, shape)["events"]
    given[0]["workflowExecutionStartedEventAttributes"].clear()
    again = account.in_domain("get_workflow_execution_history", execution=ids)["events"]
    assert again[0]["workflowExecutionStartedEventAttributes"]


def test_an_unknown_execution_has_no_history(swf: LocalSWF) -> None:
    """The history of an unknown execution is a LookupError with its name."""
    with pytest.raises(LookupError, match="'nothing'"):
        swf.history("nothing")


def test_calls_and_timeouts_are_counted(swf: LocalSWF) -> None:
    """Calls and timeouts are counted by name."""
    account = TimedAccount(swf)
    account.start()
    account.decision_task()
    account.after(11)
    assert swf.counters.calls["StartWorkflowExecution"] == 1
    assert swf.counters.timeouts["DecisionTaskTimedOut START_TO_CLOSE"] == 1
