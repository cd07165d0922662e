"""Throttled calls: number of attempts, waits, log lines."""

from __future__ import annotations

import logging
import random
import time as real_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon.aws.retrying import CLOCK, Clock
from garcon.aws.throttles import ATTEMPTS, retry_throttles
from garcon.decider import DeciderWorker
from garcon.decider.decisions import return_task
from tests.garcon.fakes import THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable

    from garcon.activity import Activity, ActivityExecution


def cook(swf: Any, time: FakeClock) -> Activity:
    """An activity on a clock of the test."""
    made = make("cook", swf)
    made.clock = time.clock
    return made


def execution(swf: Any, time: FakeClock) -> ActivityExecution:
    """A task in progress, as the activity received it."""
    return cook(swf, time).received({"taskToken": "token", "activityId": "cook-1", "input": "{}"})


def decider(swf: Any, time: FakeClock) -> DeciderWorker:
    """A decider on a clock of the test."""
    made = DeciderWorker(flow(swf), register=False)
    made.clock = time.clock
    return made


CALLS: dict[str, Callable[[Any, FakeClock], Any]] = {
    "poll_for_activity_task": lambda swf, time: cook(swf, time).poll_for_activity(),
    "poll_for_decision_task": lambda swf, time: decider(swf, time).poll(),
    "respond_activity_task_completed": lambda swf, time: execution(swf, time).complete({}),
    "respond_activity_task_failed": lambda swf, time: execution(swf, time).fail("why"),
    "respond_activity_task_canceled": lambda swf, time: execution(swf, time).cancel(),
    "respond_decision_task_completed": lambda swf, time: decider(swf, time)._tasks.send(
        {"taskToken": "token", "decisions": return_task()}
    ),
}


@pytest.fixture(params=["own clock", "time.sleep"])
def time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time that the waits pass by: the owner's clock, and real time in which none passes."""
    fake = FakeClock()
    if request.param == "own clock":
        return fake
    monkeypatch.setattr(real_time, "sleep", fake.sleep)
    return SimpleNamespace(clock=CLOCK, slept=fake.slept)


def slept(time: FakeClock) -> list[float]:
    """The waits of the call; ``backoff`` itself sleeps zero seconds on another clock."""
    return [seconds for seconds in time.slept if seconds]


@pytest.mark.parametrize("operation", CALLS)
def test_a_throttled_call_is_attempted_five_times_and_then_raised(
    operation: str, time: FakeClock
) -> None:
    """This holds for polls of both kinds and all answers; waits are drawn below growing bounds."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * ATTEMPTS)
    with pytest.raises(ClientError):
        CALLS[operation](swf, time)
    assert swf.names == [operation] * 5
    assert all(wait <= bound for wait, bound in zip(slept(time), (1, 2, 4, 8), strict=True))


@pytest.mark.parametrize("operation", CALLS)
def test_only_a_throttle_is_retried(operation: str, time: FakeClock) -> None:
    """Any other error is raised to the caller at once."""
    for other in (refusal("AccessDeniedException"), EndpointConnectionError(endpoint_url="x")):
        swf = FakeSwf().prepare(operation, other)
        with pytest.raises(type(other)):
            CALLS[operation](swf, time)
        assert swf.names == [operation]


@pytest.mark.parametrize("operation", CALLS)
def test_throttles_are_logged_by_the_documented_handler_alone(
    operation: str, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It logs at INFO through the worker's logger; the last error is raised, not logged."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * ATTEMPTS)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError):
        CALLS[operation](swf, time)
    assert {(record.name, record.levelname) for record in caplog.records} == {("garcon", "INFO")}
    waits = [
        f"attempt {number} failed, next in {wait:.1f} s"
        for number, wait in enumerate(slept(time), 1)
    ]
    assert [record.message for record in caplog.records] == [
        f"SWF throttles the call: {text}." for text in waits
    ]


def test_the_jitter_is_full(time: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait may be anything from nothing to its bound."""
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)

    class Owner:
        logger = SimpleNamespace(info=lambda *_: None)
        clock: Clock = time.clock

        @retry_throttles
        def call(self) -> None:
            raise refusal(THROTTLED)

    with pytest.raises(ClientError):
        Owner().call()
    assert slept(time) == [0.5, 1, 2, 4]


@pytest.mark.parametrize(
    ("operation", "poll"),
    [
        ("poll_for_activity_task", lambda swf, time: cook(swf, time).poll_once()),
        ("poll_for_decision_task", lambda swf, time: decider(swf, time).poll_once()),
    ],
)
def test_poll_once_is_not_retried(operation: str, poll: Any, time: FakeClock) -> None:
    """A loop with a backoff of its own gets the throttle at once, and nothing is logged for it."""
    swf = FakeSwf().prepare(operation, refusal(THROTTLED))
    with pytest.raises(ClientError):
        poll(swf, time)
    assert swf.names == [operation]
    assert slept(time) == []
