"""The list of a build beside the others: polled, refused by a policy, named by answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from garcon.decider import Build, DeciderWorker
from garcon.decider.sticky.list_choice import BUILD_SECONDS, ListChoice, build_list
from garcon.decider.sticky.stickiness import Sticky
from tests.garcon.fakes import refusal
from tests.garcon.flows import flow, make


def polled(allowed: set[str], build: Build, turns: int = 3) -> tuple[DeciderWorker, list[str]]:
    """A decider after some polls, and the lists that it polled; other lists are refused."""
    seen: list[str] = []

    def poll_for_decision_task(**request: Any) -> dict[str, Any]:
        name = request["taskList"]["name"]
        seen.append(name)
        if name not in allowed:
            raise refusal("AccessDeniedException")
        return {"startedEventId": 0, "taskToken": ""}

    client = SimpleNamespace(poll_for_decision_task=poll_for_decision_task)
    decider = DeciderWorker(flow(client, a=make("a")), register=False, build=build)
    for _ in range(turns):
        assert decider.poll_once() is None
    assert [*decider.leave(seconds=0)] == []
    return decider, seen


def test_both_lists_are_polled() -> None:
    """They are that of the flow, and that of the build."""
    _, seen = polled({"flow", "flow@b"}, Build("b"))
    assert set(seen) == {"flow", "flow@b"}


def test_a_policy_without_the_list_of_the_build_costs_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is polled once, and the flow's own list is served as ever."""
    _, seen = polled({"flow"}, Build("b"), turns=5)
    assert seen.count("flow@b") == 1
    assert seen.count("flow") > 1
    (warning,) = caplog.messages
    assert "does not allow polling flow@b" in warning


def test_retired_code_has_no_other_list() -> None:
    """Then the refusal is that of its only poll."""
    with pytest.raises(ClientError):
        polled(set(), Build("b", serves_flow=False))


def test_one_decider_of_a_host_polls_the_list_of_the_build() -> None:
    """The others poll the flow's own."""
    _, seen = polled({"flow"}, Build("b", serves_build=False))
    assert set(seen) == {"flow"}


@pytest.mark.parametrize("sticky", [None, Sticky(private_list="mine")])
def test_answers_keep_an_execution_with_its_build(sticky: Sticky | None) -> None:
    """Always with a timeout, so that a list without pollers keeps no execution for good."""
    lists = ListChoice("flow", sticky, Build("b"))
    returned = lists.answer_members(has_state=False, came_by="flow@b")
    assert returned == {
        "taskList": {"name": "flow@b"},
        "taskListScheduleToStartTimeout": str(BUILD_SECONDS),
    }
    assert lists.members_of_build("a")["taskList"] == {"name": "flow@a"}
    lists.give_back()
    members = lists.answer_members(has_state=True, came_by="flow@b")
    assert members == {"taskList": {"name": "flow"}}


def test_a_long_name_keeps_its_build() -> None:
    """SWF takes 256 characters."""
    name = build_list("f" * 256, "b" * 64)
    assert (len(name), name[-65:]) == (256, f"@{'b' * 64}")
