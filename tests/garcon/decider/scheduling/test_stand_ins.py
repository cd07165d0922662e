"""What users' flows and tests pass to ``schedule`` and to the functions below it."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from garcon import activity, decider, runner
from garcon.decider import DeciderWorker
from garcon.errors import InvalidFlow
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, make, reason, scheduled
from tests.garcon.histories import History

A = make("a")


class Step(enum.Enum):
    """Ids of a flow."""

    FIRST = 1


def decisions_of(own_decider: Any) -> list[dict[str, Any]]:
    """The first decisions of a flow with this decider."""
    return DeciderWorker(flow(a=A, decider=own_decider), register=False).decide(History().poll())


IDS: list[tuple[Any, str]] = [
    (5, "5"),
    (1.5, "1.5"),
    (Decimal("2.50"), "2.50"),
    (dt.date(2026, 11, 29), "2026-11-29"),
    (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    (Step.FIRST, "Step.FIRST"),
]


@pytest.mark.parametrize(("id_", "text"), IDS, ids=[text for _, text in IDS])
def test_an_id_may_be_what_has_one_text(id_: Any, text: str) -> None:
    """As in 1.1.1, where any object's text is the id."""
    assert scheduled(decisions_of(lambda schedule: schedule(id_, A))) == [f"flow_a-1-{text}"]


@pytest.mark.parametrize("id_", [None, b"x", ("a", 1), object(), dt.datetime(2026, 11, 29, 7, 5)])  # noqa: DTZ001 - a text with a colon
def test_other_objects_are_no_ids(id_: Any) -> None:
    """Their text is no id, or another one in every process; a sentence says so."""
    assert "flow_a" in reason(decisions_of(lambda schedule: schedule(id_, A)))


@pytest.mark.parametrize(
    "several", [lambda state: state, lambda state: {"a": state}, "text".format]
)
def test_requirements_are_a_list(several: Any) -> None:
    """A single state, a dictionary or a text is answered with the form that is right."""
    made = decisions_of(lambda schedule: schedule("t", A, requires=several(schedule("s", A))))
    assert "requires=[state]" in reason(made)


@pytest.mark.parametrize(("last", "ready"), [(2, True), (1, False), (3, False)])
def test_a_mock_of_a_state_is_ready_by_its_last_state(last: int, ready: bool) -> None:  # noqa: FBT001 - parametrized
    """As in 1.1.1; a mock's ``wait`` never raises."""
    states = [MagicMock(**{"get_last_state.return_value": last})]
    if ready:
        decider.ensure_requirements(states)
    else:
        with pytest.raises(activity.ActivityInstanceNotReadyException):
            decider.ensure_requirements(states)


TIMES = ("heartbeat_timeout", "timeout", "schedule_to_start", "schedule_to_close")


@pytest.mark.parametrize("seconds", [5, 4.2, "5", Decimal("4.5")])
def test_an_instance_may_be_any_object(seconds: Any) -> None:
    """A user's test has the names that an instance has, and no priority."""
    instance: Any = SimpleNamespace(
        id="i",
        activity_name="flow_a",
        activity_worker=SimpleNamespace(task_list="list"),
        create_execution_input=dict,
        **dict.fromkeys(TIMES, seconds),
    )
    made: list[dict[str, Any]] = []
    decider.schedule_activity_task(made, instance)
    (attributes,) = [each["scheduleActivityTaskDecisionAttributes"] for each in made]
    assert (attributes["startToCloseTimeout"], attributes["heartbeatTimeout"]) == ("5", "5")
    assert "taskPriority" not in attributes


def test_an_instance_may_be_a_mock() -> None:
    """Its members are mocks, of which a test asks afterwards."""
    made: list[dict[str, Any]] = []
    instance = MagicMock(**{"create_execution_input.return_value": {}})
    decider.schedule_activity_task(made, instance)
    attributes = made[0]["scheduleActivityTaskDecisionAttributes"]
    assert attributes["activityId"] is instance.id
    assert attributes["startToCloseTimeout"] == str(instance.timeout)


class Texts(runner.Sync):
    """A runner that gives texts, as the reference documents."""

    def timeout(self, context: Any = None) -> Any:
        return "120"

    def heartbeat(self, context: Any = None) -> Any:
        return "60"


def test_a_runner_may_give_texts_of_seconds() -> None:
    """Decisions have them, sums are made of them, and a task is answered within them."""
    swf = FakeSwf()
    made = make("a", swf, run=Texts(lambda context: {}))
    (instance,) = made.instances({})
    assert (instance.timeout, instance.heartbeat_timeout, instance.schedule_to_close) == (
        120,
        60,
        720,
    )
    task = {"taskToken": "token", "activityId": "flow_a-1", "input": "{}"}
    swf.prepare("poll_for_activity_task", task)
    assert made.run()
    assert swf.names == ["poll_for_activity_task", "respond_activity_task_completed"]


@pytest.mark.parametrize("seconds", [None, "soon", ""])
def test_a_runner_that_gives_no_seconds_is_named(seconds: Any) -> None:
    """With its activity and its method."""

    class Wrong(runner.Sync):
        def timeout(self, context: Any = None) -> Any:
            return seconds

    (instance,) = make("a", run=Wrong()).instances({})
    with pytest.raises(
        InvalidFlow, match=r"runner of the activity flow_a: timeout\(\) has to give"
    ):
        _ = instance.timeout
