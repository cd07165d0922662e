"""What is refused of a flow, and where: at its creation, or as a whole before anything is sent."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest

from garcon import activity, runner, task, validation
from garcon.decider import DeciderWorker
from garcon.errors import InvalidFlow, NotADictionary
from garcon.retry import Retry
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, make, nothing

CREATE = activity.create("domain", "flow")


def said_of(flow: Any) -> str:
    """What is wrong with a flow; empty if nothing is."""
    try:
        validation.check(flow)
    except InvalidFlow as error:
        return str(error)
    return ""


def bare(name: Any = "bare") -> activity.Activity:
    """An activity that was made without ``create``, and with nothing to do."""
    made = activity.Activity()
    made.name = name
    return made


def having(**attributes: Any) -> activity.Activity:
    """An activity whose attributes were set behind ``create``'s back."""
    made = make("a")
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def circle() -> Any:
    """A flow of two activities that wait for each other."""
    one, two = make("one"), make("two")
    one.requires, two.requires = [two], [one]
    return flow(one=one, two=two)


WRONG = {
    "one name twice": (flow(a=make("a"), b=make("a")), "2 activities have the name flow_a"),
    "no name": (flow(a=bare(name=None)), "name has to be a text, not None"),
    "no run": (flow(a=CREATE(name="a")), "activity flow_a has no run="),
    "no activity": (flow(a=having(requires=["b"])), "flow_a requires 'b', which is no activity"),
    "of another flow": (
        flow(a=make("a", requires=[activity.create("domain", "other")(name="b", run=nothing)])),
        "flow_a requires other_b, which is no activity of this flow",
    ),
    "no list": (flow(a=having(requires=7)), "flow_a: requires= has to be a list, not 7"),
    "no generators": (flow(a=having(generators=max)), "flow_a: generators= has to be a list"),
    "a circle": (circle(), "None of these can begin: flow_(one|two) requires flow_(one|two)"),
    "retry": (flow(a=having(retry="3")), "flow_a: retry= has to be .*, not '3'"),
    "wait": (flow(a=having(schedule_to_start=-1)), "flow_a: schedule_to_start= has .*, not -1"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=list(WRONG))
def test_a_flow_that_cannot_work_is_refused_before_anything_is_sent(wrong: Any, why: str) -> None:
    """The sentence names flow, activity and value; the decider is not even made."""
    wrong.client = FakeSwf()
    with pytest.raises(InvalidFlow, match=f"The flow flow cannot work.*{why}"):
        DeciderWorker(wrong)
    assert wrong.client.calls == []


@pytest.mark.parametrize("attribute", ["domain", "name"])
def test_a_flow_says_where_it_is_and_how_it_is_called(attribute: str) -> None:
    """Both are texts."""
    wrong = flow(a=make("a"))
    setattr(wrong, attribute, None)
    with pytest.raises(InvalidFlow, match=f"Its {attribute} has to be a text, not None"):
        validation.check(wrong)


def test_all_mistakes_are_told_at_once() -> None:
    """Whoever repairs a flow need not start it once for each."""
    with pytest.raises(InvalidFlow, match=r"retry=.*has no run="):
        validation.check(flow(a=having(retry=-1), b=CREATE(name="b")))


def test_flows_that_work_are_left_alone() -> None:
    """One name twice for one activity, a shared requirement, and all kinds of retries are fine."""
    first = make("first", retry=Retry())
    second = make("second", requires=[first], retry=2)
    third = make("third", requires=[first, second], schedule_to_start=1.5)
    assert said_of(flow(a=first, again=first, b=second, c=third)) == ""


def test_a_decider_s_own_order_is_not_looked_at() -> None:
    """What its activities require means nothing to a flow with a decider."""
    made = make("a", requires=[make("elsewhere")])
    assert "elsewhere" in said_of(flow(a=made))
    assert said_of(flow(a=made, decider=lambda schedule: None)) == ""


@pytest.mark.parametrize("value", [-5, 0, "30", True, math.inf, math.nan])
@pytest.mark.parametrize("option", ["timeout", "heartbeat"])
def test_a_task_s_durations_are_numbers_above_0(option: str, value: Any) -> None:
    """The sentence names task, option and value."""
    with pytest.raises(InvalidFlow, match=f"task nothing: {option}= .*, not {value!r}"):
        task.decorate(**{option: value})(nothing.fn)


def test_a_task_without_a_name_is_told_by_what_it_is() -> None:
    """A partial function has none."""
    with pytest.raises(InvalidFlow, match=r"functools\.partial.*timeout= "):
        task.decorate(timeout=-5)(functools.partial(max, 1))


@pytest.mark.parametrize("value", [-5, 0, "30"])
def test_an_external_activity_s_durations_are_numbers_above_0(value: Any) -> None:
    """Made by ``create`` it is named."""
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
def test_an_activity_s_figures_are_refused_at_its_creation(option: str, value: Any) -> None:
    """The sentence names activity, option and value."""
    with pytest.raises(InvalidFlow, match=f"activity flow_a: {option}= .*, not {value!r}"):
        make("a", **{option: value})


@pytest.mark.parametrize("name", [None, "", 5])
def test_an_activity_has_a_name(name: Any) -> None:
    """Its type and its task list are called so."""
    with pytest.raises(InvalidFlow, match=f"flow flow needs name=, not {name!r}"):
        CREATE(name=name, run=nothing)


def test_only_arguments_that_a_task_has_are_filled() -> None:
    """A misspelt one would be ``None`` in the task; the sentence says which there are."""

    @task.decorate()
    def cook(activity: Any, dish: Any) -> None:
        pass

    @task.decorate()
    def taker(**more: Any) -> None:
        pass

    with pytest.raises(InvalidFlow, match=r"task cook has no argument dihs to fill.*dish"):
        cook.fill(dihs="dish")
    assert taker.fill(dihs="dish").requirements == {"dish"}


@pytest.mark.parametrize("gives", [None, 5, "ab", {"a": 1}, [{"a": 1}, "b"], ["ab"], [None]])
def test_a_generator_gives_dictionaries(gives: Any) -> None:
    """The sentence names generator, activity and value."""

    def turns(context: Any) -> Any:
        return gives

    wrong = gives[-1] if isinstance(gives, list) else gives
    with pytest.raises(NotADictionary, match="generator turns of the activity flow_a") as caught:
        make("a", generators=[turns]).instances({})
    assert repr(wrong) in str(caught.value)


def test_a_generator_s_mistake_fails_the_workflow_with_that_sentence() -> None:
    """It is the user's code; nothing is scheduled."""
    swf = FakeSwf()
    worker = DeciderWorker(flow(swf, a=make("a", generators=[lambda context: None])))
    decisions: list[Any] = []
    worker.create_decisions_from_flow(decisions, {}, {})
    (decision,) = decisions
    told = decision["failWorkflowExecutionDecisionAttributes"]["reason"]
    assert "of the activity flow_a gave None" in told
