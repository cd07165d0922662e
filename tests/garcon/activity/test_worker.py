"""The worker that runs activities in threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from garcon.activity import Activity


def stopping(name: str, seen: list[Any]) -> Activity:
    """An activity that notes its thread, and stops after the second turn."""
    made = make(name)

    def run() -> bool:
        seen.append((made.name, threading.current_thread().name))
        return [each[0] for each in seen].count(made.name) < 2

    made.run = run  # type: ignore[method-assign, assignment]
    return made


def test_each_activity_has_its_thread() -> None:
    """One thread runs one activity until its ``run`` is false; the worker ends with the last."""
    seen: list[Any] = []
    activity.ActivityWorker(flow(a=stopping("a", seen), b=stopping("b", seen))).run()
    assert sorted(seen) == [("flow_a", "flow_a")] * 2 + [("flow_b", "flow_b")] * 2


def test_external_activities_end_at_once() -> None:
    """Another program polls for them."""
    made = activity.create("domain", "flow")(name="far", external=True, timeout=1)
    activity.ActivityWorker(flow(far=made)).run()
    assert "flow_far" not in {each.name for each in threading.enumerate()}


@pytest.mark.parametrize("wanted", ["b", "flow_b"])
def test_a_worker_may_serve_some_activities(wanted: str) -> None:
    """They are named with or without the flow's name."""
    a, b = make("a"), make("b")
    assert activity.ActivityWorker(flow(a=a, b=b), activities=[wanted]).activities == [b]


def test_an_empty_list_of_activities_means_all() -> None:
    """As in 1.1.1."""
    a = make("a")
    worker = activity.ActivityWorker(flow(a=a), activities=[])
    assert (worker.activities, worker.worker_activities) == ([a], [])


def test_unknown_names_are_refused() -> None:
    """A misspelt name would leave a task list without a worker."""
    with pytest.raises(ValueError, match=r"no activity 'c'.* a, b"):
        activity.ActivityWorker(flow(a=make("a"), b=make("b")), activities=["c"])


def test_one_name_is_a_list_of_one() -> None:
    """It is not taken for its letters."""
    a = make("a")
    assert activity.ActivityWorker(flow(a=a, b=make("b")), activities="flow_a").activities == [a]


def test_a_thread_that_a_task_ends_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Python ends it without a word, and its list would wait for a worker."""
    a = make("a")

    def run() -> bool:
        raise SystemExit(3)

    a.run = run  # type: ignore[method-assign, assignment]
    activity.ActivityWorker(flow(a=a)).run()
    assert "A task of flow_a called sys.exit(3): this worker no longer polls" in caplog.text
