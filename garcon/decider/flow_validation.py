"""Validation of a flow as a whole, before anything is sent to SWF.

Rules:

1. All mistakes are reported together, each in a sentence that names flow, activity and value.
2. Options are checked where they are written (``argument_checks``), and again here: a flow may set
   an activity's attributes itself.
3. Requirements are checked for flows without a decider only: a decider gives the order itself.
"""

import graphlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from garcon import runner, task
from garcon.activity import Activity, find_workflow_activities
from garcon.aws import limits
from garcon.errors import InvalidFlow
from garcon.flow import argument_checks, flow_attributes
from garcon.flow.argument_checks import shown

_RUNNER_METHODS = ("execute", "timeout", "heartbeat")
"""Methods that garcon calls; a runner of one's own inherits them from ``BaseRunner``."""

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def check(flow: Any) -> None:
    """Refuse a flow that cannot work.

    Args:
        flow: The flow, a module or any object.

    Raises:
        InvalidFlow: With all mistakes.
    """
    mistakes = [*_flow_mistakes(flow)]
    if mistakes:
        raise InvalidFlow(f"The flow {_name(flow)} cannot work. {' '.join(mistakes)}")


def _flow_mistakes(flow: Any) -> Iterator[str]:
    for each in ("domain", "name"):
        value = getattr(flow, each, None)
        if _is_text(value):
            yield from _name_mistakes(each, str(value))
        else:
            yield f"Its {each} has to be a text, not {shown(value)}."
    version = flow_attributes.version(flow)
    yield from _name_mistakes("version", version, limits.VERSION)
    activities = find_workflow_activities(flow)
    yield from _duplicate_names(activities)
    for activity in activities:
        yield from _activity_mistakes(activity)
    for each in ("decider", "on_cancel"):
        yield from _function_mistakes(getattr(flow, each, None), each)
    yield from _handler_mistakes(flow, "Its")
    if not callable(getattr(flow, "decider", None)):
        yield from _requirement_mistakes(activities)


def _name_mistakes(what: str, name: str, longest: int = limits.NAME) -> Iterator[str]:
    if fault := limits.name_fault(name, longest):
        yield f"SWF refuses the {what} {shown(name)}: it {fault}."


def _function_mistakes(function: Any, name: str) -> Iterator[str]:
    if function is None or inspect.ismodule(function):
        return  # ``from garcon import decider`` in the flow's module
    if not callable(function):
        yield f"Its {name!r} is not a function, but {shown(function)}."
    elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        yield f"Its {name!r} is async: a decision waits for nothing, so make it a plain 'def'."
    elif inspect.isgeneratorfunction(function):
        yield f"Its {name!r} has a 'yield': calling it would run none of its code."
    else:
        yield from _parameter_mistakes(function, name)


def bind(decider: Callable[..., Any], schedule: Any, workflow_input: Any) -> inspect.BoundArguments:
    """The arguments of a flow's function.

    The schedule is ``schedule``, wherever that stands, or the first parameter; the workflow's input
    is ``context``, or the second required one.

    Raises:
        TypeError: The function has other parameters.
        ValueError: Its parameters are unknown, as those of some functions in C.
    """
    signature = inspect.signature(decider)
    parameters = signature.parameters.values()
    by_name = {each.name for each in parameters if each.kind in _BY_NAME}
    required = [
        each.name for each in parameters if each.kind in _BY_PLACE and each.default is each.empty
    ]
    if "schedule" in by_name:
        others = [name for name in required if name != "schedule"][:1]
        second = ["context"] if "context" in by_name else others
        return signature.bind(schedule=schedule, **dict.fromkeys(second, workflow_input))
    if "context" in by_name:
        return signature.bind(schedule, context=workflow_input)
    if [each.kind for each in parameters] == [inspect.Parameter.VAR_KEYWORD]:
        return signature.bind(schedule=schedule)
    return signature.bind(*(schedule, workflow_input)[: max(1, len(required))])


def _parameter_mistakes(function: Callable[..., Any], name: str) -> Iterator[str]:
    try:
        bind(function, None, None)
    except TypeError:
        yield (
            f"Its {name!r} has the parameters {inspect.signature(function)}: it is called with the "
            "schedule, and with the workflow's input if it has a second parameter or 'context'."
        )
    except ValueError:
        return  # its parameters are unknown


def _handler_mistakes(owner: Any, whose: str) -> Iterator[str]:
    handler = getattr(owner, "on_exception", None)
    if handler is not None and not callable(handler):
        yield f"{whose} 'on_exception' is not a function, but {shown(handler)}."


def _duplicate_names(activities: Iterable[Activity]) -> Iterator[str]:
    names = Counter(str(each.name) for each in activities if each.name)
    for name, number in names.items():
        if number > 1:
            yield (
                f"{number} activities have the name {name} and would take each other's tasks and "
                "results. Give each its own name."
            )


def _activity_mistakes(activity: Activity) -> Iterator[str]:
    what = f"The activity {activity.name}"
    if activity.task_list is not None and activity.task_list != activity.name:
        yield from _name_mistakes("task list", str(activity.task_list))
    if not _is_text(activity.name):
        yield f"An activity's name has to be a text, not {shown(activity.name)}."
    else:
        yield from _name_mistakes("activity name", str(activity.name))
    if not activity.runner:
        yield f"{what} has no run=: it has nothing to do."
    elif not _is_runner(activity.runner):
        yield f"{what}: run= has to be a runner such as Sync(...), not {shown(activity.runner)}."
    else:
        yield from _task_mistakes(activity, what)
    yield from _handler_mistakes(activity, f"{what}: its")
    for option in ("requires", "generators"):
        if not isinstance(value := getattr(activity, option), Sequence):
            yield f"{what}: {option}= has to be a list, not {shown(value)}."
    yield from _generator_mistakes(activity, what)
    priority = argument_checks.check_priority
    yield from _check_mistakes(priority, activity.priority, f"{what}: priority=")
    yield from _check_mistakes(argument_checks.check_retry, activity.retry, f"{what}: retry=")
    waits = activity.schedule_to_start
    yield from _check_mistakes(argument_checks.check_seconds, waits, f"{what}: schedule_to_start=")


def _generator_mistakes(activity: Activity, what: str) -> Iterator[str]:
    given = activity.generators
    for each in given if isinstance(given, Sequence) else ():
        if not callable(each) or inspect.iscoroutinefunction(each):
            yield f"{what}: generators= has to hold plain functions, not {shown(each)}."
        elif not _takes_one(each):
            yield (
                f"{what}: its generator {task.name_of(each)} cannot be called with the context "
                "alone, as generators are."
            )


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # its parameters are unknown
    return True


def _is_runner(value: Any) -> bool:
    """Whether it has a runner's methods; the class alone, as in ``run=Sync``, is not one."""
    methods = (getattr(value, each, None) for each in _RUNNER_METHODS)
    return not isinstance(value, type) and all(map(callable, methods))


def _task_mistakes(activity: Activity, what: str) -> Iterator[str]:
    """Tasks that no call can reach; those of task lists are known when the activity runs."""
    if not isinstance(activity.runner, runner.Sync | runner.Async):
        return  # a runner of one's own calls tasks in its own way
    for each in activity.runner.tasks:
        if not (task.is_task_list(each) or task.can_be_called(each)):
            yield (
                f"{what}: its task {task.name_of(each)} is not filled, and cannot be called with "
                "context and activity alone. Fill its arguments: "
                f"{task.name_of(each)}.fill(argument='context.key')."
            )


def _check_mistakes(check_it: Callable[[Any, str], None], value: Any, what: str) -> Iterator[str]:
    try:
        check_it(value, what)
    except InvalidFlow as error:
        yield str(error)


def _requirement_mistakes(activities: Iterable[Activity]) -> Iterator[str]:
    required = {
        each: list(each.requires) for each in activities if isinstance(each.requires, Sequence)
    }
    foreign = [*_foreign(required)]
    yield from foreign
    if not foreign:
        yield from _circle(required)


def _foreign(required: Mapping[Activity, list[Any]]) -> Iterator[str]:
    for activity, others in required.items():
        for other in others:
            if not isinstance(other, Activity):
                yield (
                    f"The activity {activity.name} requires {shown(other)}, which is not an "
                    "activity."
                )
            elif other not in required:
                yield (
                    f"The activity {activity.name} requires {other.name}, which is not an activity "
                    "of this flow: keep it as an attribute of the flow."
                )


def _circle(required: Mapping[Activity, list[Activity]]) -> Iterator[str]:
    try:
        graphlib.TopologicalSorter(required).prepare()
    except graphlib.CycleError as error:
        names = " requires ".join(str(each.name) for each in reversed(error.args[1]))
        yield f"These activities wait for each other and none can begin: {names}."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _name(flow: Any) -> str:
    name = getattr(flow, "name", None)
    return name if _is_text(name) else shown(flow)  # type: ignore[return-value]  # _is_text says so
