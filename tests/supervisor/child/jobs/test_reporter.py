"""The reporter sends an answer to SWF until it is accepted, and counts deaths."""

from __future__ import annotations

import json
import threading
import types
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import client
from garcon.history import decision_deaths
from garcon.history.decision_deaths import DecisionDeaths
from garcon.tracing import seam
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import poison, reporter
from supervisor.child.shutdown import Shutdown
from supervisor.child.worker_context import worker_context
from supervisor.ipc import channel, messages, spool
from supervisor.ipc.messages import (
    Cancel,
    Complete,
    Done,
    Fail,
    Load,
    LogSettings,
    Report,
    Result,
    ReturnTask,
    Role,
    SwfEndpoint,
    Task,
)
from tests.garcon.fakes import GONE, THROTTLED, FakeClock, FakeSwf, refusal

if TYPE_CHECKING:
    from pathlib import Path

TASK = Task("token", "workflow", "run", "make-1", timeout=60.0)
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"
CANCELED = "respond_activity_task_canceled"
DECIDED = "respond_decision_task_completed"
HISTORY = "get_workflow_execution_history"
DEATH = Fail("WorkerDied: killed by SIGKILL", json.dumps({"signal": "SIGKILL"}))


class ReportJob:
    """A reporter with a fake SWF, a supervisor's end of its channel, and no waiting."""

    def __init__(self, swf: FakeSwf, folder: str | None = None) -> None:
        self.swf = swf
        self.task, self.role, self.fails = TASK, Role.ACTIVITY, False
        flow = Flow(types.SimpleNamespace(), "domain", "shop", "1.0", {})
        style = LogSettings("info", "text")
        load = Load(1, "shop", None, None, SwfEndpoint(), style, spool=folder)
        self.context = worker_context(flow, load)

    def run(self, answer: messages.Answer, within: float | None = None) -> Result | None:
        """The result that the supervisor receives; ``None`` without a message."""
        ours, theirs = channel.pair()
        with client.use(self.swf), Shutdown(theirs) as shutdown:
            order = Report(
                self.task, self.role, answer, "why", within, fail_poison_decision=self.fails
            )
            code = reporter.report(self.context, order, 5, shutdown)
        message = ours.receive()
        ours.close()
        theirs.close()
        assert (code == 0) == isinstance(message, Done)
        return message.result if isinstance(message, Done) else None


def decision_job(swf: FakeSwf, *, fails: bool = False) -> ReportJob:
    """A reporter for a decision task."""
    job = ReportJob(swf)
    job.task, job.role, job.fails = Task("token", "workflow", "run"), Role.DECIDER, fails
    return job


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each backoff, which ends at once."""
    clock = FakeClock()
    monkeypatch.setattr(reporter, "CLOCK", clock.clock)
    monkeypatch.setattr(
        reporter, "setproctitle", lambda _title: None
    )  # the test process keeps its own
    return clock.slept


@pytest.mark.parametrize(
    ("answer", "operation", "request_", "result"),
    [
        (Complete('{"a": 1}'), COMPLETED, {"result": '{"a": 1}'}, Result.COMPLETED),
        (Complete(), COMPLETED, {}, Result.COMPLETED),
        (Fail("burnt", "where"), FAILED, {"reason": "burnt", "details": "where"}, Result.FAILED),
        (Cancel("stopped"), CANCELED, {"details": "stopped"}, Result.CANCELED),
    ],
)
def test_each_answer_has_its_call(
    answer: messages.Answer, operation: str, request_: dict[str, Any], result: Result
) -> None:
    """The answer goes out as ordered, with no other call."""
    job = ReportJob(FakeSwf())
    assert job.run(answer) == result
    assert job.swf.calls == [(operation, {"taskToken": "token", **request_})]


def test_a_decision_task_is_returned() -> None:
    """A timer of zero seconds brings the next decision task, by the flow's own list."""
    job = ReportJob(FakeSwf())
    assert job.run(ReturnTask()) == Result.COMPLETED
    (request,) = job.swf.requests(DECIDED)
    assert request["taskList"] == {"name": "shop"}
    assert "taskListScheduleToStartTimeout" not in request
    assert [each["decisionType"] for each in request["decisions"]] == ["StartTimer"]


@pytest.mark.parametrize(
    "error",
    [
        refusal(THROTTLED),
        refusal("InternalFailure", status=500),
        refusal("ExpiredTokenException"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_it_calls_until_accepted(error: Exception, waits: list[float]) -> None:
    """Throttles, faults, refused credentials and lost connections are retried after a wait."""
    job = ReportJob(FakeSwf().prepare(COMPLETED, error, error, error))
    assert job.run(Complete()) == Result.COMPLETED
    assert len(job.swf.calls) == 4
    assert len(waits) == 3


def test_a_task_that_is_gone_is_done() -> None:
    """An earlier attempt whose response was lost may have closed it."""
    lost = EndpointConnectionError(endpoint_url="http://x")
    job = ReportJob(FakeSwf().prepare(COMPLETED, lost, refusal(GONE)))
    assert job.run(Complete()) == Result.ALREADY_CLOSED


def test_an_invalid_answer_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """SWF would refuse it from every reporter: it is logged and not retried."""
    job = ReportJob(FakeSwf().prepare(COMPLETED, refusal("ValidationException")))
    assert job.run(Complete()) == Result.ABANDONED
    assert "ValidationException" in caplog.text


def test_past_its_time_it_ends_without_a_result() -> None:
    """The supervisor receives no result and starts another reporter; SWF gets no other answer."""
    job = ReportJob(FakeSwf().prepare(COMPLETED, *[refusal(THROTTLED)] * 9))
    assert job.run(Complete(), within=0.1) is None
    assert job.swf.names == [COMPLETED]


def test_a_delivered_answer_leaves_the_spool(tmp_path: Path) -> None:
    """An accepted answer or a closed task leaves no file for the next start; a throttle does."""
    ends: tuple[tuple[list[Exception], bool], ...]
    ends = ([], False), ([refusal(GONE)], False), ([refusal(THROTTLED)] * 9, True)
    for prepared, left in ends:
        file = spool.path_of(tmp_path, TASK)
        file.write_text("task")
        ReportJob(FakeSwf().prepare(COMPLETED, *prepared), str(tmp_path)).run(
            Complete(), within=0.1
        )
        assert file.exists() == left


# --- counting deaths ------------------------------------------------------------------------------


def page(deaths: int | None, token: str | None = None) -> dict[str, Any]:
    """A page of history, with or without a death of this activity."""
    details = json.dumps({"activity_id": "make-1", "deaths": deaths})
    failed = {"reason": "WorkerDied: exited 3", "details": details}
    event = {"activityTaskFailedEventAttributes": failed} if deaths else {}
    return {"events": [event], **({"nextPageToken": token} if token else {})}


def reported(swf: FakeSwf) -> tuple[str, dict[str, Any]]:
    """The reason and details that SWF received."""
    (request,) = swf.requests(FAILED)
    return request["reason"], json.loads(request["details"])


def test_the_first_death_counts_as_one() -> None:
    """The count is in the details, beside those of the supervisor."""
    swf = FakeSwf().prepare(HISTORY, page(None))
    assert ReportJob(swf).run(DEATH) == Result.FAILED
    assert reported(swf) == (
        DEATH.reason,
        {"signal": "SIGKILL", "activity_id": "make-1", "deaths": 1},
    )
    (request,) = swf.requests(HISTORY)
    assert request["execution"] == {"workflowId": "workflow", "runId": "run"}
    assert request["reverseOrder"]


def test_deaths_are_counted_over_pages() -> None:
    """The search reads back to the page of the latest death, and no further."""
    swf = FakeSwf().prepare(HISTORY, page(None, "more"), page(1, "yet more"))
    ReportJob(swf).run(DEATH)
    assert reported(swf)[1]["deaths"] == 2
    assert len(swf.requests(HISTORY)) == 2


def test_the_third_death_is_poison() -> None:
    """The first word of the reason is Poison."""
    swf = FakeSwf().prepare(HISTORY, page(2))
    ReportJob(swf).run(DEATH)
    reason, details = reported(swf)
    assert reason == "Poison: 3 workers died of it, the last killed by SIGKILL"
    assert details["deaths"] == 3


DIED_DECIDING = ReturnTask("WorkerDied: exited 3")


def decided(context: str | None) -> dict[str, Any]:
    """A page of a history whose latest answer has this ``executionContext``."""
    members = {} if context is None else {"executionContext": context}
    answer = {"eventType": "DecisionTaskCompleted", "decisionTaskCompletedEventAttributes": members}
    return {"events": [{"eventType": "DecisionTaskStarted"}, answer]}


def returned(swf: FakeSwf) -> tuple[dict[str, Any], DecisionDeaths | None]:
    """The decision that was sent, and the deaths that the answer carries."""
    (request,) = swf.requests(DECIDED)
    (decision,) = request["decisions"]
    return decision, decision_deaths.read(request.get("executionContext"))


@pytest.mark.parametrize(("before", "deaths"), [(None, 1), (str(DecisionDeaths(1, "x")), 2)])
def test_deaths_in_decisions_are_counted(before: str | None, deaths: int) -> None:
    """The latest answer has the number, an answer of a decider's own has none; returned at once."""
    swf = FakeSwf().prepare(HISTORY, decided(before))
    decision_job(swf).run(DIED_DECIDING)
    decision, noted = returned(swf)
    assert noted == DecisionDeaths(deaths, "WorkerDied: exited 3")
    assert decision["startTimerDecisionAttributes"]["startToFireTimeout"] == "0"


def test_a_poison_decision_parks_its_execution(caplog: pytest.LogCaptureFixture) -> None:
    """From the third death on its timer has a wait, and an error names execution and remedy."""
    swf = FakeSwf().prepare(HISTORY, decided(str(DecisionDeaths(2, "x"))))
    decision_job(swf).run(DIED_DECIDING)
    decision, noted = returned(swf)
    timer = decision["startTimerDecisionAttributes"]
    assert noted
    assert 30 <= noted.parked == int(timer["startToFireTimeout"]) <= 60
    assert decision_deaths.read(timer["control"]) == noted
    assert "Execution workflow (run run) is poison: 3 deciders died in a row" in caplog.text
    assert "the last: WorkerDied: exited 3" in caplog.text
    assert "Deploy code that can decide it, or terminate it." in caplog.text


def test_the_wait_of_a_parked_execution_grows_to_an_hour() -> None:
    """It doubles with each further death, less up to half by chance."""
    for deaths, longest in ((3, 60), (4, 120), (6, 480), (30, 3600)):
        answer = poison.decision_answer("x", deaths, 3, Random(1), fails=False)
        assert longest / 2 <= answer.deaths.parked <= longest


def test_a_poison_decision_fails_its_execution_if_that_is_set() -> None:
    """``--on-poison-decision fail``: the reason begins with Poison."""
    swf = FakeSwf().prepare(HISTORY, decided(str(DecisionDeaths(2, "x"))))
    decision_job(swf, fails=True).run(DIED_DECIDING)
    decision, _ = returned(swf)
    reason = decision["failWorkflowExecutionDecisionAttributes"]["reason"]
    assert reason.startswith("Poison: 3 deciders died in a row")


def test_a_death_that_was_not_of_a_decision_s_making_is_not_counted() -> None:
    """A decision that waited in a dead decider is returned without a look at its history."""
    swf = FakeSwf()
    decision_job(swf).run(ReturnTask())
    assert returned(swf)[1] is None
    assert swf.names == [DECIDED]


def test_the_span_of_a_lost_attempt_is_in_the_trace_of_its_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The task names the trace of its family, if that is not its run's own."""
    tracer = MagicMock()
    monkeypatch.setattr(seam, "tracer", tracer)
    job = ReportJob(FakeSwf().prepare(HISTORY, refusal("AccessDeniedException")))
    job.task = msgspec.structs.replace(TASK, event_id=6, trace="5" * 32)
    job.run(DEATH)
    expected = seam.TracedAttempt(
        seam.Run("workflow", "run"), "domain", "make-1", "", event_id=6, trace="5" * 32
    )
    tracer.attempt.assert_called_once_with(expected)


def test_an_unreadable_history_does_not_delay_the_report() -> None:
    """Without a history the death counts as the first."""
    swf = FakeSwf().prepare(HISTORY, refusal("AccessDeniedException"))
    assert ReportJob(swf).run(DEATH) == Result.FAILED
    assert reported(swf)[1]["deaths"] == 1


def test_a_late_history_is_waited_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the moment the report goes out, and the call is left to its thread."""
    never = threading.Event()
    monkeypatch.setattr(reporter, "COUNT_SECONDS", 0.05)
    monkeypatch.setattr(reporter, "_deaths_before", lambda *_: never.wait(20))
    swf = FakeSwf()
    assert ReportJob(swf).run(DEATH) == Result.FAILED
    never.set()
    assert reported(swf)[1]["deaths"] == 1


@pytest.mark.parametrize("prefix", ["NotStarted", "Interrupted"])
def test_other_failures_are_not_counted(prefix: str) -> None:
    """They are reported at once, unchanged."""
    swf = FakeSwf()
    ReportJob(swf).run(Fail(f"{prefix}: x", "{}"))
    assert swf.names == [FAILED]
