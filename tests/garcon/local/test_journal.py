"""Durability: what a stopped or killed service knows when it comes back."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garcon.local.engine import Answer, Settings, Waiting
from garcon.local.journal import Journal, JournalError
from garcon.local.service import Request, Service
from tests.garcon.local.registering import DOMAIN, KIND, LIST, WORKFLOW_TYPE

if TYPE_CHECKING:
    from pathlib import Path

START = 1_700_000_000.0


class Bench:
    """A service with a journal, and the time."""

    def __init__(self, path: Path, **figures: Any) -> None:
        self.path = path
        self.figures = figures
        self.service = Service(Settings(**figures), state=path)
        self.now = START

    def call(self, operation: str, **params: Any) -> Any:
        """One call, its journal flushed as a shell does; the body, or the waiting poll."""
        self.now += 0.5
        request = Request(operation, json.dumps(params).encode())
        outcome = self.service.call(request, self.now, "tester")
        self.wakeups = self.service.take_wakeups()
        return outcome.body if isinstance(outcome, Answer) else outcome

    def register(self) -> None:
        """A domain and its types."""
        self.call("RegisterDomain", **DOMAIN)
        self.call("RegisterWorkflowType", **WORKFLOW_TYPE)
        self.call("RegisterActivityType", domain="d", name="a", version="1")

    def start(self, workflow_id: str = "1") -> str:
        """Start an execution."""
        told = self.call(
            "StartWorkflowExecution", domain="d", workflowId=workflow_id, workflowType=KIND
        )
        return str(told["runId"])

    def poll(self, kind: str = "Decision") -> Any:
        """Poll for a task."""
        return self.call(f"PollFor{kind}Task", domain="d", taskList=LIST)

    def lose(self, poll: Waiting) -> None:
        """The connection of a waiting poll goes."""
        self.service.disconnect(poll.poll_id, self.now)
        self.service.take_wakeups()

    def killed(self) -> Bench:
        """A new service on what the old one left behind without a word."""
        self.service._journal._file.close()  # type: ignore[union-attr]
        return self._again()

    def stopped(self) -> Bench:
        """A new service on what the old one left when it was closed."""
        self.service.close(self.now)
        return self._again()

    def _again(self) -> Bench:
        again = Bench(self.path, **self.figures)
        again.now = max(self.now, again.service.latest)
        return again

    def histories(self) -> dict[str, Any]:
        """All that a client can see of executions."""
        engine = self.service.engine
        return {run.run_id: engine.history(run.run_id) for run in engine.executions()}


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


@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_a_service_that_comes_back_knows_everything(tmp_path: Path, way: str) -> None:
    """Histories, open tasks with their tokens, and timeouts are there again."""
    bench = Bench(tmp_path / "state")
    bench.register()
    bench.start()
    bench.call(
        "RespondDecisionTaskCompleted", taskToken=bench.poll()["taskToken"], decisions=[schedule()]
    )
    token = bench.poll("Activity")["taskToken"]
    before = bench.histories()
    bench = getattr(bench, way)()
    assert bench.histories() == before
    bench.call("RecordActivityTaskHeartbeat", taskToken=token)
    bench.service.engine.advance(bench.now + 500)
    (history,) = bench.histories().values()
    assert history[-2]["activityTaskTimedOutEventAttributes"]["scheduledEventId"] == 5


def test_a_poll_that_waited_is_where_it_was(tmp_path: Path) -> None:
    """A task that a waiting poll got is started for it again, before what came later."""
    bench = Bench(tmp_path / "state")
    bench.register()
    poll = bench.poll()
    assert isinstance(poll, Waiting)
    bench.start("first")
    (wakeup,) = bench.wakeups
    bench.start("second")
    token = wakeup.answer.body["taskToken"]
    before = bench.histories()
    bench = bench.killed()
    assert bench.histories() == before
    bench.call("RespondDecisionTaskCompleted", taskToken=token)


def test_a_poll_that_waits_is_forgotten(tmp_path: Path) -> None:
    """A connection does not outlive the process: its poll gets no task afterwards."""
    bench = Bench(tmp_path / "state")
    bench.register()
    bench.poll()
    bench = bench.killed()
    bench.start()
    assert bench.wakeups == []
    assert bench.poll()["taskToken"]


def test_a_ghost_takes_its_task_again(tmp_path: Path) -> None:
    """A task that was lost to a poller without a connection is lost in the repetition too."""
    bench = Bench(tmp_path / "state")
    bench.register()
    bench.lose(bench.poll())
    bench.start()
    before = bench.histories()
    bench = bench.killed()
    assert bench.service.engine.counters.ghosts == 1
    assert bench.histories() == before


def test_a_ghost_does_not_outlive_the_service(tmp_path: Path) -> None:
    """Coming back twice leads to the same state as coming back once."""
    bench = Bench(tmp_path / "state")
    bench.register()
    bench.lose(bench.poll())
    bench = bench.killed()
    bench.start()
    assert bench.poll()["taskToken"]
    before = bench.histories()
    assert bench.killed().histories() == before


def test_idle_polls_and_reads_cost_nothing(tmp_path: Path) -> None:
    """Polls that end empty, pages, reads and refused calls leave nothing in the file."""
    bench = Bench(tmp_path / "state")
    bench.register()

    def rows() -> int:
        file = bench.service._journal._file  # type: ignore[union-attr]  # nobody else may read it
        return int(file.execute("SELECT count(*) FROM inputs").fetchone()[0])

    bench.start()
    task = bench.call("PollForDecisionTask", domain="d", taskList=LIST, maximumPageSize=1)
    before = rows()
    more = {"maximumPageSize": 1, "nextPageToken": task["nextPageToken"]}
    bench.call("PollForDecisionTask", domain="d", taskList=LIST, **more)
    for _ in range(3):
        bench.poll()
        bench.now += 61
        bench.service.engine.advance(bench.now)
        bench.service.take_wakeups()
    bench.call("ListDomains", registrationStatus="REGISTERED")
    with pytest.raises(Exception, match="DomainAlreadyExists"):
        bench.call("RegisterDomain", name="d", workflowExecutionRetentionPeriodInDays="1")
    assert rows() == before


def test_other_settings_are_refused(tmp_path: Path) -> None:
    """A file is refused by a service with other figures, with a sentence that names them."""
    Service(Settings(), state=tmp_path / "state").close(START)
    with pytest.raises(JournalError, match=r"poll_window 60\.0, and this is poll_window 5"):
        Service(Settings(poll_window=5), state=tmp_path / "state")


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A file of another version of garcon is refused, since its inputs may lead elsewhere."""
    Journal(tmp_path / "state", {"garcon": "1.0"}).close()
    with pytest.raises(JournalError, match=r"garcon 1\.0, and this is garcon 2\.0"):
        Journal(tmp_path / "state", {"garcon": "2.0"})


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """A file that is no journal is left alone, with a sentence."""
    path = tmp_path / "notes"
    path.write_text("dear diary" * 100)
    with pytest.raises(JournalError, match="cannot keep the state"):
        Journal(path, {})
    assert path.read_text().startswith("dear diary")


def test_inputs_that_no_longer_lead_anywhere_are_refused(tmp_path: Path) -> None:
    """A journal whose repetition is refused by the engine is not continued with a wrong state."""
    bench = Bench(tmp_path / "state")
    bench.register()
    bench.service.close(bench.now)
    journal = sqlite3.connect(tmp_path / "state", isolation_level=None)
    journal.execute("DELETE FROM inputs WHERE what = 'RegisterDomain'")
    journal.close()
    with pytest.raises(JournalError, match="RegisterWorkflowType"):
        Service(Settings(), state=tmp_path / "state")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 5), max_size=25))
def test_any_story_is_repeated(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    """Whatever was done, the service that comes back shows the same histories."""
    bench = Bench(tmp_path_factory.mktemp("story") / "state")
    bench.register()
    tokens: list[str] = []
    polls: list[Waiting] = []
    for number, step in enumerate(steps):
        if step == 0:
            bench.start(f"w-{number}")
        elif step in {1, 2}:
            outcome = bench.poll("Decision" if step == 1 else "Activity")
            if isinstance(outcome, Waiting):
                polls.append(outcome)
            elif step == 1:
                tokens.append(outcome["taskToken"])
        elif step == 3 and tokens:
            decisions = [schedule(f"a-{number}")]
            bench.call("RespondDecisionTaskCompleted", taskToken=tokens.pop(), decisions=decisions)
        elif step == 4 and polls:
            bench.lose(polls.pop())
        else:
            bench.now += 30
            bench.service.engine.advance(bench.now)
        tokens += [
            wakeup.answer.body["taskToken"]
            for wakeup in bench.service.take_wakeups()
            if "workflowType" in wakeup.answer.body
        ]
    bench.service.engine.advance(bench.now)
    bench.service.take_wakeups()
    before = bench.histories()
    bench = bench.killed()
    bench.service.engine.advance(bench.now)
    assert bench.histories() == before
