"""A look at open executions when new code begins to decide, against a local SWF."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from garcon.executions import listing
from garcon.local import LocalSWF
from supervisor.child import stuck_look
from supervisor.child.flow_loader import Flow
from supervisor.child.worker_context import OnceForAll
from tests.garcon.decider.build_fleet import Fleet
from tests.garcon.decider.test_builds import custom
from tests.garcon.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

REST = Mock(spec=threading.Event)
"""No pauses: the time is virtual."""


@pytest.fixture
def stuck() -> Iterator[Fleet]:
    """An execution of build a that only build b has seen for two hours."""
    with LocalSWF() as swf:
        fleet = Fleet(swf, {"a": custom("x"), "b": custom("y"), "c": custom("x")})
        fleet.deploy("a")
        fleet.start()
        fleet.work()
        fleet.deploy("b")
        fleet.work().after(7_200)
        assert fleet.note.is_stuck
        yield fleet


def look(fleet: Fleet, build: str, *, retired: bool = False) -> int:
    """The executions that a decider of this build wakes at its start."""
    flow = custom("x")
    flow.client = fleet.client
    served = Flow(flow, fleet.domain, fleet.name, "1.0", {}, build=build)
    return stuck_look.look(served, REST, retired=retired)


@pytest.mark.parametrize("build", ["a", "c"])
def test_code_that_fits_goes_on_within_a_minute(stuck: Fleet, build: str) -> None:
    """Its own build, or another one that repeats what was decided."""
    stuck.deploy(build)
    assert look(stuck, build) == 1
    stuck.decide().after(35)
    assert (stuck.note.build, stuck.note.is_stuck) == (build, False)


def test_code_that_is_known_not_to_fit_wakes_nothing(stuck: Fleet) -> None:
    """Each wake costs seven events."""
    assert look(stuck, "b") == 0
    assert stuck.kinds.count("WorkflowExecutionSignaled") == 0


def test_retired_code_wakes_the_executions_of_its_own_build(stuck: Fleet) -> None:
    """Those of others would not come to it, even if it fits them."""
    assert [look(stuck, build, retired=True) for build in ("c", "a")] == [0, 1]


def test_executions_that_go_on_are_left_alone(stuck: Fleet) -> None:
    """Most are, and most looks are in vain."""
    stuck.deploy("a")
    look(stuck, "a")
    stuck.decide()
    assert look(stuck, "a") == 0


def test_a_refused_look_is_no_failure(stuck: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The executions wake by their timers."""
    monkeypatch.setattr(listing, "take", Mock(side_effect=refusal("AccessDeniedException")))
    assert look(stuck, "a") == 0


def test_the_first_one_looks_for_all() -> None:
    """A decider that replaces another does not look again."""
    flag = OnceForAll()
    assert [flag.take() for _ in range(3)] == [True, False, False]
