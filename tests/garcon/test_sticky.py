"""Sticky deciders: what they ask for, what they keep, and what happens when one goes."""

from __future__ import annotations

import json
import logging
from typing import Any

import boto3
import pytest
from moto import mock_aws

from garcon import client as clients
from garcon import runner, task
from garcon.decider import DeciderWorker
from garcon.decider.sticky import Sticky, private_list
from garcon.local import LocalSWF, Settings
from garcon.local.engine import Waiting
from garcon.local.service import Request
from tests.garcon.deciding import UNCHECKED, Office, chain, count
from tests.garcon.drive import Driver
from tests.garcon.fakes import GONE, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

POLL = "poll_for_decision_task"
RESPOND = "respond_decision_task_completed"
READ = "get_workflow_execution_history"


def shown_to(office: Office) -> list[int]:
    """How many events each decision task shows, from now on."""
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


def test_a_process_is_shown_only_what_is_new() -> None:
    """After the first task all come by the private list, with the events since the last one."""
    with LocalSWF() as swf:
        office = Office(swf, chain(10))
        decider = office.decider()
        office.start()
        counts = shown_to(office)
        history = office.run()
    private = decider._sticking.private  # type: ignore[union-attr]
    assert lists_of(history) == ["flow"] + [private] * 10
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert counts[0] == 3
    assert max(counts[1:]) <= 9  # one step's events and those of the same millisecond
    assert swf.counters.calls["GetWorkflowExecutionHistory"] == 0


def test_without_sticky_nothing_is_asked_for_that_is_new() -> None:
    """The switch: one list, the whole history each time, no member of the private list."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4), sticky=None)
        office.decider()
        office.start()
        counts = shown_to(office)
        history = office.run()
    assert lists_of(history) == ["flow"] * 5
    assert counts == [3, 9, 15, 21, 27]


def test_a_dead_process_costs_one_wait_on_its_list() -> None:
    """Its task waits once, then another process reads the history and goes on."""
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


def test_a_process_that_died_deciding_costs_the_task_s_own_time() -> None:
    """As it does without a private list; then the own list serves again."""
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
    """All close, and no state is gone on from by the wrong process."""
    with LocalSWF() as swf:
        office = Office(swf, chain(5), sticky=Sticky(check=1e9))
        office.decider()
        office.decider()
        for number in range(6):
            office.start(f"w{number}")
        office.run_until(lambda: not any(office.is_open(f"w{number}") for number in range(6)))
        statuses = {swf.history(f"w{number}")[-1]["eventType"] for number in range(6)}
    assert statuses == {"WorkflowExecutionCompleted"}


def test_what_the_cache_lost_is_read_again() -> None:
    """With room for one execution, two take turns: both close, at the cost of full readings."""
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
    """What it decides while leaving goes to the flow's own list, where others find it at once."""
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
    """The name of a decider's own list."""
    assert worker._sticking
    return worker._sticking.private


def received(**more: Any) -> dict[str, Any]:
    """A first decision task."""
    return History().poll(**more)


def sticky(swf: Any, **settings: Any) -> DeciderWorker:
    """A sticky decider of a flow of one activity."""
    settings.setdefault("check", 0)
    return DeciderWorker(flow(swf, a=make("a")), register=False, sticky=Sticky(**settings))


def decide_one(worker: DeciderWorker, poll: dict[str, Any]) -> bool:
    """Decide and answer a task as it came."""
    return worker.respond(poll["taskToken"], worker.decide(poll))


def continued(history: History) -> dict[str, Any]:
    """The next task after the first, with the whole history as its events."""
    history.scheduled("flow_a")
    history.completed("flow_a-1", {"n": 1})
    return history.poll(previousStartedEventId=1)


def test_the_private_list_comes_with_a_timeout() -> None:
    """Without one it would be the execution's for good."""
    swf = FakeSwf()
    worker = sticky(swf, schedule_to_start=7)
    assert decide_one(worker, received())
    (request,) = swf.requests(RESPOND)
    assert request["taskListScheduleToStartTimeout"] == "7"
    assert request["taskList"] == {"name": worker._sticking.private}  # type: ignore[union-attr]


def test_an_answer_that_was_not_accepted_leaves_no_state() -> None:
    """SWF gave the task to somebody else: what we made of it is of no use."""
    swf = FakeSwf().prepare(RESPOND, refusal(GONE))
    worker = sticky(swf)
    assert not decide_one(worker, received())
    assert len(worker._sticking._reader.cache) == 0  # type: ignore[union-attr]
    assert worker._sticking._in_hand == {}  # type: ignore[union-attr]


def test_an_endpoint_that_shows_everything_does_no_harm() -> None:
    """Fields that it ignores change nothing: events that are known are skipped."""
    history = History()
    worker = sticky(FakeSwf())
    decide_one(worker, history.poll())
    decisions = worker.decide(continued(history))
    assert [each["decisionType"] for each in decisions] == ["CompleteWorkflowExecution"]


def test_a_task_shown_in_part_without_its_state_reads_the_history() -> None:
    """On the private list only the latest events come; the rest is fetched, all pages."""
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


def test_a_history_that_lags_behind_hands_the_task_back() -> None:
    """Nothing is decided on half a history: the flow's list shows the whole."""
    history = History()
    poll = continued(history)
    swf = FakeSwf().prepare(POLL, {**poll, "events": poll["events"][2:]})
    swf.prepare(READ, {"events": []})
    worker = sticky(swf)
    task_ = worker.poll()
    assert task_ is not None
    task_.request["taskList"] = {"name": worker._sticking.private}  # type: ignore[attr-defined, union-attr]
    decide_one(worker, task_)
    (request,) = swf.requests(RESPOND)
    assert request["taskList"] == {"name": "flow"}
    assert "taskListScheduleToStartTimeout" not in request
    assert [each["decisionType"] for each in request["decisions"]] == ["StartTimer"]


def test_a_spoilt_state_is_found_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A flow that changes its input: an error names where, and the full history is decided on."""
    seen: list[Any] = []

    def decider(schedule: Any, context: Any) -> None:
        seen.append(list(context["list"]))
        context["list"].append("spoilt")
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
    assert len(worker._sticking._reader.cache) == 1  # type: ignore[union-attr]
    assert seen == [[], []]
    assert "differs from its history in context.list" in caplog.text


def test_a_check_that_cannot_be_made_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """SWF throttles the reading: the state at hand is gone on from."""
    history = History()
    swf = FakeSwf().prepare(READ, refusal("ThrottlingException"))
    worker = DeciderWorker(flow(swf, a=make("a")), register=False, sticky=Sticky(check=1e9))
    decide_one(worker, history.poll())
    with caplog.at_level(logging.WARNING):
        decisions = worker.decide(continued(history))
    assert [each["decisionType"] for each in decisions] == ["CompleteWorkflowExecution"]
    assert caplog.text == ""


def test_checks_cost_their_share_and_no_more() -> None:
    """The chance falls with the history's length, so what is read again is in proportion."""
    at = Sticky(check=0.05, dice=lambda: 0.0004)
    assert at.checks(6, 600)
    assert not at.checks(6, 6000)
    assert not Sticky(check=0, dice=lambda: 0.0).checks(6, 60)
    assert not Sticky(check=1e9).checks(6, 6)  # all of it was read just now


def test_private_lists_are_names_that_swf_takes() -> None:
    """Every process its own, in at most 256 characters without a colon or slash."""
    one, other = private_list(), private_list()
    assert one != other
    assert len(one) <= 256
    assert not set(":/|") & set(one)


@task.decorate(timeout=10)
def echo(number: int) -> dict[str, Any]:
    """A result with a list in it."""
    return {f"r{number}": [number]}


def test_generated_activities_and_retries_come_out_alike() -> None:
    """Every state is checked against the full history, and none differs."""
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


def test_a_poll_that_the_dead_left_open_costs_the_task_s_own_time() -> None:
    """SWF may hand a task to a connection that has gone; then the own list serves again."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4))
        dead = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 1)
        office.step()
        leave_a_poll_open(swf, dead._sticking.private)  # type: ignore[union-attr]
        office.deciders.remove(dead)
        before = swf.now
        office.decider()
        history = office.run()
        assert swf.now - before == pytest.approx(60, abs=1)
        assert swf.counters.ghosts == 1
    assert count(history, "DecisionTaskTimedOut") == 1
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"


def leave_a_poll_open(swf: LocalSWF, name: str) -> None:
    """A process polls this list and dies."""
    service, now = swf._threads.service, swf.now
    body = json.dumps({"domain": "domain", "taskList": {"name": name}}).encode()
    poll = service.call(Request("PollForDecisionTask", body), now, "dead")
    assert isinstance(poll, Waiting)
    service.disconnect(poll.poll_id, now)


class OnlyTheOldList:
    """Stands in for ``Polls`` where SWF has never heard of private lists."""

    open = False

    def next(self, polls: Any) -> Any:
        """A poll of the flow's own list."""
        return polls["flow"]()


@mock_aws
def test_against_a_service_without_private_lists_all_works_as_before() -> None:
    """Moto takes the new members and does nothing about them."""
    client = boto3.client(
        "swf",
        "us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nobody's
    )
    driver = Driver(client, chain(3, client=client))
    driver.decider = DeciderWorker(driver.flow, register=False, sticky=UNCHECKED)
    driver.decider._sticking._polls = OnlyTheOldList()  # type: ignore[union-attr]
    history = driver.run({})
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert count(history, "ActivityTaskCompleted") == 3
