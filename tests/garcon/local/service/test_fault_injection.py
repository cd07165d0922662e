"""Injected faults: which requests they apply to, how often, and their form in JSON."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.local.service.fault_injection import FaultInjector, FaultKind, InjectedFault, read_fault

OPERATIONS = ("ListDomains", "PollForActivityTask")


def injector(*orders: InjectedFault, seed: int = 0) -> FaultInjector:
    """An injector with these orders."""
    made = FaultInjector(seed)
    for order in orders:
        made.add(order)
    return made


def test_a_fault_applies_to_its_operation_only() -> None:
    """Requests of other operations pass."""
    orders = injector(InjectedFault(FaultKind.ERROR, "ListDomains"))
    assert orders.draw("PollForActivityTask") is None
    assert orders.draw("ListDomains") == InjectedFault(FaultKind.ERROR, "ListDomains")


def test_a_fault_is_used_up_by_its_count() -> None:
    """A fault applies as often as its count, then is removed."""
    orders = injector(InjectedFault(FaultKind.THROTTLE, count=2))
    struck = [orders.draw("ListDomains") for _ in range(3)]
    assert [order is not None for order in struck] == [True, True, False]
    assert orders.faults == ()


def test_the_first_fault_that_applies_is_carried_out() -> None:
    """One request meets one fault; the later fault waits for the next request."""
    orders = injector(
        InjectedFault(FaultKind.THROTTLE, count=1), InjectedFault(FaultKind.ERROR, count=1)
    )
    kinds = [
        order.kind for order in (orders.draw("ListDomains"), orders.draw("ListDomains")) if order
    ]
    assert kinds == [FaultKind.THROTTLE, FaultKind.ERROR]


def test_all_faults_can_be_removed() -> None:
    """After clearing, no fault applies."""
    orders = injector(InjectedFault(FaultKind.RESET_BEFORE))
    orders.clear()
    assert orders.draw("ListDomains") is None


@given(
    rate=st.floats(0.01, 1.0),
    seed=st.integers(0, 1000),
    operations=st.lists(st.sampled_from(OPERATIONS), max_size=50),
)
def test_the_same_seed_meets_the_same_faults(rate: float, seed: int, operations: list[str]) -> None:
    """Chance is repeatable: it depends on the seed and the requests alone."""
    order = InjectedFault(FaultKind.DELAY, "ListDomains", rate=rate)
    first, second = injector(order, seed=seed), injector(order, seed=seed)
    assert [first.draw(each) for each in operations] == [second.draw(each) for each in operations]


def test_a_rate_applies_to_its_share() -> None:
    """A fault applies to about its rate of many requests."""
    orders = injector(InjectedFault(FaultKind.ERROR, rate=0.3), seed=1)
    struck = sum(orders.draw("ListDomains") is not None for _ in range(2000))
    assert 500 < struck < 700


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"kind": "sabotage"}, "kind is 'sabotage'; it must be one of throttle, error, reset-"),
        ({"kind": 5}, "kind is 5"),
        ({"kind": "error", "operation": "list_domains"}, "operation is 'list_domains'"),
        ({"kind": "error", "rate": 0}, "rate is 0"),
        ({"kind": "error", "operation": ["ListDomains"]}, r"operation is \['ListDomains'\]"),
        ({"kind": "error", "rate": 1.1}, "rate is 1.1"),
        ({"kind": "error", "rate": "1"}, "rate is '1'"),
        ({"kind": "error", "rate": True}, "rate is True"),
        ({"kind": "error", "rate": math.nan}, "rate is nan"),
        ({"kind": "error", "count": 0}, "count is 0"),
        ({"kind": "error", "count": 1.5}, "count is 1.5"),
        ({"kind": "error", "count": "3"}, "count is '3'"),
        ({"kind": "delay", "seconds": -1}, "seconds is -1"),
        ({"kind": "delay", "seconds": "1"}, "seconds is '1'"),
        ({"kind": "delay", "seconds": math.inf}, "seconds is inf"),
        ({"kind": "delay", "seconds": math.nan}, "seconds is nan"),
    ],
)
def test_an_invalid_fault_is_refused(members: dict[str, Any], words: str) -> None:
    """An unknown kind or operation, or a figure out of its range, is refused with its name."""
    with pytest.raises(ValueError, match=words):
        InjectedFault(**members)


def test_a_fault_is_read_from_json() -> None:
    """The members of the JSON are those of the class."""
    order = read_fault(b'{"kind": "reset-after", "operation": "ListDomains", "count": 3}')
    assert order == InjectedFault(FaultKind.RESET_AFTER, "ListDomains", count=3)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is not JSON: Expecting value"),
        (b"{", "it is not JSON: Expecting property name"),
        (b"\xff", "it is not JSON: 'utf-8' codec"),
        (b"[" * 100_000, "it is not JSON: it is nested more than 100 levels deep"),
        (b"[]", r"it must be a JSON object, not \[\]"),
        (b"{}", "kind is None; it must be one of throttle"),
        (
            b'{"kind": "error", "colour": "red"}',
            "'colour' is unknown; the members are kind, operation",
        ),
    ],
)
def test_json_that_is_not_a_fault_is_refused(body: bytes, words: str) -> None:
    """Text that is not JSON, not an object, or has other members, is refused with the reason."""
    with pytest.raises(ValueError, match=words):
        read_fault(body)
