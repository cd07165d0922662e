"""The pace of the console's calls, in simulated time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.aws.retrying import Clock
from garcon.executions.console.call_pace import INTERVAL, PACED, CallPace, ConsoleBusy
from garcon.local import LocalSWF, Settings
from tests.garcon.local.conformance.account import TimedAccount

COUNT = "CountOpenWorkflowExecutions"


class SimulatedTime:
    """A clock that moves when a caller sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    @property
    def clock(self) -> Clock:
        """It as the library takes clocks."""
        return Clock(now=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


@given(st.lists(st.tuples(st.sampled_from(sorted(PACED)), st.floats(0, 2)), max_size=60))
def test_no_operation_has_more_than_two_calls_in_a_second(calls: list[tuple[str, float]]) -> None:
    """However the calls of viewers fall, each waits for its turn."""
    time = SimulatedTime()
    pace = CallPace(time.clock)
    sent: dict[str, list[float]] = {}
    for operation, pause in calls:
        time.now += pause
        pace.wait_for_turn(operation)
        sent.setdefault(operation, []).append(time.now)
    for moments in sent.values():
        gaps = (later - earlier for earlier, later in itertools.pairwise(moments))
        assert all(gap >= INTERVAL - 1e-6 for gap in gaps)


def test_operations_with_a_large_allowance_pass_at_once() -> None:
    """A history is read at 60 calls a second of the account, and lists of open ones at 48."""
    time = SimulatedTime()
    pace = CallPace(time.clock)
    for _ in range(100):
        pace.wait_for_turn("GetWorkflowExecutionHistory")
    assert time.now == 1000


def test_each_call_of_a_client_is_paced_also_those_for_pages() -> None:
    """The pace stands in the client, so that no call is forgotten; the first does not wait."""
    time = SimulatedTime()
    with LocalSWF(Settings(page_size=1)) as swf:
        account = TimedAccount(swf)
        for number in range(3):
            account.start(f"order-{number}")
            account.in_domain("terminate_workflow_execution", workflowId=f"order-{number}")
        client = swf.client()
        CallPace(time.clock).install(client)
        pages = client.get_paginator("list_closed_workflow_executions").paginate(
            domain=account.domain, startTimeFilter={"oldestDate": "1970-01-01"}
        )
        assert len([page for page in pages if page["executionInfos"]]) == 3
        calls = swf.counters.calls["ListClosedWorkflowExecutions"]
    assert time.now == 1000 + INTERVAL * (calls - 1)


def test_a_crowd_is_refused_rather_than_kept_waiting() -> None:
    """A viewer reads that there are too many calls; the refused one takes no turn."""
    frozen = CallPace(Clock(now=lambda: 1000.0, sleep=lambda _: None))
    for _ in range(11):
        frozen.wait_for_turn(COUNT)
    for _ in range(3):
        with pytest.raises(ConsoleBusy, match="at most 2 a second"):
            frozen.wait_for_turn(COUNT)
