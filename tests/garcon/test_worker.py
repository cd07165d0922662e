"""The worker of threads."""

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
    """One thread an activity, which runs it until it says no."""
    seen: list[Any] = []
    threads = activity.ActivityWorker(flow(a=stopping("a", seen), b=stopping("b", seen))).run()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(seen) == [("flow_a", "flow_a")] * 2 + [("flow_b", "flow_b")] * 2


def test_external_activities_end_at_once() -> None:
    """Another program works for them."""
    made = activity.create("domain", "flow")(name="far", external=True, timeout=1)
    (thread,) = activity.ActivityWorker(flow(far=made)).run()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.parametrize("wanted", ["b", "flow_b"])
def test_a_worker_may_serve_some_activities(wanted: str) -> None:
    """Named with or without the flow's name."""
    a, b = make("a"), make("b")
    assert activity.ActivityWorker(flow(a=a, b=b), activities=[wanted]).activities == [b]


def test_a_worker_for_no_activities_serves_none() -> None:
    """An empty list is not the same as no list."""
    assert activity.ActivityWorker(flow(a=make("a")), activities=[]).run() == []


def test_unknown_names_are_pointed_out() -> None:
    """A misspelt name would be a task list that nobody serves."""
    with pytest.raises(ValueError, match=r"no activity 'c'.* a, b"):
        activity.ActivityWorker(flow(a=make("a"), b=make("b")), activities=["c"])
