"""The counting sidecar: its calls, and what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon import client
from supervisor.ipc import messages
from supervisor.ipc.messages import Backlog, Role, TaskList
from supervisor.sidecars import backlog
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal

if TYPE_CHECKING:
    import pytest

ACTIVITY = TaskList("flow_resize", Role.ACTIVITY, "resize")
DECIDER = TaskList("flow", Role.DECIDER)


class Sent:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, message: Any) -> None:
        """Keep it."""
        self.messages.append(message)


def counter(hosts: int = 1) -> tuple[Any, Sent]:
    """The counter of a sidecar, and its channel."""
    channel: Any = Sent()
    order = messages.RunSidecar(
        "backlog",
        messages.SwfEndpoint(),
        messages.LogSettings("info", "text"),
        domain="domain",
        lists=(ACTIVITY, DECIDER),
        interval=30.0,
        hosts=hosts,
    )
    return backlog._Counter(channel, order), channel


def test_each_role_has_its_own_count() -> None:
    """Activity tasks of an activity's list, decision tasks of the decider's."""
    swf = FakeSwf()
    swf.prepare("count_pending_activity_tasks", {"count": 7, "truncated": True})
    swf.prepare("count_pending_decision_tasks", {"count": 2})
    counting, channel = counter()
    with client.use(swf):
        assert counting.take_turn(ACTIVITY) == counting.take_turn(DECIDER) == 0.0
    assert channel.messages == [Backlog("flow_resize", 7, truncated=True), Backlog("flow", 2)]


def test_a_turn_of_a_fleet_s_host_is_mostly_reported_without_a_count() -> None:
    """No call is made for it."""
    swf, (counting, channel) = FakeSwf(), counter(hosts=100_000)
    with client.use(swf):
        counting.take_turn(ACTIVITY)
    assert channel.messages == [Backlog("flow_resize", None)]
    assert swf.calls == []


def test_a_refused_count_is_attempted_once_and_slows_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is reported, so the pool keeps its size; the line names the permission."""
    swf = FakeSwf().prepare("count_pending_activity_tasks", refusal(THROTTLED))
    counting, channel = counter()
    with client.use(swf):
        assert counting.take_turn(ACTIVITY) > 0.0
    assert swf.names == ["count_pending_activity_tasks"]
    assert channel.messages == []
    assert counting._pace.factor == 2.0
    assert "swf:CountPendingActivityTasks" in caplog.text


def test_decisions_that_must_not_be_counted_are_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The policy of an activity's host need not permit it; activities are counted on."""
    swf, (counting, channel) = FakeSwf(), counter()
    swf.prepare("count_pending_decision_tasks", refusal("AccessDeniedException"))
    with client.use(swf):
        for _ in range(3):
            swf.prepare("count_pending_activity_tasks", {"count": 7})
            assert counting.take_turn(ACTIVITY) == counting.take_turn(DECIDER) == 0.0
    assert swf.names.count("count_pending_decision_tasks") == 1
    assert channel.messages.count(Backlog("flow_resize", 7)) == 3
    (record,) = caplog.records
    assert record.getMessage().endswith("It is not counted again.")
