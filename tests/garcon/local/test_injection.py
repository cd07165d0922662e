"""Orders of faults: which strike, how often, and how they are read."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.local.injection import Injected, Injector, Kind, read_order

OPERATIONS = ("ListDomains", "PollForActivityTask")


def injector(*orders: Injected, seed: int = 0) -> Injector:
    """An injector with these orders."""
    made = Injector(seed)
    for order in orders:
        made.add(order)
    return made


def test_an_order_strikes_its_operation_only() -> None:
    """Requests of other operations pass."""
    orders = injector(Injected(Kind.ERROR, "ListDomains"))
    assert orders.draw("PollForActivityTask") is None
    assert orders.draw("ListDomains") == Injected(Kind.ERROR, "ListDomains")


def test_an_order_is_used_up_by_its_count() -> None:
    """An order strikes as often as its count says, then is gone."""
    orders = injector(Injected(Kind.THROTTLE, count=2))
    struck = [orders.draw("ListDomains") for _ in range(3)]
    assert [order is not None for order in struck] == [True, True, False]
    assert orders.orders == ()


def test_the_first_order_that_strikes_is_carried_out() -> None:
    """One request meets one fault; the later order waits for its turn."""
    orders = injector(Injected(Kind.THROTTLE, count=1), Injected(Kind.ERROR, count=1))
    kinds = [
        order.kind for order in (orders.draw("ListDomains"), orders.draw("ListDomains")) if order
    ]
    assert kinds == [Kind.THROTTLE, Kind.ERROR]


def test_all_orders_can_be_withdrawn() -> None:
    """After clearing nothing strikes."""
    orders = injector(Injected(Kind.RESET_BEFORE))
    orders.clear()
    assert orders.draw("ListDomains") is None


@given(
    rate=st.floats(0.01, 1.0),
    seed=st.integers(0, 1000),
    operations=st.lists(st.sampled_from(OPERATIONS), max_size=50),
)
def test_the_same_seed_meets_the_same_faults(rate: float, seed: int, operations: list[str]) -> None:
    """Chance is repeatable: it depends on the seed and the requests alone."""
    order = Injected(Kind.DELAY, "ListDomains", rate=rate)
    first, second = injector(order, seed=seed), injector(order, seed=seed)
    assert [first.draw(each) for each in operations] == [second.draw(each) for each in operations]


def test_a_rate_strikes_its_share() -> None:
    """Of many requests about the rate's share is struck."""
    orders = injector(Injected(Kind.ERROR, rate=0.3), seed=1)
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
def test_an_order_that_could_never_strike_is_refused(members: dict[str, Any], words: str) -> None:
    """An unknown kind or operation, or a figure out of its range, is refused with its name."""
    with pytest.raises(ValueError, match=words):
        Injected(**members)


def test_an_order_is_read_from_json() -> None:
    """The members of a JSON order are those of the class."""
    order = read_order(b'{"kind": "reset-after", "operation": "ListDomains", "count": 3}')
    assert order == Injected(Kind.RESET_AFTER, "ListDomains", count=3)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is not JSON: Expecting value"),
        (b"{", "it is not JSON: Expecting property name"),
        (b"\xff", "it is not JSON: 'utf-8' codec"),
        (b"[" * 100_000, "it is not JSON: it is nested more than 100 levels deep"),
        (b"[]", r"an order is a JSON object, not \[\]"),
        (b"{}", "kind is None; it must be one of throttle"),
        (b'{"kind": "error", "colour": "red"}', "an order has no 'colour'; it has kind, operation"),
    ],
)
def test_json_that_is_no_order_is_refused(body: bytes, words: str) -> None:
    """Text that is not JSON, not an object, or has other members, is refused and told why."""
    with pytest.raises(ValueError, match=words):
        read_order(body)
