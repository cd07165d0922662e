"""The instance's place in its group, against moto's auto scaling."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

import pytest

from supervisor.attendants.ec2.autoscaling import AutoScaling, Outcome
from supervisor.attendants.ec2.group import Group
from supervisor.attendants.ec2.hook import Hook
from supervisor.messages import Ec2, Place
from tests.scaling import (
    BEAT,
    COMPLETE,
    DESCRIBE,
    DESCRIBE_HOOKS,
    HOOK,
    PROTECT,
    REGION,
    Scaling,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DENIED = "AccessDenied"


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scaling]]:
    """Makes a group at which this process's calls arrive."""
    made: list[Scaling] = []

    def make(*hooks: str, heartbeat: int = 30) -> Scaling:
        made.append(Scaling(*hooks, heartbeat=heartbeat))
        monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", made[-1].url)
        return made[-1]

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield make
    for each in made:
        each.__exit__()


def orders(*, protect: bool = False, group: str | None = None, hook: str | None = None) -> Ec2:
    """What the settings say."""
    return Ec2(
        interval=5.0,
        margin=30.0,
        maintenance_lead=600.0,
        token_ttl=60,
        drain_on_rebalance=False,
        protect_busy=protect,
        group=group,
        hook=hook,
    )


def group(scaling: Scaling, wanted: Ec2 | None = None) -> Group:
    """The instance's place, looked up."""
    made = Group(wanted or orders(), AutoScaling(Place(), REGION, scaling.instance))
    made.tend(0.0)
    return made


# --- finding --------------------------------------------------------------------------------------


def test_group_and_hook_are_found_by_describing(make: Callable[..., Scaling]) -> None:
    """The one termination hook is ours; those of a launch are not; and nothing is asked again."""
    scaling = make(HOOK, heartbeat=90)
    calls = AutoScaling(Place(), REGION, scaling.instance)
    outcome, found = calls.membership()
    assert outcome is Outcome.DONE
    assert found is not None
    assert (found.group, found.protected) == (scaling.group, False)
    assert calls.hooks(scaling.group) == (Outcome.DONE, [Hook(scaling.group, HOOK, 90.0, 9000.0)])
    assert group(scaling).next_at == inf


@pytest.mark.parametrize(
    ("hooks", "named", "warns"),
    [((), None, False), (("a", "b"), None, True), (("a",), "b", True)],
)
def test_no_hook_is_guessed(
    make: Callable[..., Scaling],
    caplog: pytest.LogCaptureFixture,
    hooks: tuple[str, ...],
    named: str | None,
    warns: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Of several none is ours, nor one of another name; then nobody is kept waiting."""
    scaling = make(*hooks)
    with caplog.at_level(logging.WARNING):
        mine = group(scaling, orders(hook=named))
    mine.leave(10.0)
    mine.tend(10.0)
    mine.end()
    assert (mine.ends, mine.next_at) == (inf, inf)
    assert scaling.count(BEAT) == scaling.count(COMPLETE) == 0
    assert ("Name one with --asg-hook" in caplog.text) is warns


def test_of_several_hooks_the_named_one_is_ours(make: Callable[..., Scaling]) -> None:
    """The other is left alone."""
    scaling = make("logs", HOOK)
    mine = group(scaling, orders(hook=HOOK))
    mine.leave(10.0)
    mine.tend(10.0)
    assert scaling.wait_for(BEAT)["LifecycleHookName"] == HOOK


def test_what_could_not_be_learned_is_asked_a_minute_later(make: Callable[..., Scaling]) -> None:
    """And a group that is left meanwhile waits from when it began to."""
    scaling = make(HOOK)
    scaling.order(DESCRIBE, "InternalFailure")
    mine = group(scaling)
    mine.leave(10.0)
    mine.tend(10.0)
    assert (mine.ends, mine.next_at) == (inf, 60.0)
    mine.leave(20.0)
    scaling.order(DESCRIBE, "")
    mine.tend(60.0)
    assert mine.ends == 10.0 + 3000.0


def test_options_do_without_describing(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """The shortest times that a hook may have hold; each missing permission is one warning."""
    scaling = make(HOOK, heartbeat=3600)
    scaling.order(DESCRIBE, DENIED)
    scaling.order(DESCRIBE_HOOKS, DENIED)
    with caplog.at_level(logging.WARNING):
        mine = group(scaling, orders(group=scaling.group, hook=HOOK))
        for now in (100.0, 110.0, 120.0):
            mine.leave(100.0)
            mine.tend(now)
    assert mine.ends == 100.0 + 3000.0
    assert scaling.count(BEAT) == 3
    warned = [each.message for each in caplog.records]
    assert [each.count("autoscaling:Describe") for each in warned] == [1, 1]
    assert scaling.count(DESCRIBE) == 1


def test_a_profile_that_is_not_there_is_trouble_like_any_other(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """One warning; the notices go on being looked at, and a minute later it is tried again."""
    scaling = make(HOOK)
    mine = Group(orders(), AutoScaling(Place(profile="nobody's"), REGION, scaling.instance))
    with caplog.at_level(logging.WARNING):
        mine.tend(0.0)
        mine.tend(60.0)
    assert [each.message.count("(nobody's) could not be found") for each in caplog.records] == [1]
    assert mine.next_at == 120.0


# --- the hook -------------------------------------------------------------------------------------


def test_the_hook_is_kept_waiting_and_completed(make: Callable[..., Scaling]) -> None:
    """Heartbeats from when the group is left, CONTINUE at the end, both with the instance's id."""
    scaling = make(HOOK)
    mine = group(scaling)
    mine.tend(5.0)
    assert scaling.count(BEAT) == 0
    mine.leave(10.0)
    mine.leave(15.0)
    for now in (15.0, 16.0, 25.0):
        mine.tend(now)
    assert scaling.count(BEAT) == 2
    mine.end()
    expected = {
        "LifecycleHookName": HOOK,
        "AutoScalingGroupName": scaling.group,
        "InstanceId": scaling.instance,
    }
    assert scaling.wait_for(BEAT) == expected
    assert scaling.wait_for(COMPLETE) == {**expected, "LifecycleActionResult": "CONTINUE"}


def test_a_hook_at_which_nobody_waits_is_not_completed(make: Callable[..., Scaling]) -> None:
    """The program ends for another reason."""
    scaling = make(HOOK)
    group(scaling).end()
    assert scaling.count(COMPLETE) == 0


def test_refused_heartbeats_are_one_warning_and_a_shorter_wait(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """The IAM action is named; the hook is completed all the same."""
    scaling = make(HOOK)
    scaling.order(BEAT, DENIED)
    mine = group(scaling)
    mine.leave(10.0)
    with caplog.at_level(logging.WARNING):
        for now in (10.0, 20.0, 30.0):
            mine.tend(now)
    assert mine.ends == 40.0
    assert [each.message.split(" is not")[0] for each in caplog.records] == [
        f"The IAM action autoscaling:{BEAT}"
    ]
    mine.end()
    assert scaling.count(COMPLETE) == 1


def test_a_heartbeat_at_a_hook_that_is_over_is_the_last(make: Callable[..., Scaling]) -> None:
    """The service calls it a validation error."""
    scaling = make(HOOK)
    scaling.order(BEAT, "ValidationError")
    mine = group(scaling)
    mine.leave(10.0)
    mine.tend(10.0)
    mine.tend(100.0)
    assert scaling.count(BEAT) == 1


def test_contention_at_the_end_is_met_with_another_try(make: Callable[..., Scaling]) -> None:
    """Another change of the group may be under way."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, "ResourceContention", "")
    mine = group(scaling)
    mine.leave(10.0)
    mine.tend(10.0)
    mine.end()
    assert scaling.count(COMPLETE) == 2


def test_no_permission_to_complete_is_a_warning(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """Then the hook's own timeout lets the group go on."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, DENIED)
    mine = group(scaling)
    mine.leave(10.0)
    mine.tend(10.0)
    with caplog.at_level(logging.WARNING):
        mine.end()
    assert f"autoscaling:{COMPLETE} is not allowed" in caplog.text
    assert scaling.count(COMPLETE) == 1


# --- protection -----------------------------------------------------------------------------------


def test_a_busy_instance_is_protected_and_opened_when_it_idles(
    make: Callable[..., Scaling],
) -> None:
    """And not touched where nobody asked for it."""
    scaling = make(HOOK)
    untouched = group(scaling)
    untouched.protect(5, 0.0)
    untouched.end()
    assert scaling.count(PROTECT) == 0
    mine = group(scaling, orders(protect=True))
    mine.protect(5, 0.0)
    assert scaling.protected()
    mine.protect(0, 100.0)
    assert not scaling.protected()


@pytest.mark.parametrize(("code", "calls"), [(DENIED, 1), ("InternalFailure", 3)])
def test_a_protection_that_is_refused_is_one_warning(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture, code: str, calls: int
) -> None:
    """What is not permitted is not asked again; what may pass is, a minute later."""
    scaling = make(HOOK)
    scaling.order(PROTECT, code)
    mine = group(scaling, orders(protect=True))
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 60.0, 120.0):
            mine.protect(5, now)
    assert scaling.count(PROTECT) == calls
    assert len(caplog.records) == 1


def test_nobody_is_left_protected(make: Callable[..., Scaling]) -> None:
    """The end of the program opens the instance again."""
    scaling = make(HOOK)
    mine = group(scaling, orders(protect=True))
    mine.protect(5, 0.0)
    mine.end()
    assert not scaling.protected()


def test_a_protection_that_was_left_is_found(make: Callable[..., Scaling]) -> None:
    """A supervisor that was killed did not open it; the next one does."""
    scaling = make(HOOK)
    group(scaling, orders(protect=True)).protect(5, 0.0)
    group(scaling, orders(protect=True)).protect(0, 0.0)
    assert not scaling.protected()


def test_a_group_that_is_left_is_not_asked_for_protection(make: Callable[..., Scaling]) -> None:
    """It takes it only for an instance in service."""
    scaling = make(HOOK)
    mine = group(scaling, orders(protect=True))
    mine.leave(10.0)
    mine.protect(5, 20.0)
    assert scaling.count(PROTECT) == 0
