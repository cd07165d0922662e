"""What is told while somebody waits."""

from __future__ import annotations

from garcon.workflow import Execution, Status
from garcon.workflow.looking import News
from garcon.workflow.progress import Progress
from garcon.workflow.timeline import State
from tests.garcon.workflow.stories import Story, everything, retried

RUN = Execution("order-17", "run-1")


def test_a_line_says_when_what_and_why() -> None:
    """Whichever way the events are cut into news."""
    lines = [
        "   0.00 s  order-17 started",
        "   6.00 s  grind-1 failed (3.00 s): No beans.",
        "   10.0 s  grind-1 completed (4.00 s)",
        "   10.0 s  order-17 completed after 10.0 s",
    ]
    events = retried().events
    assert Progress().read(News(RUN, events)) == lines
    progress = Progress()
    assert [line for each in events for line in progress.read(News(RUN, [each]))] == lines


def test_where_several_are_watched_every_line_names_its_workflow() -> None:
    """The time comes first, then which workflow, then what happened to it."""
    lines = Progress(RUN, named=True).read(News(RUN, retried().events))
    assert lines[1:] == [
        "   6.00 s  order-17 grind-1 failed (3.00 s): No beans.",
        "   10.0 s  order-17 grind-1 completed (4.00 s)",
        "   10.0 s  order-17 completed after 10.0 s",
    ]


def test_activities_are_counted_by_state_over_all_runs() -> None:
    """Each try counts; what is open is waiting or running."""
    first, second = retried(), Story()
    first.events[-1:] = []
    first.add("WorkflowExecutionContinuedAsNew", newExecutionRunId="run-2")
    second.begun(second.scheduled("flow_grind"))
    second.scheduled("flow_brew")
    progress = Progress(RUN)
    progress.read(News(RUN, first.events))
    assert (progress.status, progress.seen) == (Status.OPEN, 0)
    assert progress.execution == Execution("order-17", "run-2")
    progress.read(News(progress.execution, second.events))
    assert progress.activities() == {
        ("flow_grind", State.FAILED): 1,
        ("flow_grind", State.COMPLETED): 1,
        ("flow_grind", State.RUNNING): 1,
        ("flow_brew", State.WAITING): 1,
    }


def test_how_it_closed_and_the_last_result_are_kept() -> None:
    """For whoever sums up."""
    story = Story()
    story.ended("Completed", story.scheduled("flow_grind"), result='{"cup": 1}')
    story.add("WorkflowExecutionFailed", reason="gave up")
    progress = Progress()
    progress.read(News(RUN, story.events))
    assert (progress.status, progress.seen) == (Status.FAILED, 4)
    assert progress.last_result == '{"cup": 1}'


def test_decisions_are_told_only_when_they_time_out() -> None:
    """They follow everything else that happens."""
    told = [each for each in Progress().read(News(RUN, everything().events)) if "decision" in each]
    assert [each.split("  ")[-1] for each in told] == [
        "decisions timed out (1.00 s): START_TO_CLOSE"
    ]


def test_the_next_run_begins_anew() -> None:
    """Its events count from its own start."""
    first, second = Story(), Story()
    second.events[0]["eventTimestamp"] += 5
    first.after(5).add("WorkflowExecutionContinuedAsNew", newExecutionRunId="run-2")
    progress = Progress()
    assert progress.read(News(RUN, first.events))[-1].endswith("continued as new after 5.00 s")
    again = progress.read(News(Execution("order-17", "run-2"), second.events))
    assert again == ["   0.00 s  order-17 started"]
