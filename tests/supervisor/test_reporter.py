"""The reporter says what the order says, once, and insists."""

from __future__ import annotations

import json
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import client
from supervisor import channel, messages, reporter, spool, worker
from supervisor.flow import Flow
from supervisor.leaving import Leaving
from supervisor.messages import (
    Cancel,
    Complete,
    Done,
    Fail,
    HandBack,
    Load,
    LogStyle,
    Place,
    Report,
    Result,
    Role,
    Task,
)
from tests.garcon.fakes import GONE, THROTTLED, FakeSwf, refusal

if TYPE_CHECKING:
    from pathlib import Path

TASK = Task("token", "workflow", "run", "make-1", timeout=60.0)
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"
CANCELED = "respond_activity_task_canceled"
DECIDED = "respond_decision_task_completed"
HISTORY = "get_workflow_execution_history"
DEATH = Fail("WorkerDied: killed by SIGKILL", json.dumps({"signal": "SIGKILL"}))


class Errand:
    """A reporter's surroundings: an SWF, a supervisor's end of the channel, no waiting."""

    def __init__(self, swf: FakeSwf, folder: str | None = None) -> None:
        self.swf = swf
        flow = Flow(types.SimpleNamespace(), "domain", "shop", "1.0", {})
        style = LogStyle("info", "text")
        load = Load(1, "shop", None, None, Place(), style, spool=folder)
        self.estate = worker.estate(flow, load)

    def run(self, answer: messages.Answer, within: float | None = None) -> Result | None:
        """What the supervisor hears; None if nothing."""
        ours, theirs = channel.pair()
        with client.use(self.swf), Leaving(theirs) as leaving:
            order = Report(TASK, Role.ACTIVITY, answer, "why", within)
            code = reporter.report(self.estate, order, 5, leaving)
        heard = ours.hear()
        ours.close()
        theirs.close()
        assert (code == 0) == isinstance(heard, Done)
        return heard.result if isinstance(heard, Done) else None


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been rested."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    monkeypatch.setattr(reporter, "setproctitle", lambda _title: None)  # this one keeps its own
    return seconds


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
    """An activity's task is answered as ordered, and nothing else is asked of SWF."""
    errand = Errand(FakeSwf())
    assert errand.run(answer) == result
    assert errand.swf.calls == [(operation, {"taskToken": "token", **request_})]


def test_a_decision_is_handed_back() -> None:
    """With a timer of no seconds, which brings the next decision task, by the flow's own list."""
    errand = Errand(FakeSwf())
    assert errand.run(HandBack()) == Result.COMPLETED
    (request,) = errand.swf.requests(DECIDED)
    assert request["taskList"] == {"name": "shop"}
    assert "taskListScheduleToStartTimeout" not in request
    assert [each["decisionType"] for each in request["decisions"]] == ["StartTimer"]


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(THROTTLED),
        refusal("InternalFailure", status=500),
        refusal("ExpiredTokenException"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_it_insists_through_what_may_pass(trouble: Exception, rests: list[float]) -> None:
    """Throttles, faults, refused credentials and lost connections are rested on."""
    errand = Errand(FakeSwf().prepare(COMPLETED, trouble, trouble, trouble))
    assert errand.run(Complete()) == Result.COMPLETED
    assert len(errand.swf.calls) == 4
    assert len(rests) == 3


def test_a_task_that_is_gone_is_done() -> None:
    """Somebody was quicker, perhaps an earlier try of its own whose answer was lost."""
    lost = EndpointConnectionError(endpoint_url="http://x")
    errand = Errand(FakeSwf().prepare(COMPLETED, lost, refusal(GONE)))
    assert errand.run(Complete()) == Result.GONE


def test_an_answer_that_swf_calls_wrong_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """No later reporter would be heard either: told in the log, and not tried again."""
    errand = Errand(FakeSwf().prepare(COMPLETED, refusal("ValidationException")))
    assert errand.run(Complete()) == Result.ABANDONED
    assert "ValidationException" in caplog.text


def test_past_its_time_it_ends_unheard() -> None:
    """The supervisor hears nothing, and sends another; SWF hears no other answer."""
    errand = Errand(FakeSwf().prepare(COMPLETED, *[refusal(THROTTLED)] * 9))
    assert errand.run(Complete(), within=0.1) is None
    assert errand.swf.names == [COMPLETED]


def test_what_is_delivered_leaves_the_spool(tmp_path: Path) -> None:
    """Accepted or gone: there is nothing to deliver at the next start; unheard: there is."""
    ends: tuple[tuple[list[Exception], bool], ...]
    ends = ([], False), ([refusal(GONE)], False), ([refusal(THROTTLED)] * 9, True)
    for prepared, left in ends:
        file = spool.path(tmp_path, TASK)
        file.write_text("held")
        Errand(FakeSwf().prepare(COMPLETED, *prepared), str(tmp_path)).run(Complete(), within=0.1)
        assert file.exists() == left


# --- counting deaths ------------------------------------------------------------------------------


def page(deaths: int | None, token: str | None = None) -> dict[str, Any]:
    """A page of history, with a death of this activity or none."""
    details = json.dumps({"activity_id": "make-1", "deaths": deaths})
    failed = {"reason": "WorkerDied: exited 3", "details": details}
    event = {"activityTaskFailedEventAttributes": failed} if deaths else {}
    return {"events": [event], **({"nextPageToken": token} if token else {})}


def told(swf: FakeSwf) -> tuple[str, dict[str, Any]]:
    """Reason and details that SWF was told."""
    (request,) = swf.requests(FAILED)
    return request["reason"], json.loads(request["details"])


def test_the_first_death_says_so() -> None:
    """The count is in the details, beside what the supervisor knew."""
    swf = FakeSwf().prepare(HISTORY, page(None))
    assert Errand(swf).run(DEATH) == Result.FAILED
    assert told(swf) == (DEATH.reason, {"signal": "SIGKILL", "activity_id": "make-1", "deaths": 1})
    (asked,) = swf.requests(HISTORY)
    assert asked["execution"] == {"workflowId": "workflow", "runId": "run"}
    assert asked["reverseOrder"]


def test_deaths_are_counted_over_pages() -> None:
    """The latest death may be pages back; no more is read than that."""
    swf = FakeSwf().prepare(HISTORY, page(None, "more"), page(1, "yet more"))
    Errand(swf).run(DEATH)
    assert told(swf)[1]["deaths"] == 2
    assert len(swf.requests(HISTORY)) == 2


def test_the_third_death_is_poison() -> None:
    """The reason says so in its first word."""
    swf = FakeSwf().prepare(HISTORY, page(2))
    Errand(swf).run(DEATH)
    reason, details = told(swf)
    assert reason == "Poison: 3 workers died of it, the last killed by SIGKILL"
    assert details["deaths"] == 3


def test_a_history_that_cannot_be_read_does_not_hold_the_report_up() -> None:
    """The death counts as the first."""
    swf = FakeSwf().prepare(HISTORY, refusal("AccessDeniedException"))
    assert Errand(swf).run(DEATH) == Result.FAILED
    assert told(swf)[1]["deaths"] == 1


def test_a_history_that_does_not_come_is_waited_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Past the moment the report goes out; the call is left alone."""
    never = threading.Event()
    monkeypatch.setattr(reporter, "COUNT_SECONDS", 0.05)
    monkeypatch.setattr(reporter, "_deaths_before", lambda *_: never.wait(20))
    swf = FakeSwf()
    assert Errand(swf).run(DEATH) == Result.FAILED
    never.set()
    assert told(swf)[1]["deaths"] == 1


@pytest.mark.parametrize("prefix", ["Unbegun", "Interrupted"])
def test_other_failures_are_not_counted(prefix: str) -> None:
    """They are told at once, as they are."""
    swf = FakeSwf()
    Errand(swf).run(Fail(f"{prefix}: x", "{}"))
    assert swf.names == [FAILED]
