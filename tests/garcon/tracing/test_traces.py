"""Traces of executions on the local SWF: trees, ids, statuses, and what joins them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import StatusCode

from examples import coffee, retries
from garcon import activity, runner, task
from garcon.decider import DeciderWorker
from garcon.tracing import derived_ids as ids
from garcon.tracing.seam import Run

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from garcon.local import LocalSWF
    from tests.garcon.recorded_spans import RecordedSpans


def id_of(span: ReadableSpan) -> int:
    """The id of a span."""
    assert span.context
    return int(span.context.span_id)


def flow_of(*tasks: Any, runs: type = runner.Sync) -> Any:
    """A flow of one activity with these tasks."""
    work = activity.create("tests", "joined")(name="work", run=runs(*tasks))
    return SimpleNamespace(domain="tests", name="joined", work=work)


def test_the_coffee_shop_is_one_tree(swf: LocalSWF, spans: RecordedSpans) -> None:
    """Execution, decisions, requests and attempts stand below each other, in one trace."""
    outcome = swf.run(coffee, {"order": "Ann", "items": ["latte", "scone"]})
    item = ("schedule coffee_prepare_item", ["attempt coffee_prepare_item"])
    assert spans.tree() == [
        (
            "execution coffee",
            [
                (
                    "decision coffee",
                    [("schedule coffee_take_order", ["attempt coffee_take_order"])],
                ),
                ("decision coffee", [item, item]),
                "decision coffee",
                ("decision coffee", [("schedule coffee_serve", ["attempt coffee_serve"])]),
                "decision coffee",
            ],
        )
    ]
    expected = ids.trace_id(Run(outcome.workflow_id, outcome.run_id))
    assert {each.context.trace_id for each in spans.finished if each.context} == {expected}
    assert len({id_of(each) for each in spans.finished}) == len(spans.finished)


def test_spans_name_what_they_are_of_and_hold_no_payload(
    swf: LocalSWF, spans: RecordedSpans
) -> None:
    """Each span has the run; an attempt its activity; none an input or a result."""
    outcome = swf.run(coffee, {"order": "Hanna", "items": ["tea"]})
    (attempt,) = spans.named("attempt coffee_prepare_item")
    started = [
        each["eventId"] for each in outcome.history if each["eventType"] == "ActivityTaskStarted"
    ]
    assert dict(attempt.attributes or {}) == {
        "garcon.domain": "cafe",
        "garcon.workflow.id": outcome.workflow_id,
        "garcon.run.id": outcome.run_id,
        "garcon.activity.id": "coffee_prepare_item-1-item-0",
        "garcon.activity.name": "coffee_prepare_item",
        "garcon.task_list": "coffee_prepare_item",
        "garcon.event.id": started[1],
        "garcon.outcome": "completed",
    }
    assert "Hanna" not in " ".join(each.to_json() for each in spans.finished)


def test_retries_are_siblings_and_failures_errors(
    swf: LocalSWF, spans: RecordedSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All attempts stand below the first request; a failed one has the status and its reason."""
    monkeypatch.setitem(retries.doorbells, "Elm Street", [False, False, True])
    swf.run(retries, {"addresses": ["Elm Street"]})
    attempts = spans.named("attempt retries_deliver")
    assert len({each.parent and each.parent.span_id for each in attempts}) == 1
    codes = [each.status.status_code for each in attempts]
    assert codes == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert attempts[0].status.description == (attempts[0].attributes or {})["garcon.reason"]
    requests = spans.named("schedule retries_deliver")
    assert [(each.attributes or {})["garcon.attempt"] for each in requests] == [1, 2, 3]


def test_a_failed_execution_is_an_error(swf: LocalSWF, spans: RecordedSpans) -> None:
    """The root has the status, the outcome and the reason of its failure."""

    @task.decorate()
    def fail(activity: Any) -> None:
        raise ValueError("no beans")

    swf.run(flow_of(fail.fill()), {})
    (root,) = spans.named("execution joined")
    assert root.status.status_code is StatusCode.ERROR
    assert (root.attributes or {})["garcon.outcome"] == "failed"
    assert root.end_time
    assert root.start_time
    assert root.end_time >= root.start_time


@pytest.mark.parametrize("runs", [runner.Sync, runner.Async])
def test_users_spans_join(
    swf: LocalSWF, spans: RecordedSpans, provider: TracerProvider, runs: type
) -> None:
    """A span that a task makes is below its attempt: in threads of ``Async``, in coroutines."""
    users = provider.get_tracer("users")

    @task.decorate()
    def plain(activity: Any) -> None:
        users.start_span("plain").end()

    @task.decorate()
    async def awaiting(activity: Any) -> None:
        await asyncio.sleep(0)
        users.start_span("awaiting").end()

    swf.run(flow_of(plain.fill(), awaiting.fill(), runs=runs), {})
    (attempt,) = spans.named("attempt joined_work")
    for name in ("plain", "awaiting"):
        (joined,) = spans.named(name)
        assert joined.parent
        assert joined.parent.span_id == id_of(attempt)
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_sampler_by_ratio_takes_whole_traces(
    swf: LocalSWF, provider: TracerProvider, request: pytest.FixtureRequest
) -> None:
    """Every process takes the same traces, so no trace is in pieces."""
    provider.sampler = ParentBased(TraceIdRatioBased(0.5))
    spans = request.getfixturevalue("spans")
    for _ in range(10):
        swf.run(coffee, {"items": ["tea"]})
    sizes = [
        len([each for each in spans.finished if each.context and each.context.trace_id == trace_id])
        for trace_id in {each.context.trace_id for each in spans.finished}
    ]
    assert set(sizes) == {11}
    assert 0 < len(sizes) < 10


@pytest.mark.usefixtures("spans")
def test_a_broken_processor_harms_no_task(
    swf: LocalSWF,
    provider: TracerProvider,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its error is logged once, and the execution completes."""

    class Broken(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise OSError("no disk")

    monkeypatch.setattr("garcon.tracing.spans._logged", [])
    provider.add_span_processor(Broken())
    assert swf.run(coffee, {"items": ["tea"]}).status == "COMPLETED"
    assert caplog.text.count("A span was not made") == 1


@pytest.mark.usefixtures("spans")
def test_a_decision_that_was_never_answered_is_forgotten() -> None:
    """A program that decides and does not answer keeps a bounded number of spans."""
    decider = DeciderWorker(coffee, register=False)
    for number in range(200):
        decider.decide({**POLL, "taskToken": str(number)})
    assert len(decider._traces._pending) == 100


POLL = {
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "workflowType": {"name": "coffee", "version": "1.0"},
    "startedEventId": 2,
    "previousStartedEventId": 0,
    "events": [
        {
            "eventId": 1,
            "eventTimestamp": 0,
            "eventType": "WorkflowExecutionStarted",
            "workflowExecutionStartedEventAttributes": {"input": "{}"},
        },
        {
            "eventId": 2,
            "eventTimestamp": 0,
            "eventType": "DecisionTaskStarted",
            "decisionTaskStartedEventAttributes": {},
        },
    ],
}


IDS = """
from garcon.tracing import derived_ids as ids
from garcon.tracing.seam import Run
run = Run("order-1", "22QFVi362TnCh6BdoFgkQFlocunh24zEOemo1L12Yl5Go=")
print(ids.trace_id(run), ids.execution_span(run), ids.attempt_span(run, 7))
print(ids.begun_span(run, "a-1", is_child=False), ids.decision_span(run, 7))
"""


def printed(script: str, seed: str) -> str:
    """The output of a new process that runs this script."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, check=True, capture_output=True, timeout=60, env={"PYTHONHASHSEED": seed}
    )
    return done.stdout.decode()


def test_two_processes_derive_the_same_ids() -> None:
    """Ids depend on the run and the events alone, and differ from each other."""
    one = printed(IDS, "1")
    assert one == printed(IDS, "2")
    assert len(set(one.split())) == 5


def test_without_tracing_nothing_of_opentelemetry_is_imported() -> None:
    """A whole execution without traces imports no module of it."""
    script = (
        "import sys\n"
        "from examples import coffee\n"
        "from garcon import tracing\n"
        "from garcon.local import LocalSWF\n"
        "with LocalSWF() as swf: print(swf.run(coffee, {}).status)\n"
        "print([each for each in sys.modules if 'opentelemetry' in each])\n"
    )
    assert printed(script, "1") == "COMPLETED\n[]\n"
