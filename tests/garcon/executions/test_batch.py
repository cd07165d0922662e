"""One act on many executions: each once, however often the process is killed."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.aws.retrying import Clock
from garcon.executions import Status, batch
from garcon.executions.batch import Act, Pace
from garcon.executions.batch_report import BatchOutcome, BatchReport, ReportRefused
from garcon.executions.criteria import Criteria
from garcon.local import FaultKind, Settings
from tests.garcon.executions.served_flow import ServedFlow, coffee, served

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 1_000

NAMED: dict[str, Any] = {"verb": "test"}

EVENTS = {
    "signal": "WorkflowExecutionSignaled",
    "cancel": "WorkflowExecutionCancelRequested",
    "terminate": "WorkflowExecutionTerminated",
}


class Killed(BaseException):
    """The process is killed."""


class MortalReport(BatchReport):
    """A report whose process is killed at a line: before it is written, within it, or after it."""

    life = 10**9
    half = ""

    def _write(self, values: Any) -> None:
        type(self).life -= 1
        if self.life <= 0 and self.half == "before":
            raise Killed
        super()._write(values)
        if self.life <= 0:
            if self.half == "within":
                self._file.truncate(self._file.seek(0, 2) - 5)
            raise Killed


def act_of(verb: str, made: ServedFlow) -> Act:
    """An act."""
    client, clock = made.client, made.client.clock
    return {
        "signal": lambda: batch.signal(client, clock, "go", {"n": 1}),
        "cancel": lambda: batch.cancel(client, clock),
        "terminate": lambda: batch.terminate(client, clock, "enough"),
        "redrive": lambda: batch.redrive(client, clock, None, None),
    }[verb]()


@contextmanager
def open_ones(number: int) -> Iterator[ServedFlow]:
    """A served flow with open executions, whose workers do nothing."""
    with served(coffee()) as made:
        made.idle = True
        for each in range(number):
            made.client.start({"beans": "b"}, f"o{each}")
        yield made


def attempt(made: ServedFlow, verb: str, path: Path, report: type[BatchReport]) -> BatchReport:
    """One run of the command: it begins the batch or goes on with it."""
    found = report(path)
    try:
        if not found.is_unfinished:
            found.begin(NAMED, [each.execution for each in chosen(made, verb)])
        for _ in batch.carry_out(
            made.client, act_of(verb, made), found, made.client.clock, lambda: made.swf.now
        ):
            pass
        MortalReport.life = 10**9
        found.finish()
    finally:
        found.close()
    return found


def chosen(made: ServedFlow, verb: str) -> list[Any]:
    """The executions to act on."""
    if verb == "redrive":
        return batch.redrivable(made.client, Criteria())
    return list(made.client.select(["status=open"]))


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["signal", "cancel", "terminate", "redrive"])
@settings(max_examples=12, deadline=None)
@given(
    kills=st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["before", "within", "after"])))
)
def test_each_is_done_once_however_often_the_process_is_killed(
    verb: str, kills: list[tuple[int, str]]
) -> None:
    """The histories are the oracle."""
    with open_ones(5) as made, TemporaryDirectory() as folder:
        if verb == "redrive":
            for each in range(5):
                made.client.terminate(f"o{each}")
        path = Path(folder) / "report.jsonl"
        for life, half in [*kills, (10**9, "")]:
            MortalReport.life, MortalReport.half = life, half
            try:
                attempt(made, verb, path, MortalReport)
            except Killed:
                continue
            break
        for each in range(5):
            if verb == "redrive":
                assert made.client.count([f"id=o{each}"]).number == 2
            else:
                events = made.swf.history(f"o{each}")
                assert sum(event["eventType"] == EVENTS[verb] for event in events) == 1


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["signal", "redrive"])
def test_a_thousand_are_done_once_within_the_budgets(verb: str, tmp_path: Path) -> None:
    """With SWF's token buckets, and the process killed at three moments drawn at random."""
    chance = Random(verb)
    with served(coffee(), Settings(quotas=True)) as made:
        made.idle = True
        for each in range(MANY):
            made.client.start({"beans": "b"}, f"o{each}")
            if verb == "redrive":
                made.client.terminate(f"o{each}")
            made.swf.advance(1.0)
        begun, throttled = made.swf.now, made.swf.counters.throttled.total()
        for life in [*(chance.randint(1, MANY) for _ in range(3)), 10**9]:
            MortalReport.life, MortalReport.half = (
                life,
                chance.choice(["before", "within", "after"]),
            )
            with suppress(Killed):
                attempt(made, verb, tmp_path / "report.jsonl", MortalReport)
        assert made.swf.counters.throttled.total() == throttled
        assert made.swf.now - begun < 2 * MANY / 15
        started = Counter(each.execution.workflow_id for each in made.client.select())
        assert set(started.values()) == {2 if verb == "redrive" else 1}
        assert len(started) == MANY
        if verb == "signal":
            for each in range(MANY):
                kinds = [event["eventType"] for event in made.swf.history(f"o{each}")]
                assert kinds.count("WorkflowExecutionSignaled") == 1


@pytest.mark.parametrize("verb", ["signal", "cancel", "terminate", "redrive"])
def test_a_lost_answer_is_looked_up_and_not_sent_again(verb: str, tmp_path: Path) -> None:
    """SWF carried each call out, and the connection broke before its answer."""
    with open_ones(4) as made:
        if verb == "redrive":
            for each in range(4):
                made.client.terminate(f"o{each}")
        operation = {
            "signal": "SignalWorkflowExecution",
            "cancel": "RequestCancelWorkflowExecution",
            "terminate": "TerminateWorkflowExecution",
            "redrive": "StartWorkflowExecution",
        }[verb]
        made.swf.inject(FaultKind.RESET_AFTER, operation, count=2)
        made.swf.inject(FaultKind.THROTTLE, operation, count=1)
        report = attempt(made, verb, tmp_path / "report.jsonl", BatchReport)
        assert [line.outcome for line in report.lines] == [BatchOutcome.DONE] * 4
        for each in range(4):
            if verb == "redrive":
                assert made.client.count([f"id=o{each}"]).number == 2
            else:
                events = made.swf.history(f"o{each}")
                assert sum(event["eventType"] == EVENTS[verb] for event in events) == 1


def test_what_does_not_fit_is_skipped_and_what_is_refused_is_attempted_again(
    tmp_path: Path,
) -> None:
    """An execution that has closed; one that SWF refused a while."""
    path = tmp_path / "report.jsonl"
    with open_ones(3) as made:
        report = BatchReport(path)
        report.begin(NAMED, [made.client.find(f"o{each}") for each in range(3)])
        report.close()
        made.client.terminate("o1")
        made.swf.inject(FaultKind.ERROR, "SignalWorkflowExecution", count=batch.ATTEMPTS)
        report = attempt(made, "signal", path, BatchReport)
        outcomes = [line.outcome for line in report.lines]
        assert outcomes == [BatchOutcome.FAILED, BatchOutcome.SKIPPED, BatchOutcome.DONE]
        assert "has closed" in report.lines[1].text
        report = attempt(made, "signal", path, BatchReport)
        assert report.lines[0].outcome is BatchOutcome.DONE
        for each in (0, 2):
            kinds = [event["eventType"] for event in made.swf.history(f"o{each}")]
            assert kinds.count("WorkflowExecutionSignaled") == 1


def test_only_the_latest_runs_that_closed_unfinished_are_redriven() -> None:
    """Neither a run that another start or redrive came after, nor a completed one."""
    with open_ones(4) as made:
        for each in range(3):
            made.client.terminate(f"o{each}")
        made.client.redrive("o0")
        made.client.start(id="o1")
        made.idle = False
        for _ in made.client.follow("o3"):
            pass
        for _ in made.client.follow("o0"):
            pass
        found = batch.redrivable(made.client, Criteria())
        assert [each.execution.workflow_id for each in found] == ["o2"]
        assert batch.redrivable(made.client, Criteria(statuses=frozenset({Status.OPEN}))) == []


def test_the_pace_keeps_to_half_of_the_budget() -> None:
    """Whatever the calls cost, no second has more than the rate."""
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(15.0, Clock(now=lambda: now[0], sleep=sleep))
    sent: list[float] = []
    for number in range(60):
        pace.wait(1 + number % 2)
        sent += [now[0]] * (1 + number % 2)
    for start in sent:
        assert sum(start <= each < start + 1 for each in sent) <= 16
    now[0] += 1000  # a pause saves nothing up
    pace.wait()
    pace.wait()
    assert now[0] >= 1100 + 1 / 15


def test_a_report_belongs_to_one_process_and_one_batch(tmp_path: Path) -> None:
    """Another process is turned away, and so is another batch before this one is finished."""
    with open_ones(1) as made:
        path = tmp_path / "report.jsonl"
        report = BatchReport(path)
        report.begin(NAMED, [made.client.find("o0")])
        with pytest.raises(ReportRefused, match="another process carries this batch out"):
            BatchReport(path)
        with pytest.raises(ReportRefused, match="is the report of another batch"):
            report.ensure_of({"verb": "other"})
        report.close()
        (tmp_path / "other").write_text("What is this?\n")
        with pytest.raises(ReportRefused, match="is not a report of a batch"):
            BatchReport(tmp_path / "other")
