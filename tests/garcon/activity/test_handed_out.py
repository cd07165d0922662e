"""Tasks that were handed out: their token, their heartbeats, their end."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import runner, task
from garcon.activity import ActivityExecution, AttemptFailed, AttemptHandedOut, handed_out
from garcon.activity.handed_out import HandedOutTasks, HandedOutThread
from garcon.activity.shared_throttling import SharedThrottling
from garcon.decider import DeciderWorker
from garcon.executions import Client
from garcon.local import LocalSWF
from tests.garcon.activity.manual_wakeup import LIMIT
from tests.garcon.fakes import GONE, THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable

HEARTBEAT, CANCEL = "record_activity_task_heartbeat", "respond_activity_task_canceled"
CANCEL_REQUESTED = {"cancelRequested": True}


def approval(swf: Any, number: int = 1, timeout: float = 60.0) -> ActivityExecution:
    """A task of an approval, received just now."""
    return ActivityExecution(
        swf, f"flow_approve-{number}", f"token-{number}", "{}", heartbeat_timeout=timeout
    )


def asking(work: Callable[..., Any], run: type[runner.BaseRunner] = runner.Sync) -> Any:
    """An activity that runs this work and keeps what it hands out in ``kept``."""
    made: Any = make("approve", run=run(task.decorate(timeout=60)(work)))
    made.kept = []
    made.handed_out_tasks = lambda: _Kept(made.kept)
    return made


class _Kept:
    def __init__(self, kept: list[ActivityExecution]) -> None:
        self.keep = kept.append


def tasks(clock: FakeClock) -> HandedOutTasks:
    """No task yet, by this clock."""
    return HandedOutTasks(clock.now, SharedThrottling())


def pass_to_next(kept: HandedOutTasks, clock: FakeClock) -> list[ActivityExecution]:
    """Let the time pass to the next heartbeats and send them; the tasks that ended."""
    clock.time += kept.wait
    return kept.send_due()


@pytest.mark.parametrize("run", [runner.Sync, runner.Async])
def test_a_task_that_was_handed_out_is_not_answered(
    run: type[runner.BaseRunner], caplog: pytest.LogCaptureFixture
) -> None:
    """Its token is the task's, nothing is sent, its result is dropped with a line, it is kept."""
    swf, tokens = FakeSwf(), []

    def ask(context: Any, activity: Any) -> dict[str, str]:
        tokens.extend([activity.later(), activity.later()])
        return {"answer": "not this one"}

    made, execution = asking(ask, run), approval(swf)
    outcome = made.attempt(execution)
    assert outcome == AttemptHandedOut()
    assert made.respond(execution, outcome)
    assert (tokens, swf.calls, made.kept) == (["token-1"] * 2, [], [execution])
    assert "flow_approve-1 was handed out, so what its tasks returned is dropped" in caplog.text


def test_it_is_recorded_once_before_its_token_is_known() -> None:
    """A supervisor knows of it before another program can, once for however many calls."""
    seen: list[bool] = []
    execution = approval(FakeSwf())
    execution.on_later = lambda: seen.append(execution.is_handed_out)
    assert {execution.later(), execution.later()} == {"token-1"}
    assert seen == [False]


def test_an_exception_after_it_fails_the_task() -> None:
    """A task whose token could not be passed on fails at once, and is not kept."""
    swf = FakeSwf()

    def ask(context: Any, activity: Any) -> None:
        activity.later()
        raise ConnectionError("no mail server")

    made, execution = asking(ask), approval(swf)
    outcome = made.attempt(execution)
    assert isinstance(outcome, AttemptFailed)
    assert made.respond(execution, outcome)
    assert (swf.names, made.kept) == (["respond_activity_task_failed"], [])


def test_tasks_that_run_without_swf_have_no_token() -> None:
    """A test that calls an activity with a dictionary gets an empty token."""
    tokens: list[str] = []
    made = asking(lambda context, activity: tokens.append(activity.later()))
    made.execute_activity({})
    assert tokens == [""]


@given(
    st.lists(st.floats(min_value=1.0, max_value=5_000.0), min_size=1, max_size=8),
    st.lists(st.sampled_from([None, None, None, THROTTLED]), max_size=20),
)
def test_no_task_misses_its_heartbeat_timeout(timeouts: list[float], answers: list[Any]) -> None:
    """Of any number of tasks with any timeouts, with some throttles, each is in time."""
    clock, swf = FakeClock(), FakeSwf()
    swf.prepare(HEARTBEAT, *(refusal(each) if each else {} for each in answers))
    kept = tasks(clock)
    executions = [approval(swf, number, timeout) for number, timeout in enumerate(timeouts)]
    for execution in executions:
        assert kept.add(execution)
    for _ in range(60):
        assert pass_to_next(kept, clock) == []
        for execution in executions:
            assert execution.heartbeats
            assert clock.now() < execution.heartbeats.pace.deadline
    assert {each["taskToken"] for each in swf.requests(HEARTBEAT)} == {
        each.task_token for each in executions
    }


def test_the_first_heartbeat_goes_out_at_once() -> None:
    """A program that takes a task over does not know when its last heartbeat was."""
    swf, clock = FakeSwf(), FakeClock()
    kept = tasks(clock)
    kept.add(approval(swf))
    assert kept.wait == 0.0
    kept.send_due()
    assert swf.names == [HEARTBEAT]
    assert 30.0 <= kept.wait <= 45.0


def test_heartbeats_end_with_the_task(caplog: pytest.LogCaptureFixture) -> None:
    """A task that SWF no longer has gets none, and no warning; the others go on."""
    clock, done, open_ = FakeClock(), FakeSwf().prepare(HEARTBEAT, {}, refusal(GONE)), FakeSwf()
    kept = tasks(clock)
    answered = approval(done)
    kept.add(answered)
    kept.add(approval(open_, 2))
    ended = [each for _ in range(9) for each in pass_to_next(kept, clock)]
    assert (ended, len(done.calls), len(kept)) == ([answered], 2, 1)
    assert len(open_.calls) > 3
    assert "WARNING" not in caplog.text


def test_a_request_to_cancel_ends_it() -> None:
    """SWF learns that it is canceled, and it gets no more heartbeats."""
    swf, clock = FakeSwf().prepare(HEARTBEAT, {}, CANCEL_REQUESTED), FakeClock()
    kept = tasks(clock)
    kept.add(approval(swf))
    kept.send_due()
    assert len(pass_to_next(kept, clock)) == 1
    assert swf.names == [HEARTBEAT, HEARTBEAT, CANCEL]
    assert (len(kept), kept.wait) == (0, float("inf"))


def test_a_refused_answer_to_cancel_is_sent_again() -> None:
    """After the next heartbeat; an answer that comes too late ends the task as well."""
    swf, clock = FakeSwf().prepare(HEARTBEAT, CANCEL_REQUESTED, CANCEL_REQUESTED), FakeClock()
    swf.prepare(CANCEL, *[refusal(THROTTLED)] * 5, refusal(GONE))
    kept = tasks(clock)
    execution = approval(swf)
    execution.clock = clock.clock
    kept.add(execution)
    assert kept.send_due() == []
    assert pass_to_next(kept, clock) == [execution]


def test_an_error_of_a_client_of_ones_own_ends_nothing() -> None:
    """A heartbeat that raises anything is logged, and the next one follows at its time."""
    swf, clock = FakeSwf().prepare(HEARTBEAT, ZeroDivisionError("oops")), FakeClock()
    kept = tasks(clock)
    kept.add(approval(swf))
    assert kept.send_due() == []
    assert kept.wait >= 30.0


def test_one_process_keeps_a_bounded_number(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A task beyond it gets no heartbeats, which an error says."""
    monkeypatch.setattr(handed_out, "MOST", 1)
    kept = tasks(FakeClock())
    assert [kept.add(approval(FakeSwf(), number)) for number in (1, 2)] == [True, False]
    assert "flow_approve-2 was handed out, but 1 other tasks are" in caplog.text


def test_one_thread_serves_all_tasks_and_ends_with_the_last() -> None:
    """It takes new tasks while it waits; after its end another begins for the next task."""
    swf, kept = FakeSwf(), HandedOutThread()
    first = threading.Event()
    sent: list[str] = []

    def heartbeat(taskToken: str) -> dict[str, bool]:  # noqa: N803 - boto3's name
        sent.append(taskToken)
        first.set()
        if taskToken == "token-1" and len(sent) == 1:
            return {}
        raise refusal(GONE)

    swf.record_activity_task_heartbeat = heartbeat  # type: ignore[attr-defined]
    kept.keep(approval(swf, 1, timeout=1.0))
    assert first.wait(LIMIT)
    kept.keep(approval(swf, 2))
    for thread in _threads():
        thread.join(LIMIT)
    assert (sorted(sent), _threads()) == (["token-1", "token-1", "token-2"], [])
    kept.keep(approval(swf, 3))
    for thread in _threads():
        thread.join(LIMIT)
    assert sent[-1] == "token-3"


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "handed out"]


def test_a_fork_has_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks of the parent stay the parent's, whose thread the child does not have."""
    here = handed_out.current()
    assert handed_out.current() is here
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert handed_out.current() is not here
    monkeypatch.undo()
    handed_out.current()


@pytest.mark.slow
def test_a_worker_without_a_supervisor_keeps_what_it_has_handed_out() -> None:
    """It is free at once, and its thread keeps the task for longer than a heartbeat timeout."""
    tokens: list[str] = []
    enough, sent = threading.Event(), []

    def count(**_: Any) -> None:
        sent.append(1)
        if len(sent) == 3:  # between two lies half of the timeout, at least
            enough.set()

    @task.decorate(timeout=60, heartbeat=6)  # what a heartbeat leaves of it are seconds
    def ask(context: Any, activity: Any) -> None:
        tokens.append(activity.later())

    with LocalSWF(virtual_time=False) as swf:
        client = swf.client()
        client.meta.events.register("after-call.swf.RecordActivityTaskHeartbeat", count)
        made = make("approve", client=client, run=runner.Sync(ask))
        flow_of_one = flow(client, approve=made)
        decider = DeciderWorker(flow_of_one)
        executions = Client(flow_of_one)
        executions.start({"n": 1}, "w")
        decider.run()
        made.run()
        assert enough.wait(LIMIT)
        executions.complete(tokens[0], {"approved": True})
        decider.run()
        assert executions.result("w", timeout=LIMIT).context["approved"] is True
        for thread in _threads():
            thread.join(LIMIT)
        assert _threads() == []
