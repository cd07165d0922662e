"""When an activity is tried again: classification, rests, and what costs nothing."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import activity
from garcon.activity import ActivityState, Rest, Step, next_step
from garcon.activity.retrying import FREE_REPEATS
from garcon.local import LocalSWF
from garcon.retry import TIMED_OUT, Cause, Retry, cause_of, policy_of, raised_by
from garcon.states import How, Outcome
from tests.garcon.flows import flow, make
from tests.garcon.stage import Stage


def traceback_of(error: Exception) -> str:
    """What an activity answers as details."""

    def task() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        task()
    return "".join(traceback.format_exception(caught.value))


def failure(error: Exception, at: float = 0.0) -> Outcome:
    """What the history says after a task raised."""
    return Outcome(How.FAILED, str(error)[:255], traceback_of(error), 0, at)


def died(how: str = "WorkerDied") -> Outcome:
    """What the history says after a worker died."""
    return Outcome(How.FAILED, f"{how}: killed by SIGKILL")


def state(*outcomes: Outcome) -> ActivityState:
    """An instance whose tries ended so."""
    made = ActivityState("x-1")
    for each in outcomes:
        made.begin(at=100.0)
        made.end(each)
    return made


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (failure(ValueError("x")), Cause.FAILED),
        (Outcome(How.TIMED_OUT, "HEARTBEAT"), Cause.HEARTBEAT),
        (Outcome(How.TIMED_OUT, "SCHEDULE_TO_START"), Cause.SCHEDULE_TO_START),
        (Outcome(How.CANCELED), Cause.CANCELED),
        (died(), Cause.WORKER_DIED),
        (died("Interrupted"), Cause.INTERRUPTED),
        (died("Unbegun"), Cause.UNBEGUN),
        (died("Poison"), Cause.POISON),
        (Outcome(How.FAILED, "Poison in the well"), Cause.FAILED),
    ],
)
def test_failures_are_classified_by_cause(outcome: Outcome, cause: Cause) -> None:
    """Each kind of end has its cause."""
    assert cause_of(outcome) is cause


class Outer:
    """A place for an exception whose name has several parts."""

    class Busy(ConnectionError):
        """A failure that passes."""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("a: b\nc: d"), "ValueError"),
        (ValueError(), "ValueError"),
        (Outer.Busy("x"), f"{__name__}.Outer.Busy"),
        (json.JSONDecodeError("no", "x", 0), "json.decoder.JSONDecodeError"),
    ],
)
def test_the_type_that_a_task_raised_is_read_from_the_traceback(
    error: Exception, name: str
) -> None:
    """Its full name, whatever its message."""
    assert raised_by(failure(error)) == name


def test_of_chained_errors_the_last_counts() -> None:
    """It is the one that the task raised."""
    second = OSError("second")
    second.__cause__ = KeyError("first")
    assert raised_by(failure(second)) == "OSError"
    assert raised_by(Outcome(How.FAILED, "no traceback", "ValueError: x")) is None


@pytest.mark.parametrize(
    ("retry", "takes"),
    [
        (Retry(), True),
        (Retry(on=ConnectionError), True),
        (Retry(on=[Outer.Busy]), True),
        (Retry(on="Busy"), True),
        (Retry(on=[ValueError, *TIMED_OUT]), False),
        (Retry(unless=[OSError]), False),
        (Retry(on=[OSError], unless=[Outer.Busy]), False),
        (Retry(unless=[Cause.FAILED]), False),
        (Retry(unless=TIMED_OUT), True),
    ],
)
def test_on_and_unless_choose(retry: Retry, *, takes: bool) -> None:
    """A type means its subclasses, a name the type's, and unless wins."""
    assert retry.takes(failure(Outer.Busy("x"))) is takes


def test_on_lists_causes_too() -> None:
    """A timeout is no exception, and is chosen by its kind."""
    late = Outcome(How.TIMED_OUT, "HEARTBEAT")
    assert Retry(on=[Cause.HEARTBEAT]).takes(late)
    assert not Retry(on=[ValueError]).takes(late)
    assert not Retry(on=[Cause.START_TO_CLOSE]).takes(late)


@pytest.mark.parametrize(
    "figures",
    [{"maximum": -1}, {"initial": -1}, {"cap": -1}, {"factor": 0.5}, {"jitter": 1.5}],
)
def test_figures_out_of_range_are_refused(figures: dict[str, Any]) -> None:
    """When the flow is imported, and not at the first failure."""
    with pytest.raises(ValueError, match="Retry: "):
        Retry(**figures)


RETRIES = st.builds(
    Retry,
    initial=st.floats(0, 1e6),
    factor=st.floats(1, 1e9),
    cap=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)


@given(RETRIES, st.integers(1, 10_000), st.text())
def test_rests_stay_within_their_bounds(retry: Retry, number: int, seed: str) -> None:
    """No rest is longer than the cap or shorter than the jitter allows, and it is repeatable."""
    rest = retry.rest(number, seed)
    assert 0 <= rest <= retry.cap
    assert rest >= min(retry.initial, retry.cap) * (1 - retry.jitter) * 0.999
    assert rest == retry.rest(number, seed)


def test_rests_grow() -> None:
    """By the factor, up to the cap."""
    retry = Retry(initial=2, factor=3, cap=40, jitter=0)
    assert [retry.rest(number, "") for number in (1, 2, 3, 4, 5)] == [2, 6, 18, 40, 40]


def test_a_failed_try_is_rested_on() -> None:
    """The rest says which try follows, and why; a running timer is waited for, a fired one not."""
    made = state(failure(ValueError("no")), failure(ValueError("still no")))
    step = next_step(made, Retry(initial=4, jitter=0))
    assert step == Rest("x-1", 8, 3, "still no")


def test_a_number_repeats_at_once() -> None:
    """As documented."""
    assert next_step(state(died()), policy_of(1)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(died()), policy_of(0))


def test_what_was_never_begun_is_free() -> None:
    """It costs no retry, up to a number; after that it counts, so that nothing loops for ever."""
    unbegun = died("Unbegun")
    free = [unbegun] * FREE_REPEATS
    assert next_step(state(*free), policy_of(0)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(*free, unbegun), policy_of(0))
    assert next_step(state(*free, unbegun), policy_of(1)) is Step.SCHEDULE


def test_free_tries_beyond_the_number_rest_as_others_do() -> None:
    """They count, and so they do not come back at once."""
    made = state(*[died("Unbegun")] * (FREE_REPEATS + 1))
    assert isinstance(next_step(made, Retry(maximum=1, initial=5)), Rest)


@pytest.mark.parametrize("how", ["WorkerDied", "Interrupted"])
def test_a_death_counts_unless_the_task_is_restartable(how: str) -> None:
    """Nobody knows how much was done, unless the flow says that it does not matter."""
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(died(how)), policy_of(0))
    assert next_step(state(died(how)), policy_of(0), restartable=True) is Step.SCHEDULE


def test_free_tries_and_others_are_counted_apart() -> None:
    """A hand-over in the middle does not take a retry away."""
    made = state(failure(ValueError("x")), died("Unbegun"), died("Unbegun"))
    assert next_step(made, policy_of(1)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(made, policy_of(0))


@pytest.mark.parametrize("restartable", [False, True])
def test_poison_is_final(*, restartable: bool) -> None:
    """Whatever is left of the retries: it would kill the next worker."""
    with pytest.raises(activity.ActivityImpossible, match="kills its workers"):
        next_step(state(died("Poison")), Retry(maximum=9), restartable=restartable)


def test_the_deadline_ends_the_tries() -> None:
    """No try begins after it, counted from the first scheduling."""
    made = state(failure(ValueError("x"), at=150.0))
    retry = Retry(initial=10, jitter=0, deadline=60)
    assert isinstance(next_step(made, retry), Rest)
    late = state(failure(ValueError("x"), at=151.0))
    with pytest.raises(activity.RetriesExhausted, match="deadline of 60 s"):
        next_step(late, retry)


def reporting(*reasons: str) -> Any:
    """What stands for the worker of an external activity: it fails with these, then completes."""
    left = list(reasons)

    def work(swf: LocalSWF) -> None:
        client = swf.client()
        task = client.poll_for_activity_task(domain="domain", taskList={"name": "flow_a"})
        if left:
            client.respond_activity_task_failed(taskToken=task["taskToken"], reason=left.pop(0))
        else:
            client.respond_activity_task_completed(taskToken=task["taskToken"])

    return work


@pytest.mark.parametrize(
    ("options", "reasons", "closing"),
    [
        ({}, ["Unbegun: x", "Unbegun: x"], "Completed"),
        ({}, ["Interrupted: x"], "Failed"),
        ({"restartable": True}, ["Interrupted: x", "Unbegun: x"], "Completed"),
        ({}, ["WorkerDied: x"], "Failed"),
        ({"restartable": True}, ["WorkerDied: x", "WorkerDied: x"], "Completed"),
        ({"retry": 9}, ["Poison: x"], "Failed"),
        ({"retry": 1}, ["WorkerDied: x"], "Completed"),
    ],
)
def test_the_supervisor_s_reasons_are_read(
    options: dict[str, Any], reasons: list[str], closing: str
) -> None:
    """Against the local SWF: free, counted, and final ones."""
    with LocalSWF() as swf:
        stage = Stage(swf, flow(a=make("a", **options)))
        work = reporting(*reasons)
        stage._lists["activity", "flow_a"] = lambda: work(swf)
        assert stage.start().work().kinds[-1] == f"WorkflowExecution{closing}"


def test_rests_are_timers_that_tell_their_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Each try is visible in the history and in the log."""
    with LocalSWF() as swf, caplog.at_level("INFO", "garcon"):
        made = make("a", retry=Retry(maximum=2, initial=30, jitter=0))
        stage = Stage(swf, flow(a=made))
        work = reporting("busy", "busy again")
        stage._lists["activity", "flow_a"] = lambda: work(swf)
        stage.start().work()
        assert stage.kinds[-2:] == ["DecisionTaskCompleted", "TimerStarted"]
        stage.after(30).after(60)
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    told = [json.loads(each) for each in stage.told("TimerStarted", "control")]
    assert told == [{"attempt": 2, "after": "busy"}, {"attempt": 3, "after": "busy again"}]
    controls = stage.told("ActivityTaskScheduled", "control")
    assert controls == [None, '{"attempt": 2}', '{"attempt": 3}']
    assert "try 2 in 30 s, after: busy" in caplog.text
    assert "flow_a-1: try 3 now." in caplog.text


@pytest.mark.parametrize("length", [20, 230, 250, 300])
def test_rests_of_long_ids_find_their_activity(length: int) -> None:
    """The timer's name is cut where SWF's 256 characters are not enough."""
    with LocalSWF() as swf:
        made = make("a", retry=Retry(maximum=1, initial=30, jitter=0))
        flow_object = flow(a=made, decider=lambda schedule: schedule("x" * length, made))
        stage = Stage(swf, flow_object)
        work = reporting("busy")
        stage._lists["activity", "flow_a"] = lambda: work(swf)
        stage.start().work().after(30)
        assert stage.kinds[-1] == "WorkflowExecutionCompleted"
