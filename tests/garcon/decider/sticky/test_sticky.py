"""Sticky deciders: their polls, the states they keep, and the loss of a process."""

from __future__ import annotations

import json
import logging
from typing import Any

import boto3
import pytest

from garcon import client as clients
from garcon import runner, task
from garcon.decider import DeciderWorker
from garcon.decider.sticky.stickiness import Sticky, private_list
from garcon.local import LocalSWF, Settings
from garcon.local.engine import Waiting
from garcon.local.service.service import Request
from tests.garcon.decider.sticky_deciders import UNCHECKED, Office, chain, count
from tests.garcon.drive import Driver
from tests.garcon.fakes import GONE, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

POLL = "poll_for_decision_task"
RESPOND = "respond_decision_task_completed"
READ = "get_workflow_execution_history"


def shown_to(office: Office) -> list[int]:
    """The numbers of events that the decision tasks from now on come with."""
    counts: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        if parsed.get("events"):
            counts.append(len(parsed["events"]))

    office.client.meta.events.register("after-call.swf.PollForDecisionTask", note)
    office.client.meta.events.register("after-call.swf.GetWorkflowExecutionHistory", note)
    return counts


def lists_of(history: list[dict[str, Any]]) -> list[str]:
    """The lists that decision tasks were scheduled on."""
    return [
        each["decisionTaskScheduledEventAttributes"]["taskList"]["name"]
        for each in history
        if each["eventType"] == "DecisionTaskScheduled"
    ]


def test_a_process_receives_only_new_events() -> None:
    """After the first task all come by the private list, with the events since the one before."""
    with LocalSWF() as swf:
        office = Office(swf, chain(10))
        decider = office.decider()
        office.start()
        counts = shown_to(office)
        history = office.run()
    private = private_of(decider)
    assert lists_of(history) == ["flow"] + [private] * 10
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert counts[0] == 3
    assert max(counts[1:]) <= 9  # one step's events and those of the same millisecond
    assert swf.counters.calls["GetWorkflowExecutionHistory"] == 0


def test_a_decider_that_is_not_sticky_reads_the_whole_history() -> None:
    """It polls one list, and its answers name no private list."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4), sticky=None)
        office.decider()
        office.start()
        counts = shown_to(office)
        history = office.run()
    assert lists_of(history) == ["flow"] * 5
    assert counts == [3, 9, 15, 21, 27]


def test_a_dead_process_costs_one_wait_on_its_list() -> None:
    """Its task waits once; then another process reads the history and goes on."""
    with LocalSWF() as swf:
        office = Office(swf, chain(6))
        dead = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 3)
        office.deciders.remove(dead)
        before = swf.now
        office.decider()
        history = office.run()
        assert swf.now - before == pytest.approx(5, abs=0.1)
    assert count(history, "DecisionTaskTimedOut") == 1
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def test_a_process_that_died_deciding_costs_the_task_s_own_timeout() -> None:
    """After the timeout, as without a private list, the flow's own list is used again."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4))
        dead = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 2)
        with clients.use(office.client):
            assert dead.poll()
        office.deciders.remove(dead)
        office.decider()
        history = office.run()
    timed_out = [each for each in history if each["eventType"] == "DecisionTaskTimedOut"]
    (attributes,) = [each["decisionTaskTimedOutEventAttributes"] for each in timed_out]
    assert attributes["timeoutType"] == "START_TO_CLOSE"
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def test_two_processes_share_executions_and_each_keeps_its_own() -> None:
    """All executions complete, and no process uses a state of another."""
    with LocalSWF() as swf:
        office = Office(swf, chain(5), sticky=Sticky(check=1e9))
        office.decider()
        office.decider()
        for number in range(6):
            office.start(f"w{number}")
        office.run_until(lambda: not any(office.is_open(f"w{number}") for number in range(6)))
        statuses = {swf.history(f"w{number}")[-1]["eventType"] for number in range(6)}
    assert statuses == {"WorkflowExecutionCompleted"}


def test_a_dropped_state_is_read_again() -> None:
    """With room for one state, two executions complete at the cost of full readings."""
    with LocalSWF() as swf:
        office = Office(swf, chain(5), sticky=Sticky(executions=1, check=0))
        office.decider()
        office.start("one")
        office.start("two")
        office.run_until(lambda: not (office.is_open("one") or office.is_open("two")))
        histories = [swf.history(name) for name in ("one", "two")]
        assert swf.counters.calls["GetWorkflowExecutionHistory"] > 0
    assert {each[-1]["eventType"] for each in histories} == {"WorkflowExecutionCompleted"}


def test_a_process_that_leaves_gives_its_executions_back() -> None:
    """The execution it decides while leaving returns to the flow's own list without a wait."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4))
        old = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 2)
        with clients.use(office.client):
            (late,) = old.leave()  # the task that waits on its private list
            assert old.respond(late["taskToken"], old.decide(late))
        office.deciders.remove(old)
        office.decider()
        history = office.run()
    assert count(history, "DecisionTaskTimedOut") == 0
    assert lists_of(history)[3:5] == ["flow", lists_of(history)[4]]
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def private_of(worker: DeciderWorker) -> str:
    """The name of a decider's private list."""
    return worker._tasks.lists.private


def received(**more: Any) -> dict[str, Any]:
    """A first decision task."""
    return History().poll(**more)


def sticky(swf: Any, **settings: Any) -> DeciderWorker:
    """A sticky decider of a flow of one activity."""
    settings.setdefault("check", 0)
    return DeciderWorker(flow(swf, a=make("a")), register=False, sticky=Sticky(**settings))


def decide_one(worker: DeciderWorker, poll: dict[str, Any]) -> bool:
    """Decide and answer a task."""
    return worker.respond(poll["taskToken"], worker.decide(poll))


def continued(history: History) -> dict[str, Any]:
    """The task after the first, with the whole history as its events."""
    history.scheduled("flow_a")
    history.completed("flow_a-1", {"n": 1})
    return history.poll(previousStartedEventId=1)


def test_the_private_list_comes_with_a_timeout() -> None:
    """Without a timeout the execution would stay on the private list for good."""
    swf = FakeSwf()
    worker = sticky(swf, schedule_to_start=7)
    assert decide_one(worker, received())
    (request,) = swf.requests(RESPOND)
    assert request["taskListScheduleToStartTimeout"] == "7"
    assert request["taskList"] == {"name": private_of(worker)}


def test_an_answer_that_was_not_accepted_leaves_no_state() -> None:
    """SWF has given the task to another process, so the state is outdated."""
    swf = FakeSwf().prepare(RESPOND, refusal(GONE))
    worker = sticky(swf)
    assert not decide_one(worker, received())
    assert len(worker._tasks.histories) == 0
    assert worker._tasks._in_progress == {}


def test_an_endpoint_that_ignores_the_request_does_no_harm() -> None:
    """Known events are skipped where an endpoint always returns all of them."""
    history = History()
    worker = sticky(FakeSwf())
    decide_one(worker, history.poll())
    decisions = worker.decide(continued(history))
    assert [each["decisionType"] for each in decisions] == ["CompleteWorkflowExecution"]


def test_a_partial_task_without_a_state_reads_the_history() -> None:
    """The private list brings the newest events only; the others are fetched, page by page."""
    history = History()
    poll = continued(history)
    swf = FakeSwf().prepare(POLL, {**poll, "events": poll["events"][1:]})
    swf.prepare(READ, {"events": history.events[:1], "nextPageToken": "t"}, {"events": []})
    worker = sticky(swf)
    task_ = worker.poll()
    assert task_ is not None
    decisions = worker.decide(task_)
    assert [each["decisionType"] for each in decisions] == ["CompleteWorkflowExecution"]
    assert len(swf.requests(READ)) == 1


def test_a_history_that_lags_behind_returns_the_task() -> None:
    """No decision is made on a truncated history; the flow's own list brings all of it."""
    history = History()
    poll = continued(history)
    swf = FakeSwf().prepare(POLL, {**poll, "events": poll["events"][2:]})
    swf.prepare(READ, {"events": []})
    worker = sticky(swf)
    task_ = worker.poll()
    assert task_ is not None
    task_.request["taskList"] = {"name": private_of(worker)}  # type: ignore[attr-defined]
    decide_one(worker, task_)
    (request,) = swf.requests(RESPOND)
    assert request["taskList"] == {"name": "flow"}
    assert "taskListScheduleToStartTimeout" not in request
    assert [each["decisionType"] for each in request["decisions"]] == ["StartTimer"]


def test_a_changed_state_is_detected_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A flow that changes its input: the error names the place, and the full history decides."""
    seen: list[Any] = []

    def decider(schedule: Any, context: Any) -> None:
        seen.append(list(context["list"]))
        context["list"].append("changed")
        schedule("x", flow_.a)

    history = History({"list": []})
    swf = FakeSwf()
    flow_ = flow(swf, a=make("a"), decider=decider)
    worker = DeciderWorker(flow_, register=False, sticky=Sticky(check=1e9))
    decide_one(worker, history.poll())
    history.scheduled("flow_a", "flow_a-1-x")
    swf.prepare(READ, {"events": history.events})
    other = History().poll(workflowExecution={"workflowId": "w", "runId": "other"}, taskToken="t")
    other["events"][0]["workflowExecutionStartedEventAttributes"]["input"] = '{"list": []}'
    decide_one(worker, other)
    del seen[1:]
    with caplog.at_level(logging.ERROR):
        decide_one(worker, history.poll(previousStartedEventId=1))
    assert len(worker._tasks.histories) == 1
    assert seen == [[], []]
    assert "differs from its history in context.list" in caplog.text


def test_a_check_that_cannot_be_made_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """When SWF throttles the reading, the kept state is used."""
    history = History()
    swf = FakeSwf().prepare(READ, refusal("ThrottlingException"))
    worker = DeciderWorker(flow(swf, a=make("a")), register=False, sticky=Sticky(check=1e9))
    decide_one(worker, history.poll())
    with caplog.at_level(logging.WARNING):
        decisions = worker.decide(continued(history))
    assert [each["decisionType"] for each in decisions] == ["CompleteWorkflowExecution"]
    assert caplog.text == ""


def test_checks_cost_their_share_and_no_more() -> None:
    """The chance of a check falls with the length of the history."""
    at = Sticky(check=0.05, dice=lambda: 0.0004)
    assert at.checks(6, 600)
    assert not at.checks(6, 6000)
    assert not Sticky(check=0, dice=lambda: 0.0).checks(6, 60)
    assert not Sticky(check=1e9).checks(6, 6)  # all of it was read just now


def test_private_lists_have_valid_names() -> None:
    """Each is unique, with at most 256 characters and no colon or slash."""
    one, other = private_list(), private_list()
    assert one != other
    assert len(one) <= 256
    assert not set(":/|") & set(one)


@task.decorate(timeout=10)
def echo(number: int) -> dict[str, Any]:
    """A result with a list in it."""
    return {f"r{number}": [number]}


def test_states_of_generated_activities_equal_their_histories() -> None:
    """With every state checked against the full history, none differs."""
    fan = make(
        "fan",
        run=runner.Sync(echo.fill(number="number")),
        generators=[lambda _: [{"number": number} for number in range(12)]],
    )
    last = make("last", requires=[fan])
    with LocalSWF(Settings(open_activities=5)) as swf:
        office = Office(swf, flow(a=fan, b=last), sticky=Sticky(check=1e9))
        office.decider()
        office.start(input=json.dumps({"n": 1}))
        history = office.run()
        assert swf.counters.calls["GetWorkflowExecutionHistory"] > 10
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def test_a_poll_left_open_by_a_dead_process_costs_the_task_s_own_timeout() -> None:
    """SWF hands a task to the closed connection; then the flow's own list is used again."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4))
        dead = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 1)
        office.step()
        leave_a_poll_open(swf, private_of(dead))
        office.deciders.remove(dead)
        before = swf.now
        office.decider()
        history = office.run()
        assert swf.now - before == pytest.approx(60, abs=1)
        assert swf.counters.ghosts == 1
    assert count(history, "DecisionTaskTimedOut") == 1
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def leave_a_poll_open(swf: LocalSWF, name: str) -> None:
    """Poll this list as a process that dies meanwhile."""
    service, now = swf._threads.service, swf.now
    body = json.dumps({"domain": "domain", "taskList": {"name": name}}).encode()
    poll = service.call(Request("PollForDecisionTask", body), now, "dead")
    assert isinstance(poll, Waiting)
    service.disconnect(poll.poll_id, now)


class OnlyTheOldList:
    """Stands in for ``PollThreads`` where the service ignores private lists."""

    is_open = False

    def next(self, polls: Any) -> Any:
        """A poll of the flow's own list."""
        return polls["flow"]()


@pytest.mark.slow  # moto
def test_a_service_without_private_lists_works_as_before() -> None:
    """Moto takes the new members and ignores them."""
    from moto import mock_aws  # noqa: PLC0415 - slow to import, and other tests do without

    with mock_aws():
        client = boto3.client(
            "swf",
            "us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - a fake
        )
        driver = Driver(client, chain(3, client=client))
        driver.decider = DeciderWorker(driver.flow, register=False, sticky=UNCHECKED)
        driver.decider._tasks.polls = OnlyTheOldList()  # type: ignore[assignment]
        history = driver.run({})
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert count(history, "ActivityTaskCompleted") == 3
