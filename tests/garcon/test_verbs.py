"""What a custom decider can say, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import activity, event
from garcon.decider import fail_workflow
from garcon.decider.comparing import difference
from garcon.decider.verbs import Schedule
from tests.garcon.asking import OTHER, A, attributes, child_history, decide
from tests.garcon.flows import flow, kinds, make, reason, scheduled
from tests.garcon.histories import History


def test_a_timer_is_started_waited_for_and_over() -> None:
    """One decision, then nothing, then the flow goes on."""

    def decider(schedule: Any) -> None:
        schedule.timer("tea", 180).wait()

    history = History()
    (decision,) = decide(decider, history)
    assert attributes(decision) == {"timerId": "tea", "startToFireTimeout": "180"}
    history.timer_started("tea")
    assert decide(decider, history) == []
    history.timer_fired("tea")
    assert kinds(decide(decider, history)) == ["CompleteWorkflowExecution"]


def test_schedule_has_the_name_of_the_function_it_was() -> None:
    """Flows that log it go on."""
    seen: list[str] = []
    decide(lambda schedule: seen.append(schedule.__name__))
    assert seen == ["schedule"]


def test_our_own_timers_are_not_the_flow_s() -> None:
    """Their names are taken."""
    assert "garcon-wait" in reason(decide(lambda schedule: schedule.timer("garcon-wait", 1)))


def test_signals_are_read_in_their_order() -> None:
    """The n-th call of a run is the n-th signal, and one that has not come is no hang."""
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


def test_a_child_is_a_workflow_of_its_own() -> None:
    """Its id tells whose it is; version, tags and priority are its flow's."""
    (decision,) = decide(lambda schedule: schedule.child("x", OTHER, {"n": 1}, timeout=60))
    said = attributes(decision)
    assert (said["workflowId"], said["input"]) == ("workflow-x", '{"n": 1}')
    assert said["workflowType"] == {"name": "other", "version": "2"}
    assert (said["tagList"], said["taskPriority"]) == (["t"], "3")
    assert (said["childPolicy"], said["executionStartToCloseTimeout"]) == ("TERMINATE", "60")


@pytest.mark.parametrize(
    ("ended", "said", "told"),
    [
        ("Failed", {"reason": "no", "details": "why"}, "The child workflow workflow-x: no."),
        ("TimedOut", {"timeoutType": "START_TO_CLOSE"}, "timed out (START_TO_CLOSE)"),
        ("Terminated", {}, "terminated"),
        ("Canceled", {}, "cancelled"),
    ],
)
def test_a_child_that_fails_fails_the_workflow_unless_it_may(
    ended: str, said: dict[str, Any], told: str
) -> None:
    """The sentence says how; with may_fail the state does."""
    history = child_history(ended, **said)
    assert told in reason(decide(lambda schedule: schedule.child("x", OTHER), history))
    outcomes: list[Any] = []

    def tolerant(schedule: Any) -> None:
        outcomes.append(str(schedule.child("x", OTHER, may_fail=True).failed))

    assert kinds(decide(tolerant, history)) == ["CompleteWorkflowExecution"]
    assert outcomes[0] in told


def test_a_child_s_result_is_read_as_json_or_text() -> None:
    """Children may be of other programs."""
    for text, value in (('{"n": 1}', {"n": 1}), ("plain", "plain")):
        seen: list[Any] = []
        history = child_history("Completed", result=text)
        decide(lambda s, seen=seen: seen.append(s.child("x", OTHER).result), history)
        assert seen == [value]


def test_any_of_keeps_its_first() -> None:
    """By the order of the events, not of the arguments: so it is the same at every decision."""
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
    """And fails with the first of them that failed."""
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
    """What was recorded is read ever after, as JSON has it."""
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
    """The n-th of a name is the n-th in the history, and markers alone wait for nothing."""

    def decider(schedule: Any) -> None:
        schedule.marker("leg", 1)
        schedule.marker("leg", 2)

    history = History()
    decisions = decide(decider, history)
    assert kinds(decisions) == ["RecordMarker", "RecordMarker", "CompleteWorkflowExecution"]
    history.add("MarkerRecorded", **attributes(decisions[0]))
    assert [attributes(each).get("details") for each in decide(decider, history)] == ["2", None]


def test_a_version_is_recorded_and_stays() -> None:
    """New executions live by the newest; a later newest does not change what was recorded."""
    seen: list[int] = []

    def decider(newest: int) -> Any:
        return lambda schedule: seen.append(schedule.version("change", newest))

    history = History()
    marker, _ = decide(decider(1), history)
    history.add("MarkerRecorded", **attributes(marker))
    decide(decider(2), history)
    assert seen == [1, 1]


def test_going_on_as_new_is_the_only_decision() -> None:
    """With what the execution was started with, and the new input."""
    history = History()
    history.events[0]["workflowExecutionStartedEventAttributes"].update(
        tagList=["t"], lambdaRole="role", executionStartToCloseTimeout="60"
    )

    def decider(schedule: Any) -> None:
        schedule("x", A)
        schedule.continue_as_new({"n": 2}, version="3")

    (decision,) = decide(decider, history)
    said = attributes(decision)
    assert (said["input"], said["workflowTypeVersion"]) == ('{"n": 2}', "3")
    assert (said["tagList"], said["lambdaRole"]) == (["t"], "role")
    assert said["executionStartToCloseTimeout"] == "60"


def test_the_same_id_with_another_input_is_an_error() -> None:
    """In one run, for each verb that takes an input; the same input is the same thing."""

    def twice(ask: Any, *inputs: Any) -> Any:
        return lambda schedule: [ask(schedule, each) for each in inputs]

    asks = [
        lambda s, n: s("x", A, input={"n": n}),
        lambda s, n: s.child("x", OTHER, {"n": n}),
        lambda s, n: s.lambda_("x", "f", {"n": n}),
    ]
    for ask in asks:
        assert "different inputs" in reason(decide(twice(ask, 1, 2)))
        assert len(decide(twice(ask, 1, 1))) == 1


@pytest.mark.parametrize("value", [1, 2])
def test_another_input_than_before_is_a_contradiction(value: int) -> None:
    """Between two decisions too, if the activity was scheduled with a note of its input."""
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
    """A decider that does something else than what was begun, and the history."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-old")
    return lambda schedule: schedule("new", A), history


def test_a_decider_that_contradicts_its_history_decides_nothing() -> None:
    """The report has event and line; the execution waits for better code, and is not failed."""
    errors: list[Any] = []
    decider, history = forgetful()
    (decision,) = decide(decider, history, on_exception=lambda _, error: errors.append(error))
    assert attributes(decision)["timerId"] == "garcon-wait"
    (error,) = errors
    assert error.event_id == 2
    assert "flow_a-1-old began with event 2" in str(error)
    assert f"{__file__}:{decider.__code__.co_firstlineno}" in str(error)


def test_a_flow_may_say_that_it_is_not_deterministic() -> None:
    """Then the contradiction is a warning, and is decided as ever."""
    decider, history = forgetful()
    assert scheduled(decide(decider, history, deterministic=False)) == ["flow_a-1-new"]


def test_a_decider_that_waits_for_nothing_fails() -> None:
    """Better a sentence than to hang; to wait for a signal is something."""
    elsewhere = activity.ActivityState("elsewhere")
    assert "Nothing runs" in reason(decide(lambda schedule: elsewhere.wait()))
    assert decide(lambda schedule: schedule.signal("go").wait()) == []


def test_a_failed_activity_that_may_fail_does_not_end_the_workflow() -> None:
    """The flow decides what then."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.failed("flow_a-1-x", "burnt")

    def decider(schedule: Any) -> None:
        if str(schedule("x", A, may_fail=True).failed) == "burnt":
            schedule("y", A)

    assert scheduled(decide(decider, history)) == ["flow_a-1-y"]


def test_priority_is_the_call_s_the_activity_s_or_the_flow_s() -> None:
    """In this order."""
    urgent = make("u", priority=5)

    def decider(schedule: Any) -> None:
        schedule("call", urgent, priority=7)
        schedule("own", urgent)
        schedule("flow", A)

    said = [attributes(each)["taskPriority"] for each in decide(decider, priority=2)]
    assert said == ["7", "5", "2"]


@pytest.mark.parametrize("cause", ["OPERATION_NOT_PERMITTED"])
@pytest.mark.parametrize("kind", ["RecordMarker", "CancelTimer", "RequestCancelActivityTask"])
def test_what_is_not_permitted_and_would_be_missed_fails(kind: str, cause: str) -> None:
    """A marker that is not recorded would be recorded for ever."""
    history = History()
    history.add(f"{kind}Failed", cause=cause)
    assert kind in reason(decide(lambda schedule: None, history))


def test_a_refused_child_is_waited_for_or_ends_the_workflow() -> None:
    """As its cause is."""
    history = History()
    name = {"workflowId": "workflow-x", "workflowType": {"name": "other", "version": "2"}}

    def decider(schedule: Any) -> None:
        schedule.child("x", OTHER, may_fail=True)

    history.add("StartChildWorkflowExecutionFailed", cause="OPEN_CHILDREN_LIMIT_EXCEEDED", **name)
    assert attributes(decide(decider, history)[0])["timerId"] == "garcon-wait"
    history.add("StartChildWorkflowExecutionFailed", cause="WORKFLOW_ALREADY_RUNNING", **name)
    assert "give the child another id" in reason(decide(decider, history))


def test_hand_back_timers_are_ignored() -> None:
    """They are of a decider that died, and no part of the flow's story."""
    history = History()
    history.timer_started("garcon-hand-back", "0")
    assert decide(lambda schedule: schedule.signal("go").wait(), history) == []
    history.timer_fired("garcon-hand-back")
    assert kinds(decide(lambda schedule: schedule("x", A), history)) == ["ScheduleActivityTask"]


def test_an_error_that_cannot_say_itself_still_fails_the_workflow() -> None:
    """Its name is the reason then."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert reason([fail_workflow(Silent())]) == "Silent"


def test_the_details_of_a_failure_are_its_traceback_cut() -> None:
    """SWF takes 32,768 characters."""

    def decider(schedule: Any) -> None:
        raise ValueError("x" * 50_000)

    said = attributes(decide(decider)[0])
    assert (len(said["reason"]), len(said["details"])) == (255, 32_768)
    assert "Traceback" in said["details"]


def test_moot_refusals_are_nobody_s_trouble() -> None:
    """What could not be cancelled because it had ended, has ended."""
    history = History()
    history.add("CancelTimerFailed", timerId="t", cause="TIMER_ID_UNKNOWN")
    history.add("RequestCancelActivityTaskFailed", activityId="a", cause="ACTIVITY_ID_UNKNOWN")
    assert kinds(decide(lambda schedule: None, history)) == ["CompleteWorkflowExecution"]


def test_a_child_refused_after_its_initiation_is_not_open() -> None:
    """Nothing of it would ever be heard again."""
    history = History()
    name = {"workflowId": "workflow-x", "workflowType": {"name": "other", "version": "2"}}
    number = history.add("StartChildWorkflowExecutionInitiated", **name)
    cause = {"cause": "OPEN_WORKFLOWS_LIMIT_EXCEEDED", "initiatedEventId": number}
    history.add("StartChildWorkflowExecutionFailed", **name, **cause)
    folded = event.History(history.events)
    assert not folded.pending
    assert [each.what for each in folded.held_back] == ["The child workflow workflow-x"]


def test_a_run_leaves_the_history_as_it_was() -> None:
    """It may be decided again from the same states, and must come out the same."""

    def decider(schedule: Any) -> None:
        schedule.cancel(schedule.timer("t", 9), schedule("x", A), schedule.child("x", OTHER))

    story = child_history()
    story.timer_started("t")
    story.scheduled("flow_a", "flow_a-1-x")
    used, fresh = event.History(story.events), event.History(story.events)
    decider(Schedule(flow(a=A), used, []))
    assert difference(used, fresh) is None


def test_what_never_began_may_be_forgotten() -> None:
    """An activity that SWF refused is no past that could be contradicted."""
    errors: list[Any] = []
    history = History()
    history.refused("flow_a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED", "flow_a-1-x")
    decide(lambda s: s("y", A), history, on_exception=lambda _, error: errors.append(error))
    assert errors == []


def test_the_first_thing_forgotten_is_reported() -> None:
    """Of all kinds together, by the number of its event."""
    history = History()
    history.timer_started("tea")
    history.scheduled("flow_a", "flow_a-1-old")
    errors: list[Any] = []
    decide(lambda s: s("new", A), history, on_exception=lambda _, error: errors.append(error))
    assert "The timer tea began with event 2" in str(errors[0])


def test_all_of_fails_with_what_failed_first() -> None:
    """By the history, whatever the order of the arguments."""
    history = History()
    for name in "xy":
        history.add("StartChildWorkflowExecutionInitiated", workflowId=f"workflow-{name}")
    for number, why in ((3, "y first"), (2, "x later")):
        history.add("ChildWorkflowExecutionFailed", initiatedEventId=number, reason=why)

    def decider(schedule: Any) -> None:
        schedule.all_of(*(schedule.child(each, OTHER, may_fail=True) for each in "xy")).wait()

    assert "y first" in reason(decide(decider, history))
