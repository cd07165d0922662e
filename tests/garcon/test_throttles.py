"""Throttled calls: how often they are tried, how long is rested, and what is said of it."""

from __future__ import annotations

import logging
import random
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon.activity import ActivityExecution
from garcon.decider import DeciderWorker
from garcon.decider.decisions import hand_back
from garcon.throttles import TRIES, backed_off
from tests.garcon.fakes import THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable


def execution(swf: Any) -> ActivityExecution:
    """A task in hand."""
    return ActivityExecution(swf, "cook-1", "token", "{}")


def decider(swf: Any) -> DeciderWorker:
    """A decider whose own rests take no time."""
    made = DeciderWorker(flow(swf), register=False)
    made.clock = FakeClock().clock
    return made


CALLS: dict[str, Callable[[Any], Any]] = {
    "poll_for_activity_task": lambda swf: make("cook", swf).poll_for_activity(),
    "poll_for_decision_task": lambda swf: decider(swf).poll(),
    "respond_activity_task_completed": lambda swf: execution(swf).complete({}),
    "respond_activity_task_failed": lambda swf: execution(swf).fail("why"),
    "respond_activity_task_canceled": lambda swf: execution(swf).cancel(),
    "respond_decision_task_completed": lambda swf: decider(swf)._send(
        {"taskToken": "token", "decisions": hand_back()}
    ),
}


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the back-off would have slept."""
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    return rests


@pytest.mark.parametrize("operation", CALLS)
def test_a_throttled_call_is_tried_five_times_and_then_the_caller_s(
    operation: str, rested: list[float]
) -> None:
    """Polls of both kinds and all answers; rests grow, each drawn below its bound."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * TRIES)
    with pytest.raises(ClientError):
        CALLS[operation](swf)
    assert swf.names == [operation] * 5
    assert all(rest <= bound for rest, bound in zip(rested, (1, 2, 4, 8), strict=True))


@pytest.mark.parametrize("operation", CALLS)
def test_only_a_throttle_is_tried_again(operation: str) -> None:
    """Whatever else fails is the caller's at once."""
    for other in (refusal("AccessDeniedException"), EndpointConnectionError(endpoint_url="x")):
        swf = FakeSwf().prepare(operation, other)
        with pytest.raises(type(other)):
            CALLS[operation](swf)
        assert swf.names == [operation]


@pytest.mark.parametrize("operation", CALLS)
def test_our_own_handler_alone_speaks_of_throttles(
    operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO, by the logger of the work; what is given up is raised, not logged as an error."""
    swf = FakeSwf().prepare(operation, *[refusal(THROTTLED)] * TRIES)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError):
        CALLS[operation](swf)
    assert {(each.name, each.levelname) for each in caplog.records} == {("garcon", "INFO")}


def test_the_jitter_is_full(rested: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest may be anything from nothing to its bound."""
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high))

    class Owner:
        logger = logging.getLogger("garcon")

        @backed_off
        def call(self) -> None:
            raise refusal(THROTTLED)

    seen: list[Any] = []
    monkeypatch.setattr(Owner, "logger", SimpleNamespace(info=lambda *args: seen.append(args[-1])))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(ClientError):
        Owner().call()
    assert seen == [(0, 1), (0, 2), (0, 4), (0, 8)]


@pytest.mark.parametrize(
    ("operation", "poll"),
    [
        ("poll_for_activity_task", lambda swf: make("cook", swf).poll_once()),
        ("poll_for_decision_task", lambda swf: decider(swf).poll_once()),
    ],
)
def test_a_loop_with_patience_of_its_own_polls_once(operation: str, poll: Any) -> None:
    """It rests, and speaks, by itself."""
    swf = FakeSwf().prepare(operation, refusal(THROTTLED))
    with pytest.raises(ClientError):
        poll(swf)
    assert swf.names == [operation]
