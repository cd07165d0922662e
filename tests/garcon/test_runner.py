"""Runners: execution of tasks, timeouts and needed keys."""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from garcon import activity, runner, task
from garcon.activity import ActivityExecution
from garcon.errors import InvalidFlow, NotADictionary
from tests.garcon.fakes import FakeSwf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@task.decorate(timeout=10, heartbeat=4)
def short(activity: Any, a: Any) -> Any:
    """Return the argument."""
    return {"short": a}


@task.decorate(timeout=100, heartbeat=50)
def long(activity: Any, b: Any) -> Any:
    """Return the argument, under the other task's key too."""
    return {"short": "later", "long": b}


def execution(swf: Any = None, **more: Any) -> ActivityExecution:
    """A task that was received long ago."""
    more.setdefault("received", time.monotonic() - 60)
    return ActivityExecution(swf or FakeSwf(), "id", "token", "{}", **more)


def test_timeouts_are_the_sum_and_heartbeat_the_longest() -> None:
    """Every runner computes the timeouts pessimistically."""
    tasks = (short.fill(a="a"), long.fill(b="b"), lambda context, activity: None)
    for made in (runner.Sync(*tasks), runner.Async(*tasks)):
        assert made.timeout({}) == 10 + 100 + 600
        assert made.heartbeat({}) == 600


def test_timeouts_depend_on_task_lists() -> None:
    """The context decides which tasks a list yields, and so the timeouts."""

    @task.list
    def tasks(context: Mapping[str, Any]) -> Iterator[Any]:
        for _ in range(context.get("n", 0)):
            yield short.fill(a="a")

    made = runner.Sync(tasks)
    assert [made.timeout({"n": n}) for n in (0, 1, 3)] == [600, 10, 30]
    assert made.heartbeat({"n": 2}) == 4


def test_requirements_are_all_filled_keys() -> None:
    """The activity's input has every key that its tasks are filled from."""
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
def test_keys_that_a_task_list_reads_are_sent_too(look: Any) -> None:
    """The activity runs the list again, and must get the same tasks."""

    @task.list
    def tasks(context: Mapping[str, Any]) -> Iterator[Any]:
        yield short.fill(a="a")
        if look(context):
            yield long.fill(b="b")

    assert {"flag", "a", "b"} <= runner.Sync(tasks).requirements({"flag": 1, "a": 2})


def test_a_task_that_is_not_filled_needs_the_whole_context() -> None:
    """A task that names no keys may read any."""
    with pytest.raises(runner.NoRunnerRequirementsFound, match="short"):
        runner.Sync(short).requirements({})


def test_external_needs_a_timeout_and_the_whole_context() -> None:
    """The heartbeat defaults to the timeout."""
    with pytest.raises(ValueError, match="timeout"):
        runner.External()
    made = runner.External(timeout=30)
    assert (made.timeout({}), made.heartbeat({})) == (30, 30)
    assert runner.External(30, heartbeat=3).heartbeat({}) == 3
    with pytest.raises(runner.NoRunnerRequirementsFound):
        made.requirements({})


def test_the_base_has_no_execute() -> None:
    """A runner of one's own has to define ``execute``."""
    with pytest.raises(NotImplementedError):
        runner.BaseRunner().execute(None, {})


def test_sync_passes_results_to_later_tasks() -> None:
    """Later tasks see earlier results; a task may return None."""
    tasks = (lambda context, activity: None, short.fill(a="in"), long.fill(b="short"))
    result = runner.Sync(*tasks).execute(execution(), {"in": 1})
    assert result == {"short": "later", "long": 1}


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_a_result_that_is_not_a_dictionary_is_an_error(kind: Any) -> None:
    """The error names task, activity and value."""

    def careless(context: Any, activity: Any) -> Any:
        return context["value"]

    for value in (5, True, "text", [1], [("a", 1, 2)], object):
        sentence = re.escape(f"task careless of the activity id returned {value!r};")
        with pytest.raises(NotADictionary, match=sentence):
            kind(careless).execute(execution(), {"value": value})


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
@pytest.mark.parametrize(
    ("returned", "merged"),
    [
        (None, {}),
        (0, {}),
        (False, {}),
        ("", {}),
        ([], {}),
        ([("a", 1)], {"a": 1}),
        (MagicMock(), {}),
    ],
)
def test_a_task_may_return_nothing_or_pairs(kind: Any, returned: Any, merged: Any) -> None:
    """Flows in production return falsy values and pairs of keys and values."""
    assert kind(lambda context, activity: returned).execute(execution(), {}) == merged


def test_a_namespace_does_not_hide_a_result_that_is_not_a_dictionary() -> None:
    """The error is about the result, not about the namespace."""
    filled = task.decorate()(lambda: 5).fill(namespace="n")
    with pytest.raises(NotADictionary, match="returned 5"):
        runner.Sync(filled).execute(execution(), {})


def test_the_activity_s_context_wins_over_earlier_results() -> None:
    """On the same key a task sees the value of the activity's input."""
    tasks = (short.fill(a="in"), long.fill(b="short"))
    assert runner.Sync(*tasks).execute(execution(), {"in": 1, "short": 9})["long"] == 9


def test_async_merges_in_the_order_of_tasks() -> None:
    """The later task's value counts, whichever task ends first."""
    first_done = threading.Event()

    def first(context: Any, activity: Any) -> Any:
        assert first_done.wait(10)
        return {"k": "first", "a": 1}

    def second(context: Any, activity: Any) -> Any:
        first_done.set()
        return {"k": "second"}

    assert runner.Async(first, second).execute(execution(), {}) == {"k": "second", "a": 1}


def test_async_runs_in_parallel_up_to_max_workers() -> None:
    """Tasks that wait for each other end if there are threads for all."""
    barrier = threading.Barrier(4, timeout=10)

    def meet(context: Any, activity: Any) -> None:
        barrier.wait()

    assert runner.Async(*[meet] * 4, max_workers=4).execute(execution(), {}) == {}


def test_async_raises_a_task_s_error_and_starts_no_other_task() -> None:
    """One failed task fails the activity; tasks that have not begun are dropped."""
    begun: list[int] = []

    def broken(context: Any, activity: Any) -> None:
        begun.append(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        runner.Async(*[broken] * 50, max_workers=1).execute(execution(), {})
    assert len(begun) < 50


def test_async_tasks_log_under_the_execution() -> None:
    """The threads of an activity log under its execution."""
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
def test_a_heartbeat_is_sent_before_each_task(kind: Any) -> None:
    """This holds for every task if the poll was answered long ago."""
    swf = FakeSwf()
    kind(*[lambda context, activity: None] * 3).execute(execution(swf), {})
    assert swf.names == ["record_activity_task_heartbeat"] * 3


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_no_heartbeat_is_sent_before_the_first_task_of_a_recent_poll(kind: Any) -> None:
    """The poll has just shown SWF that the worker is alive; later tasks get their heartbeat."""
    swf = FakeSwf()
    kind(*[lambda context, activity: None] * 3).execute(
        execution(swf, received=time.monotonic()), {}
    )
    assert swf.names == ["record_activity_task_heartbeat"] * 2


def test_heartbeats_of_tasks_are_always_sent() -> None:
    """A heartbeat that a task sends itself is never left out."""
    swf = FakeSwf()
    runner.Sync(lambda context, activity: activity.heartbeat("half")).execute(
        execution(swf, received=time.monotonic()), {}
    )
    assert swf.requests("record_activity_task_heartbeat") == [
        {"taskToken": "token", "details": "half"}
    ]


def test_external_gets_the_keys_that_it_needs() -> None:
    """The other keys stay here: a large context would become a claim, which it had to fetch."""
    create = activity.create("domain", "flow")
    made = create(name="bill", external=True, timeout=60, needs=("order", "missing"))
    made.pool_size = 1
    (instance,) = made.instances({"order": 17, "photos": "x" * 40_000})
    sent = instance.create_execution_input()
    assert sent["order"] == 17
    assert not sent.keys() & {"photos", "missing"}


@pytest.mark.parametrize("needs", ["order", 5, ["order", 5]])
def test_needs_of_an_external_activity_are_texts(needs: Any) -> None:
    """One text is a likely mistake for a list of one."""
    with pytest.raises(InvalidFlow, match="needs= has"):
        runner.External(30, needs=needs)
