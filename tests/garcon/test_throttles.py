"""Throttled calls: how often they are tried, how long is rested, and what is said of it."""

from __future__ import annotations

import logging
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon.decider import DeciderWorker
from garcon.decider.decisions import hand_back
from garcon.insist import Clock
from garcon.throttles import TRIES, backed_off
from tests.garcon.fakes import THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable

    from garcon.activity import Activity, ActivityExecution


def cook(swf: Any, time: FakeClock) -> Activity:
    """An activity that rests by a clock of ours."""
    made = make("cook", swf)
    made.clock = time.clock
    return made


def execution(swf: Any, time: FakeClock) -> ActivityExecution:
    """A task in hand, as the activity was given it."""
    return cook(swf, time)._received({"taskToken": "token", "activityId": "cook-1", "input": "{}"})


def decider(swf: Any, time: FakeClock) -> DeciderWorker:
    """A decider that rests by a clock of ours."""
    made = DeciderWorker(flow(swf), register=False)
    made.clock = time.clock
    return made


CALLS: dict[str, Callable[[Any, FakeClock], Any]] = {
    "poll_for_activity_task": lambda swf, time: cook(swf, time).poll_for_activity(),
    "poll_for_decision_task": lambda swf, time: decider(swf, time).poll(),
    "respond_activity_task_completed": lambda swf, time: execution(swf, time).complete({}),
    "respond_activity_task_failed": lambda swf, time: execution(swf, time).fail("why"),
    "respond_activity_task_canceled": lambda swf, time: execution(swf, time).cancel(),
    "respond_decision_task_completed": lambda swf, time: decider(swf, time)._send(
        {"taskToken": "token", "decisions": hand_back()}
    ),
}


@pytest.fixture
def time() -> FakeClock:
    """The time that the back-off rests by."""
    return FakeClock()


@pytest.mark.parametrize("operation", CALLS)
def test_a_throttled_call_is_tried_five_times_and_then_the_caller_s(
    operation: str, time: FakeClock
) -> None:
    """Polls of both kinds and all answers; rests grow, each drawn below its bound."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * TRIES)
    with pytest.raises(ClientError):
        CALLS[operation](swf, time)
    assert swf.names == [operation] * 5
    assert all(rest <= bound for rest, bound in zip(time.slept, (1, 2, 4, 8), strict=True))


@pytest.mark.parametrize("operation", CALLS)
def test_only_a_throttle_is_tried_again(operation: str, time: FakeClock) -> None:
    """Whatever else fails is the caller's at once."""
    for other in (refusal("AccessDeniedException"), EndpointConnectionError(endpoint_url="x")):
        swf = FakeSwf().prepare(operation, other)
        with pytest.raises(type(other)):
            CALLS[operation](swf, time)
        assert swf.names == [operation]


@pytest.mark.parametrize("operation", CALLS)
def test_our_own_handler_alone_speaks_of_throttles(
    operation: str, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO, by the logger of the work; what is given up is raised, not logged as an error."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * TRIES)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError):
        CALLS[operation](swf, time)
    assert {(each.name, each.levelname) for each in caplog.records} == {("garcon", "INFO")}


def test_the_jitter_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest may be anything from nothing to its bound."""
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high))

    seen: list[Any] = []

    class Owner:
        logger = SimpleNamespace(info=lambda *_: None)
        clock = Clock(sleep=seen.append)

        @backed_off
        def call(self) -> None:
            raise refusal(THROTTLED)

    with pytest.raises(ClientError):
        Owner().call()
    assert seen == [(0, 1), (0, 2), (0, 4), (0, 8)]


@pytest.mark.parametrize(
    ("operation", "poll"),
    [
        ("poll_for_activity_task", lambda swf, time: cook(swf, time).poll_once()),
        ("poll_for_decision_task", lambda swf, time: decider(swf, time).poll_once()),
    ],
)
def test_a_loop_with_patience_of_its_own_polls_once(
    operation: str, poll: Any, time: FakeClock
) -> None:
    """It rests, and speaks, by itself."""
    swf = FakeSwf().prepare(operation, refusal(THROTTLED))
    with pytest.raises(ClientError):
        poll(swf, time)
    assert swf.names == [operation]
