"""Tasks that are coroutine functions: run to their end in an event loop of the worker.

Rules:

1. The main thread keeps one event loop for all its tasks, so connection pools that belong to a loop
   outlive a task. Other threads have a loop for each task.
2. Asyncio tasks that a task leaves behind are cancelled when it ends.
3. When SWF no longer wants the work, ``TaskCanceled`` or ``TaskGone`` is raised in the coroutine at
   its present ``await``, once; it may clean up.
"""

import asyncio
import atexit
import contextvars
import functools
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

_kept: dict[int, asyncio.Runner] = {}
"""The main thread's loop, by process: a fork must not use that of its parent."""


def run(coroutine: Coroutine[Any, Any, Any], activity: Any) -> Any:
    """The result of a task's coroutine, run to its end.

    Args:
        coroutine: What the task's function returned.
        activity: The execution, whose ``on_stale`` interrupts the coroutine.
    """
    task = _CoroutineTask(coroutine, activity)
    context = contextvars.copy_context()  # the runner would use that of its first task
    if threading.current_thread() is threading.main_thread():
        return _kept_runner().run(task.run(), context=context)
    with asyncio.Runner() as runner:
        return runner.run(task.run(), context=context)


def _kept_runner() -> asyncio.Runner:
    runner = _kept.get(os.getpid())
    if runner is None:
        runner = _kept[os.getpid()] = asyncio.Runner()
        atexit.register(runner.close)
    return runner


class _CoroutineTask:
    """One coroutine, which another thread may interrupt."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], activity: Any) -> None:
        self._coroutine = coroutine
        self._activity = activity
        self._stale: Exception | None = None

    async def run(self) -> Any:
        loop, current = asyncio.get_running_loop(), asyncio.current_task()
        listener: Callable[[Any], None] | None = getattr(self._activity, "on_stale", None)

        def interrupt(why: type[Exception]) -> None:
            if listener:
                listener(why)
            loop.call_soon_threadsafe(self._interrupt, current, why)

        if listener:
            self._activity.on_stale = interrupt
        try:
            return await self
        except Exception as error:
            if self._stale is None or not _contains(error, self._stale):
                raise
            raise self._stale from None
        finally:
            if listener:
                self._activity.on_stale = listener
            await _cancel_others(current)

    def _interrupt(self, current: "asyncio.Task[Any] | None", why: type[Exception]) -> None:
        if self._stale is None and current and not current.done():
            self._stale = why(f"SWF no longer wants {self._activity.activity_id}.")
            current.cancel()

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine; a cancellation by ``_interrupt`` becomes its exception (rule 3)."""
        step: Callable[[], Any] = functools.partial(self._coroutine.send, None)
        is_due = True
        while True:
            try:
                awaited = step()
            except StopIteration as end:
                return end.value
            try:
                step = functools.partial(self._coroutine.send, (yield awaited))
            except BaseException as error:  # noqa: BLE001 - whatever the loop throws is passed on
                if self._stale and is_due and isinstance(error, asyncio.CancelledError):
                    is_due, error = False, self._stale
                step = functools.partial(self._coroutine.throw, error)


def _contains(error: BaseException, leaf: BaseException) -> bool:
    """Whether the error is ``leaf``, or a group with it: a ``TaskGroup`` wraps what is raised."""
    if isinstance(error, BaseExceptionGroup):
        return any(_contains(each, leaf) for each in error.exceptions)
    return error is leaf


async def _cancel_others(current: "asyncio.Task[Any] | None") -> None:
    others = asyncio.all_tasks() - {current}
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
