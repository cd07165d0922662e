"""Uses of deciders, histories and contexts, for this garcon and the released one."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from garcon import activity, context, decider, event, runner, task, utils

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT: Any = MagicMock()
CREATE: Any = activity.create(CLIENT, "domain", "flow")
EXECUTION = {"workflowId": "w", "runId": "r"}


@task.decorate(timeout=30)
def echo(activity: Any, k: Any) -> dict[str, Any]:
    """Return an argument."""
    return {"k": k}


WORK = runner.Sync(echo.fill(k="k"))
A = CREATE(name="a", run=WORK)
B = CREATE(name="b", run=WORK, requires=[A])
C = CREATE(name="c", run=WORK, requires=[A, B])
R = CREATE(name="r", run=WORK, retry=2)
G = CREATE(name="g", run=runner.Sync(echo.fill(k="i")), generators=[lambda c: [{"i": 1}, {"i": 2}]])
NONE = CREATE(name="h", run=WORK, generators=[lambda c: []])
G_IDS = [f"flow_g-{utils.create_dictionary_key({'i': i})}" for i in (1, 2)]


def done(id_: str, result: str | None = "{}", end: str = "Completed") -> list[dict[str, Any]]:
    """The events of an activity, without numbers."""
    name = id_.split("-", maxsplit=1)[0]
    scheduled = {"activityId": id_, "activityType": {"name": name, "version": "1.0"}}
    ended: dict[str, Any] = {"reason": "why"} if end == "Failed" else {}
    if result is not None and end == "Completed":
        ended["result"] = result
    steps = {"Scheduled": scheduled, "Started": {}, end: ended}
    last = ["Scheduled", "Started", end].index(end)
    return [
        {
            "eventType": f"ActivityTask{step}",
            f"activityTask{step}EventAttributes": dict(attributes),
            "of": number,
        }
        for number, (step, attributes) in enumerate(list(steps.items())[: last + 1])
    ]


def history(*activities: list[dict[str, Any]], given: Any = None) -> list[dict[str, Any]]:
    """A history with numbers, and references from each event to the first of its activity."""
    start = {} if given is None else {"input": json.dumps(given)}
    events: list[dict[str, Any]] = [
        {"eventType": "WorkflowExecutionStarted", "workflowExecutionStartedEventAttributes": start}
    ]
    for each in activities:
        first = len(events) + 1
        for one in each:
            number = one.pop("of")
            attributes = next(value for key, value in one.items() if key.endswith("Attributes"))
            if number:
                attributes["scheduledEventId"] = first
            if number > 1:
                attributes["startedEventId"] = first + 1
            events.append(one)
    for number, one in enumerate(events, 1):
        one |= {"eventId": number, "eventTimestamp": float(number)}
    return events


def shortened(decisions: list[Any]) -> Any:
    """The part of the decisions that counts."""
    found = []
    for each in decisions:
        kind = each["decisionType"]
        values = each.get(f"{kind[0].lower()}{kind[1:]}DecisionAttributes", {})
        if "input" in values:
            values = {**values, "input": sorted(json.loads(values["input"]).items())}
        values = {name: values[name] for name in values.keys() - {"control", "details"}}
        values["reason"] = values.get("reason", "")[:51]
        found.append((kind, sorted(values.items())))
    return found


def decided(
    *activities: list[dict[str, Any]],
    of: Any = (A, B),
    given: Any = None,
    how: Any = None,
    **attributes: Any,
) -> Callable[[], Any]:
    """The decisions for a history."""

    def use() -> Any:
        client = MagicMock()
        flow = SimpleNamespace(client=client, domain="domain", name="flow", **attributes)
        for each in of:
            setattr(flow, each.name, each)
        if how:
            flow.decider = how
        events = history(*copy.deepcopy(list(activities)), given=given)
        client.poll_for_decision_task.return_value = {
            "taskToken": "t",
            "events": events,
            "startedEventId": events[-1]["eventId"],
            "previousStartedEventId": 0,
            "workflowExecution": EXECUTION,
            "workflowType": {"name": "flow", "version": "1.0"},
        }
        decider.DeciderWorker(flow, register=False).run()
        answer = client.respond_decision_task_completed.call_args
        return shortened(answer[1]["decisions"])

    return use


def registered(version: str | None, option: str | None) -> Callable[[], Any]:
    """The versions of the types that a flow registers, by its own and by ``create``'s version."""

    def use() -> Any:
        client = MagicMock()
        given: Any = {} if option is None else {"version": option}
        one = activity.create(client, "domain", "flow", **given)(name="a", run=WORK)
        flow = SimpleNamespace(client=client, domain="domain", name="flow", a=one)
        if version:
            flow.version = version
        decider.DeciderWorker(flow)
        return [
            (name, kwargs.get("version"))
            for name, _, kwargs in client.method_calls
            if name.endswith("_type") and name.startswith("register")
        ]

    return use


def with_version(version: str | None, option: str) -> Any:
    """The type that is scheduled."""
    one = activity.create(CLIENT, "domain", "flow", version=option)(name="a", run=WORK)
    given = {"version": version} if version else {}
    return decided(of=[one], given={"k": 1}, **given)()


def states(*activities: list[dict[str, Any]]) -> Any:
    """The states of a history."""
    return event.activity_states_from_events(history(*activities))


def results(*texts: str) -> Any:
    """The results of completed activities, as a state gives them."""
    return [states(done("flow_a-1", text))["flow_a"]["flow_a-1"].result for text in texts]


def merged(*activities: list[dict[str, Any]], given: Any = None) -> Callable[[], Any]:
    """The current context and the input."""

    def use() -> Any:
        found = event.get_current_context(history(*activities, given=given))
        return sorted(found.current.items()), sorted(found.workflow_input.items())

    return use


def holding(current: Any, workflow_input: Any = None) -> Any:
    """An object with a context in ``current``."""
    return SimpleNamespace(current=current, workflow_input=workflow_input or current)


def flow(*activities: Any) -> Any:
    """A flow of these."""
    named = {each.name: each for each in activities}
    return SimpleNamespace(client=CLIENT, domain="domain", name="flow", **named)


def method(name: str, *arguments: Any) -> Callable[[], Any]:
    """The decisions that a documented method of the decider adds."""

    def use() -> Any:
        decisions: list[Any] = []
        worker: Any = decider.DeciderWorker(flow(A, B), register=False)
        getattr(worker, name)(decisions, *arguments)
        return shortened(decisions)

    return use


def scheduled(of: Any, *values: Any, **options: Any) -> Callable[[], Any]:
    """The decisions that ``schedule`` adds."""

    def use() -> Any:
        decisions: list[Any] = []
        decider.schedule(decisions, decider.ScheduleContext(), {}, of, *values, **options)
        return shortened(decisions)

    return use


def informed() -> Any:
    """A context that gets its execution's ids."""
    one = context.ExecutionContext()
    one.set_workflow_execution_info({"workflowExecution": EXECUTION}, "d")
    return sorted(one.current.items())


def turned() -> Any:
    """The progress of a turn."""
    one = decider.ScheduleContext()
    before = one.completed
    one.mark_uncompleted()
    return before, one.completed


def instance(version: str = "1.0", **options: Any) -> Any:
    """The decision for one instance."""
    decisions: list[Any] = []
    decider.schedule_activity_task(
        decisions, next(iter(A.instances({"k": 1}))), version=version, **options
    )
    return shortened(decisions)


def first_then(read: Callable[[Any], Any]) -> Any:
    """A decider that gives something of one activity to the next."""
    return lambda schedule: schedule("t", B, input={"k": read(schedule("s", A))})


USES: dict[str, Callable[[], Any]] = {
    "first": decided(given={"k": 1}),
    "first, without input": decided(),
    "second": decided(done("flow_a-1", '{"k": 5}'), given={"k": 1}),
    "second, without result": decided(done("flow_a-1", None)),
    "third": decided(done("flow_a-1"), done("flow_b-1"), of=(A, B, C)),
    "third waits": decided(done("flow_a-1"), done("flow_b-1", end="Started"), of=(A, B, C)),
    "waits": decided(done("flow_a-1", end="Started")),
    "all": decided(done("flow_a-1"), done("flow_b-1")),
    "generated": decided(of=[G]),
    "generated, half": decided(done(G_IDS[0]), of=[G]),
    "generated, all": decided(done(G_IDS[0]), done(G_IDS[1]), of=[G]),
    "generated, none": decided(of=[NONE]),
    "failed": decided(done("flow_a-1", end="Failed")),
    "failed, retried": decided(done("flow_r-1", end="Failed"), of=[R]),
    "failed twice": decided(*[done("flow_r-1", end="Failed")] * 2, of=[R]),
    "failed three times": decided(*[done("flow_r-1", end="Failed")] * 3, of=[R]),
    "failed, then completed": decided(done("flow_r-1", end="Failed"), done("flow_r-1"), of=[R]),
    "timed out": decided(done("flow_r-1", end="TimedOut"), of=[R]),
    "cancelled": decided(done("flow_r-1", end="Canceled"), of=[R]),
    "the flow's version": decided(given={"k": 1}, version="3.0"),
    "create's version": lambda: with_version(None, "2.0"),
    "the flow's and create's version": lambda: with_version("3.0", "2.0"),
    "registered": registered(None, None),
    "registered, the flow's version": registered("3.0", None),
    "registered, create's version": registered(None, "2.0"),
    "registered, both versions": registered("3.0", "2.0"),
    "input is a list": decided(given=[1]),
    "result is a list": decided(done("flow_a-1", "[1]")),
    "result is a text": decided(done("flow_a-1", '"x"')),
    "result is null": decided(done("flow_a-1", "null")),
    "own: first": decided(given={"k": 1}, how=lambda schedule: schedule("s", A)),
    "own: two": decided(given={"k": 1}, how=lambda schedule: (schedule("s", A), schedule("t", B))),
    "own: not ready": decided(how=first_then(lambda state: state.result.get("k"))),
    "own: ready": decided(
        done("flow_a-1-s", '{"k": 9}'), how=first_then(lambda state: state.result.get("k"))
    ),
    "own: ready, without a result": decided(
        done("flow_a-1-s", None), how=first_then(lambda state: state.result.get("k", "none"))
    ),
    "own: requires": decided(how=lambda schedule: schedule("t", B, requires=[schedule("s", A)])),
    "own: requires, ready": decided(
        done("flow_a-1-s", '{"k": 9}'),
        given={"k": 1},
        how=lambda schedule: schedule("t", B, requires=[schedule("s", A)]),
    ),
    "own: requires a tuple": decided(
        how=lambda schedule: schedule("t", B, requires=(schedule("s", A),))
    ),
    "own: requires None": decided(how=lambda schedule: schedule("t", B, requires=None)),
    "own: requires [None] after another": decided(
        how=lambda schedule: schedule("t", B, requires=[schedule("s", A) and None])
    ),
    "own: requires [None]": decided(how=lambda schedule: schedule("t", B, requires=[None])),
    "own: input": decided(given={"k": 1}, how=lambda schedule: schedule("s", A, input={"k": 7})),
    "own: input {}": decided(given={"k": 1}, how=lambda schedule: schedule("s", A, input={})),
    "own: input falsy": decided(
        given={"k": 1}, how=lambda schedule: schedule("s", A, input={"k": 0})
    ),
    "own: the flow's version": decided(how=lambda schedule: schedule("s", A), version="3.0"),
    "own: generated": decided(how=lambda schedule: schedule("s", G), of=[G]),
    "own: generated, half": decided(
        done(f"{G_IDS[0]}-s", '{"x": 1}'),
        how=lambda schedule: schedule("s", G).result,
        of=[G],
    ),
    "own: generated, merged": decided(
        done(f"{G_IDS[0]}-s", '{"x": 1}'),
        done(f"{G_IDS[1]}-s", '{"y": 2}'),
        of=[G, A],
        how=lambda schedule: schedule("t", A, input={"k": sorted(schedule("s", G).result.items())}),
    ),
    "own: generated, none": decided(how=lambda schedule: schedule("t", NONE), of=[NONE]),
    "own: ready?": decided(
        done("flow_a-1-s"), how=lambda schedule: schedule("s", A).ready and schedule("t", B)
    ),
    "own: wait": decided(how=lambda schedule: (schedule("s", A).wait(), schedule("t", B))),
    "own: waited": decided(
        done("flow_a-1-s", '{"k": 9}'),
        given={"k": 1},
        how=lambda schedule: (schedule("s", A).wait(), schedule("t", B)),
    ),
    "own: context": decided(
        done("flow_a-1-s", '{"z": 9}'),
        given={"k": 1},
        how=lambda schedule, context: (
            schedule("s", A),
            schedule("t", B, input={"k": sorted(context)}),
        ),
    ),
    "own: nothing": decided(how=lambda schedule: None),
    "own: raises": decided(how=lambda schedule: 1 / 0),
    "own: raises later": decided(how=lambda schedule: (schedule("s", A), 1 / 0)),
    "own: failed": decided(done("flow_a-1-s", end="Failed"), how=lambda schedule: schedule("s", A)),
    "own: retried": decided(
        done("flow_r-1-s", end="Failed"), how=lambda schedule: schedule("s", R), of=[R]
    ),
    "own: failed three times": decided(
        *[done("flow_r-1-s", end="Failed")] * 3, how=lambda schedule: schedule("s", R), of=[R]
    ),
    "own: one id twice": decided(how=lambda schedule: (schedule("s", A), schedule("s", A))),
    "own: a number as id": decided(how=lambda schedule: schedule(5, A)),
    "own: an empty id": decided(how=lambda schedule: schedule("", A)),
    "states": lambda: {name: list(found) for name, found in states(done("flow_a-1")).items()},
    "states: none": states,
    "states: ready": lambda: [
        states(done("flow_a-1", end=end))["flow_a"]["flow_a-1"].ready
        for end in ("Scheduled", "Started", "Completed", "Failed")
    ],
    "states: all": lambda: list(
        states(done("flow_a-1", end="Failed"), done("flow_a-1"))["flow_a"]["flow_a-1"].states
    ),
    "results": lambda: results("0", '""', "[]", "false", "{}", "[1]", '"x"'),
    "result null": lambda: results("null"),
    "result not JSON": lambda: results("{"),
    "merged": merged(done("flow_a-1", '{"k": 5}'), given={"k": 1, "z": 1}),
    "merged: no input": merged(done("flow_a-1", '{"k": 5}')),
    "merged: no result": merged(done("flow_a-1", None), given={"k": 1}),
    "merged: a list": merged(given=[1]),
    "merged: a text": merged(done("flow_a-1", '"x"'), given={"k": 1}),
    "informed": informed,
    "turned": turned,
    "available": lambda: [
        each.id for each in activity.find_available_activities(flow(A, B), {}, {"k": 1})
    ],
    "available, failed": lambda: [
        each.id
        for each in activity.find_available_activities(
            flow(A), states(done("flow_a-1", end="Failed")), {}
        )
    ],
    "uncomplete": lambda: [
        each.id
        for each in activity.find_uncomplete_activities(flow(A, B), states(done("flow_a-1")), {})
    ],
    "activities": lambda: [each.id for each in activity.find_activities(flow(A, G), {})],
    "activities of an object": lambda: [
        each.id for each in activity.find_activities(flow(A), holding({"k": 1}))
    ],
    "workflow activities": lambda: [
        each.name for each in activity.find_workflow_activities(flow(B, A))
    ],
    "workflow activities, one twice": lambda: [
        each.name for each in activity.find_workflow_activities(SimpleNamespace(x=A, y=A, z=[B]))
    ],
    "an instance": instance,
    "an instance, version and id": lambda: instance("4", id="mine"),
    "create_decisions_from_flow": method("create_decisions_from_flow", {}, holding({"k": 1})),
    "delegate_decisions": method(
        "delegate_decisions", lambda schedule: schedule("s", A), {}, holding({"k": 1})
    ),
    "delegate_decisions with context": method(
        "delegate_decisions",
        lambda schedule, context: schedule("s", A, input={"k": sorted(context)}),
        {},
        holding({"k": 1, "z": 3}, {"q": 1}),
    ),
    "schedule": scheduled({"k": 1}, "s", A),
    "schedule by place": scheduled({"k": 1}, "s", A, [], {"k": 3}, "9"),
    "schedule, requires [None]": scheduled({"k": 1}, "s", A, requires=[None]),
    "requirements: ready": lambda: decider.ensure_requirements(
        [states(done("flow_a-1"))["flow_a"]["flow_a-1"]]
    ),
    "requirements: not ready": lambda: decider.ensure_requirements(
        [states(done("flow_a-1", end="Started"))["flow_a"]["flow_a-1"]]
    ),
    "requirements: None": lambda: decider.ensure_requirements(None),
}
