"""What is made of the metadata, in told time."""

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

from supervisor.attendants.ec2.notices import (
    ENDING,
    OVER,
    Drain,
    Item,
    Line,
    Notices,
    Policy,
    be_gone_by,
)
from supervisor.messages import Level

if TYPE_CHECKING:
    from supervisor.attendants.ec2.notices import Sight

NOW = 1_505_722_800.0
"""2017-09-18 08:20:00 UTC."""

POLICY = Policy(margin=30.0, maintenance_lead=600.0)


def stamp(at: float) -> str:
    """As spot writes a time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spot(at: float, action: str = "terminate") -> Sight:
    """A spot instance's end."""
    return {Item.SPOT: json.dumps({"action": action, "time": stamp(at)})}


def target(state: str | None) -> Sight:
    """Where the group moves the instance."""
    return {Item.TARGET: state}


def event(at: float, code: str = "instance-stop", state: str = "active") -> dict[str, str]:
    """A scheduled event, as EC2 writes it."""
    begins = datetime.fromtimestamp(at, UTC).strftime("%d %b %Y %H:%M:%S GMT")
    told = {"NotBefore": begins, "Code": code, "Description": "scheduled", "State": state}
    return {**told, "EventId": f"instance-event-{code}"}


def maintenance(*events: dict[str, str]) -> Sight:
    """A list of scheduled events."""
    return {Item.MAINTENANCE: json.dumps(events)}


REBALANCE: Sight = {Item.REBALANCE: json.dumps({"noticeTime": stamp(NOW)})}
NOTHING: Sight = dict.fromkeys(Item)


def drains(said: list[Drain | Line]) -> list[Drain]:
    """Those that are asked for."""
    return [each for each in said if isinstance(each, Drain)]


def lines(said: list[Drain | Line]) -> list[str]:
    """The kinds of the lines."""
    return [each.event for each in said if isinstance(each, Line)]


# --- spot -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_spot_notice_is_a_drain_that_ends_before_it(action: str) -> None:
    """By the notice's time less the margin; its line has what and when."""
    said = Notices(POLICY).look(spot(NOW + 120, action), NOW)
    assert drains(said) == [
        Drain(f"EC2 will {action} this spot instance at 2017-09-18 08:22:00 UTC", NOW + 90)
    ]
    (line,) = (each for each in said if isinstance(each, Line))
    assert (line.level, line.event) == (Level.WARNING, "notice")
    assert line.facts == {"notice": "spot", "at": "2017-09-18 08:22:00 UTC"}


def test_nothing_there_is_nothing_said() -> None:
    """Look after look."""
    notices = Notices(POLICY)
    assert [notices.look(NOTHING, NOW + each) for each in range(3)] == [[], [], []]


def test_the_same_notice_is_said_once() -> None:
    """However often it is seen, and whatever failed to be looked at in between."""
    notices = Notices(POLICY)
    notices.look(spot(NOW + 120), NOW)
    assert notices.look(spot(NOW + 120), NOW + 5) == []
    assert notices.look({}, NOW + 10) == []
    assert notices.look(spot(NOW + 120), NOW + 15) == []


def test_a_nearer_end_is_said_again_and_a_farther_one_is_not() -> None:
    """Both are told in the log."""
    notices = Notices(POLICY)
    notices.look(spot(NOW + 120), NOW)
    farther = notices.look(spot(NOW + 180), NOW + 5)
    assert (drains(farther), lines(farther)) == ([], ["notice"])
    nearer = notices.look(spot(NOW + 100), NOW + 10)
    assert [each.by for each in drains(nearer)] == [NOW + 70]


def test_a_withdrawn_notice_is_told_and_does_not_turn_the_drain_back() -> None:
    """Nothing is asked for when it comes again."""
    notices = Notices(POLICY)
    notices.look(spot(NOW + 120), NOW)
    (line,) = notices.look({Item.SPOT: None}, NOW + 5)
    assert isinstance(line, Line)
    assert line.event == "notice_withdrawn"
    assert "does not turn back" in line.text
    assert drains(notices.look(spot(NOW + 120), NOW + 10)) == []


def test_an_end_long_past_is_of_an_earlier_life() -> None:
    """A stopped instance that runs again is not drained for what stopped it."""
    said = Notices(POLICY).look(spot(NOW - OVER[Item.SPOT] - 1), NOW)
    assert drains(said) == []
    assert lines(said) == ["notice"]
    assert len(drains(Notices(POLICY).look(spot(NOW - 1, "hibernate"), NOW))) == 1


@pytest.mark.parametrize(
    "text", ["", "soon", "[]", "7", '{"action": "stop"}', '{"action": "stop", "time": "soon"}']
)
def test_what_makes_no_sense_is_told_once_and_not_acted_on(text: str) -> None:
    """Its text is in the line; what was known of the item still holds."""
    notices = Notices(POLICY)
    notices.look(spot(NOW + 120), NOW)
    (line,) = notices.look({Item.SPOT: text}, NOW + 5)
    assert isinstance(line, Line)
    assert line.event == "notice_not_understood"
    assert repr(text) in line.text
    assert notices.look({Item.SPOT: text}, NOW + 10) == []
    assert notices.look(spot(NOW + 120), NOW + 15) == []


# --- rebalance ------------------------------------------------------------------------------------


@pytest.mark.parametrize("drain", [False, True])
def test_a_rebalance_recommendation_does_what_was_asked_for(*, drain: bool) -> None:
    """It is told; it is a reason to drain, without an end, only if the settings say so."""
    notices = Notices(Policy(30.0, 600.0, drain_on_rebalance=drain))
    said = notices.look(REBALANCE, NOW)
    assert lines(said) == ["notice"]
    assert [each.by for each in drains(said)] == ([None] if drain else [])
    assert [each.by for each in drains(notices.look(spot(NOW + 60), NOW))] == [NOW + 30]


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
def test_the_groups_wish_is_a_drain_without_an_end(states: list[str | None], leaves: bool) -> None:  # noqa: FBT001 - a column of the table
    """Out of service it drains; what only gets warm, stands by or is detached serves on."""
    notices = Notices(POLICY)
    said = [each for state in states for each in notices.look(target(state), NOW)]
    assert [each.by for each in drains(said)] == ([None] if leaves else [])
    assert notices.leaves_group is leaves


def test_the_group_is_left_whatever_began_the_drain() -> None:
    """After a spot notice no second drain is asked for, and the hook is waiting all the same."""
    notices = Notices(POLICY)
    notices.look(spot(NOW + 120), NOW)
    assert drains(notices.look(target("Terminated"), NOW + 5)) == []
    assert notices.leaves_group


# --- scheduled events -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ENDING)
def test_maintenance_drains_shortly_before_it(code: str) -> None:
    """It is told at once, and drains ``maintenance_lead`` before it, with the margin as its end."""
    notices = Notices(POLICY)
    seen = maintenance(event(NOW + 7200, code))
    assert [lines(notices.look(seen, NOW)), notices.look(seen, NOW + 6599)] == [["notice"], []]
    (drain,) = drains(notices.look(seen, NOW + 6600))
    assert drain == Drain(f"{code} is scheduled for 2017-09-18 10:20:00 UTC", NOW + 7170)
    assert notices.look(seen, NOW + 6605) == []


def test_maintenance_of_the_network_is_only_told() -> None:
    """``system-maintenance`` ends nothing that runs here."""
    notices = Notices(POLICY)
    seen = maintenance(event(NOW + 60, "system-maintenance"))
    said = notices.look(seen, NOW)
    assert (lines(said), drains(said)) == (["notice"], [])
    assert notices.look(seen, NOW + 59) == []


@pytest.mark.parametrize("state", ["completed", "canceled"])
def test_maintenance_that_is_over_is_none(state: str) -> None:
    """And one that changes to it is withdrawn."""
    notices = Notices(POLICY)
    assert notices.look(maintenance(event(NOW + 60, state=state)), NOW) == []
    notices.look(maintenance(event(NOW + 9000)), NOW)
    said = notices.look(maintenance(event(NOW + 9000, state=state)), NOW + 5)
    assert lines(said) == ["notice_withdrawn"]


def test_a_reboot_that_has_been_is_no_reason_to_leave_again() -> None:
    """It may still be listed when the instance is back."""
    said = Notices(POLICY).look(maintenance(event(NOW - 1, "instance-reboot")), NOW)
    assert drains(said) == []


def test_events_are_told_apart_by_their_ids() -> None:
    """One of two that goes is withdrawn; the nearest is the end."""
    notices = Notices(POLICY)
    both = [event(NOW + 500), event(NOW + 100, "system-reboot")]
    assert min(each.by or inf for each in drains(notices.look(maintenance(*both), NOW))) == NOW + 70
    said = notices.look(maintenance(both[0]), NOW + 5)
    assert lines(said) == ["notice_withdrawn"]


# --- when to be gone ------------------------------------------------------------------------------


@given(st.floats(0, 1e5, allow_nan=False), st.floats(0.1, 1e3), st.floats(0, 1e5, allow_nan=False))
def test_who_is_gone_in_time_leaves_the_margin(ahead: float, margin: float, now: float) -> None:
    """Never after the end, never in the past; the tasks get a quarter of it or more."""
    at = now + ahead
    by = be_gone_by(at, margin, now)
    assert now <= by <= at
    assert by - now >= (at - now) / 4 - 1e-6
    assert at - by <= margin + 1e-6


SIGHTS = st.lists(
    st.one_of(
        st.builds(spot, st.integers(-900, 900).map(lambda n: NOW + n)),
        st.builds(target, st.sampled_from([None, "InService", "Terminated", "Warmed:Stopped"])),
        st.builds(lambda n: maintenance(event(NOW + n)), st.integers(-900, 9000)),
        st.just(REBALANCE),
        st.just(NOTHING),
        st.just({}),
        st.just({Item.SPOT: "no sense"}),
    ),
    max_size=30,
)


@effort(max_examples=100)
@given(SIGHTS, st.booleans())
def test_every_drain_after_the_first_has_a_nearer_end(sights: list[Sight], drain: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """In any story, and a first one has a reason that was seen."""
    notices, asked = Notices(Policy(30.0, 600.0, drain_on_rebalance=drain)), list[Drain]()
    for turn, sight in enumerate(sights):
        asked += drains(notices.look(sight, NOW + 5 * turn))
    ends = [inf if each.by is None else each.by for each in asked]
    assert all(later < sooner for sooner, later in pairwise(ends))
    assert len(asked) <= 1 + sum(bool(each) for each in sights)
