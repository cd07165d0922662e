"""Notices become log lines and drain orders, each once, with the time given by the test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from supervisor.ipc.messages import Level
from supervisor.sidecars.ec2.notices import (
    ENDING_EVENTS,
    PAST_AFTER,
    DrainOrder,
    Item,
    NoticeLine,
    NoticePolicy,
    Notices,
    be_gone_by,
)

if TYPE_CHECKING:
    from supervisor.sidecars.ec2.notices import Metadata

NOW = 1_505_722_800.0
"""2017-09-18 08:20:00 UTC."""

POLICY = NoticePolicy(margin=30.0, maintenance_lead=600.0)


def stamp(at: float) -> str:
    """A time in the format of spot notices."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spot(at: float, action: str = "terminate") -> Metadata:
    """A spot notice."""
    return {Item.SPOT: json.dumps({"action": action, "time": stamp(at)})}


def target(state: str | None) -> Metadata:
    """The group's target state for the instance."""
    return {Item.TARGET: state}


def event(at: float, code: str = "instance-stop", state: str = "active") -> dict[str, str]:
    """A scheduled event in EC2's format."""
    begins = datetime.fromtimestamp(at, UTC).strftime("%d %b %Y %H:%M:%S GMT")
    members = {"NotBefore": begins, "Code": code, "Description": "scheduled", "State": state}
    return {**members, "EventId": f"instance-event-{code}"}


def maintenance(*events: dict[str, str]) -> Metadata:
    """A list of scheduled events."""
    return {Item.MAINTENANCE: json.dumps(events)}


REBALANCE: Metadata = {Item.REBALANCE: json.dumps({"noticeTime": stamp(NOW)})}
NOTHING: Metadata = dict.fromkeys(Item)


def drains(due: list[DrainOrder | NoticeLine]) -> list[DrainOrder]:
    """The drain orders among the results."""
    return [each for each in due if isinstance(each, DrainOrder)]


def lines(due: list[DrainOrder | NoticeLine]) -> list[str]:
    """The events of the log lines among the results."""
    return [each.event for each in due if isinstance(each, NoticeLine)]


# --- spot -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_spot_notice_is_a_drain_that_ends_before_it(action: str) -> None:
    """The drain has to end the margin before the notice's time, which the line names."""
    due = Notices(POLICY).update(spot(NOW + 120, action), NOW)
    assert drains(due) == [
        DrainOrder(f"EC2 will {action} this spot instance at 2017-09-18 08:22:00 UTC", NOW + 90)
    ]
    (line,) = (each for each in due if isinstance(each, NoticeLine))
    assert (line.level, line.event) == (Level.WARNING, "notice")
    assert line.facts == {"notice": "spot", "at": "2017-09-18 08:22:00 UTC"}


def test_without_notices_there_are_no_results() -> None:
    """Readings without a notice give neither lines nor orders."""
    notices = Notices(POLICY)
    assert [notices.update(NOTHING, NOW + each) for each in range(3)] == [[], [], []]


def test_the_same_notice_is_reported_once() -> None:
    """It stays reported over repeated and failed readings."""
    notices = Notices(POLICY)
    notices.update(spot(NOW + 120), NOW)
    assert notices.update(spot(NOW + 120), NOW + 5) == []
    assert notices.update({}, NOW + 10) == []
    assert notices.update(spot(NOW + 120), NOW + 15) == []


def test_a_nearer_end_is_ordered_again_and_a_farther_one_is_not() -> None:
    """Both are logged."""
    notices = Notices(POLICY)
    notices.update(spot(NOW + 120), NOW)
    farther = notices.update(spot(NOW + 180), NOW + 5)
    assert (drains(farther), lines(farther)) == ([], ["notice"])
    nearer = notices.update(spot(NOW + 100), NOW + 10)
    assert [each.by for each in drains(nearer)] == [NOW + 70]


def test_a_withdrawn_notice_is_logged_and_the_drain_goes_on() -> None:
    """No second drain is ordered when the notice comes again."""
    notices = Notices(POLICY)
    notices.update(spot(NOW + 120), NOW)
    (line,) = notices.update({Item.SPOT: None}, NOW + 5)
    assert isinstance(line, NoticeLine)
    assert line.event == "notice_withdrawn"
    assert "The drain goes on" in line.text
    assert drains(notices.update(spot(NOW + 120), NOW + 10)) == []


def test_an_end_long_past_is_logged_only() -> None:
    """A stopped instance that runs again is not drained for the notice of the stop."""
    due = Notices(POLICY).update(spot(NOW - PAST_AFTER[Item.SPOT] - 1), NOW)
    assert drains(due) == []
    assert lines(due) == ["notice"]
    assert len(drains(Notices(POLICY).update(spot(NOW - 1, "hibernate"), NOW))) == 1


@pytest.mark.parametrize(
    "text", ["", "soon", "[]", "7", '{"action": "stop"}', '{"action": "stop", "time": "soon"}']
)
def test_an_unreadable_notice_is_logged_once_and_ignored(text: str) -> None:
    """Its text is in the line; the item's last notice still holds."""
    notices = Notices(POLICY)
    notices.update(spot(NOW + 120), NOW)
    (line,) = notices.update({Item.SPOT: text}, NOW + 5)
    assert isinstance(line, NoticeLine)
    assert line.event == "notice_not_understood"
    assert repr(text) in line.text
    assert notices.update({Item.SPOT: text}, NOW + 10) == []
    assert notices.update(spot(NOW + 120), NOW + 15) == []


# --- rebalance ------------------------------------------------------------------------------------


@pytest.mark.parametrize("drain", [False, True])
def test_a_rebalance_recommendation_drains_as_set(*, drain: bool) -> None:
    """It is logged, and drains without an end only where the settings ask for it."""
    notices = Notices(NoticePolicy(30.0, 600.0, drain_on_rebalance=drain))
    due = notices.update(REBALANCE, NOW)
    assert lines(due) == ["notice"]
    assert [each.by for each in drains(due)] == ([None] if drain else [])
    assert [each.by for each in drains(notices.update(spot(NOW + 60), NOW))] == [NOW + 30]


# --- the group ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "leaves"),
    [
        (["InService"], False),
        (["Terminated"], True),
        (["InService", "Terminated"], True),
        (["InService", "Warmed:Stopped"], True),
        (["Warmed:Stopped"], False),
        (["Warmed:Stopped", "InService"], False),
        (["InService", "Standby", "InService"], False),
        (["InService", "Detached"], False),
        ([None], False),
    ],
)
def test_leaving_the_group_is_a_drain_without_an_end(
    *, states: list[str | None], leaves: bool
) -> None:
    """An instance that leaves service drains; one that gets warm, standby or detached does not."""
    notices = Notices(POLICY)
    due = [each for state in states for each in notices.update(target(state), NOW)]
    assert [each.by for each in drains(due)] == ([None] if leaves else [])
    assert notices.is_leaving_group is leaves


def test_leaving_the_group_is_known_during_any_drain() -> None:
    """After a spot notice no second drain is ordered, but the hook is still served."""
    notices = Notices(POLICY)
    notices.update(spot(NOW + 120), NOW)
    assert drains(notices.update(target("Terminated"), NOW + 5)) == []
    assert notices.is_leaving_group


# --- scheduled events -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ENDING_EVENTS)
def test_maintenance_drains_shortly_before_it(code: str) -> None:
    """It is logged at once, and drains ``maintenance_lead`` before, to end by the margin."""
    notices = Notices(POLICY)
    seen = maintenance(event(NOW + 7200, code))
    assert [lines(notices.update(seen, NOW)), notices.update(seen, NOW + 6599)] == [["notice"], []]
    (drain,) = drains(notices.update(seen, NOW + 6600))
    assert drain == DrainOrder(f"{code} is scheduled for 2017-09-18 10:20:00 UTC", NOW + 7170)
    assert notices.update(seen, NOW + 6605) == []


def test_maintenance_of_the_network_is_only_logged() -> None:
    """``system-maintenance`` ends no process."""
    notices = Notices(POLICY)
    seen = maintenance(event(NOW + 60, "system-maintenance"))
    due = notices.update(seen, NOW)
    assert (lines(due), drains(due)) == (["notice"], [])
    assert notices.update(seen, NOW + 59) == []


@pytest.mark.parametrize("state", ["completed", "canceled"])
def test_maintenance_that_is_over_is_ignored(state: str) -> None:
    """An event that becomes completed or canceled counts as withdrawn."""
    notices = Notices(POLICY)
    assert notices.update(maintenance(event(NOW + 60, state=state)), NOW) == []
    notices.update(maintenance(event(NOW + 9000)), NOW)
    due = notices.update(maintenance(event(NOW + 9000, state=state)), NOW + 5)
    assert lines(due) == ["notice_withdrawn"]


def test_a_past_reboot_is_not_a_reason_to_drain() -> None:
    """It may still be listed after the reboot."""
    due = Notices(POLICY).update(maintenance(event(NOW - 1, "instance-reboot")), NOW)
    assert drains(due) == []


def test_events_differ_by_their_ids() -> None:
    """One of two events can be withdrawn; the nearest one sets the end."""
    notices = Notices(POLICY)
    both = [event(NOW + 500), event(NOW + 100, "system-reboot")]
    orders = drains(notices.update(maintenance(*both), NOW))
    assert min(order.by or inf for order in orders) == NOW + 70
    due = notices.update(maintenance(both[0]), NOW + 5)
    assert lines(due) == ["notice_withdrawn"]


# --- the end of the drain -------------------------------------------------------------------------


@given(st.floats(0, 1e5, allow_nan=False), st.floats(0.1, 1e3), st.floats(0, 1e5, allow_nan=False))
def test_a_drain_leaves_the_margin(ahead: float, margin: float, now: float) -> None:
    """It ends before the instance and not in the past; tasks get a quarter of the time or more."""
    at = now + ahead
    by = be_gone_by(at, margin, now)
    assert now <= by <= at
    assert by - now >= (at - now) / 4 - 1e-6
    assert at - by <= margin + 1e-6


READINGS = st.lists(
    st.one_of(
        st.builds(spot, st.integers(-900, 900).map(lambda n: NOW + n)),
        st.builds(target, st.sampled_from([None, "InService", "Terminated", "Warmed:Stopped"])),
        st.builds(lambda n: maintenance(event(NOW + n)), st.integers(-900, 9000)),
        st.just(REBALANCE),
        st.just(NOTHING),
        st.just({}),
        st.just({Item.SPOT: "not JSON"}),
    ),
    max_size=30,
)


@effort(max_examples=100)
@given(readings=READINGS, drain=st.booleans())
def test_every_drain_after_the_first_has_a_nearer_end(
    *, readings: list[Metadata], drain: bool
) -> None:
    """This holds for any readings, and the first order has a notice."""
    notices = Notices(NoticePolicy(30.0, 600.0, drain_on_rebalance=drain))
    orders = list[DrainOrder]()
    for turn, metadata in enumerate(readings):
        orders += drains(notices.update(metadata, NOW + 5 * turn))
    ends = [inf if each.by is None else each.by for each in orders]
    assert all(later < sooner for sooner, later in pairwise(ends))
    assert len(orders) <= 1 + sum(bool(each) for each in readings)


# --- the warm pool --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "warm"),
    [
        ((None,), False),
        (("InService",), False),
        (("Warmed:Stopped",), True),
        (("Warmed:Running", "InService"), False),
        (("InService", "Warmed:Stopped"), False),
        (("<html>Sign in</html>",), None),
    ],
)
def test_an_instance_is_warm_until_it_is_in_service(
    states: tuple[str | None, ...], *, warm: bool | None
) -> None:
    """One that returns there drains instead; a page of a proxy says nothing."""
    notices = Notices(POLICY)
    for state in states:
        notices.update(target(state), NOW)
    assert notices.is_warm is warm


def test_a_page_is_no_lifecycle_state() -> None:
    """It is logged, and orders no drain."""
    due = Notices(POLICY).update(target("<html>Sign in</html>"), NOW)
    assert lines(due) == ["notice_not_understood"]
    assert drains(due) == []
