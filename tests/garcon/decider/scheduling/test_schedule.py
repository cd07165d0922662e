"""The methods of ``schedule``, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import activity, event
from garcon.decider import fail_workflow
from garcon.decider.scheduling.schedule import Schedule
from garcon.decider.sticky.state_diff import difference
from tests.garcon.decider.custom_decider import OTHER, A, attributes, child_history, decide
from tests.garcon.flows import flow, kinds, make, reason, scheduled
from tests.garcon.histories import History


def test_a_timer_is_started_waited_for_and_over() -> None:
    """The timer is one decision; the flow goes on when it has fired."""

    def decider(schedule: Any) -> None:
        schedule.timer("tea", 180).wait()

    history = History()
    (decision,) = decide(decider, history)
    assert attributes(decision) == {"timerId": "tea", "startToFireTimeout": "180"}
    history.timer_started("tea")
    assert decide(decider, history) == []
    history.timer_fired("tea")
    assert kinds(decide(decider, history)) == ["CompleteWorkflowExecution"]


def test_schedule_has_the_name_of_the_released_function() -> None:
    """``__name__`` is still there for flows that log it."""
    seen: list[str] = []
    decide(lambda schedule: seen.append(schedule.__name__))
    assert seen == ["schedule"]


def test_the_library_s_timer_names_are_refused() -> None:
    """A flow cannot start a timer with a name of the library's own."""
    assert "garcon-wait" in reason(decide(lambda schedule: schedule.timer("garcon-wait", 1)))


def test_signals_are_read_in_their_order() -> None:
    """The n-th call of a run is the n-th signal; a flow that waits for one is not stuck."""
    seen: list[Any] = []

    def decider(schedule: Any) -> None:
        seen[:] = []
        seen.extend(schedule.signal("go").result for _ in range(3))

    history = History()
    assert decide(decider, history) == []
    for text in ('{"n": 1}', "plain"):
        history.add("WorkflowExecutionSignaled", signalName="go", input=text)
    assert decide(decider, history) == []
    history.add("WorkflowExecutionSignaled", signalName="go")
    assert kinds(decide(decider, history)) == ["CompleteWorkflowExecution"]
    assert seen == [{"n": 1}, "plain", None]


def test_a_child_has_its_own_flow_s_attributes() -> None:
    """Its id begins with the parent's; version, tags and priority are its flow's."""
    (decision,) = decide(lambda schedule: schedule.child("x", OTHER, {"n": 1}, timeout=60))
    members = attributes(decision)
    assert (members["workflowId"], members["input"]) == ("workflow-x", '{"n": 1}')
    assert members["workflowType"] == {"name": "other", "version": "2"}
    assert (members["tagList"], members["taskPriority"]) == (["t"], "3")
    assert (members["childPolicy"], members["executionStartToCloseTimeout"]) == ("TERMINATE", "60")


@pytest.mark.parametrize(
    ("ended", "members", "text"),
    [
        ("Failed", {"reason": "no", "details": "why"}, "The child workflow workflow-x: no."),
        ("TimedOut", {"timeoutType": "START_TO_CLOSE"}, "timed out (START_TO_CLOSE)"),
        ("Terminated", {}, "terminated"),
        ("Canceled", {}, "cancelled"),
    ],
)
def test_a_failed_child_fails_the_workflow_unless_it_may_fail(
    ended: str, members: dict[str, Any], text: str
) -> None:
    """The reason has the outcome; with may_fail the state has it."""
    history = child_history(ended, **members)
    assert text in reason(decide(lambda schedule: schedule.child("x", OTHER), history))
    outcomes: list[Any] = []

    def tolerant(schedule: Any) -> None:
        outcomes.append(str(schedule.child("x", OTHER, may_fail=True).failed))

    assert kinds(decide(tolerant, history)) == ["CompleteWorkflowExecution"]
    assert outcomes[0] in text


def test_a_child_s_result_is_read_as_json_or_text() -> None:
    """A child of another program may have a result that is not JSON."""
    for text, value in (('{"n": 1}', {"n": 1}), ("plain", "plain")):
        seen: list[Any] = []
        history = child_history("Completed", result=text)
        decide(lambda s, seen=seen: seen.append(s.child("x", OTHER).result), history)
        assert seen == [value]


def test_any_of_keeps_its_first() -> None:
    """The first is the first in the history, whatever the order of the arguments."""
    seen: list[str] = []

    def decider(schedule: Any) -> None:
        one, two = schedule.timer("one", 1), schedule.timer("two", 1)
        seen.append(schedule.any_of(one, two).first.id)

    history = History()
    for name in ("one", "two"):
        history.timer_started(name)
    history.timer_fired("two")
    decide(decider, history)
    history.timer_fired("one")
    decide(decider, history)
    assert seen == ["two", "two"]


def test_all_of_has_all_results_in_their_order() -> None:
    """The results are in the order of the arguments; one failure fails all."""
    seen: list[Any] = []

    def decider(schedule: Any) -> None:
        go = schedule.signal("go"), schedule.signal("go")
        seen.append(schedule.all_of(*reversed(go)).result)

    history = History()
    for number in "12":
        history.add("WorkflowExecutionSignaled", signalName="go", input=number)
    decide(decider, history)
    assert seen == [[2, 1]]
    failed = child_history("Failed", reason="no")
    why = reason(decide(lambda s: s.all_of(s.child("x", OTHER, may_fail=True)).wait(), failed))
    assert why.endswith(": no.")


def test_side_effects_happen_once() -> None:
    """Later runs read the recorded value, as JSON has it."""
    draws = iter([(1, 2), (3, 4)])
    seen: list[Any] = []

    def decider(schedule: Any) -> None:
        seen.append(schedule.side_effect(lambda: next(draws), id="draw"))
        schedule.timer("t", 1)

    history = History()
    marker, _ = decide(decider, history)
    history.add("MarkerRecorded", **attributes(marker))
    assert kinds(decide(decider, history)) == ["StartTimer"]
    assert seen == [[1, 2], [1, 2]]


def test_markers_are_recorded_once_each() -> None:
    """The n-th marker of a name is the n-th in the history; markers do not block completion."""

    def decider(schedule: Any) -> None:
        schedule.marker("leg", 1)
        schedule.marker("leg", 2)

    history = History()
    decisions = decide(decider, history)
    assert kinds(decisions) == ["RecordMarker", "RecordMarker", "CompleteWorkflowExecution"]
    history.add("MarkerRecorded", **attributes(decisions[0]))
    assert [attributes(each).get("details") for each in decide(decider, history)] == ["2", None]


def test_a_version_is_recorded_and_stays() -> None:
    """A new execution follows the newest version; a later newest does not change the record."""
    seen: list[int] = []

    def decider(newest: int) -> Any:
        return lambda schedule: seen.append(schedule.version("change", newest))

    history = History()
    marker, _ = decide(decider(1), history)
    history.add("MarkerRecorded", **attributes(marker))
    decide(decider(2), history)
    assert seen == [1, 1]


def test_continuing_as_new_is_the_only_decision() -> None:
    """The new run has the members of the first start, and the new input."""
    history = History()
    history.events[0]["workflowExecutionStartedEventAttributes"].update(
        tagList=["t"], lambdaRole="role", executionStartToCloseTimeout="60"
    )

    def decider(schedule: Any) -> None:
        schedule("x", A)
        schedule.continue_as_new({"n": 2}, version="3")

    (decision,) = decide(decider, history)
    members = attributes(decision)
    assert (members["input"], members["workflowTypeVersion"]) == ('{"n": 2}', "3")
    assert (members["tagList"], members["lambdaRole"]) == (["t"], "role")
    assert members["executionStartToCloseTimeout"] == "60"


def test_the_same_id_with_another_input_is_an_error() -> None:
    """In one run, for each method with an input; the same input is the same request."""

    def twice(request: Any, *inputs: Any) -> Any:
        return lambda schedule: [request(schedule, each) for each in inputs]

    requests = [
        lambda s, n: s("x", A, input={"n": n}),
        lambda s, n: s.child("x", OTHER, {"n": n}),
        lambda s, n: s.lambda_("x", "f", {"n": n}),
    ]
    for request in requests:
        assert "different inputs" in reason(decide(twice(request, 1, 2)))
        assert len(decide(twice(request, 1, 1))) == 1


@pytest.mark.parametrize("value", [1, 2])
def test_another_input_than_in_the_history_is_non_deterministic(value: int) -> None:
    """The input noted with the scheduled activity is compared between runs."""
    errors: list[Any] = []

    def decider(n: int) -> Any:
        return lambda schedule: schedule("x", A, input={"n": n})

    (decision,) = decide(decider(1))
    history = History()
    number = history.scheduled("flow_a", "flow_a-1-x")
    event = history.events[number - 1]["activityTaskScheduledEventAttributes"]
    event["control"] = attributes(decision)["control"]
    decisions = decide(decider(value), history, on_exception=lambda _, error: errors.append(error))
    assert (kinds(decisions), len(errors)) == ((["StartTimer"], 1) if value == 2 else ([], 0))


def forgetful() -> tuple[Any, History]:
    """A decider that does not request what its history has, and that history."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-old")
    return lambda schedule: schedule("new", A), history


def test_a_non_deterministic_decider_decides_nothing() -> None:
    """The report has event and line; the execution waits for restored code, and does not fail."""
    errors: list[Any] = []
    decider, history = forgetful()
    (decision,) = decide(decider, history, on_exception=lambda _, error: errors.append(error))
    assert attributes(decision)["timerId"] == "garcon-wait"
    (error,) = errors
    assert error.event_id == 2
    assert "flow_a-1-old was scheduled in event 2" in str(error)
    assert f"{__file__}:{decider.__code__.co_firstlineno}" in str(error)


def test_a_flow_may_be_declared_not_deterministic() -> None:
    """The difference is logged as a warning, and the decisions are sent."""
    decider, history = forgetful()
    assert scheduled(decide(decider, history, deterministic=False)) == ["flow_a-1-new"]


def test_a_decider_that_waits_for_nothing_fails() -> None:
    """A stuck workflow fails with a sentence; one that waits for a signal is not stuck."""
    elsewhere = activity.ActivityState("elsewhere")
    assert "Nothing runs" in reason(decide(lambda schedule: elsewhere.wait()))
    assert decide(lambda schedule: schedule.signal("go").wait()) == []


def test_a_failed_activity_that_may_fail_does_not_end_the_workflow() -> None:
    """With may_fail the flow decides what follows a failure."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.failed("flow_a-1-x", "burnt")

    def decider(schedule: Any) -> None:
        if str(schedule("x", A, may_fail=True).failed) == "burnt":
            schedule("y", A)

    assert scheduled(decide(decider, history)) == ["flow_a-1-y"]


def test_priority_is_the_call_s_the_activity_s_or_the_flow_s() -> None:
    """The call wins over the activity, the activity over the flow."""
    urgent = make("u", priority=5)

    def decider(schedule: Any) -> None:
        schedule("call", urgent, priority=7)
        schedule("own", urgent)
        schedule("flow", A)

    priorities = [attributes(each)["taskPriority"] for each in decide(decider, priority=2)]
    assert priorities == ["7", "5", "2"]


@pytest.mark.parametrize("cause", ["OPERATION_NOT_PERMITTED"])
@pytest.mark.parametrize("kind", ["RecordMarker", "CancelTimer", "RequestCancelActivityTask"])
def test_a_refused_decision_without_a_trace_fails_the_workflow(kind: str, cause: str) -> None:
    """Otherwise a marker that SWF does not permit would be decided forever."""
    history = History()
    history.add(f"{kind}Failed", cause=cause)
    assert kind in reason(decide(lambda schedule: None, history))


def test_a_refused_child_is_waited_for_or_ends_the_workflow() -> None:
    """A transient cause is waited for; a permanent one fails the workflow."""
    history = History()
    name = {"workflowId": "workflow-x", "workflowType": {"name": "other", "version": "2"}}

    def decider(schedule: Any) -> None:
        schedule.child("x", OTHER, may_fail=True)

    history.add("StartChildWorkflowExecutionFailed", cause="OPEN_CHILDREN_LIMIT_EXCEEDED", **name)
    assert attributes(decide(decider, history)[0])["timerId"] == "garcon-wait"
    history.add("StartChildWorkflowExecutionFailed", cause="WORKFLOW_ALREADY_RUNNING", **name)
    assert "give the child another id" in reason(decide(decider, history))


def test_return_timers_are_ignored() -> None:
    """They are the supervisor's, for a dead decider, and do not belong to the flow."""
    history = History()
    history.timer_started("garcon-hand-back", "0")
    assert decide(lambda schedule: schedule.signal("go").wait(), history) == []
    history.timer_fired("garcon-hand-back")
    assert kinds(decide(lambda schedule: schedule("x", A), history)) == ["ScheduleActivityTask"]


def test_an_error_without_a_text_still_fails_the_workflow() -> None:
    """If its ``str`` raises, the reason is the name of its type."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert reason([fail_workflow(Silent())]) == "Silent"


def test_the_details_of_a_failure_are_its_traceback_cut() -> None:
    """Reason and details are cut to SWF's limits."""

    def decider(schedule: Any) -> None:
        raise ValueError("x" * 50_000)

    members = attributes(decide(decider)[0])
    assert (len(members["reason"]), len(members["details"])) == (255, 32_768)
    assert "Traceback" in members["details"]


def test_refused_cancellations_of_ended_things_are_ignored() -> None:
    """A thing that could not be cancelled because it had ended has ended."""
    history = History()
    history.add("CancelTimerFailed", timerId="t", cause="TIMER_ID_UNKNOWN")
    history.add("RequestCancelActivityTaskFailed", activityId="a", cause="ACTIVITY_ID_UNKNOWN")
    assert kinds(decide(lambda schedule: None, history)) == ["CompleteWorkflowExecution"]


def test_a_child_refused_after_its_initiation_is_not_open() -> None:
    """No later event would end it."""
    history = History()
    name = {"workflowId": "workflow-x", "workflowType": {"name": "other", "version": "2"}}
    number = history.add("StartChildWorkflowExecutionInitiated", **name)
    cause = {"cause": "OPEN_WORKFLOWS_LIMIT_EXCEEDED", "initiatedEventId": number}
    history.add("StartChildWorkflowExecutionFailed", **name, **cause)
    folded = event.History(history.events)
    assert not folded.pending
    assert [each.what for each in folded.refusals.held_back] == ["The child workflow workflow-x"]


def test_a_run_leaves_the_history_as_it_was() -> None:
    """The same states may be decided again, and must give the same decisions."""

    def decider(schedule: Any) -> None:
        schedule.cancel(schedule.timer("t", 9), schedule("x", A), schedule.child("x", OTHER))

    story = child_history()
    story.timer_started("t")
    story.scheduled("flow_a", "flow_a-1-x")
    used, fresh = event.History(story.events), event.History(story.events)
    decider(Schedule(flow(a=A), used, []))
    assert difference(used, fresh) is None


def test_a_refused_activity_need_not_be_requested_again() -> None:
    """It never began, so the history does not contradict the new code."""
    errors: list[Any] = []
    history = History()
    history.refused("flow_a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED", "flow_a-1-x")
    decide(lambda s: s("y", A), history, on_exception=lambda _, error: errors.append(error))
    assert errors == []


def test_the_first_missing_request_is_reported() -> None:
    """Of all kinds of things, the one with the lowest event number."""
    history = History()
    history.timer_started("tea")
    history.scheduled("flow_a", "flow_a-1-old")
    errors: list[Any] = []
    decide(lambda s: s("new", A), history, on_exception=lambda _, error: errors.append(error))
    assert "the timer tea was scheduled in event 2" in str(errors[0])


def test_all_of_fails_with_the_first_failure() -> None:
    """The first failure in the history counts, whatever the order of the arguments."""
    history = History()
    for name in "xy":
        history.add("StartChildWorkflowExecutionInitiated", workflowId=f"workflow-{name}")
    for number, why in ((3, "y first"), (2, "x later")):
        history.add("ChildWorkflowExecutionFailed", initiatedEventId=number, reason=why)

    def decider(schedule: Any) -> None:
        schedule.all_of(*(schedule.child(each, OTHER, may_fail=True) for each in "xy")).wait()

    assert "y first" in reason(decide(decider, history))
