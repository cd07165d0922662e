"""Tasks that are coroutine functions."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from garcon import activity, runner, task
from garcon.activity import AttemptCanceled, AttemptFailed, TaskCanceled
from tests.garcon.flows import completed, make

KINDS = [runner.Sync, runner.Async]


def attempt(fn: Any, kind: type[runner.BaseRunner] = runner.Sync, **options: Any) -> Any:
    """The outcome of an activity of this task, filled."""
    made = make("cook", run=kind(task.decorate(timeout=60)(fn).fill(**options)))
    execution = activity.ActivityExecution(None, "cook-1", "token", '{"dish": "soup"}')
    execution.heartbeat = lambda details=None: None  # type: ignore[method-assign]
    return made.attempt(execution)


@pytest.mark.parametrize("kind", KINDS)
def test_a_coroutine_function_is_a_task(kind: type[runner.BaseRunner]) -> None:
    """Its coroutine is run to the end, with its arguments and namespace."""

    async def cook(dish: str, activity: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"meal": f"hot {dish}", "id": activity.activity_id}

    outcome = attempt(cook, kind, dish="dish", namespace="own")
    assert outcome == completed(**{"own.meal": "hot soup", "own.id": "cook-1"})


def test_a_coroutine_may_give_a_coroutine() -> None:
    """It is run, too: a wrapper may be a coroutine function without awaiting what it wraps."""

    async def cook(dish: str) -> dict[str, Any]:
        return {"meal": f"hot {dish}"}

    async def wrapped(dish: str) -> Any:
        return cook(dish)

    assert attempt(wrapped, dish="dish") == completed(meal="hot soup")


def test_a_task_that_is_not_filled_may_be_one_too() -> None:
    """In each of the documented forms."""

    async def cook(context: Any, activity: Any) -> dict[str, Any]:
        return {"meal": context["dish"]}

    assert task.call(cook, None, {"dish": "soup"}) == {"meal": "soup"}


def test_the_main_thread_keeps_its_loop() -> None:
    """Pools that belong to a loop serve later tasks; what a task leaves running ends with it."""
    loops: list[asyncio.AbstractEventLoop] = []
    left: list[asyncio.Task[Any]] = []

    async def cook() -> None:
        loops.append(asyncio.get_running_loop())
        left.append(asyncio.create_task(asyncio.sleep(60)))

    assert [attempt(cook), attempt(cook)] == [completed()] * 2
    assert loops[0] is loops[1]
    assert all(each.cancelled() for each in left)


def test_its_exceptions_fail_the_task() -> None:
    """Also one that asyncio itself raises."""

    async def burn() -> None:
        raise asyncio.CancelledError

    outcome = attempt(burn)
    assert isinstance(outcome, AttemptFailed)
    assert outcome.reason == "CancelledError"


async def waits(activity: Any) -> None:
    """Wait until it is interrupted."""
    threading.Thread(target=activity.on_stale, args=(TaskCanceled,)).start()
    await asyncio.sleep(60)


async def cleans_up(activity: Any) -> None:
    """Await in the handler, and go on."""
    try:
        await waits(activity)
    except TaskCanceled:
        await asyncio.sleep(0)
        raise


async def groups(activity: Any) -> None:
    """Wait in a task group, which wraps exceptions."""
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        await waits(activity)


@pytest.mark.parametrize("fn", [waits, cleans_up, groups])
def test_a_cancellation_is_raised_at_the_present_await(fn: Any) -> None:
    """A background heartbeat brings the request, and the coroutine ends by it."""
    assert isinstance(attempt(fn), AttemptCanceled)
