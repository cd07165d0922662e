"""The starter knows which task lists its executions wait for."""

from __future__ import annotations

from garcon.executions import Execution
from garcon.executions.progress import Progress
from garcon.executions.waiting import NewEvents
from supervisor.sidecars import starter
from tests.garcon.executions.scenarios import Scenario


def test_lists_with_waiting_activities_are_known() -> None:
    """An activity that was scheduled and not started waits on the list of its name."""
    scenario = Scenario()
    scenario.started(scenario.after(1).scheduled("shop_make"))
    scenario.after(1).scheduled("shop_bill")
    progress = Progress()
    progress.read(NewEvents(Execution("order-1", "run"), scenario.events))
    assert starter.waiting_lists([progress]) == {"shop_bill"}


def test_a_list_that_no_worker_polls_is_reported_once_after_a_grace() -> None:
    """One that is polled in the meantime begins anew."""
    lists, grace = starter.WaitingLists(), starter.GRACE
    assert lists.newly_late({"shop_bill", "shop_make"}, 0.0) == []
    assert lists.newly_late({"shop_bill"}, grace - 0.1) == []
    assert lists.newly_late({"shop_bill", "shop_make"}, grace) == ["shop_bill"]
    assert lists.newly_late({"shop_bill", "shop_make"}, 2 * grace) == ["shop_make"]
    assert lists.newly_late({"shop_bill", "shop_make"}, 3 * grace) == []
