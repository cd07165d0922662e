"""The input of a run that continues an execution."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import claims
from garcon.event import History
from garcon.history import continuation
from garcon.history.reserved_timers import retry_timer_id
from garcon.payload import codec
from tests.garcon import histories

IDS = ("a-1", "b-1", "b-2", "c-1")


def started(carried: Any) -> dict[str, Any]:
    """The first event of a run with this input."""
    return histories.History(carried).events[0]


def summary(history: History) -> Any:
    """The view that a flow of the ``requires`` kind has of a history."""
    return {
        (name, id_): (
            state.states if not state.ready else state.get_last_state(),
            state.ready and state.result,
            [str(each) for each in state.outcomes] if not state.ready else None,
            [each.at for each in state.outcomes] if not state.ready else None,
            None if state.ready else state.since,
            bool(state.retry_timer) and not state.ready,
        )
        for name, states in history.activities.items()
        for id_, state in states.items()
    }


def whole_histories(draw: Any) -> histories.History:
    """Activities that complete, fail, time out, wait and are retried; none is left open."""
    made = histories.History({"n": 1})
    for id_ in draw(st.lists(st.sampled_from(IDS), max_size=25)):
        name = id_.partition("-")[0]
        if History(made.events).activities[name].get(id_, continuation) is not continuation and (
            History(made.events).activities[name][id_].ready
        ):
            continue
        made.scheduled(name, id_)
        end = draw(st.sampled_from(["completed", "failed", "timed_out", "waiting"]))
        if end == "completed":
            made.completed(id_, draw(st.none() | st.just({id_: len(made.events)})))
        elif end == "waiting":
            made.failed(id_, "busy")
            made.timer_started(retry_timer_id(id_))
            made.timer_fired(retry_timer_id(id_))
        else:
            getattr(made, end)(id_)
    for place, event in enumerate(made.events):
        event["eventTimestamp"] = 1000.0 + place
    return made


@settings(max_examples=80)
@given(st.data())
def test_the_next_run_inherits_all_that_a_flow_sees(data: Any) -> None:
    """Results, retries, timers and input are the same, after a second continuation too."""
    made = whole_histories(data.draw)
    before = History(made.events)
    carried: Any = {"n": 1}
    events = made.events
    for _ in range(2):
        text = json.dumps({"n": 1})
        carried = continuation.carry(events, text)
        unpacked = continuation.unpack(carried)
        after = History([started(carried)])
        assert summary(after) == summary(before)
        assert after.context == before.context
        assert after.context.workflow_input == {"n": 1}
        assert unpacked.input == text
        assert all(each["eventId"] < 0 for each in unpacked.events)
        events = [*unpacked.events, started(carried)]


def test_thousands_of_activities_fit_into_an_input() -> None:
    """Ids repeat: 1,600 activities, the usual number at 10,000 events, need no claim store."""
    made = histories.History({})
    for number in range(1600):
        id_ = f"flow_step_{number:04}-1"
        made.scheduled(f"flow_step_{number:04}", id_)
        made.completed(id_, {f"count_{number}": number})
    assert len(json.dumps(continuation.carry(made.events, "{}"))) < 32_768


def test_an_input_that_looks_alike_is_an_input() -> None:
    """Only the dictionary that ``carry`` makes is unpacked."""
    value = {continuation.CARRIED: "x", "more": 1}
    assert not continuation.is_carried(value)
    assert History([started(value)]).context.workflow_input == value


@pytest.mark.parametrize("text", ["", "x", "!!!", "c$@", "\u20ac"])
def test_a_damaged_continuation_is_not_readable(text: str) -> None:
    """The error is a sentence, as for any unreadable input."""
    with pytest.raises(codec.NotReadable, match="inherits from the run before is damaged"):
        History([started({continuation.CARRIED: text})])


def test_a_continuation_that_would_fill_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its size is measured while it is decompressed, not after."""
    monkeypatch.setattr(claims, "LARGEST", 1000)
    with pytest.raises(continuation.NotCarried, match="more than 1,000"):
        continuation.unpack(continuation.carry([], "x" * 5000))
