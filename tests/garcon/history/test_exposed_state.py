"""Exposed values of a decider: in answers that are sent anyway, beside the library's notes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import activity, runner, task
from garcon.history import build_notes, decision_deaths, exposed_state, returned_tasks
from garcon.history.build_notes import BuildNote
from garcon.local import LocalSWF
from tests.garcon.decider.build_fleet import Fleet

pytestmark = pytest.mark.slow  # many examples

NOTES = [
    None,
    str(BuildNote("b1", returned=True, waits=3, misfits=("x",), why="y")),
    str(decision_deaths.DecisionDeaths(3, "x", 60)),
    str(returned_tasks.ReturnedTask(2, "x", 5)),
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def answer(context: str | None) -> dict[str, Any]:
    """The event of an answer."""
    return {"decisionTaskCompletedEventAttributes": {"executionContext": context}}


@settings(max_examples=60)
@given(st.dictionaries(st.text(), values), st.sampled_from(NOTES))
def test_it_fits_and_leaves_the_notes_as_they_are(exposed: dict[str, Any], note: str) -> None:
    """Whatever the values are; SWF takes 32,768 characters."""
    text = exposed_state.merged(note, exposed)
    assert len(text) < 32_768
    found = exposed_state.latest([answer(note), answer(text)])
    assert (found[1] if found else {}).keys() in ({*exposed}, {"too many"})
    for read in (build_notes.read, decision_deaths.read, returned_tasks.read):
        assert read(text) == read(note)


def test_the_largest_value_is_replaced_first() -> None:
    """By a sentence; a value that JSON has no form for is its text."""
    exposed = {"note": "x" * 20_000, "step": 3, "more": {1, 2}}
    found = exposed_state.latest([answer(exposed_state.merged(None, exposed))])
    assert found
    assert found[1] == {
        "note": "too long to show: 20,012 characters",
        "step": 3,
        "more": str({1, 2}),
    }


@pytest.mark.parametrize("text", [None, "", "x", "[]", '{"state": 3}', '{"state": "x"}', "null"])
def test_what_others_wrote_is_nothing(text: str | None) -> None:
    """And an earlier answer counts."""
    assert exposed_state.latest([answer(text)]) is None
    earlier = answer(exposed_state.merged(None, {"a": 1}))
    assert exposed_state.latest([answer(text), earlier]) == (earlier, {"a": 1})


@task.decorate(timeout=60)
def work() -> None:
    """Do nothing."""


def flow_of(*, exposes: bool, raises: bool = False) -> Any:
    """A flow of three steps that exposes its progress, or not."""
    step = activity.create("domain", "flow")(name="step", run=runner.Sync(work.fill()))

    def decider(schedule: Any) -> None:
        for number in range(3):
            if exposes:
                schedule.expose(progress=f"{number} of 3", **{f"step {number}": "begun"})
            schedule(f"s{number}", step).wait()
        if raises:
            raise RuntimeError("A bug.")

    return SimpleNamespace(domain="domain", name="flow", step=step, decider=decider)


def test_it_costs_no_event_and_no_call() -> None:
    """The same flow without it has the same events and the same number of calls."""
    ran = []
    for exposes in (False, True):
        with LocalSWF(start=1e9) as swf:
            outcome = swf.run(flow_of(exposes=exposes), workflow_id="o")
            contexts = [
                each["decisionTaskCompletedEventAttributes"].pop("executionContext", None)
                for each in outcome.history
                if each["eventType"] == "DecisionTaskCompleted"
            ]
            ran.append((outcome.history, swf.counters.calls))
    assert ran[0] == ran[1]
    assert json.loads(contexts[1])["state"] == {
        "progress": "1 of 3",
        "step 0": "begun",
        "step 1": "begun",
    }


def test_it_stands_beside_the_build_also_where_the_decider_raises() -> None:
    """The last answer, which fails the workflow, has it too."""
    with LocalSWF(start=1e9) as swf:
        fleet = Fleet(swf, {"b1": flow_of(exposes=True, raises=True)})
        fleet.deploy("b1")
        fleet.start()
        for _ in range(3):
            fleet.work()
        assert fleet.history[-1]["eventType"] == "WorkflowExecutionFailed"
        last = exposed_state.latest(reversed(fleet.history))
        assert last
        assert last[1]["progress"] == "2 of 3"
        assert fleet.note.build == "b1"
