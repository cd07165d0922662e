"""Uses of activities, their instances and executions, for this garcon and the released one."""

from __future__ import annotations

import json
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from garcon import activity, log, runner, task

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT: Any = MagicMock()
CREATE: Any = activity.create(CLIENT, "domain", "flow")
PLACE = {"execution.domain": "d", "execution.workflow_id": "w", "execution.run_id": "r"}


@task.decorate(timeout=30)
def echo(activity: Any, x: Any) -> dict[str, Any]:
    """Return an argument."""
    return {"x": x}


def plain(context: Any, activity: Any) -> dict[str, Any]:
    """A task that is not filled."""
    return {}


def made(**options: Any) -> Any:
    """An activity."""
    options.setdefault("run", runner.Sync(echo.fill(x="k")))
    return CREATE(name="a", **options)


def ids(*generators: Any, **context: Any) -> Callable[[], Any]:
    """The ids of an activity with these generators."""
    return lambda: [each.id for each in made(generators=list(generators)).instances(context)]


def instances(read: Callable[[Any], Any], context: Any, **options: Any) -> Callable[[], Any]:
    """Something of each instance."""
    return lambda: [read(each) for each in made(**options).instances(context)]


def hydrated(read: Callable[[Any], Any], *data: Any) -> Callable[[], Any]:
    """Something of an activity that was hydrated so often."""

    def use() -> Any:
        one: Any = activity.Activity(CLIENT)
        for each in data:
            one.hydrate(each)
        return read(one)

    return use


def own(name: str, value: Any, given: Any, option: str | None = None) -> Callable[[], Any]:
    """Whether a class's attribute stays when an option is given."""

    def use() -> Any:
        one: Any = type("Own", (activity.Activity,), {name: value})(CLIENT)
        one.hydrate({option or name: given})
        return getattr(one, name) == value

    return use


def execution(use: Callable[[Any], Any]) -> Callable[[], Any]:
    """The calls that a use of an execution makes."""

    def run() -> Any:
        one: Any = activity.ActivityExecution(MagicMock(), "id", "token", '{"a": 1}')
        use(one)
        return [name for name, _, _ in one.client.method_calls]

    return run


def context_of(text: str | None) -> Callable[[], Any]:
    """The context of an execution with this input."""
    return lambda: activity.ActivityExecution(CLIENT, "id", "token", text).context


def ran(fn: Any, answer: Any = None) -> Callable[[], Any]:
    """The outcome of a poll, a task and the answer."""

    def use() -> Any:
        client, seen = MagicMock(), []
        task_ = {"taskToken": "t", "activityId": "a", "input": '{"k": 1}'}
        client.poll_for_activity_task.return_value = task_ if answer is None else answer
        handler = lambda actor, error: seen.append(str(error))  # noqa: E731
        factory: Any = activity.create(client, "domain", "flow", on_exception=handler)
        alive = factory(name="a", run=runner.Sync(fn)).run()
        calls = [
            (name, kwargs.get("result"), kwargs.get("reason"))
            for name, _, kwargs in client.method_calls
            if name.startswith("respond")
        ]
        return alive, len(seen), calls

    return use


def raising(error: Exception) -> Any:
    """A task that fails."""

    def fail(context: Any, activity: Any) -> None:
        raise error

    return fail


class Object(log.GarconLogger):
    """An object that logs."""


def logged(use: Callable[[Any], Any]) -> Callable[[], Any]:
    """A use of a new object's logger."""
    return lambda: use(Object())


def named(one: Any, *steps: Any) -> str:
    """The logger's name after some steps; None unsets."""
    for step in steps:
        one.unset_log_context() if step is None else one.set_log_context(step)
    return str(one.logger.name)


def handled() -> Any:
    """The records that a handler on a domain's logger gets, from two threads."""
    got: list[tuple[str, str]] = []

    class Handler(logging.Handler):
        def emit(self, record: Any) -> None:
            got.append((record.name, record.getMessage()))

    handler, one = Handler(), Object()
    domain = logging.getLogger("garcon.d")
    domain.addHandler(handler)
    logging.disable(logging.NOTSET)
    try:
        one.set_log_context(PLACE)
        one.logger.warning("here")
        thread = threading.Thread(target=lambda: one.logger.warning("there"))
        thread.start()
        thread.join()
        one.unset_log_context()
        one.logger.warning("after")
    finally:
        domain.removeHandler(handler)
        logging.disable(logging.CRITICAL)
    return got


def forgotten() -> Any:
    """The names of objects that come and go, none of which was unset."""
    return [named(Object(), *([PLACE] if number % 2 else [])) for number in range(20)]


def names_in_tasks(kind: Any) -> Callable[[], Any]:
    """The names of the activity's logger in its tasks and after them."""

    def use() -> Any:
        client, names = MagicMock(), []
        client.poll_for_activity_task.return_value = {
            "taskToken": "t",
            "activityId": "a",
            "workflowExecution": {"workflowId": "w", "runId": "r"},
            "input": json.dumps(PLACE),
        }
        factory: Any = activity.create(client, "d", "flow")
        one: Any = factory(
            name="a", run=kind(*[lambda context, activity: names.append(one.logger.name)] * 2)
        )
        one.run()
        return names, one.logger.name

    return use


def worker(read: Callable[[Any], Any], **options: Any) -> Callable[[], Any]:
    """Something of a worker of two activities."""
    flow = SimpleNamespace(
        client=CLIENT, domain="domain", name="flow", a=made(), b=CREATE(name="b", run=plain)
    )
    return lambda: read(activity.ActivityWorker(flow, **options))


def state(*steps: Callable[[Any], Any]) -> Callable[[], Any]:
    """The value that the last of these steps gives for a new state."""

    def use() -> Any:
        one = activity.ActivityState("id")
        return [step(one) for step in steps][-1]

    return use


def key(one: Any) -> Any:
    """The numbers of an instance."""
    return one.schedule_to_start, one.schedule_to_close, one.timeout, one.heartbeat_timeout


def alone() -> Any:
    """An instance that was made without an execution."""
    one = activity.ActivityInstance(made())
    return one.id, one.activity_name, one.timeout, one.local_context


def external() -> Any:
    """An external activity."""
    one = CREATE(name="x", external=True, timeout=60)
    return type(one).__name__, one.run(), one.runner.timeout({}), one.task_list


TWO = [lambda context: [{"i": 1}, {"i": 2}]]

USES: dict[str, Callable[[], Any]] = {
    "ids: a tuple": ids(lambda context: ({"a": 1},)),
    "ids: an iterator": ids(lambda context: iter([{"a": 1}, {"b": 2}])),
    "ids: nothing": ids(lambda context: []),
    "ids: None": ids(lambda context: None),
    "ids: a None": ids(lambda context: [None]),
    "ids: texts": ids(lambda context: ["a"]),
    "ids: a dictionary": ids(lambda context: {"a": 1}),
    "ids: two empty": ids(lambda context: [{}, {}]),
    "ids: two generators": ids(*TWO, lambda context: [{"j": 1}, {"j": 2}]),
    "ids: two generators, one key": ids(*TWO, lambda context: [{"i": 3}]),
    "ids: two generators, one without": ids(*TWO, lambda context: []),
    "ids: two generators, one empty": ids(*TWO, lambda context: [{}]),
    "ids: values": ids(lambda context: [{"a": 1.0, "b": True, "c": None, "d": [1, "x"], "e": {}}]),
    "ids: quotes": ids(lambda context: [{"a'": "b';"}]),
    "ids: letters": ids(lambda context: [{"ü": "日本"}]),
    "ids: numbers as keys": ids(lambda context: [{1: "a"}]),
    "ids: mixed keys": ids(lambda context: [{1: "a", "b": 2}]),
    "ids: the same twice": ids(lambda context: [{"a": 1}, {"a": 1}]),
    "ids: from the context": ids(lambda context: [{"k": context["k"]}], k=9),
    "ids: raising": ids(lambda context: [{"k": context["gone"]}]),
    "a generator's context": instances(
        lambda each: (each.local_context, each.global_context), {"i": 9, "z": 3}, generators=TWO
    ),
    "input: a local value": instances(
        lambda each: each.create_execution_input(),
        {"k": 2, "z": 3},
        generators=[lambda context: [{"k": 1}]],
    ),
    "input: None": instances(lambda each: each.create_execution_input(), {"k": None}),
    "input: 0": instances(lambda each: each.create_execution_input(), {"k": 0}),
    "input: the execution's place": instances(
        lambda each: sorted(each.create_execution_input().items()), {"k": "", **PLACE}
    ),
    "input: a plain task": instances(
        lambda each: each.create_execution_input(), {"k": 1, "z": 2}, run=runner.Sync(plain)
    ),
    "input: not filled": instances(
        lambda each: each.create_execution_input(), {"k": 1, "z": 2}, run=runner.Sync(echo)
    ),
    "numbers of generated instances": instances(key, {}, generators=TWO),
    "numbers with schedule_to_start": instances(key, {}, generators=TWO, schedule_to_start=7),
    "numbers of an external": lambda: [
        (each.timeout, each.heartbeat_timeout)
        for each in CREATE(name="x", external=True, timeout=60, heartbeat=9).instances({})
    ],
    "instance alone": alone,
    "instance without a runner": lambda: activity.ActivityInstance(CREATE(name="q")).runner,
    "hydrate: nothing": hydrated(
        lambda one: (one.task_list, one.domain, one.name, one.version), {}
    ),
    "hydrate: names": hydrated(
        lambda one: (one.name, one.domain, one.task_list), {"name": "n", "domain": "x"}
    ),
    "hydrate: version": hydrated(lambda one: one.version, {"version": "2"}),
    "hydrate: version twice": hydrated(lambda one: one.version, {"version": "2"}, {"version": "3"}),
    "hydrate: retry twice": hydrated(lambda one: one.retry, {"retry": 3}, {"retry": 5}),
    "hydrate: requires twice": hydrated(
        lambda one: one.requires, {"requires": [1]}, {"requires": []}
    ),
    "hydrate: retry 2.0": hydrated(lambda one: one.retry, {"retry": 2.0}),
    "hydrate: retry True": hydrated(lambda one: one.retry, {"retry": True}),
    "hydrate: schedule_to_start 0": hydrated(
        lambda one: one.schedule_to_start_timeout, {"schedule_to_start": 0}
    ),
    "hydrate: schedule_to_start twice": hydrated(
        lambda one: one.schedule_to_start_timeout,
        {"schedule_to_start": 7},
        {"schedule_to_start": 8},
    ),
    "own retry": own("retry", 3, 5),
    "own requires": own("requires", [1], [2]),
    "own generators": own("generators", [len], [str]),
    "own runner": own("runner", runner.Sync(echo), runner.Sync(plain), "run"),
    "own schedule_to_start_timeout": own("schedule_to_start_timeout", 7, 9, "schedule_to_start"),
    "own version": own("version", "2.0", "3.0"),
    "own task_list": own("task_list", "t", "u"),
    "own name": own("name", "n", "m"),
    "option domain": lambda: made(domain="other").domain,
    "option version": lambda: made(version="3.0").version,
    "option task_list": lambda: made(task_list="x").task_list,
    "option unknown": lambda: made(fail_on_timeout=True).task_list,
    "create's version, an attribute": lambda: (
        activity.create(CLIENT, "d", "w", "2.0")(name="a", run=plain).version
    ),
    "create's handler": lambda: (
        activity.create(CLIENT, "d", "w", on_exception=print)(name="a", run=plain).on_exception
    ),
    "own handler": lambda: (
        activity.create(CLIENT, "d", "w", on_exception=print)(
            name="a", run=plain, on_exception=str
        ).on_exception
    ),
    "a handler None": lambda: (
        activity.create(CLIENT, "d", "w", on_exception=print)(
            name="a", run=plain, on_exception=None
        ).on_exception
    ),
    "generator, the older name": lambda: [
        each.id for each in CREATE(name="a", run=plain, generator=TWO).instances({})
    ],
    "external": external,
    "external without timeout": lambda: CREATE(name="x", external=True).name,
    "external=False": lambda: type(made(external=False)).__name__,
    "ExternalActivity": lambda: activity.ExternalActivity(timeout=5, heartbeat=2).run(),  # type: ignore[call-arg, unused-ignore]  # 1.1.1 needs a client
    "heartbeat": execution(lambda one: one.heartbeat()),
    "heartbeat with details": execution(lambda one: one.heartbeat(details="x")),
    "fail": execution(lambda one: one.fail("reason")),
    "fail without reason": execution(lambda one: one.fail()),
    "complete": execution(lambda one: one.complete({"a": 1})),
    "complete with nothing": execution(lambda one: one.complete()),
    "complete with a text": execution(lambda one: one.complete("x")),
    "context: none": context_of(None),
    "context: empty": context_of(""),
    "context: null": context_of("null"),
    "context: not JSON": context_of("{"),
    "context: a list": context_of("[1]"),
    "run": ran(lambda context, activity: {"a": 1}),
    "run: None": ran(lambda context, activity: None),
    "run: a tuple in it": ran(lambda context, activity: {"a": (1, 2)}),
    "run: letters": ran(lambda context, activity: {"a": "ü"}),
    "run: a number as key": ran(lambda context, activity: {1: 2}),
    "run: raises": ran(raising(ValueError("why"))),
    "run: raises at length": ran(raising(ValueError("x" * 400))),
    "run: raises without a text": ran(raising(ValueError())),
    "run: not JSON": ran(lambda context, activity: {"a": {1}}),
    "run: NaN": ran(lambda context, activity: {"a": float("nan")}),
    "run: no task": ran(plain, {}),
    "run: no input": ran(plain, {"taskToken": "t", "activityId": "a"}),
    "run: input that is not JSON": ran(plain, {"taskToken": "t", "activityId": "a", "input": "{"}),
    "logger": logged(named),
    "logger, set": logged(lambda one: named(one, PLACE)),
    "logger, set twice": logged(lambda one: named(one, PLACE, {**PLACE, "execution.run_id": "s"})),
    "logger, unset": logged(lambda one: named(one, PLACE, None)),
    "logger, unset twice": logged(lambda one: named(one, PLACE, None, None)),
    "logger of no execution": logged(lambda one: named(one, {})),
    "logger of a domain": logged(lambda one: named(one, {"execution.domain": "d"})),
    "logger_name": logged(lambda one: (named(one, PLACE), one.logger_name)),
    "logger_name, unset": logged(lambda one: (named(one, PLACE, None), one.logger_name)),
    "loggers of objects that are gone": forgotten,
    "handlers in threads": handled,
    "loggers in Sync": names_in_tasks(runner.Sync),
    "loggers in Async": names_in_tasks(runner.Async),
    "worker's lists": worker(lambda one: (one.worker_activities, len(one.activities))),
    "worker's own list": worker(lambda one: one.worker_activities, activities=["flow_a"]),
    "worker's activities": worker(lambda one: len(one.activities), activities=["flow_a"]),
    "state: new": state(lambda one: (one.ready, list(one.states), one.activity_id)),
    "state: last": state(lambda one: one.add_state(1), lambda one: one.get_last_state()),
    "state: last of none": state(lambda one: one.get_last_state()),
    "state: not ready": state(lambda one: one.result),
    "state: wait": state(lambda one: one.wait()),
    "state: completed": state(
        lambda one: one.add_state(2), lambda one: one.set_result({"a": 1}), lambda one: one.result
    ),
    "state: completed without a result": state(
        lambda one: one.add_state(2), lambda one: one.result
    ),
    "state: set twice": state(lambda one: one.set_result({"a": 1}), lambda one: one.set_result({})),
    "state: set twice, falsy": state(
        lambda one: one.set_result({}), lambda one: one.set_result({"a": 1})
    ),
}
