"""A task that kills its workers is recognised by the deaths in its history."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.aws import limits
from supervisor.child.jobs import poison
from supervisor.ipc.messages import Complete, Fail


def failed(reason: str, details: str | None) -> dict[str, Any]:
    """An ActivityTaskFailed event."""
    return {"activityTaskFailedEventAttributes": {"reason": reason, "details": details}}


def death(activity_id: str, deaths: object) -> dict[str, Any]:
    """The event of a reported death."""
    return failed(
        "WorkerDied: exited 3", json.dumps({"activity_id": activity_id, "deaths": deaths})
    )


def test_the_latest_death_of_the_same_activity_has_the_count() -> None:
    """Events come latest first, and deaths of other activities do not count."""
    events = [{"eventType": "X"}, death("b-1", 7), death("a-1", 2), death("a-1", 1)]
    assert poison.deaths_before(events, "a-1") == 2
    assert poison.deaths_before(events, "c-1") is None


@pytest.mark.parametrize(
    "event",
    [
        failed("burnt", json.dumps({"activity_id": "a-1", "deaths": 2})),
        failed("NotStarted: killed by SIGKILL", json.dumps({"activity_id": "a-1", "deaths": 2})),
        failed("WorkerDied: exited 3", None),
        failed("WorkerDied: exited 3", "not JSON"),
        failed("WorkerDied: exited 3", "[" * 30_000),
        death("a-1", "many"),
        death("a-1", -1),
        death("a-1", 10**30),
        death("a-1", 1.5),
    ],
)
def test_other_failures_and_malformed_details_do_not_count(event: dict[str, Any]) -> None:
    """Failures of another kind and malformed details give no count and raise no error."""
    assert poison.deaths_before([event], "a-1") is None


def test_only_deaths_of_its_own_making_count() -> None:
    """A task that had not started, was stopped by people, or raised, killed no worker."""
    assert poison.is_counted(Fail("WorkerDied: exited 3"))
    assert not poison.is_counted(Fail("NotStarted: exited 3"))
    assert not poison.is_counted(Fail("Interrupted: a second SIGTERM"))
    assert not poison.is_counted(Fail("WorkerDied is what I raise"))
    assert not poison.is_counted(Complete())


@given(st.integers(1, 6), st.integers(1, 5))
def test_the_reason_is_poison_from_the_limit_on(deaths: int, limit: int) -> None:
    """The next reporter finds the count in the failure, whatever its reason."""
    fail = Fail("WorkerDied: killed by SIGSEGV", json.dumps({"signal": "SIGSEGV"}))
    failure = poison.with_deaths(fail, "a-1", deaths, limit)
    assert failure.reason.startswith("Poison: " if deaths >= limit else "WorkerDied: ")
    assert "killed by SIGSEGV" in failure.reason
    assert json.loads(failure.details or "")["signal"] == "SIGSEGV"
    assert poison.deaths_before([failed(failure.reason, failure.details)], "a-1") == deaths


@given(st.integers(0, 40_000), st.integers(0, 400))
def test_the_failure_fits_swf(length: int, lines: int) -> None:
    """Reason and details stay within SWF's limits; the oldest lines are dropped first."""
    last_lines = [f"{number:>100}" for number in range(lines)]
    details = json.dumps({"last_lines": last_lines})[: limits.DETAILS]
    failure = poison.with_deaths(Fail("WorkerDied: " + "x" * length, details), "a-1", 3, 3)
    assert len(failure.reason) <= limits.REASON
    assert len(failure.details or "") <= limits.DETAILS
    kept = json.loads(failure.details or "").get("last_lines", [])
    assert kept == last_lines[len(last_lines) - len(kept) :]
