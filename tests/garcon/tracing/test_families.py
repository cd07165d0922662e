"""One trace through continued runs and children, whichever processes decide them."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, tracing
from garcon.decider import DeciderWorker, history_replay
from garcon.local import LocalSWF
from garcon.tracing import family_trace, seam
from garcon.tracing.seam import Run
from tests.garcon.tracing.family_flows import (
    INPUT,
    always_new,
    contexts,
    histories,
    in_processes,
    in_turn,
    leaf,
    texts,
    trunk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from garcon.local import RunOutcome
    from tests.garcon.recorded_spans import RecordedSpans

READ = "GetWorkflowExecutionHistory"


@pytest.fixture(autouse=True)
def no_contexts() -> None:
    """No task has seen a context yet."""
    contexts.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """A claim store."""
    claims.configure(f"file:{tmp_path}")
    yield tmp_path
    claims.configure(None)


def run(swf: LocalSWF) -> RunOutcome:
    """Run the family."""
    outcome = swf.run(trunk, INPUT, workflow_id="trunk", also=[leaf])
    assert outcome.status == "COMPLETED"
    return outcome


def traces_by_run(spans: RecordedSpans) -> dict[str, set[str]]:
    """The ids of the traces of each run's spans."""
    found: dict[str, set[str]] = {}
    for each in spans.finished:
        run_id = str((each.attributes or {})["garcon.run.id"])
        found.setdefault(run_id, set()).add(f"{each.context.trace_id:032x}" if each.context else "")
    return found


def relations(spans: RecordedSpans) -> Counter[tuple[str, str]]:
    """How many spans of a name stand below one of a name; below nothing for a root."""
    by_id = {each.context.span_id: each.name for each in spans.finished if each.context}
    assert len(by_id) == len(spans.finished)

    def above(span: ReadableSpan) -> str:
        return by_id.get(span.parent.span_id, "missing") if span.parent else ""

    return Counter((each.name, above(each)) for each in spans.finished)


@pytest.mark.parametrize("processes", [in_turn, always_new])
def test_a_family_is_one_trace(
    swf: LocalSWF,
    spans: RecordedSpans,
    monkeypatch: pytest.MonkeyPatch,
    processes: Callable[[Any], Iterator[DeciderWorker]],
) -> None:
    """Its id is that of the first run; the next run and a child stand where they were begun."""
    in_processes(monkeypatch, processes)
    run(swf)
    root, *_ = histories(swf)
    traces = traces_by_run(spans)
    assert len(traces) == 3 + 2 * 3
    assert set().union(*traces.values()) == {family_trace.id_of(Run("trunk", root))}
    found = relations(spans)
    assert {pair: count for pair, count in found.items() if "execution" in pair[0]} == {
        ("execution trunk", ""): 1,
        ("execution trunk", "execution trunk"): 2,
        ("execution leaf", "start leaf"): 3,
        ("execution leaf", "execution leaf"): 3,
    }
    assert {pair for pair in found if "execution" not in pair[0]} == {
        ("decision trunk", "execution trunk"),
        ("start leaf", "decision trunk"),
        ("decision leaf", "execution leaf"),
        ("schedule leaf_first", "decision leaf"),
        ("attempt leaf_first", "schedule leaf_first"),
        ("schedule leaf_second", "decision leaf"),
        ("attempt leaf_second", "schedule leaf_second"),
        ("schedule trunk_own", "decision trunk"),
        ("attempt trunk_own", "schedule trunk_own"),
    }
    assert not any(each.links for each in spans.finished)


def test_a_process_reads_no_run_that_it_has_decided(provider: TracerProvider) -> None:
    """The decider of the flow knows its earlier runs; that of the children reads each parent once.

    Without traces there are the calls alone that a continuation of the child takes.
    """
    calls = []
    for is_traced in (False, True):
        if is_traced:
            tracing.start(provider)
        with LocalSWF() as swf:
            run(swf)
            calls.append(swf.counters.calls[READ])
    tracing.stop()
    assert calls == [3, 3 + 3]


@pytest.mark.usefixtures("spans")
def test_tasks_and_results_are_without_the_id(swf: LocalSWF) -> None:
    """A task that returns its whole context returns no id, and no later input has two."""
    run(swf)
    assert len(contexts) == 3
    assert not any(family_trace.KEY in each for each in contexts)
    inputs = [each for each in scheduled(swf) if family_trace.KEY in each]
    assert len(inputs) == 2 + 2 * 3
    assert all(each.count(family_trace.KEY) == 1 for each in inputs)


def scheduled(swf: LocalSWF) -> list[str]:
    """The inputs of all activities."""
    return [
        event["activityTaskScheduledEventAttributes"]["input"]
        for events in histories(swf).values()
        for event in events
        if event["eventType"] == "ActivityTaskScheduled"
    ]


def test_a_trace_changes_nothing_but_its_marks(
    provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root's history is the same byte for byte; the others differ in note and member alone."""
    made = []
    for is_traced in (False, True):
        if is_traced:
            tracing.start(provider)
        with LocalSWF(start=1e9) as swf:
            in_processes(monkeypatch, in_turn)
            run(swf)
            made.append(histories(swf))
    tracing.stop()
    plain, traced = made
    (root, *rest) = plain
    assert list(plain) == list(traced)
    assert plain[root] == traced[root]
    assert family_trace.KEY not in texts(each for run_id in rest for each in plain[run_id])
    for run_id in rest:
        assert plain[run_id] != traced[run_id]
        assert plain[run_id] == [unmarked(each) for each in traced[run_id]]


def unmarked(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a traced decider as without traces."""
    changed: dict[str, Any] = copy.deepcopy(dict(event))
    if members := changed.get("activityTaskScheduledEventAttributes"):
        members["input"] = json.dumps(family_trace.without(json.loads(members["input"])))
    if members := changed.get("decisionTaskCompletedEventAttributes"):
        members.pop("executionContext", None)
    return changed


@pytest.mark.parametrize("is_traced", [True, False])
def test_traced_and_untraced_deciders_fit_each_other(
    swf: LocalSWF, spans: RecordedSpans, monkeypatch: pytest.MonkeyPatch, *, is_traced: bool
) -> None:
    """A replay with traces repeats decisions that were made without, and the other way round."""
    in_processes(monkeypatch, in_turn, lambda _: is_traced)
    run(swf)
    for tracer in (seam.tracer, None):
        monkeypatch.setattr(seam, "tracer", tracer)
        for events in histories(swf).values():
            flow = {"trunk": trunk, "leaf": leaf}[type_of(events)]
            assert history_replay.misfit(flow, events) is None


def type_of(events: list[Any]) -> str:
    """The name of a history's workflow type."""
    return str(events[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"])


def test_an_input_in_the_claim_store_carries_the_id_beside_the_claim(
    swf: LocalSWF, spans: RecordedSpans, store: Path
) -> None:
    """What is stored is without it, so that the claim is that of an untraced decider."""
    outcome = swf.run(
        trunk_with({"big": "x" * 40_000}), {"left": 0}, workflow_id="trunk", also=[leaf]
    )
    assert outcome.status == "COMPLETED"
    assert contexts[0]["big"] == "x" * 40_000
    assert all(family_trace.of_input(each) for each in scheduled(swf))
    (claim,) = [json.loads(each) for each in scheduled(swf) if claims.CLAIM in each]
    assert family_trace.KEY not in claims.get(claim)
    assert len(set().union(*traces_by_run(spans).values())) == 1


def trunk_with(values: dict[str, Any]) -> Any:
    """The flow with a child of this input."""
    made = copy.copy(trunk)

    def decide(schedule: Any, context: Any) -> None:
        schedule.child("leaf", leaf, values).wait()

    made.decider = decide
    return made


def test_a_run_that_is_decided_without_traces_breaks_no_trace(
    swf: LocalSWF, spans: RecordedSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after it and its child stay in the trace; its own attempt is in one of its own."""

    def is_traced(start: Mapping[str, Any]) -> bool:
        return bool(json.loads(start["input"]) != {"left": 1})

    in_processes(monkeypatch, always_new, is_traced)
    run(swf)
    root, untraced, *_ = made = histories(swf)
    assert "executionContext" not in texts(made[untraced])
    assert family_trace.KEY not in texts(made[untraced])
    traces = traces_by_run(spans)
    assert traces.pop(untraced) == {family_trace.id_of(Run("trunk", untraced))}
    assert len(traces) == 2 + 2 * 3
    assert set().union(*traces.values()) == {family_trace.id_of(Run("trunk", root))}


def test_a_refused_look_costs_no_decision(
    swf: LocalSWF, spans: RecordedSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose ancestor is not read counts it as the root, and all of its deciders agree."""
    in_processes(monkeypatch, always_new)
    swf.inject("throttle", READ)
    run(swf)
    assert swf.counters.timeouts == {}
    traces = traces_by_run(spans)
    assert all(len(found) == 1 for found in traces.values())
    trunks = [run_id for run_id, events in histories(swf).items() if type_of(events) == "trunk"]
    roots = {family_trace.id_of(Run("trunk", run_id)) for run_id in trunks}
    assert set().union(*traces.values()) <= roots
    assert traces[trunks[1]] == traces[trunks[0]]
