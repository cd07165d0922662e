"""A task source polls, executes and answers; its recorder gets each fact before SWF does."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from garcon import activity, claims, client, runner
from garcon.decider import Build, Sticky
from garcon.history import failure_reasons
from garcon.local import LocalSWF
from garcon.tracing import family_trace
from supervisor.child.flow_loader import Flow, decider_worker
from supervisor.child.task_source import ActivitySource, DecisionSource
from supervisor.ipc.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    HandOut,
    Result,
    Staleness,
    Task,
)
from tests.garcon.decider.build_fleet import ID, Fleet
from tests.garcon.decider.test_builds import custom
from tests.garcon.fakes import GONE, CountingDict, CountingStore, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL = "poll_for_activity_task"
BEAT = "record_activity_task_heartbeat"
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"
TASK = {
    "taskToken": "token",
    "activityId": "make-1",
    "startedEventId": 6,
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "activityType": {"name": "shop_make", "version": "1.0"},
    "input": "{}",
}


class TaskRecorder:
    """Keeps its records, and the calls that SWF had received by then."""

    def __init__(self, swf: FakeSwf) -> None:
        self.answers: list[Answer] = []
        self.stale: list[Staleness] = []
        self.calls_before: list[str] = []
        self._swf = swf
        self.is_leaving = False
        self.waiting: dict[int, Task] = {}
        self.returned: list[str] = []

    def restore_process(self) -> None:
        """Do nothing: this process is not restored."""

    def record_answer(self, answer: Answer) -> None:
        """Keep an answer."""
        self.answers.append(answer)
        self.calls_before = list(self._swf.names)

    def report_stale(self, why: Staleness) -> None:
        """Keep the reason why SWF no longer wants the task."""
        self.stale.append(why)

    def record_waiting(self, place: int, task: Task) -> None:
        """Keep a task that waits."""
        self.waiting[place] = task

    def clear_waiting(self, place: int) -> None:
        """Remove a task that waits no longer."""
        del self.waiting[place]

    def report_returned(self, build: str) -> None:
        """Keep the build that an execution was returned to."""
        self.returned.append(build)


def executed(
    run: Callable[..., Any],
    swf: FakeSwf,
    before: Callable[[TaskRecorder], object] = lambda _: None,
) -> tuple[Result, TaskRecorder]:
    """The result of the polled task, and its records."""
    create = activity.create(swf, "domain", "shop")
    served = create(name="make", run=runner.Sync(run))
    served.clock = FakeClock().clock
    work = ActivitySource(served).poll("me")
    assert work is not None
    recorder = TaskRecorder(swf)
    before(recorder)
    return work.perform(recorder), recorder


def swf(**answers: Any) -> FakeSwf:
    """An SWF with one task."""
    prepared = FakeSwf().prepare(POLL, TASK)
    for operation, answer in answers.items():
        prepared.prepare(operation, *answer)
    return prepared


def test_a_task_names_its_trace() -> None:
    """A reporter has the task alone, and not its input."""
    text = family_trace.extended("{}", "5" * 32, 32_768)
    fake = FakeSwf().prepare(POLL, {**TASK, "input": text})
    served = activity.create(fake, "domain", "shop")(name="make", run=runner.Sync())
    work = ActivitySource(served).poll("me")
    assert work
    assert work.task.trace == "5" * 32


def test_a_result_is_recorded_before_it_is_sent() -> None:
    """The record is the very text that SWF gets."""
    fake = swf()
    result, recorder = executed(lambda context, activity: {"a": 1}, fake)
    assert result == Result.COMPLETED
    assert recorder.answers == [Complete('{"a": 1}')]
    assert COMPLETED not in recorder.calls_before
    assert fake.requests(COMPLETED)[0]["result"] == '{"a": 1}'


def test_a_failure_is_recorded_as_it_is_sent() -> None:
    """Reason and traceback are those of the task."""

    def burn(context: Any, activity: Any) -> None:
        raise ValueError("burnt")

    result, recorder = executed(burn, swf())
    assert result == Result.FAILED
    (answer,) = recorder.answers
    assert isinstance(answer, Fail)
    assert answer.reason == "burnt"
    assert "ValueError" in str(answer.details)


def test_a_failure_that_names_an_undecodable_file_is_recorded_and_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Characters without a UTF-8 form are escaped: neither the crash record nor SWF takes them."""
    caplog.set_level(logging.CRITICAL + 1, "garcon")  # the test report cannot encode it either

    def burn(context: Any, activity: Any) -> None:
        raise ValueError(os.fsdecode(b"no caf\xe9.txt"))

    fake = swf()
    result, recorder = executed(burn, fake)
    assert result == Result.FAILED
    (answer,) = recorder.answers
    assert isinstance(answer, Fail)
    assert answer.reason == fake.requests(FAILED)[0]["reason"] == r"no caf\udce9.txt"
    assert rb"no caf\\udce9.txt" in msgspec.json.encode(answer)


def test_a_result_that_is_too_large_is_recorded_as_a_failure() -> None:
    """The size is the reason; an answer that SWF would refuse is not recorded."""
    _, recorder = executed(lambda context, activity: {"a": "x" * 40_000}, swf())
    (answer,) = recorder.answers
    assert isinstance(answer, Fail)
    assert "40,009 characters" in answer.reason


def test_a_cancel_request_is_reported_and_its_answer_recorded() -> None:
    """The heartbeat that brings the request reports it; the next one cancels the task."""

    def beat(context: Any, activity: Any) -> None:
        activity.heartbeat()
        activity.heartbeat()

    result, recorder = executed(beat, swf(**{BEAT: [{"cancelRequested": True}]}))
    assert result == Result.CANCELED
    assert recorder.stale == [Staleness.CANCEL]
    assert recorder.answers == [Cancel("Cancelling make-1 was requested.")]


def test_a_closed_task_is_reported_and_no_answer_recorded() -> None:
    """SWF takes no answer for a task that it no longer has."""
    beat: Any = lambda context, activity: activity.heartbeat()  # noqa: E731 - a task of one line
    result, recorder = executed(beat, swf(**{BEAT: [refusal(GONE)]}))
    assert result == Result.ALREADY_CLOSED
    assert recorder.stale == [Staleness.CLOSED]
    assert recorder.answers == []


def test_an_answer_to_a_closed_task_ends_as_gone() -> None:
    """A task that ends too late is not a failure, and is not reported as stale."""
    result, recorder = executed(lambda context, activity: None, swf(**{COMPLETED: [refusal(GONE)]}))
    assert result == Result.ALREADY_CLOSED
    assert recorder.stale == []


def test_a_task_that_was_handed_out_is_recorded_before_its_token_is_known() -> None:
    """So no death of the worker fails it; a heartbeat, but no answer, goes to SWF."""
    seen: list[list[Answer]] = []
    fake = swf()

    def ask(context: Any, activity: Any) -> None:
        before = list(recorders[0].answers)
        seen.extend([before, list(recorders[0].answers)] if activity.later() else [])

    recorders: list[TaskRecorder] = []
    result, recorder = executed(ask, fake, recorders.append)
    assert result == Result.HANDED_OUT
    assert seen == [[], [HandOut()]]
    assert recorder.answers == [HandOut()]
    assert fake.names == [POLL, BEAT]


def test_a_flow_whose_own_client_calls_elsewhere_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The heartbeats of what it hands out go to the SWF of the settings; the line names both."""
    monkeypatch.setattr(client, "where", lambda own=None: "there" if own else "here")
    monkeypatch.setattr(client, "calling", lambda own=None: own)
    executed(lambda context, activity: activity.later() and None, swf())
    assert "its heartbeats go to here and not to there" in caplog.text


def test_an_exception_after_that_is_the_answer_again() -> None:
    """The record is then of the failure."""

    def ask(context: Any, activity: Any) -> None:
        activity.later()
        raise ConnectionError("no mail server")

    result, recorder = executed(ask, swf())
    assert result == Result.FAILED
    assert [type(each) for each in recorder.answers] == [HandOut, Fail]


LARGE = "x" * 40_000
THROTTLES = [refusal("ThrottlingException")]


@pytest.fixture
def store() -> Iterator[CountingStore]:
    """A claim store in memory."""
    claims._state.given = made = CountingStore()
    yield made
    claims.configure(None)


def test_a_result_is_encoded_once_and_uploaded_once(store: CountingStore) -> None:
    """From the task to SWF, the crash record and the spool it is the same text, or claim for it."""
    part = CountingDict(large=LARGE)
    fake = swf(**{COMPLETED: THROTTLES * 3})
    result, recorder = executed(lambda context, activity: {"part": part}, fake)
    assert result == Result.COMPLETED
    assert (part.encodings, store.uploads) == (1, 1)
    sent = [request["result"] for request in fake.requests(COMPLETED)]
    assert recorder.answers == [Complete(sent[0])]
    assert len(sent) == 4
    assert len(set(sent)) == 1


def test_a_claim_store_that_fails_at_first_loses_no_answer(store: CountingStore) -> None:
    """The crash record has the answer as soon as the store has the result."""
    store.failures = 1
    fake = swf(**{COMPLETED: THROTTLES})
    result, recorder = executed(lambda context, activity: {"a": LARGE}, fake)
    assert result == Result.COMPLETED
    assert set(recorder.answers) == {Complete(fake.requests(COMPLETED)[0]["result"])}
    assert store.uploads == 1


# --- decisions ------------------------------------------------------------------------------------

DECISION = "poll_for_decision_task"
DECIDED = "respond_decision_task_completed"
STICKY = Sticky(schedule_to_start=7, executions=5, check=0)


def deciding(
    swf_: FakeSwf, stickiness: Sticky | None, grace: float = 0.0, **members: Any
) -> tuple[DecisionSource, TaskRecorder]:
    """The decision source of a flow of one activity, and its recorder."""
    target = flow(swf_, a=make("a"), **members)
    served = decider_worker(Flow(target, "domain", "flow", "1.0", {}), stickiness)
    recorder = TaskRecorder(swf_)
    return DecisionSource(served, recorder, grace), recorder


@pytest.mark.parametrize("stickiness", [None, STICKY])
def test_a_decision_task_waits_until_it_is_executed(stickiness: Sticky | None) -> None:
    """The recorder has the task from the response of its poll on."""
    swf_ = FakeSwf().prepare(DECISION, History().poll())
    source, recorder = deciding(swf_, stickiness)
    work = source.poll("me")
    assert work is not None
    assert recorder.waiting == {0: work.task}
    assert work.perform(recorder) == Result.COMPLETED
    assert recorder.waiting == {}
    sticks = "taskListScheduleToStartTimeout" in swf_.requests(DECIDED)[0]
    assert sticks == (stickiness is not None)


def test_an_execution_that_is_returned_names_its_build() -> None:
    """The supervisor may have code of that build, which has ended."""
    with LocalSWF() as local:
        fleet = Fleet(local, {"old": custom("x"), "new": custom("y")})
        fleet.deploy("old")
        fleet.start()
        fleet.work()
        fleet.client.signal_workflow_execution(domain="domain", workflowId=ID, signalName="news")
        target = custom("y")
        target.client = fleet.client
        served = Flow(target, "domain", "flow", "1.0", {})
        recorder = TaskRecorder(FakeSwf())
        source = DecisionSource(decider_worker(served, None, Build("new")), recorder)
        work = source.poll("me")
        assert work is not None
        assert work.perform(recorder) == Result.RETURNED
        assert recorder.returned == ["old"]


def test_a_leaving_decider_keeps_no_sticky_list() -> None:
    """Its response names no sticky list, because that will have no poller."""
    swf_ = FakeSwf().prepare(DECISION, History().poll())
    source, recorder = deciding(swf_, STICKY)
    work = source.poll("me")
    assert work is not None
    recorder.is_leaving = True
    work.perform(recorder)
    assert "taskList" not in swf_.requests(DECIDED)[0]
    assert list(source.drain("me", leaving_for=0.0)) == []


def test_a_task_of_the_last_polls_is_work() -> None:
    """It is recorded as waiting in its own place, executed, and its execution leaves the list."""
    history = History()
    swf_ = FakeSwf().prepare(DECISION, history.poll())
    source, recorder = deciding(swf_, STICKY, grace=60.0)
    first = source.poll("me")
    assert first is not None
    first.perform(recorder)
    history.scheduled("flow_a")
    history.completed("flow_a-1")
    swf_.prepare(DECISION, history.poll(previousStartedEventId=1, taskToken="late"))
    recorder.is_leaving = True
    (last,) = source.drain("me", leaving_for=0.0)
    assert (last.task.token, recorder.waiting) == ("late", {1: last.task})
    assert last.perform(recorder) == Result.COMPLETED
    assert swf_.requests(DECIDED)[-1]["taskList"] == {"name": "flow"}


def decided(swf_: FakeSwf, **members: Any) -> Result:
    """The result of the polled decision task, in a flow with these members."""
    swf_.prepare(DECISION, History().poll())
    source, recorder = deciding(swf_, None, **members)
    work = source.poll("me")
    assert work is not None
    return work.perform(recorder)


def test_a_decider_that_raises_has_failed_though_swf_has_its_answer() -> None:
    """The workflow fails with the error, the flow's own hook is called, and the result counts."""
    errors: list[Exception] = []

    def broken(schedule: Any) -> None:
        raise KeyError("sned")

    swf_ = FakeSwf()
    hook = lambda _worker, error: errors.append(error)  # noqa: E731 - a hook of one line
    assert decided(swf_, decider=broken, on_exception=hook) == Result.FAILED
    assert [type(error) for error in errors] == [KeyError]
    (request,) = swf_.requests(DECIDED)
    assert request["decisions"][0]["decisionType"] == "FailWorkflowExecution"


def test_a_decision_task_that_swf_has_closed_ends_as_closed() -> None:
    """It is neither completed nor failed."""
    assert decided(FakeSwf().prepare(DECIDED, refusal(GONE))) == Result.ALREADY_CLOSED


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (refusal("AccessDeniedException"), "Answering a decision task failed: Access"),
        (ZeroDivisionError("a fault"), "a fault"),
    ],
)
def test_a_decision_that_cannot_be_answered_is_abandoned(
    caplog: pytest.LogCaptureFixture, error: Exception, line: str
) -> None:
    """The error is logged, and the worker goes on: SWF gives the task out again."""
    assert decided(FakeSwf().prepare(DECIDED, error)) == Result.ABANDONED
    assert [record.message[: len(line)] for record in caplog.records] == [line]


# --- late tasks -----------------------------------------------------------------------------------


def returned(fake: FakeSwf) -> tuple[Result, TaskRecorder]:
    """The result of returning the polled task, and its records."""
    create = activity.create(fake, "domain", "shop")
    work = ActivitySource(create(name="make", run=runner.Sync(begin))).poll("me")
    assert work is not None
    assert work.return_task is not None
    recorder = TaskRecorder(fake)
    return work.return_task(recorder), recorder


def begin(context: Any, activity: Any) -> None:
    """A task that must not start."""
    raise AssertionError("a returned task was started")


def test_a_late_task_is_returned_unstarted() -> None:
    """The reason, which costs no attempt, is recorded before it is sent."""
    fake = swf()
    result, recorder = returned(fake)
    assert result == Result.RETURNED
    (request,) = fake.requests(FAILED)
    assert failure_reasons.prefix_of(request["reason"]) == failure_reasons.NOT_STARTED
    assert recorder.answers == [Fail(request["reason"])]
    assert FAILED not in recorder.calls_before


def test_a_closed_task_cannot_be_returned() -> None:
    """A task that SWF no longer has ends as gone."""
    result, _ = returned(swf(**{FAILED: [refusal(GONE)]}))
    assert result == Result.ALREADY_CLOSED
