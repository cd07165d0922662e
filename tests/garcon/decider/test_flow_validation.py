"""Validation of flows: at the creation of an activity, or as a whole before anything is sent."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest

from garcon import activity, runner, task
from garcon.decider import DeciderWorker, flow_validation
from garcon.errors import InvalidFlow, NotADictionary
from garcon.retry import Retry
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, make, nothing

CREATE = activity.create("domain", "flow")


def said_of(flow: Any) -> str:
    """The mistakes of a flow; empty if it has none."""
    try:
        flow_validation.check(flow)
    except InvalidFlow as error:
        return str(error)
    return ""


def bare(name: Any = "bare") -> activity.Activity:
    """An activity made without ``create``, and without tasks."""
    made = activity.Activity()
    made.name = name
    return made


def having(**attributes: Any) -> activity.Activity:
    """An activity whose attributes were set after ``create``."""
    made = make("a")
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@task.decorate(timeout=5)
def needs_dish(dish: str, place: str, hour: int) -> None:
    """A task that cannot run unless it is filled."""


def circle() -> Any:
    """A flow of two activities that require each other."""
    one, two = make("one"), make("two")
    one.requires, two.requires = [two], [one]
    return flow(one=one, two=two)


async def pause(_context: Any) -> None:
    """A generator that nothing would wait for."""


WRONG = {
    "one name twice": (flow(a=make("a"), b=make("a")), "2 activities have the name flow_a"),
    "no name": (flow(a=bare(name=None)), "name has to be a text, not None"),
    "no run": (flow(a=CREATE(name="a")), "activity flow_a has no run="),
    "no activity": (
        flow(a=having(requires=["b"])),
        "flow_a requires 'b', which is not an activity",
    ),
    "of another flow": (
        flow(a=make("a", requires=[activity.create("domain", "other")(name="b", run=nothing)])),
        "flow_a requires other_b, which is not an activity of this flow",
    ),
    "a task without its arguments": (
        flow(a=make("a", run=runner.Sync(needs_dish, nothing.fill()))),
        r"flow_a: its task needs_dish is not filled.*Fill its arguments",
    ),
    "no list": (flow(a=having(requires=7)), "flow_a: requires= has to be a list, not 7"),
    "no generators": (flow(a=having(generators=max)), "flow_a: generators= has to be a list"),
    "a generator": (flow(a=having(generators=[5])), "generators= has to hold plain .*, not 5"),
    "an async generator": (flow(a=having(generators=[pause])), "generators= has to hold plain"),
    "a generator of nothing": (
        flow(a=having(generators=[lambda: iter(())])),
        "flow_a: its generator <lambda> cannot be called with the context alone",
    ),
    "priority": (flow(a=having(priority="1")), "flow_a: priority= has .* whole number, not '1'"),
    "a true priority": (flow(a=having(priority=True)), "flow_a: priority= has .*, not True"),
    "a huge priority": (flow(a=having(priority=2**31)), "flow_a: priority= 2147483648: A prio"),
    "a circle": (circle(), "none can begin: flow_(one|two) requires flow_(one|two)"),
    "retry": (flow(a=having(retry="3")), "flow_a: retry= has to be .*, not '3'"),
    "a name with a slash": (
        flow(a=make("a/b")),
        "refuses the activity name 'flow_a/b': it contains '/'",
    ),
    "a long name": (flow(a=make("x" * 300)), "it has 305 characters, more than 256"),
    "a version with a colon": (
        flow(a=make("a"), version="1:0"),
        "SWF refuses the version '1:0': it contains ':'",
    ),
    "a task list with a colon": (
        flow(a=having(task_list="a:b")),
        "SWF refuses the task list 'a:b': it contains ':'",
    ),
    "a long version": (flow(a=make("a"), version="1" * 65), "it has 65 characters, more than 64"),
    "wait": (flow(a=having(schedule_to_start=-1)), "flow_a: schedule_to_start= has .*, not -1"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=list(WRONG))
def test_a_flow_that_cannot_work_is_refused_before_anything_is_sent(wrong: Any, why: str) -> None:
    """The sentence names flow, activity and value; no call is made."""
    wrong.client = FakeSwf()
    with pytest.raises(InvalidFlow, match=f"The flow flow cannot work.*{why}"):
        DeciderWorker(wrong)
    assert wrong.client.calls == []


@pytest.mark.parametrize("attribute", ["domain", "name"])
def test_a_flow_needs_a_domain_and_a_name(attribute: str) -> None:
    """Both are texts."""
    wrong = flow(a=make("a"))
    setattr(wrong, attribute, None)
    with pytest.raises(InvalidFlow, match=f"Its {attribute} has to be a text, not None"):
        flow_validation.check(wrong)


@pytest.mark.parametrize("text", ["a:b", "a/b", "a|b", "a\n", "arn", " a", "\ud800", "x" * 257])
@pytest.mark.parametrize("attribute", ["domain", "name"])
def test_domain_and_name_are_names_for_swf(attribute: str, text: str) -> None:
    """SWF would refuse them when the types are registered, without naming the flow."""
    wrong = flow(a=make("a"))
    setattr(wrong, attribute, text)
    assert f"SWF refuses the {attribute} " in said_of(wrong)
    setattr(wrong, attribute, "Ünder scores-and.dots 7")
    assert said_of(wrong) == ""


def test_all_mistakes_are_reported_together() -> None:
    """A flow with two mistakes need not be started twice to find them."""
    with pytest.raises(InvalidFlow, match=r"retry=.*has no run="):
        flow_validation.check(flow(a=having(retry=-1), b=CREATE(name="b")))


def test_valid_flows_are_accepted() -> None:
    """One activity under two attributes, a shared requirement, and any kind of retry are fine."""
    first = make("first", retry=Retry())
    second = make("second", requires=[first], retry=2)
    third = make("third", requires=[first, second], schedule_to_start=1.5)
    assert said_of(flow(a=first, again=first, b=second, c=third)) == ""


def test_requirements_are_not_checked_for_a_flow_with_a_decider() -> None:
    """A decider turns_ the order itself."""
    made = make("a", requires=[make("elsewhere")])
    assert "elsewhere" in said_of(flow(a=made))
    assert said_of(flow(a=made, decider=lambda schedule: None)) == ""


@pytest.mark.parametrize("option", ["timeout", "heartbeat"])
def test_a_duration_of_0_counts_as_not_given(option: str) -> None:
    """Flows in production have it; a warning says so."""
    with pytest.warns(UserWarning, match=f"task nothing: {option}=0 counts as not given"):
        made = task.decorate(**{option: 0})(nothing.fn)  # type: ignore[arg-type]
    assert (made.time, made.heartbeat) == (None, None)


@pytest.mark.parametrize("value", [-5, "30", True, math.inf, math.nan])
@pytest.mark.parametrize("option", ["timeout", "heartbeat"])
def test_a_task_s_durations_are_numbers_above_0(option: str, value: Any) -> None:
    """The sentence names task, option and value."""
    with pytest.raises(InvalidFlow, match=f"task nothing: {option}= .*, not {value!r}"):
        task.decorate(**{option: value})(nothing.fn)


def test_a_task_without_a_name_is_shown_as_a_value() -> None:
    """A partial function has no name."""
    with pytest.raises(InvalidFlow, match=r"functools\.partial.*timeout= "):
        task.decorate(timeout=-5)(functools.partial(max, 1))


@pytest.mark.parametrize("value", [-5, 0, "30"])
def test_an_external_activity_s_durations_are_numbers_above_0(value: Any) -> None:
    """The sentence names option and value, and the activity if ``create`` made it."""
    with pytest.raises(InvalidFlow, match=f"activity flow_x: timeout= .*, not {value!r}"):
        CREATE(name="x", external=True, timeout=value)
    with pytest.raises(InvalidFlow, match=f"activity flow_x: heartbeat= .*, not {value!r}"):
        CREATE(name="x", external=True, timeout=5, heartbeat=value)
    with pytest.raises(InvalidFlow, match=f"heartbeat= .*, not {value!r}"):
        runner.External(timeout=5, heartbeat=value)


@pytest.mark.parametrize(
    ("option", "value"),
    [("retry", -1), ("retry", 1.5), ("retry", "2"), ("schedule_to_start", -1)],
)
def test_an_activity_s_invalid_options_are_refused_at_its_creation(option: str, value: Any) -> None:
    """The sentence names activity, option and value."""
    with pytest.raises(InvalidFlow, match=f"activity flow_a: {option}= .*, not {value!r}"):
        make("a", **{option: value})


@pytest.mark.parametrize("name", [None, "", 5])
def test_an_activity_needs_a_name(name: Any) -> None:
    """Its type and its task list are named after it."""
    with pytest.raises(InvalidFlow, match=f"flow flow needs name=, not {name!r}"):
        CREATE(name=name, run=nothing)


def test_only_arguments_that_a_task_has_are_filled() -> None:
    """A misspelt argument is not passed on, and a warning lists the task's arguments."""

    @task.decorate()
    def cook(activity: Any, dish: Any) -> None:
        pass

    @task.decorate()
    def taker(**more: Any) -> None:
        pass

    with pytest.warns(UserWarning, match=r"task cook has no argument dihs to fill.*dish"):
        filled = cook.fill(dihs="dish", dish="meal")
    assert filled.requirements == {"dish", "meal"}
    assert filled({"meal": 1}) is None
    assert taker.fill(dihs="dish").requirements == {"dish"}


@pytest.mark.parametrize("turns_", [None, 5, "ab", {"a": 1}, [{"a": 1}, "b"], ["ab"], [None]])
def test_a_generator_returns_dictionaries(turns_: Any) -> None:
    """The sentence names generator, activity and value."""

    def turns(context: Any) -> Any:
        return turns_

    wrong = turns_[-1] if isinstance(turns_, list) else turns_
    with pytest.raises(NotADictionary, match="generator turns of the activity flow_a") as caught:
        make("a", generators=[turns]).instances({})
    assert repr(wrong) in str(caught.value)


def test_a_generator_s_mistake_fails_the_workflow_with_that_sentence() -> None:
    """Nothing is scheduled."""
    swf = FakeSwf()
    worker = DeciderWorker(flow(swf, a=make("a", generators=[lambda context: None])))
    decisions: list[Any] = []
    worker.create_decisions_from_flow(decisions, {}, {})
    (decision,) = decisions
    text = decision["failWorkflowExecutionDecisionAttributes"]["reason"]
    assert "of the activity flow_a gave None" in text


async def wait(schedule: Any) -> None:
    """Decide later."""


def generate(schedule: Any) -> Any:
    """Decide step by step."""
    yield schedule


async def stream(schedule: Any) -> Any:
    """Both."""
    yield schedule


@pytest.mark.parametrize("name", ["decider", "on_cancel"])
@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (wait, "is async"),
        (stream, "is async"),
        (generate, "has a 'yield'"),
        (lambda: None, "has the parameters ()"),
        (lambda a, b, c, d: None, "has the parameters (a, b, c, d)"),
        (lambda schedule, *, flow: None, "has the parameters (schedule, *, flow)"),
        (lambda schedule, other, context: None, "has the parameters"),
        ("text", "is not a function"),
    ],
)
def test_a_function_that_cannot_be_called_is_refused(
    name: str, function: Any, sentence: str
) -> None:
    """It would fail in every decision, or do nothing in any."""
    assert f"Its {name!r} {sentence}" in said_of(flow(a=make("a"), **{name: function}))


@pytest.mark.parametrize(
    "function",
    [
        lambda schedule: None,
        lambda schedule, context: None,
        lambda schedule, anything: None,
        lambda schedule, flag=False: None,
        lambda schedule, flag=False, *, context: None,
        lambda *anything: None,
        functools.partial(lambda schedule, context, shop: None, shop=3),
        dict,
    ],
)
def test_functions_of_the_documented_forms_pass(function: Any) -> None:
    """The schedule, and the input for a second parameter or one called context."""
    assert said_of(flow(a=make("a"), decider=function)) == ""


@pytest.mark.parametrize("run", [5, "cook", 0.5, runner.Sync])
def test_something_other_than_a_runner_is_refused(run: Any) -> None:
    """Its tasks would fail at each attempt."""
    made = activity.create("domain", "flow")(name="a", run=run)
    assert "flow_a: run= has to be a runner such as Sync(...), not" in said_of(flow(a=made))


def test_an_error_handler_has_to_be_a_function() -> None:
    """It would fail at each error, which it is to report."""
    assert "Its 'on_exception' is not a function, but 5." in said_of(
        flow(a=make("a"), on_exception=5)
    )
    said = said_of(flow(a=having(on_exception="x")))
    assert "The activity flow_a: its 'on_exception' is not a function, but 'x'." in said
