"""Lines of the embedded metric format: their form, and counts of the minute."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supervisor.ipc.messages.tallies import BOUNDS, Tallies, TaskTally
from supervisor.sidecars import emf_lines
from tests.supervisor.sidecars.monitor.test_exposition import RESIZE, SEEN

MOST_METRICS, MOST_DIMENSIONS = 100, 30
"""CloudWatch's limits of one line."""

UNITS = {"Count", "Bytes", "Seconds", "Percent"}

OPERATIONS = ("CountPendingActivityTasks", "PollForActivityTask")


def made(before: Tallies | None) -> list[dict[str, Any]]:
    """The lines as JSON."""
    return [json.loads(line) for line in emf_lines.lines(SEEN, before, "album", 1_700_000_000.5)]


def test_a_line_has_the_form_of_the_specification() -> None:
    """Each metric and dimension that the directive names is a member, with a unit and a number."""
    lines = made(None)
    assert len(lines) == 1 + len(SEEN.status.lists) + len(OPERATIONS)
    for line in lines:
        assert line["_aws"]["Timestamp"] == 1_700_000_000_500
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "garcon"
        (dimensions,) = directive["Dimensions"]
        assert len(dimensions) <= MOST_DIMENSIONS
        assert all(isinstance(line[each], str) for each in dimensions)
        assert len(directive["Metrics"]) <= MOST_METRICS
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            assert isinstance(line[metric["Name"]], int | float)


def test_counts_are_those_of_the_minute() -> None:
    """The first line counts nothing; a later one what came since the line before."""
    (first,) = (line for line in made(None) if line.get("TaskList") == "album_resize")
    assert (first["TasksCompleted"], first["BusySeconds"]) == (0, 0)
    one = (0, 1, *(0,) * (len(BOUNDS) - 1))
    before = Tallies((TaskTally(RESIZE, "completed", one, 45.5),), {})
    (second,) = (line for line in made(before) if line.get("TaskList") == "album_resize")
    assert (second["TasksCompleted"], second["BusySeconds"]) == (5, 12_300.0)
    assert second["TasksWaiting"] == 7


def test_what_children_count_is_of_the_minute_too() -> None:
    """Calls have a line for each operation; the others stand with their host or list."""
    first = made(None)
    assert first[0]["Decisions"] == first[-1]["Calls"] == 0
    host, _, resize, counts, polls = made(Tallies((), {}))
    assert (host["Decisions"], host["DecisionSeconds"], host["DecisionEvents"]) == (6, 0.25, 120)
    assert (host["ClaimsStored"], host["ClaimBytesStored"], host["ClaimsFetched"]) == (2, 90_000, 0)
    assert (host["OpenExecutions"], host["SampledExecutions"], host["SampledStuck"]) == (90, 50, 2)
    assert (resize["HeartbeatsSent"], resize["HeartbeatsRefused"]) == (40, 2)
    assert (resize["TasksStarted"], resize["WaitSeconds"]) == (6, 777.5)
    assert (counts["Operation"], polls["Operation"]) == OPERATIONS
    assert (polls["Calls"], polls["CallsThrottled"], polls["CallsFailed"]) == (100, 10, 0)
    assert polls["BudgetUsed"] == pytest.approx(100 / 200 / 60 * 100, abs=1e-3)
