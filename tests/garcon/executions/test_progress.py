"""Progress of an execution as lines."""

from __future__ import annotations

from garcon.executions import Execution, Status
from garcon.executions.progress import Progress
from garcon.executions.timeline import BarState
from garcon.executions.waiting import NewEvents
from tests.garcon.executions.scenarios import Scenario, everything, retried

RUN = Execution("order-17", "run-1")


def test_a_line_has_the_time_the_event_and_the_reason() -> None:
    """The lines are the same however the events are cut into polls."""
    lines = [
        "   0.00 s  order-17 started",
        "   6.00 s  grind-1 failed (3.00 s): No beans.",
        "   10.0 s  grind-1 completed (4.00 s)",
        "   10.0 s  order-17 completed after 10.0 s",
    ]
    events = retried().events
    assert Progress().read(NewEvents(RUN, events)) == lines
    progress = Progress()
    assert [line for event in events for line in progress.read(NewEvents(RUN, [event]))] == lines


def test_each_line_names_its_workflow_where_several_are_followed() -> None:
    """After the time comes the workflow id, then what happened."""
    lines = Progress(RUN, named=True).read(NewEvents(RUN, retried().events))
    assert lines[1:] == [
        "   6.00 s  order-17 grind-1 failed (3.00 s): No beans.",
        "   10.0 s  order-17 grind-1 completed (4.00 s)",
        "   10.0 s  order-17 completed after 10.0 s",
    ]


def test_attempts_are_counted_by_state_over_all_runs() -> None:
    """Each attempt counts, the open ones as waiting or running."""
    first, second = retried(), Scenario()
    first.events[-1:] = []
    first.add("WorkflowExecutionContinuedAsNew", newExecutionRunId="run-2")
    second.started(second.scheduled("flow_grind"))
    second.scheduled("flow_brew")
    progress = Progress(RUN)
    progress.read(NewEvents(RUN, first.events))
    assert (progress.status, progress.seen) == (Status.OPEN, 0)
    assert progress.execution == Execution("order-17", "run-2")
    progress.read(NewEvents(progress.execution, second.events))
    assert progress.activities() == {
        ("flow_grind", BarState.FAILED): 1,
        ("flow_grind", BarState.COMPLETED): 1,
        ("flow_grind", BarState.RUNNING): 1,
        ("flow_brew", BarState.WAITING): 1,
    }


def test_the_status_and_the_last_result_are_kept() -> None:
    """A summary at the end can name them."""
    scenario = Scenario()
    scenario.ended("Completed", scenario.scheduled("flow_grind"), result='{"cup": 1}')
    scenario.add("WorkflowExecutionFailed", reason="gave up")
    progress = Progress()
    progress.read(NewEvents(RUN, scenario.events))
    assert (progress.status, progress.seen) == (Status.FAILED, 4)
    assert progress.last_result == '{"cup": 1}'


def test_a_decision_has_a_line_only_if_it_timed_out() -> None:
    """Completed decisions follow every other event and would drown it."""
    lines = Progress().read(NewEvents(RUN, everything().events))
    assert [line.split("  ")[-1] for line in lines if "decision" in line] == [
        "decisions timed out (1.00 s): START_TO_CLOSE"
    ]


def test_the_times_of_the_next_run_begin_at_its_start() -> None:
    """Each run counts its time from its own first event."""
    first, second = Scenario(), Scenario()
    second.events[0]["eventTimestamp"] += 5
    first.after(5).add("WorkflowExecutionContinuedAsNew", newExecutionRunId="run-2")
    progress = Progress()
    lines = progress.read(NewEvents(RUN, first.events))
    assert lines[-1].endswith("continued as new after 5.00 s")
    next_lines = progress.read(NewEvents(Execution("order-17", "run-2"), second.events))
    assert next_lines == ["   0.00 s  order-17 started"]
