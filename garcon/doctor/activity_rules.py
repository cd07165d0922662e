"""Rules of the doctor about activities, their runners and their tasks."""

import inspect
from collections.abc import Iterator
from typing import Any

from garcon import runner, task
from garcon.activity import Activity, ExternalActivity
from garcon.doctor.findings import Finding
from garcon.retry import policy_of


def examine(activity: Activity) -> Iterator[Finding]:
    """The findings about one activity."""
    yield from _never_retried(activity)
    if isinstance(activity, ExternalActivity) or activity.runner is None:
        return
    tasks = getattr(activity.runner, "tasks", ())
    if not tasks and type(activity.runner) in (runner.Sync, runner.Async):
        yield Finding(
            "no-tasks",
            str(activity.name),
            "Its runner has no tasks. 1.x gives it 0 seconds, here it has 600.",
            "Give it tasks, or leave it out.",
        )
    for each in tasks:
        if not task.is_task_list(each):
            yield from _task(f"{activity.name}: task {task.name_of(each)}", each)


def _never_retried(activity: Activity) -> Iterator[Finding]:
    if policy_of(activity.retry).maximum == 0:
        yield Finding(
            "never-retried",
            str(activity.name),
            "It has no retries. An attempt that times out or is cancelled leaves a 1.x execution "
            "hanging; here it fails the execution.",
            "Give it retry=N if another attempt may help.",
        )


def _task(subject: str, fn: Any) -> Iterator[Finding]:
    marks = task.marks_of(fn)
    if isinstance(fn, task.FilledTask):
        yield from _left_defaults(subject, fn)
    elif hasattr(fn, "fill"):
        yield Finding(
            "not-filled",
            subject,
            "It is decorated and not filled. 1.x sends its activity no values; here the activity "
            "gets the whole context.",
            "Fill the arguments it needs, so that only these are sent.",
        )
    if inspect.iscoroutinefunction(_function_of(fn)):
        yield Finding(
            "async-task",
            subject,
            "It is async. 1.x does not run it; here it runs, in one event loop of the worker.",
            "Nothing, if that is what you want.",
        )
    if "timeout" not in marks:
        yield _hidden_timeout(subject, fn) or _default_timeout(subject)


def _function_of(fn: Any) -> Any:
    function = fn.task.fn if isinstance(fn, task.FilledTask) else fn
    return inspect.unwrap(getattr(function, "fn", function))


def _left_defaults(subject: str, fn: task.FilledTask) -> Iterator[Finding]:
    parameters = inspect.signature(fn.task.fn).parameters.values()
    left = [
        each.name
        for each in parameters
        if each.name not in {*fn.arguments, "activity", "context"}
        and each.default not in (each.empty, None)
    ]
    if left:
        yield Finding(
            "default-holds",
            subject,
            f"fill() does not name {', '.join(left)}. 1.x passes None; here the default holds.",
            "Make sure that the default is what you want.",
        )


def _default_timeout(subject: str) -> Finding:
    return Finding(
        "default-timeout",
        subject,
        f"It has no timeout, so {runner.DEFAULT_TASK_TIMEOUT} s. 1.x ignores a time-out and the "
        "execution hangs; here the attempt is retried, or the execution fails.",
        "Give it the seconds that it may last: @task.decorate(timeout=…).",
    )


def _hidden_timeout(subject: str, fn: Any) -> Finding | None:
    """A decorator without ``functools.wraps`` around a task: the task is in its closure."""
    cells = getattr(fn, "__closure__", None) or ()
    inner = [task.marks_of(cell.cell_contents) for cell in cells if _is_filled(cell)]
    seconds = next((marks["timeout"] for marks in inner if "timeout" in marks), None)
    if seconds is None:
        return None
    return Finding(
        "hidden-timeout",
        subject,
        f"A decorator hides the task's timeout of {seconds:g} s: it has "
        f"{runner.DEFAULT_TASK_TIMEOUT} s. 1.x ignores a time-out; here it fails the attempt.",
        "Put functools.wraps into the decorator, or the decorator below the task's.",
    )


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # its variable is not assigned yet
        return False
