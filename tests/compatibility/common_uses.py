"""Uses of the library that its first users met, for this garcon and the released one."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, create_autospec

import boto3
from botocore.stub import Stubber

from garcon import activity, context, decider, event, log, param, runner, task, utils

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT: Any = MagicMock()
CREATE: Any = activity.create(CLIENT, "domain", "flow")
PLACE = {"execution.domain": "d", "execution.workflow_id": "w", "execution.run_id": "r"}


def wrapped(fn: Any) -> Any:
    """A decorator as flows have them."""

    @functools.wraps(fn)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return inner


@task.decorate(timeout=30)
def echo(activity: Any, x: Any, y: Any = None) -> dict[str, Any]:
    """Return an argument."""
    return {"x": x}


class Fixed(param.BaseParam):
    """A param that needs nothing."""

    def get_data(self, context: Any) -> Any:
        """A fixed value."""
        return "fixed"


def returning(value: Any) -> Callable[[], Any]:
    """A task that returns a value, run by Sync."""
    return lambda: runner.Sync(lambda context, activity: value).execute(MagicMock(), {})


def made(**options: Any) -> Any:
    """An activity."""
    options.setdefault("run", runner.Sync(echo.fill(x="k")))
    return CREATE(name="a", **options)


def completed(result: str | None) -> Any:
    """The states of an execution whose one activity has completed."""
    ended = {"scheduledEventId": 5, "startedEventId": 6}
    if result is not None:
        ended["result"] = result  # type: ignore[assignment]
    kind = {"name": "flow_a", "version": "1.0"}
    events = [
        {
            "eventId": 1,
            "eventType": "WorkflowExecutionStarted",
            "eventTimestamp": 1.0,
            "workflowExecutionStartedEventAttributes": {},
        },
        {
            "eventId": 5,
            "eventType": "ActivityTaskScheduled",
            "eventTimestamp": 2.0,
            "activityTaskScheduledEventAttributes": {
                "activityId": "flow_a-1-s",
                "activityType": kind,
            },
        },
        {
            "eventId": 6,
            "eventType": "ActivityTaskStarted",
            "eventTimestamp": 3.0,
            "activityTaskStartedEventAttributes": {"scheduledEventId": 5},
        },
        {
            "eventId": 7,
            "eventType": "ActivityTaskCompleted",
            "eventTimestamp": 4.0,
            "activityTaskCompletedEventAttributes": ended,
        },
    ]
    return event.activity_states_from_events(events)


def scheduled(result: str | None) -> Any:
    """The result as a custom decider reads it."""
    turn = decider.ScheduleContext()
    return decider.schedule([], turn, completed(result), {}, "s", made()).result


def stubbed() -> Any:
    """A poll through botocore's stubber."""
    client = boto3.client("swf", region_name="us-east-1")
    one = activity.create(client, "domain", "flow")(name="a", run=runner.Sync(echo))
    task_ = {
        "taskToken": "t",
        "activityId": "a-1",
        "startedEventId": 1,
        "workflowExecution": {"workflowId": "w", "runId": "r"},
        "activityType": {"name": "a", "version": "1.0"},
        "input": "{}",
    }
    with Stubber(client) as stub:
        stub.add_response("poll_for_activity_task", task_)
        return one.poll_for_activity().activity_id


def mocked(client: Any) -> Any:
    """A poll of a client that is a mock."""
    client.poll_for_activity_task.return_value = {"taskToken": "t", "activityId": "a-1"}
    one = activity.create(client, "domain", "flow")(name="a", run=runner.Sync(echo))
    return one.poll_for_activity().activity_id


def empty_poll() -> Any:
    """A poll that brings nothing."""
    client = MagicMock()
    client.poll_for_activity_task.return_value = {}
    one = activity.create(client, "domain", "flow")(name="a", run=runner.Sync(echo))
    return one.poll_for_activity().activity_id


def broken_answer() -> Any:
    """A client whose answers raise something that is no AWS error."""
    client, seen = MagicMock(), []
    client.poll_for_activity_task.return_value = {
        "taskToken": "t",
        "activityId": "a",
        "input": "{}",
    }
    client.respond_activity_task_completed.side_effect = ValueError("wrapper")
    client.respond_activity_task_failed.side_effect = ValueError("wrapper")
    handler = lambda actor, error: seen.append(type(error).__name__)  # noqa: E731
    factory = activity.create(client, "domain", "flow", on_exception=handler)
    one = factory(name="a", run=runner.Sync(lambda context, activity: {}))
    return one.run(), seen


def logger_names() -> Any:
    """Two objects in one thread, one of them seen from another."""
    one, other, elsewhere = log.GarconLogger(), log.GarconLogger(), []
    one.set_log_context(PLACE)
    other.set_log_context({**PLACE, "execution.run_id": "s"})
    thread = threading.Thread(target=lambda: elsewhere.append(one.logger.name))
    thread.start()
    thread.join()
    real = one.logger is logging.getLogger("garcon.d.w.r")
    return one.logger.name, other.logger.name, elsewhere, real


def overridden() -> Any:
    """Documented methods of a subclass, called by run()."""
    called: list[str] = []

    class Mine(decider.DeciderWorker):
        def get_history(self, *args: Any, **kwargs: Any) -> Any:
            called.append("get_history")
            return super().get_history(*args, **kwargs)

        def get_activity_states(self, *args: Any, **kwargs: Any) -> Any:
            called.append("get_activity_states")
            return super().get_activity_states(*args, **kwargs)

        def create_decisions_from_flow(self, *args: Any, **kwargs: Any) -> Any:
            called.append("create_decisions_from_flow")
            return super().create_decisions_from_flow(*args, **kwargs)

    client = MagicMock()
    client.poll_for_decision_task.return_value = {
        "taskToken": "t",
        "startedEventId": 3,
        "previousStartedEventId": 0,
        "workflowExecution": {"workflowId": "w", "runId": "r"},
        "workflowType": {"name": "flow", "version": "1.0"},
        "events": [
            {
                "eventId": 1,
                "eventType": "WorkflowExecutionStarted",
                "eventTimestamp": 1.0,
                "workflowExecutionStartedEventAttributes": {},
            }
        ],
    }
    flow = SimpleNamespace(client=client, domain="domain", name="flow", a=made())
    Mine(flow, register=False).run()
    return called


def served(**options: Any) -> Any:
    """The value that ActivityWorker's run returns, when its activities end at once."""
    one = made()
    one.run = lambda identity=None: False
    flow = SimpleNamespace(client=CLIENT, domain="domain", name="flow", a=one)
    worker: Any = activity.ActivityWorker(flow, **options)
    return worker.run(), len(worker.activities)


def ids(*turns: dict[str, Any]) -> Any:
    """The ids of generated instances."""
    return [each.id for each in made(generators=[lambda context: list(turns)]).instances({})]


class Slow(activity.Activity):
    """An activity of one's own with a class attribute."""

    schedule_to_start_timeout = 7200


def slow() -> Any:
    """Its schedule-to-start timeout."""
    one = Slow(CLIENT)
    one.hydrate({"name": "s", "domain": "d", "run": runner.Sync(echo.fill(x="k"))})
    return next(iter(one.instances({}))).schedule_to_start


def timeouts(fn: Any) -> Any:
    """Timeout and heartbeat of one task."""
    return runner.Sync(fn).timeout({}), runner.Sync(fn).heartbeat({})


def current_context() -> Any:
    """An execution's context."""
    found = context.ExecutionContext()
    found.set_execution_input(
        {"workflowExecutionStartedEventAttributes": {"input": json.dumps({"a": 1})}}
    )
    return dict(found.current)


USES: dict[str, Callable[[], Any]] = {
    "param without requirements": lambda: echo.fill(x=Fixed())({}),
    "fill of an unknown argument": lambda: echo.fill(x="k", old="gone")({"k": 1}),
    "fill twice": lambda: (echo.fill(x="a")({"a": 1}), echo.fill(x="b")({"b": 2})),
    "fill with a static param": lambda: echo.fill(x=param.StaticParam(5))({}),
    "fill with a namespace": lambda: echo.fill(namespace="n", x="k")({"k": 1}),
    "missing key": lambda: echo.fill(x="gone")({}),
    "wraps above decorate": lambda: timeouts(wrapped(echo)),
    "wraps above decorate, filled": lambda: wrapped(echo).fill(x="k")({"k": 1}),
    "wraps above timeout": lambda: timeouts(wrapped(task.timeout(7200)(lambda c, activity: {}))),
    "timeout alone": lambda: timeouts(task.timeout(3600)(lambda context, activity: {})),
    "decorate alone": lambda: timeouts(task.decorate(timeout=40)(lambda activity: {})),
    "decorate with a heartbeat": lambda: timeouts(task.decorate(40, 4)(lambda activity: {})),
    "plain task": lambda: timeouts(lambda context, activity: {}),
    "sum and maximum": lambda: runner.Sync(
        echo, task.timeout(50, 5)(lambda context, activity: {})
    ).timeout({}),
    "task is a function": lambda: inspect.isfunction(echo),
    "marks": lambda: echo.__garcon__["timeout"],
    "task list": lambda: runner.Sync(task.list(lambda context: [echo.fill(x="k")])).timeout({}),
    "returns None": returning(None),
    "returns 0": returning(0),
    "returns False": returning(value=False),
    "returns ''": returning(""),
    "returns []": returning([]),
    "returns pairs": returning([("a", 1)]),
    "later task sees earlier": lambda: runner.Sync(
        echo.fill(x="k"), echo.fill(namespace="n", x="x")
    ).execute(MagicMock(), {"k": 1}),
    "no result, scheduled": lambda: scheduled(None),
    "null result, scheduled": lambda: scheduled("null"),
    "a result, scheduled": lambda: scheduled('{"a": 1}'),
    "no result, state": lambda: completed(None)["flow_a"]["flow_a-1-s"].result,
    "stubbed poll": stubbed,
    "poll of a mock": lambda: mocked(MagicMock()),
    "poll of a mock with a spec": lambda: mocked(
        MagicMock(spec=boto3.client("swf", region_name="us-east-1"))
    ),
    "poll of an autospec": lambda: mocked(
        create_autospec(boto3.client("swf", region_name="us-east-1"))
    ),
    "empty poll": empty_poll,
    "answers that raise": broken_answer,
    "loggers": logger_names,
    "overrides": overridden,
    "worker of all": served,
    "worker of an empty list": lambda: served(activities=[]),
    "worker of an unknown name": lambda: served(activities=["gone"])[1] > 0,
    "id without generators": lambda: [each.id for each in made().instances({})],
    "id of an empty turn": lambda: ids({}),
    "ids of turns": lambda: ids({"i": 1}, {"i": 2, "j": None}, {"text": "ü"}),
    "class attribute": slow,
    "schedule_to_start": lambda: made(schedule_to_start=5).schedule_to_start_timeout,
    "pool size": lambda: made().pool_size,
    "global context": lambda: activity.ActivityInstance(made(), {"b": 2}, {"a": 1}).global_context,
    "execution input": lambda: [
        each.create_execution_input() for each in made().instances({"k": 1, "other": 2})
    ],
    "requires nothing yet": lambda: decider.ensure_requirements([None]),
    "dictionary key": lambda: utils.create_dictionary_key({"b": "x", "a": 1}),
    "key of nothing": lambda: utils.create_dictionary_key({}),
    "context": current_context,
    "execution": lambda: activity.ActivityExecution(CLIENT, "id", "token", '{"a": 1}').context,
}
"""The uses by their names."""
