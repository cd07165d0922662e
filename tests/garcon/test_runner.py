"""Runners: what they do and what they add up."""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from garcon import runner, task
from garcon.activity import ActivityExecution
from garcon.errors import NotADictionary
from tests.garcon.fakes import FakeSwf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@task.decorate(timeout=10, heartbeat=4)
def short(activity: Any, a: Any) -> Any:
    """Give back what it got."""
    return {"short": a}


@task.decorate(timeout=100, heartbeat=50)
def long(activity: Any, b: Any) -> Any:
    """Give back what it got, under the other's key too."""
    return {"short": "later", "long": b}


def execution(swf: Any = None, **more: Any) -> ActivityExecution:
    """A task in hand that SWF heard of long ago."""
    more.setdefault("received", time.monotonic() - 60)
    return ActivityExecution(swf or FakeSwf(), "id", "token", "{}", **more)


def test_timeouts_are_the_sum_and_heartbeat_the_longest() -> None:
    """The reckoning is pessimistic, for every runner."""
    tasks = (short.fill(a="a"), long.fill(b="b"), lambda context, activity: None)
    for made in (runner.Sync(*tasks), runner.Async(*tasks)):
        assert made.timeout({}) == 10 + 100 + 600
        assert made.heartbeat({}) == 600


def test_timeouts_depend_on_task_lists() -> None:
    """Which tasks there are depends on the context, and so do the sums."""

    @task.list
    def tasks(context: Mapping[str, Any]) -> Iterator[Any]:
        for _ in range(context.get("n", 0)):
            yield short.fill(a="a")

    made = runner.Sync(tasks)
    assert [made.timeout({"n": n}) for n in (0, 1, 3)] == [600, 10, 30]
    assert made.heartbeat({"n": 2}) == 4


def test_requirements_are_all_filled_keys() -> None:
    """What the activity has to be sent."""
    assert runner.Sync(short.fill(a="x"), long.fill(b="y")).requirements({}) == {"x", "y"}


LOOKS: list[Any] = [
    lambda context: context["flag"],
    lambda context: context.get("flag"),
    lambda context: "flag" in context,
    lambda context: dict(context).get("flag"),
    lambda context: {**context}.get("flag"),
    lambda context: json.loads(json.dumps(context)).get("flag"),
    lambda context: isinstance(context, dict) and dict.get(context.copy(), "flag"),
    lambda context: len(context) == 2,
    bool,
    lambda context: context == {"flag": 1, "a": 2},
    lambda context: ({} | context)["flag"],
    lambda context: (context | {})["flag"],
    lambda context: context.setdefault("flag", 1),
    lambda context: context.pop("flag", None),
    lambda context: any(key == "flag" for key in context),
    lambda context: any(key == "flag" for key in reversed(context)),
    lambda context: any(key == "flag" for key, _ in context.items()),
    lambda context: any(key == "flag" for key in context.keys()),  # noqa: SIM118 - the point
    lambda context: 1 in context.values(),
    lambda context: context.popitem(),
    lambda context: copy.deepcopy(context)["flag"],
]


@pytest.mark.parametrize("look", LOOKS)
def test_keys_that_a_task_list_looks_at_are_sent_too(look: Any) -> None:
    """The activity asks the list again, and has to come to the same tasks."""

    @task.list
    def tasks(context: Mapping[str, Any]) -> Iterator[Any]:
        yield short.fill(a="a")
        if look(context):
            yield long.fill(b="b")

    assert {"flag", "a", "b"} <= runner.Sync(tasks).requirements({"flag": 1, "a": 2})


def test_a_task_that_is_not_filled_needs_everything() -> None:
    """Without a declaration no assumption is made."""
    with pytest.raises(runner.NoRunnerRequirementsFound, match="short"):
        runner.Sync(short).requirements({})


def test_external_needs_a_timeout_and_gets_everything() -> None:
    """Nobody else could know the timeout; the heartbeat defaults to it."""
    with pytest.raises(ValueError, match="timeout"):
        runner.External()
    made = runner.External(timeout=30)
    assert (made.timeout({}), made.heartbeat({})) == (30, 30)
    assert runner.External(30, heartbeat=3).heartbeat({}) == 3
    with pytest.raises(runner.NoRunnerRequirementsFound):
        made.requirements({})


def test_the_base_runs_nothing() -> None:
    """An own runner has to say how."""
    with pytest.raises(NotImplementedError):
        runner.BaseRunner().execute(None, {})


def test_sync_hands_results_on() -> None:
    """Later tasks see earlier results; None is a fine result."""
    tasks = (lambda context, activity: None, short.fill(a="in"), long.fill(b="short"))
    result = runner.Sync(*tasks).execute(execution(), {"in": 1})
    assert result == {"short": "later", "long": 1}


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_a_result_that_is_no_dictionary_is_pointed_out(kind: Any) -> None:
    """The sentence names task, activity and value, even for a value that is empty."""

    def careless(context: Any, activity: Any) -> Any:
        return context["value"]

    for value in (5, 0, False, [], [("a", 1)], ""):
        said = re.escape(f"task careless of the activity id returned {value!r};")
        with pytest.raises(NotADictionary, match=said):
            kind(careless).execute(execution(), {"value": value})


def test_a_namespace_leaves_what_is_no_dictionary_to_be_pointed_out() -> None:
    """The error is about the result, not about the namespace."""
    filled = task.decorate()(lambda: 5).fill(namespace="n")
    with pytest.raises(NotADictionary, match="returned 5"):
        runner.Sync(filled).execute(execution(), {})


def test_the_own_context_wins_over_earlier_results() -> None:
    """On the same key a task sees what the activity was given."""
    tasks = (short.fill(a="in"), long.fill(b="short"))
    assert runner.Sync(*tasks).execute(execution(), {"in": 1, "short": 9})["long"] == 9


def test_async_merges_in_the_order_of_tasks() -> None:
    """Whichever finishes first, the later task's value counts."""
    first_done = threading.Event()

    def first(context: Any, activity: Any) -> Any:
        assert first_done.wait(10)
        return {"k": "first", "a": 1}

    def second(context: Any, activity: Any) -> Any:
        first_done.set()
        return {"k": "second"}

    assert runner.Async(first, second).execute(execution(), {}) == {"k": "second", "a": 1}


def test_async_runs_side_by_side_up_to_max_workers() -> None:
    """Tasks that wait for each other finish when there are threads for all."""
    barrier = threading.Barrier(4, timeout=10)

    def meet(context: Any, activity: Any) -> None:
        barrier.wait()

    assert runner.Async(*[meet] * 4, max_workers=4).execute(execution(), {}) == {}


def test_async_raises_what_a_task_raised_and_starts_no_more() -> None:
    """One broken task fails the activity; those not yet begun are left."""
    begun: list[int] = []

    def broken(context: Any, activity: Any) -> None:
        begun.append(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        runner.Async(*[broken] * 50, max_workers=1).execute(execution(), {})
    assert len(begun) < 50


def test_async_tasks_log_under_the_execution() -> None:
    """The threads of an activity have its logger."""
    current = execution()
    current.set_log_context({"execution.domain": "dom"})
    try:
        names = runner.Async(lambda context, activity: {"n": activity.logger.name}).execute(
            current, {}
        )
    finally:
        current.unset_log_context()
    assert names == {"n": "garcon.dom"}


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_swf_hears_before_each_task(kind: Any) -> None:
    """A sign of life goes out before every task, if the poll was answered long ago."""
    swf = FakeSwf()
    kind(*[lambda context, activity: None] * 3).execute(execution(swf), {})
    assert swf.names == ["record_activity_task_heartbeat"] * 3


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_only_the_first_task_is_spared_the_sign_of_life(kind: Any) -> None:
    """SWF knows of a task that it handed out a moment ago; the other tasks are told of."""
    swf = FakeSwf()
    kind(*[lambda context, activity: None] * 3).execute(
        execution(swf, received=time.monotonic()), {}
    )
    assert swf.names == ["record_activity_task_heartbeat"] * 2


def test_own_heartbeats_always_go_through() -> None:
    """What the user says to SWF is never spared."""
    swf = FakeSwf()
    runner.Sync(lambda context, activity: activity.heartbeat("half")).execute(
        execution(swf, received=time.monotonic()), {}
    )
    assert swf.requests("record_activity_task_heartbeat") == [
        {"taskToken": "token", "details": "half"}
    ]
