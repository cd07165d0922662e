"""What is wrong with a flow as a whole, found before anything is sent to SWF.

Rules:

1. All mistakes are told at once, each in a sentence that names flow, activity and value.
2. Figures are refused where they are written (``figures``); they are looked at again here, because
   a flow may set an activity's attributes itself.
3. What activities require is the business of flows without a decider: one with a decider says the
   order itself, and what its activities require is not looked at.
"""

import graphlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from garcon import figures
from garcon.activity import Activity, find_workflow_activities
from garcon.errors import InvalidFlow
from garcon.figures import shown


def check(flow: Any) -> None:
    """Refuse a flow that cannot work.

    Args:
        flow: The flow, a module or any object.

    Raises:
        InvalidFlow: With all that is wrong.
    """
    mistakes = [*_of_flow(flow)]
    if mistakes:
        raise InvalidFlow(f"The flow {_name(flow)} cannot work. {' '.join(mistakes)}")


def _of_flow(flow: Any) -> Iterator[str]:
    for each in ("domain", "name"):
        if not _is_text(value := getattr(flow, each, None)):
            yield f"Its {each} has to be a text, not {shown(value)}."
    activities = find_workflow_activities(flow)
    yield from _shared_names(activities)
    for activity in activities:
        yield from _of_activity(activity)
    if not callable(getattr(flow, "decider", None)):
        yield from _of_order(activities)


def _shared_names(activities: Iterable[Activity]) -> Iterator[str]:
    names = Counter(str(each.name) for each in activities if each.name)
    for name, number in names.items():
        if number > 1:
            yield (
                f"{number} activities have the name {name}, and would take each other's tasks and "
                "results. Give each its own."
            )


def _of_activity(activity: Activity) -> Iterator[str]:
    what = f"The activity {activity.name}"
    if not _is_text(activity.name):
        yield f"An activity's name has to be a text, not {shown(activity.name)}."
    if not activity.runner:
        yield f"{what} has no run=, so it has nothing to do."
    for option in ("requires", "generators"):
        if not isinstance(value := getattr(activity, option), Sequence):
            yield f"{what}: {option}= has to be a list, not {shown(value)}."
    yield from _refused(figures.check_retry, activity.retry, f"{what}: retry=")
    waits = activity.schedule_to_start
    yield from _refused(figures.check_seconds, waits, f"{what}: schedule_to_start=")


def _refused(check_it: Callable[[Any, str], None], value: Any, what: str) -> Iterator[str]:
    try:
        check_it(value, what)
    except InvalidFlow as error:
        yield str(error)


def _of_order(activities: Iterable[Activity]) -> Iterator[str]:
    required = {
        each: list(each.requires) for each in activities if isinstance(each.requires, Sequence)
    }
    strangers = [*_strangers(required)]
    yield from strangers
    if not strangers:
        yield from _circle(required)


def _strangers(required: Mapping[Activity, list[Any]]) -> Iterator[str]:
    for activity, others in required.items():
        for other in others:
            if not isinstance(other, Activity):
                yield f"The activity {activity.name} requires {shown(other)}, which is no activity."
            elif other not in required:
                yield (
                    f"The activity {activity.name} requires {other.name}, which is no activity of "
                    "this flow: keep it as an attribute of the flow."
                )


def _circle(required: Mapping[Activity, list[Activity]]) -> Iterator[str]:
    try:
        graphlib.TopologicalSorter(required).prepare()
    except graphlib.CycleError as error:
        names = " requires ".join(str(each.name) for each in reversed(error.args[1]))
        yield f"None of these can begin: {names}."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _name(flow: Any) -> str:
    name = getattr(flow, "name", None)
    return name if _is_text(name) else shown(flow)  # type: ignore[return-value]  # _is_text says so
