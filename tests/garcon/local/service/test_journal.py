"""Durability: the state of a stopped or killed service after its restart."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garcon.local.engine import Answer, Settings, Waiting
from garcon.local.service.journal import Journal, JournalError
from garcon.local.service.service import Request, Service
from tests.garcon.local.registration import DOMAIN, KIND, LIST, WORKFLOW_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = 1_700_000_000.0


class KeptService:
    """A service with a journal, and the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.service = Service(state=path)
        self.now = START

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.service.close(self.now)

    def call(self, operation: str, **params: Any) -> Any:
        """One call, its journal flushed as by a shell; the body, or the waiting poll."""
        self.now += 0.5
        request = Request(operation, json.dumps(params).encode())
        outcome = self.service.call(request, self.now, "tester")
        self.wakeups = self.service.take_wakeups()
        return outcome.body if isinstance(outcome, Answer) else outcome

    def register(self) -> None:
        """Register a domain and its types."""
        self.call("RegisterDomain", **DOMAIN)
        self.call("RegisterWorkflowType", **WORKFLOW_TYPE)
        self.call("RegisterActivityType", domain="d", name="a", version="1")

    def start(self, workflow_id: str = "1") -> str:
        """Start an execution; its run id."""
        answer = self.call(
            "StartWorkflowExecution", domain="d", workflowId=workflow_id, workflowType=KIND
        )
        return str(answer["runId"])

    def poll(self, kind: str = "Decision") -> Any:
        """Poll for a task."""
        return self.call(f"PollFor{kind}Task", domain="d", taskList=LIST)

    def lose(self, poll: Waiting) -> None:
        """End the connection of a waiting poll."""
        self.service.disconnect(poll.poll_id, self.now)
        self.service.take_wakeups()

    def kill(self) -> None:
        """Restart the service as after the end of its process at this moment."""
        self.service._journal._file.close()  # type: ignore[union-attr]  # it has one
        self._restart()

    def stop(self) -> None:
        """Restart the service after an orderly stop."""
        self.service.close(self.now)
        self._restart()

    def _restart(self) -> None:
        self.service = Service(state=self.path)
        self.now = max(self.now, self.service.latest)

    def histories(self) -> dict[str, Any]:
        """The history of each run."""
        engine = self.service.engine
        return {run.run_id: engine.history(run.run_id) for run in engine.executions()}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptService]:
    """A service with a new state file, with a domain and types."""
    with KeptService(tmp_path / "state") as made:
        made.register()
        yield made


def schedule(activity_id: str = "a") -> dict[str, Any]:
    """A decision to schedule an activity."""
    names = ("startToCloseTimeout", "scheduleToCloseTimeout", "scheduleToStartTimeout")
    return {
        "decisionType": "ScheduleActivityTask",
        "scheduleActivityTaskDecisionAttributes": {
            "activityId": activity_id,
            "activityType": {"name": "a", "version": "1"},
            "taskList": LIST,
            "heartbeatTimeout": "NONE",
            **dict.fromkeys(names, "500"),
        },
    }


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_restart_restores_everything(kept: KeptService, way: str) -> None:
    """Histories, open tasks with their tokens, and timeouts are there again."""
    kept.start()
    kept.call(
        "RespondDecisionTaskCompleted", taskToken=kept.poll()["taskToken"], decisions=[schedule()]
    )
    token = kept.poll("Activity")["taskToken"]
    before = kept.histories()
    getattr(kept, way)()
    assert kept.histories() == before
    kept.call("RecordActivityTaskHeartbeat", taskToken=token)
    kept.service.engine.advance(kept.now + 500)
    (history,) = kept.histories().values()
    assert history[-2]["activityTaskTimedOutEventAttributes"]["scheduledEventId"] == 5


def test_a_poll_that_waited_keeps_its_place(kept: KeptService) -> None:
    """The task of a waiting poll is started for it again, before the inputs that came later."""
    poll = kept.poll()
    assert isinstance(poll, Waiting)
    kept.start("first")
    (wakeup,) = kept.wakeups
    kept.start("second")
    token = wakeup.answer.body["taskToken"]
    before = kept.histories()
    kept.kill()
    assert kept.histories() == before
    kept.call("RespondDecisionTaskCompleted", taskToken=token)


def test_a_waiting_poll_ends_with_the_process(kept: KeptService) -> None:
    """A connection does not outlive the process: its poll gets no task afterwards."""
    kept.poll()
    kept.kill()
    kept.start()
    assert kept.wakeups == []
    assert kept.poll()["taskToken"]


def test_a_ghost_poller_takes_its_task_again(
    kept: KeptService, caplog: pytest.LogCaptureFixture
) -> None:
    """A task that went to a ghost poller is lost in the repetition too, which logs nothing."""
    kept.lose(kept.poll())
    kept.start()
    before = kept.histories()
    caplog.clear()
    kept.kill()
    assert kept.service.engine.counters.ghosts == 1
    assert kept.histories() == before
    kept.poll()
    assert caplog.records == []


def test_a_ghost_poller_ends_with_the_process(kept: KeptService) -> None:
    """Two restarts lead to the same state as one."""
    kept.lose(kept.poll())
    kept.kill()
    kept.start()
    assert kept.poll()["taskToken"]
    before = kept.histories()
    kept.kill()
    assert kept.histories() == before


def test_inputs_without_effect_are_not_kept(kept: KeptService) -> None:
    """Polls that end empty, pages, reads and refused calls leave no row in the file."""

    def rows() -> int:
        file = kept.service._journal._file  # type: ignore[union-attr]  # only it may read the file
        return int(file.execute("SELECT count(*) FROM inputs").fetchone()[0])

    kept.start()
    task = kept.call("PollForDecisionTask", domain="d", taskList=LIST, maximumPageSize=1)
    before = rows()
    page = {"maximumPageSize": 1, "nextPageToken": task["nextPageToken"]}
    kept.call("PollForDecisionTask", domain="d", taskList=LIST, **page)
    for _ in range(3):
        kept.poll()
        kept.now += 61
        kept.service.engine.advance(kept.now)
        kept.service.take_wakeups()
    kept.call("ListDomains", registrationStatus="REGISTERED")
    with pytest.raises(Exception, match="DomainAlreadyExists"):
        kept.call("RegisterDomain", name="d", workflowExecutionRetentionPeriodInDays="1")
    assert rows() == before


def test_other_settings_are_refused(tmp_path: Path) -> None:
    """A service with other figures than the file's is refused with both figures."""
    Service(Settings(), state=tmp_path / "state").close(START)
    with pytest.raises(JournalError, match=r"poll_window 60\.0, and this is poll_window 5"):
        Service(Settings(poll_window=5), state=tmp_path / "state")


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A file of another version of garcon is refused, since its inputs may lead elsewhere."""
    Journal(tmp_path / "state", {"garcon": "1.0"}).close()
    with pytest.raises(JournalError, match=r"garcon 1\.0, and this is garcon 2\.0"):
        Journal(tmp_path / "state", {"garcon": "2.0"})


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """A file that is not a journal is left alone, with a sentence."""
    path = tmp_path / "notes"
    path.write_text("dear diary" * 100)
    with pytest.raises(JournalError, match="cannot keep the state"):
        Journal(path, {})
    assert path.read_text().startswith("dear diary")


def test_inputs_that_are_refused_now_are_an_error(kept: KeptService) -> None:
    """A journal whose repetition is refused by the engine is not continued with a wrong state."""
    kept.service.close(kept.now)
    with closing(sqlite3.connect(kept.path, isolation_level=None)) as journal:
        (row,) = journal.execute("SELECT * FROM inputs WHERE what = 'RegisterDomain'")
        journal.execute("DELETE FROM inputs WHERE place = ?", row[:1])
    with pytest.raises(JournalError, match="RegisterWorkflowType"):
        Service(state=kept.path)
    with closing(sqlite3.connect(kept.path, isolation_level=None)) as journal:
        journal.execute("INSERT INTO inputs VALUES (?, ?, ?, ?)", row)
    kept._restart()  # a refused file was closed, so it can be opened again


def test_an_unexpected_error_closes_the_file(
    kept: KeptService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the repetition, the file can be opened again afterwards."""
    kept.service.close(kept.now)
    with monkeypatch.context() as patch:
        patch.setattr("garcon.local.service.service._repeat", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Service(state=kept.path)
    kept._restart()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 5), max_size=25))
def test_any_sequence_of_inputs_is_repeated(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    """After any inputs, the restarted service has the same histories."""
    with KeptService(tmp_path_factory.mktemp("inputs") / "state") as kept:
        kept.register()
        _carry_out(kept, steps)
        kept.service.engine.advance(kept.now)
        kept.service.take_wakeups()
        before = kept.histories()
        kept.kill()
        kept.service.engine.advance(kept.now)
        assert kept.histories() == before


def _carry_out(kept: KeptService, steps: list[int]) -> None:
    tokens: list[str] = []
    polls: list[Waiting] = []
    for number, step in enumerate(steps):
        if step == 0:
            kept.start(f"w-{number}")
        elif step in {1, 2}:
            outcome = kept.poll("Decision" if step == 1 else "Activity")
            if isinstance(outcome, Waiting):
                polls.append(outcome)
            elif step == 1:
                tokens.append(outcome["taskToken"])
        elif step == 3 and tokens:
            decisions = [schedule(f"a-{number}")]
            kept.call("RespondDecisionTaskCompleted", taskToken=tokens.pop(), decisions=decisions)
        elif step == 4 and polls:
            kept.lose(polls.pop())
        else:
            kept.now += 30
            kept.service.engine.advance(kept.now)
        tokens += [
            wakeup.answer.body["taskToken"]
            for wakeup in kept.service.take_wakeups()
            if "workflowType" in wakeup.answer.body
        ]
