"""The events that a redriven run keeps of the one that closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon.event import History as Folded
from garcon.history import continuation, redriving
from garcon.history.decision_deaths import DecisionDeaths
from garcon.history.redriving import Dropped
from garcon.history.reserved_timers import RETURN_TIMER, WAIT_TIMER, retry_timer_id
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Sequence


NOTHING = Dropped()


class Run(History):
    """A history with decisions; each method is one step of it."""

    def decided(self, context: str | None = None) -> int:
        """A decision task, decided on all events so far; the number of its answer."""
        scheduled = self.add("DecisionTaskScheduled")
        started = self.add("DecisionTaskStarted", scheduledEventId=scheduled)
        members = {"executionContext": context} if context else {}
        return self.add("DecisionTaskCompleted", startedEventId=started, **members)

    def closed(self, how: str = "Failed") -> Run:
        """A decision closes the run."""
        number = self.decided()
        self.add(f"WorkflowExecution{how}", decisionTaskCompletedEventId=number)
        return self

    def child(self, id_: str, ended: str = "Completed", **members: Any) -> None:
        """A child that began and ended."""
        number = self.add("StartChildWorkflowExecutionInitiated", workflowId=id_)
        place = {"workflowExecution": {"workflowId": id_, "runId": "r"}}
        self.add("ChildWorkflowExecutionStarted", initiatedEventId=number, **place)
        self.add(f"ChildWorkflowExecution{ended}", initiatedEventId=number, **members, **place)


def inherited(events: Sequence[dict[str, Any]], dropped: Dropped = NOTHING) -> Folded:
    """The state with which the new run begins."""
    for place, event in enumerate(events):
        event.setdefault("eventTimestamp", 1000.0 + place)
    kept = redriving.kept(events, dropped)
    return Folded(History(continuation.carry_kept(kept, '{"n": 1}', ["r"])).events)


def states(folded: Folded) -> dict[str, bool]:
    """Activities, timers and children: whether they completed."""
    found = {id_: state.ready for of in folded.activities.values() for id_, state in of.items()}
    for of_kind in folded.states_by_kind.values():
        found |= {id_: state.ready for id_, state in of_kind.items()}
    return found


def test_results_timers_signals_and_markers_are_kept() -> None:
    """As they were, in their order, with the input."""
    run = Run({"n": 1})
    run.decided()
    run.scheduled("a")
    run.timer_started("tea")
    run.add("MarkerRecorded", markerName="m", details="1")
    run.timer_fired("tea")
    run.add("WorkflowExecutionSignaled", signalName="go", input="2")
    run.completed("a-1", {"r": 3})
    run.child("kid", result="4")
    run.scheduled("b")
    run.failed("b-1")
    folded = inherited(run.closed().events)
    assert states(folded) == {"a-1": True, "tea": True, "kid": True}
    assert folded.context == {"n": 1, "r": 3}
    assert [value for _, value in folded.signals["go"]] == [2]
    assert folded.markers == {"m": ["1"]}
    tea, kid = folded.states_by_kind["timer"]["tea"], folded.states_by_kind["child workflow"]["kid"]
    assert tea.ended < folded.signals["go"][0][0] < folded.activities["a"]["a-1"].ended < kid.ended
    assert kid.result == 4
    assert not folded.pending


def test_a_failure_is_kept_if_the_decider_went_on_after_it() -> None:
    """And not if the run closed, timed out or was terminated on it."""
    for is_followed in (True, False):
        run = Run()
        run.decided()
        run.scheduled("a")
        run.failed("a-1")
        run.child("kid", "Failed")
        if is_followed:
            run.decided()
            run.scheduled("b")
        run.add("WorkflowExecutionTerminated")
        folded = inherited(run.events)
        assert states(folded) == ({"a-1": False, "kid": False} if is_followed else {})
        assert folded.activities["a"]["a-1"].failures == ["broken"] if is_followed else True


def test_tasks_that_were_returned_or_left_to_wait_are_no_way_on() -> None:
    """A parked execution that is terminated runs the failed activity again."""
    for timer, context in ((RETURN_TIMER, str(DecisionDeaths(3, "x", 60))), (WAIT_TIMER, None)):
        run = Run()
        run.decided()
        run.scheduled("a")
        run.failed("a-1")
        number = run.decided(context)
        started = run.timer_started(timer)
        member = "timerStartedEventAttributes"
        run.events[started - 1][member]["decisionTaskCompletedEventId"] = number
        run.decided(str(DecisionDeaths(3, "x", 60)))
        run.add("WorkflowExecutionTerminated")
        assert states(inherited(run.events)) == {}, timer


def test_what_waits_for_its_retry_runs_again_with_all_retries() -> None:
    """Its failed attempts are forgotten."""
    run = Run()
    run.decided()
    run.scheduled("a")
    run.failed("a-1")
    run.decided()
    run.timer_started(retry_timer_id("a-1"))
    run.decided()
    run.add("WorkflowExecutionTerminated")
    assert states(inherited(run.events)) == {}


def test_a_cancellation_is_undone() -> None:
    """The effects of the request to cancel are dropped; results that still came are kept."""
    run = Run()
    run.decided()
    run.scheduled("a")
    run.scheduled("b")
    run.timer_started("tea")
    run.add("WorkflowExecutionCancelRequested")
    number = run.decided()
    run.add("ActivityTaskCancelRequested", activityId="b-1", decisionTaskCompletedEventId=number)
    run.add("TimerCanceled", timerId="tea", startedEventId=run._timers["tea"])
    run.add("MarkerRecorded", markerName="cleaned up")
    run.scheduled("tidy")
    run.completed("a-1")
    run.canceled("b-1")
    run.completed("tidy-1")
    folded = inherited(run.closed("Canceled").events)
    assert states(folded) == {"a-1": True}
    assert (folded.markers, folded.cancel_requested) == ({}, 0)


def test_what_the_decider_cancelled_itself_stays_cancelled() -> None:
    """It is a part of the flow's way."""
    run = Run()
    run.decided()
    run.scheduled("a")
    number = run.decided()
    run.add("ActivityTaskCancelRequested", activityId="a-1", decisionTaskCompletedEventId=number)
    run.canceled("a-1")
    run.decided()
    run.scheduled("b")
    run.failed("b-1")
    state = inherited(run.closed().events).activities["a"]["a-1"]
    assert (state.canceled, state.cancel_requested) == (True, True)


def test_named_activities_are_dropped_though_they_completed() -> None:
    """By their ids, their names, or all that began from an event on."""
    run = Run()
    for name in "abc":
        run.decided()
        run.scheduled(name)
        run.completed(f"{name}-1")
    run.decided()
    run.timer_started("tea")
    run.timer_fired("tea")
    events = run.closed().events
    second = next(each["eventId"] for each in events if "b-1" in str(each))
    for dropped, left in (
        (Dropped(ids=["a-1"]), {"b-1", "c-1", "tea"}),
        (Dropped(names=["b", "c"]), {"a-1", "tea"}),
        (Dropped(since=second), {"a-1"}),
    ):
        assert states(inherited(events, dropped)).keys() == left


def test_what_was_inherited_is_inherited_again() -> None:
    """Failures that the flow had gone on from before, too."""
    run = Run()
    run.decided()
    run.scheduled("a")
    run.failed("a-1")
    run.decided()
    run.scheduled("b")
    run.completed("b-1")
    first = inherited(run.closed().events)
    kept = redriving.kept(run.events)
    carried = continuation.unpack(continuation.carry_kept(kept, None, ["r"]))
    second = inherited([*carried.events, *Run().closed().events])
    assert states(first) == states(second) == {"a-1": False, "b-1": True}
