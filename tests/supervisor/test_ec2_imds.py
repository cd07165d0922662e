"""The reader of instance metadata, and the look-out, against a service on loopback."""

from __future__ import annotations

import json
import logging
import random

import pytest

from supervisor.attendants.ec2 import imds
from supervisor.attendants.ec2.imds import Imds, NoAnswer, StrangeAnswer
from supervisor.attendants.ec2.lookout import MOST, Lookout
from supervisor.attendants.ec2.notices import Item
from supervisor.messages import Instance
from tests import metadata
from tests.metadata import ID, INSTANCE, PUT_TOKEN, REBALANCE, SPOT, Metadata


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_paths_are_those_of_the_service() -> None:
    """The tests' service and the product mean the same items."""
    assert set(Item) == {SPOT, REBALANCE, metadata.TARGET, metadata.MAINTENANCE}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "http://169.254.169.254"),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, "http://[fd00:ec2::254]"),
        (
            {
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6",
            },
            "http://127.0.0.1:1338",
        ),
    ],
)
def test_the_endpoint_is_that_of_the_sdks(environ: dict[str, str], expected: str) -> None:
    """Named by its own variable, else by the mode, else the usual one."""
    assert imds.endpoint(environ) == expected


# --- the reader -----------------------------------------------------------------------------------


def test_one_token_serves_many_requests(service: Metadata) -> None:
    """It is asked for once, by PUT; what is not there is None."""
    reader = Imds(service.url, 60)
    assert reader.get(ID) == INSTANCE
    assert reader.get(SPOT) is None
    assert service.asked == [(PUT_TOKEN, 200), (ID, 200), (SPOT, 404)]


def test_a_token_is_renewed_before_its_end(service: Metadata) -> None:
    """At nine tenths of its life, and no request is ever refused for it."""
    clock = Clock()
    reader = Imds(service.url, 100, clock)
    for clock.now in (0.0, 89.0, 90.0, 179.0):
        reader.get(ID)
    assert service.count(PUT_TOKEN) == 2
    assert service.count(ID, 401) == 0


def test_a_refused_token_is_replaced_at_once(service: Metadata) -> None:
    """401 is no trouble: the request is sent again with a new token."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.forget_tokens()
    assert reader.get(ID) == INSTANCE
    assert service.asked[2:] == [(ID, 401), (PUT_TOKEN, 200), (ID, 200)]


def test_a_service_that_takes_no_token_is_not_asked_for_ever(service: Metadata) -> None:
    """401 twice is trouble."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.fail(401, 1)
    service.forget_tokens()
    service.fail(200, 1)  # the token is the word "trouble", which is none
    with pytest.raises(StrangeAnswer, match="401"):
        reader.get(ID)


@pytest.mark.parametrize("status", [403, 404, 405, 500])
def test_without_a_token_nothing_is_asked(service: Metadata, status: int) -> None:
    """Where version 2 is not to be had, version 1 is not tried."""
    service.fail(status, 1)
    with pytest.raises(NoAnswer, match=f"no token .IMDSv2.: it answers {status}"):
        Imds(service.url, 60).get(ID)
    assert service.asked == [(PUT_TOKEN, status)]


def test_an_error_is_no_absence(service: Metadata) -> None:
    """5xx is told apart from 404."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.fail(500, 1)
    with pytest.raises(StrangeAnswer, match=f"answers 500 for {SPOT}"):
        reader.get(SPOT)


def test_a_service_that_is_gone_does_not_answer(service: Metadata) -> None:
    """The sentence names its address."""
    service.go()
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1.*does not answer"):
        Imds(service.url, 60).get(ID)
    service.come_back()


def test_a_path_in_the_endpoint_is_kept(service: Metadata) -> None:
    """What stands between us and the service may want one."""
    service.fail(200, 2)
    Imds(f"{service.url}/for/tests/", 60).get(ID)
    assert service.asked[1] == (f"/for/tests/latest/{ID}", 200)


# --- the look-out ---------------------------------------------------------------------------------


def lookout(service: Metadata, interval: float = 5.0) -> Lookout:
    """One that has just begun."""
    return Lookout(Imds(service.url, 60), interval, random.Random(1))


def test_a_look_sees_every_item(service: Metadata) -> None:
    """What is there with its text, what is not as None; and which instance this is, once."""
    out = lookout(service)
    service.notice(0.0)
    for now in (0.0, 5.0):
        sight = out.look(now)
    assert json.loads(sight[Item.SPOT] or "")["action"] == "terminate"
    assert {item for item in Item if sight[item] is None} == set(Item) - {Item.SPOT}
    assert out.instance == Instance(INSTANCE, "eu-west-1a", "spot")
    assert service.count(ID) == 1
    assert out.rest() == 5.0


def test_a_strange_answer_hides_one_item_only(
    service: Metadata, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are seen; one line says what is wrong, and one that it is over."""
    out = lookout(service)
    out.look(0.0)
    with caplog.at_level(logging.WARNING):
        for now in (5.0, 10.0):
            service.fail(500, 1)
            sight = out.look(now)
            assert set(sight) == set(Item) - {Item.SPOT}
        assert [each.message for each in caplog.records] == [caplog.records[0].message]
        assert f"answers 500 for {SPOT}" in caplog.records[0].message
        assert set(out.look(20.0)) == set(Item)
    assert caplog.records[-1].message == "Instance metadata answer again, after 15.0 s."


def test_who_does_not_answer_is_asked_once_a_look(service: Metadata) -> None:
    """And later and later, with jitter, but never long: the notice may be short."""
    out = lookout(service)
    service.fail(500, 1000)
    rests = []
    for now in range(50):
        assert out.look(float(now)) == {}
        rests.append(out.rest())
    assert len(service.asked) == 50
    assert all(2.5 <= each <= 5.0 * MOST for each in rests)
    assert max(rests) > 10.0
    assert len(set(rests)) > 25


def test_a_service_that_comes_back_is_seen_again(
    service: Metadata, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning when it goes, however often it is missed; one when it is back."""
    out = lookout(service)
    service.go()
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 5.0, 10.0):
            assert out.look(now) == {}
        assert len(caplog.records) == 1
        service.come_back()
        assert set(out.look(15.0)) == set(Item)
    assert len(caplog.records) == 2
    assert out.rest() == 5.0
