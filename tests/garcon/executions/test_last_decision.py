"""The latest decision of an execution, by the end of its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garcon.executions import standstill
from garcon.executions.last_decision import LastDecision, last_decision
from garcon.executions.standstill import StandstillCause
from garcon.local import LocalSWF
from tests.garcon.decider.build_fleet import Fleet
from tests.garcon.decider.test_builds import custom

if TYPE_CHECKING:
    from garcon.executions.recorded_history import Events


def latest(fleet: Fleet) -> Events:
    """The history, the latest event first."""
    return list(reversed(fleet.history))


def test_the_latest_decision_is_that_of_the_build_not_its_return() -> None:
    """A stuck execution keeps the build, and the standstill says what to do."""
    with LocalSWF() as swf:
        fleet = Fleet(swf, {"a": custom("x"), "b": custom("y")})
        fleet.deploy("a")
        fleet.start()
        assert last_decision(latest(fleet)) == LastDecision()
        before = last_decision(latest(fleet.work()))
        assert (before.build, before.host, before.is_stuck) == ("a", "a", False)
        fleet.deploy("b")
        fleet.work().after(120)
        after = last_decision(latest(fleet))
        assert (after.build, after.is_stuck, after.decided) == ("a", True, before.decided)
        why = standstill.standstill(latest(fleet))
    assert why
    assert why.cause is StandstillCause.STUCK
    assert why.remedy.startswith("Deploy build a, or code that fits")
