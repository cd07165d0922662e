"""The accounts of the conformance tests: their time is the test's, not the machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.garcon.local.conformance import MOMENT, Account, schedule

if TYPE_CHECKING:
    from tests.garcon.local.conformance import Timed


def test_no_time_passes_by_itself(account: Account) -> None:
    """All that happens without an empty poll happens at the moment of the tests."""
    account.start()
    account.decide(schedule())
    account.complete_activity()
    assert {event["eventTimestamp"].timestamp() for event in account.history()} == {MOMENT}


def test_time_passes_by_hand(timed: Timed) -> None:
    """An account whose time a test has in hand begins at the same moment, and goes on from it."""
    assert timed.swf.now == MOMENT
    timed.after(5)
    timed.start()
    assert timed.history()[0]["eventTimestamp"].timestamp() == MOMENT + 5
