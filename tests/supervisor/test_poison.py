"""A task that kills its workers is recognised by what the history tells of its deaths."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import limits
from supervisor import poison
from supervisor.messages import Complete, Fail


def failed(reason: str, details: str | None) -> dict[str, Any]:
    """An ActivityTaskFailed event."""
    return {"activityTaskFailedEventAttributes": {"reason": reason, "details": details}}


def death(activity_id: str, deaths: object) -> dict[str, Any]:
    """The event of a reported death."""
    return failed(
        "WorkerDied: exited 3", json.dumps({"activity_id": activity_id, "deaths": deaths})
    )


def test_the_latest_death_of_the_same_activity_tells_the_count() -> None:
    """Events come latest first; other activities' deaths are not this one's."""
    events = [{"eventType": "X"}, death("b-1", 7), death("a-1", 2), death("a-1", 1)]
    assert poison.deaths_before(events, "a-1") == 2
    assert poison.deaths_before(events, "c-1") is None


@pytest.mark.parametrize(
    "event",
    [
        failed("burnt", json.dumps({"activity_id": "a-1", "deaths": 2})),
        failed("Unbegun: killed by SIGKILL", json.dumps({"activity_id": "a-1", "deaths": 2})),
        failed("WorkerDied: exited 3", None),
        failed("WorkerDied: exited 3", "no JSON"),
        failed("WorkerDied: exited 3", "[" * 30_000),
        death("a-1", "many"),
        death("a-1", -1),
        death("a-1", 10**30),
        death("a-1", 1.5),
    ],
)
def test_what_others_wrote_is_no_count(event: dict[str, Any]) -> None:
    """Failures of another kind, and details that make no sense, count nothing and raise nothing."""
    assert poison.deaths_before([event], "a-1") is None


def test_only_deaths_of_its_own_making_count() -> None:
    """A task that was not begun, or cut short by people, or raised, killed nobody."""
    assert poison.counts(Fail("WorkerDied: exited 3"))
    assert not poison.counts(Fail("Unbegun: exited 3"))
    assert not poison.counts(Fail("Interrupted: a second SIGTERM"))
    assert not poison.counts(Fail("WorkerDied is what I raise"))
    assert not poison.counts(Complete())


@given(st.integers(1, 6), st.integers(1, 5))
def test_at_so_many_deaths_the_failure_says_poison(deaths: int, limit: int) -> None:
    """The next count is found by the next reporter, whatever the failure's reason."""
    fail = Fail("WorkerDied: killed by SIGSEGV", json.dumps({"signal": "SIGSEGV"}))
    told = poison.judged(fail, "a-1", deaths, limit)
    assert told.reason.startswith("Poison: " if deaths >= limit else "WorkerDied: ")
    assert "killed by SIGSEGV" in told.reason
    assert json.loads(told.details or "")["signal"] == "SIGSEGV"
    assert poison.deaths_before([failed(told.reason, told.details)], "a-1") == deaths


@given(st.integers(0, 40_000), st.integers(0, 400))
def test_what_is_told_fits(length: int, lines: int) -> None:
    """Reason and details stay within SWF's bounds; the oldest lines go first."""
    last_lines = [f"{number:>100}" for number in range(lines)]
    details = json.dumps({"last_lines": last_lines})[: limits.DETAILS]
    told = poison.judged(Fail("WorkerDied: " + "x" * length, details), "a-1", 3, 3)
    assert len(told.reason) <= limits.REASON
    assert len(told.details or "") <= limits.DETAILS
    kept = json.loads(told.details or "").get("last_lines", [])
    assert kept == last_lines[len(last_lines) - len(kept) :]
