"""Retries of activities: classification, waits, and free attempts."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import activity
from garcon.activity import ActivityState, RetryDelay, Step, next_step
from garcon.activity.retry_step import FREE_REPEATS
from garcon.history.states import EndKind, StateOutcome
from garcon.local import LocalSWF
from garcon.retry import TIMED_OUT, Cause, Retry, cause_of, policy_of, raised_by
from tests.garcon.flows import flow, make
from tests.garcon.stage import Stage


def traceback_of(error: Exception) -> str:
    """The details of the failed task."""

    def task() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        task()
    return "".join(traceback.format_exception(caught.value))


def failure(error: Exception, at: float = 0.0) -> StateOutcome:
    """The outcome of a task that raised."""
    return StateOutcome(EndKind.FAILED, str(error)[:255], traceback_of(error), 0, at)


def died(how: str = "WorkerDied") -> StateOutcome:
    """The outcome of a task whose worker died."""
    return StateOutcome(EndKind.FAILED, f"{how}: killed by SIGKILL")


def state(*outcomes: StateOutcome) -> ActivityState:
    """An instance whose attempts ended in these outcomes."""
    made = ActivityState("x-1")
    for each in outcomes:
        made.begin(at=100.0)
        made.end(each)
    return made


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (failure(ValueError("x")), Cause.FAILED),
        (StateOutcome(EndKind.TIMED_OUT, "HEARTBEAT"), Cause.HEARTBEAT),
        (StateOutcome(EndKind.TIMED_OUT, "SCHEDULE_TO_START"), Cause.SCHEDULE_TO_START),
        (StateOutcome(EndKind.CANCELED), Cause.CANCELED),
        (died(), Cause.WORKER_DIED),
        (died("Interrupted"), Cause.INTERRUPTED),
        (died("NotStarted"), Cause.NOT_STARTED),
        (died("HostUnable"), Cause.HOST_UNABLE),
        (died("Poison"), Cause.POISON),
        (died("NotSendable"), Cause.NOT_SENDABLE),
        (StateOutcome(EndKind.FAILED, "Poison in the well"), Cause.FAILED),
    ],
)
def test_failures_are_classified_by_cause(outcome: StateOutcome, cause: Cause) -> None:
    """Each kind of end has its cause."""
    assert cause_of(outcome) is cause


def test_a_result_that_cannot_be_sent_is_not_retried() -> None:
    """The next attempt would do the work again and fail at the same place."""
    with pytest.raises(activity.ActivityImpossible, match="its result cannot be sent"):
        next_step(state(died("NotSendable")), Retry(maximum=5, initial=0), restartable=True)


class Outer:
    """A class around an exception, whose name then has several parts."""

    class Busy(ConnectionError):
        """A transient failure."""


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
    """It is the full name, whatever the message is."""
    assert raised_by(failure(error)) == name


def test_of_chained_errors_the_last_counts() -> None:
    """The last exception of a chain is the one that the task raised."""
    second = OSError("second")
    second.__cause__ = KeyError("first")
    assert raised_by(failure(second)) == "OSError"
    assert raised_by(StateOutcome(EndKind.FAILED, "no traceback", "ValueError: x")) is None


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
    """A type includes its subclasses, a name is the type's, and ``unless`` wins."""
    assert retry.takes(failure(Outer.Busy("x"))) is takes


def test_on_lists_causes_too() -> None:
    """A timeout is not an exception, and is chosen by its cause."""
    late = StateOutcome(EndKind.TIMED_OUT, "HEARTBEAT")
    assert Retry(on=[Cause.HEARTBEAT]).takes(late)
    assert not Retry(on=[ValueError]).takes(late)
    assert not Retry(on=[Cause.START_TO_CLOSE]).takes(late)


@pytest.mark.parametrize(
    "figures",
    [{"maximum": -1}, {"initial": -1}, {"cap": -1}, {"factor": 0.5}, {"jitter": 1.5}],
)
def test_numbers_out_of_range_are_refused(figures: dict[str, Any]) -> None:
    """The error comes when the flow is imported, not at the first failure."""
    with pytest.raises(ValueError, match="Retry: "):
        Retry(**figures)


RETRIES = st.builds(
    Retry,
    initial=st.floats(0, 1e6),
    factor=st.floats(1, 1e9),
    cap=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)


@pytest.mark.slow
@given(RETRIES, st.integers(1, 10_000), st.text())
def test_waits_stay_within_their_bounds(retry: Retry, number: int, seed: str) -> None:
    """No wait exceeds the cap or is shorter than the jitter allows, and it is repeatable."""
    wait = retry.wait_before(number, seed)
    assert 0 <= wait <= retry.cap
    assert wait >= min(retry.initial, retry.cap) * (1 - retry.jitter) * 0.999
    assert wait == retry.wait_before(number, seed)


def test_waits_grow() -> None:
    """Each is longer by the factor, up to the cap."""
    retry = Retry(initial=2, factor=3, cap=40, jitter=0)
    assert [retry.wait_before(number, "") for number in (1, 2, 3, 4, 5)] == [2, 6, 18, 40, 40]


def test_a_retry_waits() -> None:
    """The delay has the number of the attempt that follows, and the last failure."""
    made = state(failure(ValueError("no")), failure(ValueError("still no")))
    step = next_step(made, Retry(initial=4, jitter=0))
    assert step == RetryDelay("x-1", 8, 3, "still no")


def test_a_number_retries_at_once() -> None:
    """``retry=N`` has no waits, as documented."""
    assert next_step(state(died()), policy_of(1)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(died()), policy_of(0))


def test_a_task_that_was_not_started_is_free() -> None:
    """It costs no retry, up to a limit; later ones count, so nothing loops forever."""
    unbegun = died("NotStarted")
    free = [unbegun] * FREE_REPEATS
    assert next_step(state(*free), policy_of(0)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(*free, unbegun), policy_of(0))
    assert next_step(state(*free, unbegun), policy_of(1)) is Step.SCHEDULE


def test_free_attempts_beyond_the_limit_wait_like_others() -> None:
    """They count, and so do not come back at once."""
    made = state(*[died("NotStarted")] * (FREE_REPEATS + 1))
    assert isinstance(next_step(made, Retry(maximum=1, initial=5)), RetryDelay)


def test_a_missing_setting_costs_no_retry_and_waits_longer_each_time() -> None:
    """Hosts that lack it do not pass the task around; another failure starts the waits over."""
    lacking = died("HostUnable")
    waits = [next_step(state(*[lacking] * number), policy_of(0)) for number in (1, 2, 8, 50)]
    assert [wait.seconds for wait in waits if isinstance(wait, RetryDelay)] == [5, 10, 600, 600]
    again = next_step(state(lacking, failure(ValueError("x")), lacking), policy_of(1))
    assert isinstance(again, RetryDelay)
    assert again.seconds == 5
    mixed = state(*[lacking] * 30, failure(ValueError("x")))
    assert next_step(mixed, policy_of(1)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(mixed, policy_of(0))


@pytest.mark.parametrize("how", ["WorkerDied", "Interrupted"])
def test_a_death_counts_unless_the_task_is_restartable(how: str) -> None:
    """The task may be half done, unless the flow declares that this does not matter."""
    with pytest.raises(activity.RetriesExhausted):
        next_step(state(died(how)), policy_of(0))
    assert next_step(state(died(how)), policy_of(0), restartable=True) is Step.SCHEDULE


def test_free_attempts_and_others_are_counted_apart() -> None:
    """A task that is returned in between does not take a retry away."""
    made = state(failure(ValueError("x")), died("NotStarted"), died("NotStarted"))
    assert next_step(made, policy_of(1)) is Step.SCHEDULE
    with pytest.raises(activity.RetriesExhausted):
        next_step(made, policy_of(0))


@pytest.mark.parametrize("restartable", [False, True])
def test_poison_is_final(*, restartable: bool) -> None:
    """Whatever is left of the retries, it would kill the next worker."""
    with pytest.raises(activity.ActivityImpossible, match="kills its workers"):
        next_step(state(died("Poison")), Retry(maximum=9), restartable=restartable)


def test_the_deadline_ends_the_retries() -> None:
    """No attempt begins after it, counted from the first scheduling."""
    made = state(failure(ValueError("x"), at=150.0))
    retry = Retry(initial=10, jitter=0, deadline=60)
    assert isinstance(next_step(made, retry), RetryDelay)
    late = state(failure(ValueError("x"), at=151.0))
    with pytest.raises(activity.RetriesExhausted, match="deadline of 60 s"):
        next_step(late, retry)


def reporting(*reasons: str) -> Any:
    """The worker of an external activity: it fails with these reasons, then completes."""
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
        ({}, ["NotStarted: x", "NotStarted: x"], "Completed"),
        ({}, ["Interrupted: x"], "Failed"),
        ({"restartable": True}, ["Interrupted: x", "NotStarted: x"], "Completed"),
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


def test_delays_are_timers_with_their_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt shows in the history and in the log."""
    with LocalSWF() as swf, caplog.at_level("INFO", "garcon"):
        made = make("a", retry=Retry(maximum=2, initial=30, jitter=0))
        stage = Stage(swf, flow(a=made))
        work = reporting("busy", "busy again")
        stage._lists["activity", "flow_a"] = lambda: work(swf)
        stage.start().work()
        assert stage.kinds[-2:] == ["DecisionTaskCompleted", "TimerStarted"]
        stage.after(30).after(60)
    assert stage.kinds[-1] == "WorkflowExecutionCompleted"
    controls_of_timers = [json.loads(each) for each in stage.members_of("TimerStarted", "control")]
    assert controls_of_timers == [
        {"attempt": 2, "after": "busy"},
        {"attempt": 3, "after": "busy again"},
    ]
    controls = stage.members_of("ActivityTaskScheduled", "control")
    assert controls == [None, '{"attempt": 2}', '{"attempt": 3}']
    assert "attempt 2 in 30 s, after: busy" in caplog.text
    assert "flow_a-1: attempt 3 now." in caplog.text


@pytest.mark.parametrize("length", [20, 230, 250, 300])
def test_retry_timers_of_long_ids_find_their_activity(length: int) -> None:
    """The timer's id is cut where SWF's 256 characters are not enough."""
    with LocalSWF() as swf:
        made = make("a", retry=Retry(maximum=1, initial=30, jitter=0))
        flow_object = flow(a=made, decider=lambda schedule: schedule("x" * length, made))
        stage = Stage(swf, flow_object)
        work = reporting("busy")
        stage._lists["activity", "flow_a"] = lambda: work(swf)
        stage.start().work().after(30)
        assert stage.kinds[-1] == "WorkflowExecutionCompleted"
