"""Waking stuck executions when new code begins to decide, against a local SWF."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from garcon.executions import listing
from garcon.local import LocalSWF
from supervisor.child import wake_stuck
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


def wake(fleet: Fleet, build: str, *, retired: bool = False) -> int:
    """The executions that a decider of this build wakes at its start."""
    flow = custom("x")
    flow.client = fleet.client
    served = Flow(flow, fleet.domain, fleet.name, "1.0", {}, build=build)
    return wake_stuck.wake_stuck_executions(served, REST, retired=retired)


@pytest.mark.parametrize("build", ["a", "c"])
def test_code_that_fits_goes_on_within_a_minute(stuck: Fleet, build: str) -> None:
    """Its own build, or another one that repeats what was decided."""
    stuck.deploy(build)
    assert wake(stuck, build) == 1
    stuck.decide().after(35)
    assert (stuck.note.build, stuck.note.is_stuck) == (build, False)


def test_code_that_is_known_not_to_fit_wakes_nothing(stuck: Fleet) -> None:
    """Each wake costs seven events."""
    assert wake(stuck, "b") == 0
    assert stuck.kinds.count("WorkflowExecutionSignaled") == 0


def test_retired_code_wakes_the_executions_of_its_own_build(stuck: Fleet) -> None:
    """Those of others would not come to it, even if it fits them."""
    assert [wake(stuck, build, retired=True) for build in ("c", "a")] == [0, 1]


def test_executions_that_go_on_are_left_alone(stuck: Fleet) -> None:
    """Most are, and most searches find none."""
    stuck.deploy("a")
    wake(stuck, "a")
    stuck.decide()
    assert wake(stuck, "a") == 0


def test_a_refused_call_is_not_a_failure(stuck: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The executions wake by their timers."""
    monkeypatch.setattr(listing, "take", Mock(side_effect=refusal("AccessDeniedException")))
    assert wake(stuck, "a") == 0


def test_only_the_first_decider_wakes() -> None:
    """A decider that replaces another does not wake again."""
    flag = OnceForAll()
    assert [flag.take() for _ in range(3)] == [True, False, False]
