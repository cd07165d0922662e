"""What the keeper of a task is told, and when."""

from __future__ import annotations

import logging
import os
import types
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import activity, payload, reasons, runner
from supervisor.flow import Flow, decider_worker
from supervisor.hands import ActivityHands, DeciderHands
from supervisor.messages import Answer, Cancel, Complete, Fail, Result, Staleness, Stickiness, Task
from tests.garcon.fakes import GONE, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

POLL = "poll_for_activity_task"
BEAT = "record_activity_task_heartbeat"
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"
TASK = {
    "taskToken": "token",
    "activityId": "make-1",
    "startedEventId": 6,
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "activityType": {"name": "shop_make", "version": "1.0"},
    "input": "{}",
}


class Keeper:
    """Notes what it is told, and what SWF had heard by then."""

    def __init__(self, swf: FakeSwf) -> None:
        self.kept: list[Answer] = []
        self.stale: list[Staleness] = []
        self.heard_before: list[str] = []
        self._swf = swf
        self.leaves = False
        self.waiting: dict[int, Task] = {}

    def keep(self, answer: Answer) -> None:
        """An answer."""
        self.kept.append(answer)
        self.heard_before = list(self._swf.names)

    def let_go(self, why: Staleness) -> None:
        """That SWF no longer wants the task."""
        self.stale.append(why)

    def expect(self, place: int, task: Task) -> None:
        """A task that waits."""
        self.waiting[place] = task

    def take_up(self, place: int) -> None:
        """That it waits no more."""
        del self.waiting[place]


def done(work: Callable[..., Any], swf: FakeSwf) -> tuple[Result, Keeper]:
    """Poll once and do what came."""
    create = activity.create(swf, "domain", "shop")
    hands = ActivityHands(create(name="make", run=runner.Sync(work)))
    found = hands.poll("me")
    assert found is not None
    keeper = Keeper(swf)
    return found.perform(keeper), keeper


def swf(**answers: Any) -> FakeSwf:
    """An SWF with one task."""
    prepared = FakeSwf().prepare(POLL, TASK)
    for operation, answer in answers.items():
        prepared.prepare(operation, *answer)
    return prepared


def test_a_result_is_kept_before_swf_is_told() -> None:
    """As the very text that SWF gets."""
    told = swf()
    result, keeper = done(lambda context, activity: {"a": 1}, told)
    assert result == Result.COMPLETED
    assert keeper.kept == [Complete('{"a": 1}')]
    assert COMPLETED not in keeper.heard_before
    assert told.requests(COMPLETED)[0]["result"] == '{"a": 1}'


def test_a_failure_is_kept_as_it_is_told() -> None:
    """Reason and traceback are those of the task."""

    def burn(context: Any, activity: Any) -> None:
        raise ValueError("burnt")

    result, keeper = done(burn, swf())
    assert result == Result.FAILED
    (kept,) = keeper.kept
    assert isinstance(kept, Fail)
    assert kept.reason == "burnt"
    assert "ValueError" in str(kept.details)


def test_a_failure_that_names_an_undecodable_file_is_kept_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What UTF-8 has no bytes for is spelled out: neither the will nor SWF could take it."""
    caplog.set_level(logging.CRITICAL + 1, "garcon")  # the test's report could not carry it either

    def burn(context: Any, activity: Any) -> None:
        raise ValueError(os.fsdecode(b"no caf\xe9.txt"))

    told = swf()
    result, keeper = done(burn, told)
    assert result == Result.FAILED
    (kept,) = keeper.kept
    assert isinstance(kept, Fail)
    assert kept.reason == told.requests(FAILED)[0]["reason"] == r"no caf\udce9.txt"
    assert rb"no caf\\udce9.txt" in msgspec.json.encode(kept)


def test_a_result_that_is_too_large_is_kept_as_the_failure_that_it_is() -> None:
    """Its size is the reason; nothing is kept that SWF would refuse."""
    _, keeper = done(lambda context, activity: {"a": "x" * 40_000}, swf())
    (kept,) = keeper.kept
    assert isinstance(kept, Fail)
    assert "40,009 characters" in kept.reason


def test_a_request_to_cancel_is_told_and_its_answer_kept() -> None:
    """At the heartbeat that brings it; the next one raises, and the task is canceled."""

    def beat(context: Any, activity: Any) -> None:
        activity.heartbeat()
        activity.heartbeat()

    result, keeper = done(beat, swf(**{BEAT: [{"cancelRequested": True}]}))
    assert result == Result.CANCELED
    assert keeper.stale == [Staleness.CANCEL]
    assert keeper.kept == [Cancel("Cancelling make-1 was requested.")]


def test_a_task_that_is_gone_is_told_and_nothing_is_kept() -> None:
    """There is nobody to answer."""
    beat: Any = lambda context, activity: activity.heartbeat()  # noqa: E731 - a task of one line
    result, keeper = done(beat, swf(**{BEAT: [refusal(GONE)]}))
    assert result == Result.GONE
    assert keeper.stale == [Staleness.GONE]
    assert keeper.kept == []


def test_an_answer_that_finds_the_task_gone_is_gone() -> None:
    """The task was done too late: no failure, and nobody is asked to let go of anything."""
    result, keeper = done(lambda context, activity: None, swf(**{COMPLETED: [refusal(GONE)]}))
    assert result == Result.GONE
    assert keeper.stale == []


def test_a_claim_store_that_does_not_answer_costs_the_will_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer itself goes on and insists."""
    failing = EndpointConnectionError(endpoint_url="http://store")
    tries = types.SimpleNamespace(left=1)
    encode = payload.encode

    def at_first_not(values: Any, what: str) -> str:
        if what == "The result" and tries.left:
            tries.left -= 1
            raise failing
        return encode(values, what)

    monkeypatch.setattr(payload, "encode", at_first_not)
    result, keeper = done(lambda context, activity: {"a": 1}, swf())
    assert result == Result.COMPLETED
    assert keeper.kept == []


# --- decisions ------------------------------------------------------------------------------------

DECISION = "poll_for_decision_task"
DECIDED = "respond_decision_task_completed"
STICKY = Stickiness(schedule_to_start=7, executions=5, check=0)


def deciding(
    swf_: FakeSwf, stickiness: Stickiness | None, grace: float = 0.0
) -> tuple[DeciderHands, Keeper]:
    """The hands of a flow of one activity."""
    target = flow(swf_, a=make("a"))
    served = decider_worker(Flow(target, "domain", "flow", "1.0", {}), stickiness)
    keeper = Keeper(swf_)
    return DeciderHands(served, keeper, grace), keeper


@pytest.mark.parametrize("stickiness", [None, STICKY])
def test_a_decision_waits_until_it_is_taken_up(stickiness: Stickiness | None) -> None:
    """From the answer of its poll on somebody else knows of it."""
    swf_ = FakeSwf().prepare(DECISION, History().poll())
    hands, keeper = deciding(swf_, stickiness)
    found = hands.poll("me")
    assert found is not None
    assert keeper.waiting == {0: found.task}
    assert found.perform(keeper) == Result.COMPLETED
    assert keeper.waiting == {}
    sticks = "taskListScheduleToStartTimeout" in swf_.requests(DECIDED)[0]
    assert sticks == (stickiness is not None)


def test_a_decider_that_leaves_sticks_to_nothing() -> None:
    """Nobody will poll its own list, and nothing tells SWF of it."""
    swf_ = FakeSwf().prepare(DECISION, History().poll())
    hands, keeper = deciding(swf_, STICKY)
    found = hands.poll("me")
    assert found is not None
    keeper.leaves = True
    found.perform(keeper)
    assert "taskList" not in swf_.requests(DECIDED)[0]
    assert list(hands.leave("me", asked=0.0)) == []


def test_what_the_last_polls_bring_is_work() -> None:
    """It is waited for like any task, by its own place, and given back."""
    history = History()
    swf_ = FakeSwf().prepare(DECISION, history.poll())
    hands, keeper = deciding(swf_, STICKY, grace=60.0)
    first = hands.poll("me")
    assert first is not None
    first.perform(keeper)
    history.scheduled("flow_a")
    history.completed("flow_a-1")
    swf_.prepare(DECISION, history.poll(previousStartedEventId=1, taskToken="late"))
    keeper.leaves = True
    (last,) = hands.leave("me", asked=0.0)
    assert (last.task.token, keeper.waiting) == ("late", {1: last.task})
    assert last.perform(keeper) == Result.COMPLETED
    assert swf_.requests(DECIDED)[-1]["taskList"] == {"name": "flow"}


# --- tasks that come too late ---------------------------------------------------------------------


def handed_back(told: FakeSwf) -> tuple[Result, Keeper]:
    """Poll once and hand back what came."""
    create = activity.create(told, "domain", "shop")
    found = ActivityHands(create(name="make", run=runner.Sync(begin))).poll("me")
    assert found is not None
    assert found.hand_back is not None
    keeper = Keeper(told)
    return found.hand_back(keeper), keeper


def begin(context: Any, activity: Any) -> None:
    """What a task that is handed back may not do."""
    raise AssertionError("it was begun")


def test_a_task_is_handed_back_unbegun() -> None:
    """With the reason that costs no try, kept before SWF is told."""
    told = swf()
    result, keeper = handed_back(told)
    assert result == Result.HANDED_BACK
    (request,) = told.requests(FAILED)
    assert reasons.prefix_of(request["reason"]) == reasons.UNBEGUN
    assert keeper.kept == [Fail(request["reason"])]
    assert FAILED not in keeper.heard_before


def test_a_task_that_is_gone_needs_no_handing_back() -> None:
    """SWF has seen its end by itself."""
    result, _ = handed_back(swf(**{FAILED: [refusal(GONE)]}))
    assert result == Result.GONE
