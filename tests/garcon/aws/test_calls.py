"""The number of calls that an activity costs, counted at the service."""

from __future__ import annotations

import pytest

from garcon.local import LocalSWF
from tests.garcon.decider.sticky_deciders import UNCHECKED, Office, chain

STEPS = 10


@pytest.mark.parametrize("sticky", [UNCHECKED, None])
def test_an_activity_costs_two_calls_and_its_decision_two(sticky: object) -> None:
    """A task that ends before its first heartbeat sends none; no page is fetched twice."""
    with LocalSWF() as swf:
        office = Office(swf, chain(STEPS), sticky)  # type: ignore[arg-type]
        office.decider()
        swf.counters.calls.clear()
        office.start()
        office.run()
        calls = dict(swf.counters.calls)
    assert calls == {
        "StartWorkflowExecution": 1,
        "PollForDecisionTask": STEPS + 1,
        "RespondDecisionTaskCompleted": STEPS + 1,
        "PollForActivityTask": STEPS,
        "RespondActivityTaskCompleted": STEPS,
    }
