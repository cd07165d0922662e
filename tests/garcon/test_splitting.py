"""Answers of bounded size."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from garcon.decider.decisions import complete_workflow
from garcon.decider.splitting import DECISIONS, SIZE, split
from garcon.event import History
from garcon.local import LocalSWF
from garcon.timers import MORE_TIMER
from tests.garcon import histories
from tests.garcon.deciding import Office, count
from tests.garcon.flows import flow, kinds, make


def marker(number: int, size: int = 1) -> dict[str, Any]:
    """A decision of some size."""
    told = {"markerName": str(number), "details": "x" * size}
    return {"decisionType": "RecordMarker", "recordMarkerDecisionAttributes": told}


def test_what_fits_is_left_alone() -> None:
    """A hundred decisions, the last one closing."""
    wanted = [*map(marker, range(99)), complete_workflow()]
    assert split(wanted, History()) == wanted


def test_what_is_left_over_is_brought_by_a_timer() -> None:
    """The first 99 in their order, and a timer of no seconds."""
    wanted = [*map(marker, range(150))]
    sent = split(wanted, History())
    assert sent[:-1] == wanted[:99]
    assert sent[-1]["startTimerDecisionAttributes"] == {
        "timerId": MORE_TIMER,
        "startToFireTimeout": "0",
    }


def test_the_timer_is_started_once() -> None:
    """If it runs already, it brings the next task."""
    history = histories.History()
    history.timer_started(MORE_TIMER)
    assert kinds(split([*map(marker, range(150))], History(history.events))) == (
        ["RecordMarker"] * 100
    )


@given(st.lists(st.integers(1, 32_000), max_size=130))
def test_no_answer_is_larger_than_swf_takes(sizes: list[int]) -> None:
    """By count and by size; some progress is made, and the order is kept."""
    wanted = [marker(number, size) for number, size in enumerate(sizes)]
    sent = split(wanted, History())
    assert len(sent) <= DECISIONS
    assert sum(len(json.dumps(each)) for each in sent) <= SIZE + 200
    markers = [each for each in sent if each["decisionType"] == "RecordMarker"]
    assert markers == wanted[: len(markers)]
    assert bool(markers) == bool(wanted)
    assert len(markers) == len(wanted) or kinds(sent)[-1] == "StartTimer"


def test_a_wide_fan_is_scheduled_in_several_answers() -> None:
    """All of 250 are scheduled, without waiting for one of them to end."""
    fan = make("fan", generators=[lambda _: [{"n": n} for n in range(250)]])
    with LocalSWF() as swf:
        office = Office(swf, flow(a=fan))
        office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskScheduled") == 250)
        assert count(swf.history("workflow"), "ActivityTaskStarted") == 0
        assert count(swf.history("workflow"), "DecisionTaskCompleted") == 3
        assert office.run()[-1]["eventType"] == "WorkflowExecutionCompleted"
