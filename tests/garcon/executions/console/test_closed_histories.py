"""The file of closed histories."""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from garcon.executions.console import closed_histories
from garcon.executions.console.closed_histories import ClosedHistories, default_path
from garcon.executions.values import Execution

if TYPE_CHECKING:
    from pathlib import Path

RUN = Execution("order-17", "r1")


def events(started: float = 100.0, text: str = "x") -> list[dict[str, Any]]:
    """A history."""
    return [{"eventId": 1, "eventType": text, "eventTimestamp": started}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that does not exist yet."""
    return tmp_path / "cache" / "histories.sqlite"


def test_a_history_is_kept_over_processes(path: Path) -> None:
    """Another console reads what one kept."""
    ClosedHistories(path, "here", "cafe").put(RUN, events())
    assert ClosedHistories(path, "here", "cafe").get(RUN) == events()


def test_the_file_and_its_folder_are_their_owners_alone(path: Path) -> None:
    """Histories hold inputs and results."""
    ClosedHistories(path, "here", "cafe").put(RUN, events())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_endpoints_domains_and_runs_are_apart(path: Path) -> None:
    """The same ids elsewhere are another execution."""
    ClosedHistories(path, "here", "cafe").put(RUN, events())
    assert ClosedHistories(path, "there", "cafe").get(RUN) is None
    assert ClosedHistories(path, "here", "bar").get(RUN) is None
    assert ClosedHistories(path, "here", "cafe").get(Execution("order-17", "r2")) is None


def test_a_run_that_started_at_another_time_is_another(path: Path) -> None:
    """A local SWF that starts again with its seed gives the same run ids again."""
    kept = ClosedHistories(path, "here", "cafe")
    kept.put(RUN, events(started=100.0))
    assert kept.get(RUN, 100.001)
    assert kept.get(RUN, 200.0) is None


def test_those_used_longest_ago_are_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file does not grow for ever."""
    monkeypatch.setattr(closed_histories, "LARGEST", 250)
    moments = iter(range(100))
    monkeypatch.setattr(time, "time", lambda: float(next(moments)))
    kept = ClosedHistories(path, "here", "cafe")
    runs = [Execution(f"order-{number}", "r") for number in range(6)]
    for run in runs:
        kept.put(run, events(text=run.workflow_id))
        kept.get(runs[0])
    held = [kept.get(run) is not None for run in runs]
    assert held[0]
    assert held[-1]
    assert not all(held)


def test_a_file_that_is_none_costs_calls_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged file is named once, and nothing fails."""
    path = tmp_path / "histories.sqlite"
    path.write_text("this is not a database, and longer than its header of a hundred bytes" * 3)
    kept = ClosedHistories(path, "here", "cafe")
    kept.put(RUN, events())
    assert kept.get(RUN) is None
    assert len(caplog.records) == 1
    assert str(path) in caplog.text


def test_the_file_lies_in_the_users_folder_for_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """``XDG_CACHE_HOME`` moves it, as for other programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert str(default_path()) == "/elsewhere/garcon/histories.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert str(default_path()) == "/home/ann/.cache/garcon/histories.sqlite"
