"""The reader of instance metadata and its poller, against a service on loopback."""

from __future__ import annotations

import json
import logging
import random

import pytest

from supervisor.ipc.messages import Instance
from supervisor.sidecars.ec2 import imds
from supervisor.sidecars.ec2.imds import Imds, InvalidResponse, NoResponse
from supervisor.sidecars.ec2.metadata_poller import LONGEST_WAIT, MetadataPoller
from supervisor.sidecars.ec2.notices import Item
from tests.fakes import metadata_service
from tests.fakes.metadata_service import ID, INSTANCE, PUT_TOKEN, REBALANCE, SPOT, Metadata


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_paths_are_those_of_the_service() -> None:
    """The fake service and the product use the same paths."""
    assert set(Item) == {SPOT, REBALANCE, metadata_service.TARGET, metadata_service.MAINTENANCE}


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
    """The endpoint variable comes first, then the mode, then the default."""
    assert imds.endpoint(environ) == expected


# --- the reader -----------------------------------------------------------------------------------


def test_one_token_serves_many_requests(service: Metadata) -> None:
    """The token is requested once, by PUT; a missing item is ``None``."""
    reader = Imds(service.url, 60)
    assert reader.get(ID) == INSTANCE
    assert reader.get(SPOT) is None
    assert service.requests == [(PUT_TOKEN, 200), (ID, 200), (SPOT, 404)]


def test_a_token_is_renewed_before_its_end(service: Metadata) -> None:
    """It is renewed at nine tenths of its life, and no request is refused."""
    clock = Clock()
    reader = Imds(service.url, 100, clock)
    for clock.now in (0.0, 89.0, 90.0, 179.0):
        reader.get(ID)
    assert service.count(PUT_TOKEN) == 2
    assert service.count(ID, 401) == 0


def test_a_refused_token_is_replaced_at_once(service: Metadata) -> None:
    """After 401 the request is sent again with a new token."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.forget_tokens()
    assert reader.get(ID) == INSTANCE
    assert service.requests[2:] == [(ID, 401), (PUT_TOKEN, 200), (ID, 200)]


def test_a_service_that_accepts_no_token_is_given_up(service: Metadata) -> None:
    """A second 401 is an error."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.fail(401, 1)
    service.forget_tokens()
    service.fail(200, 1)  # the token is then the word "trouble"
    with pytest.raises(InvalidResponse, match="401"):
        reader.get(ID)


@pytest.mark.parametrize("status", [403, 404, 405, 500])
def test_without_a_token_nothing_is_requested(service: Metadata, status: int) -> None:
    """Where version 2 is not available, version 1 is not used."""
    service.fail(status, 1)
    with pytest.raises(NoResponse, match=f"no token .IMDSv2.: it answers {status}"):
        Imds(service.url, 60).get(ID)
    assert service.requests == [(PUT_TOKEN, status)]


def test_an_error_is_not_a_missing_item(service: Metadata) -> None:
    """Status 500 raises, where 404 gives ``None``."""
    reader = Imds(service.url, 60)
    reader.get(ID)
    service.fail(500, 1)
    with pytest.raises(InvalidResponse, match=f"answers 500 for {SPOT}"):
        reader.get(SPOT)


def test_a_stopped_service_does_not_respond(service: Metadata) -> None:
    """The error names the address."""
    service.stop()
    with pytest.raises(NoResponse, match=r"127\.0\.0\.1.*does not answer"):
        Imds(service.url, 60).get(ID)
    service.start()


def test_a_path_in_the_endpoint_is_kept(service: Metadata) -> None:
    """A proxy before the service may need a path."""
    service.fail(200, 2)
    Imds(f"{service.url}/for/tests/", 60).get(ID)
    assert service.requests[1] == (f"/for/tests/latest/{ID}", 200)


# --- the poller -----------------------------------------------------------------------------------


def poller(service: Metadata, interval: float = 5.0) -> MetadataPoller:
    """A poller before its first reading."""
    return MetadataPoller(Imds(service.url, 60), interval, random.Random(1))


def test_a_reading_has_every_item(service: Metadata) -> None:
    """Present items have their text, missing ones are ``None``; the instance is read once."""
    reader = poller(service)
    service.notice(0.0)
    for now in (0.0, 5.0):
        metadata = reader.read(now)
    assert json.loads(metadata[Item.SPOT] or "")["action"] == "terminate"
    assert {item for item in Item if metadata[item] is None} == set(Item) - {Item.SPOT}
    assert reader.instance == Instance(INSTANCE, "eu-west-1a", "spot")
    assert service.count(ID) == 1
    assert reader.seconds_to_next() == 5.0


def test_an_invalid_response_hides_one_item_only(
    service: Metadata, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read; one line reports the failure and one the recovery."""
    reader = poller(service)
    reader.read(0.0)
    with caplog.at_level(logging.WARNING):
        for now in (5.0, 10.0):
            service.fail(500, 1)
            metadata = reader.read(now)
            assert set(metadata) == set(Item) - {Item.SPOT}
        assert [each.message for each in caplog.records] == [caplog.records[0].message]
        assert f"answers 500 for {SPOT}" in caplog.records[0].message
        assert set(reader.read(20.0)) == set(Item)
    assert caplog.records[-1].message == "Instance metadata recovered after 15.0 s."


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (ID, "<!DOCTYPE html><html>Sign in</html>"),
        ("meta-data/placement/availability-zone", "maintenance page"),
        ("meta-data/placement/region", "http://proxy"),
        ("meta-data/instance-life-cycle", "<p>spot</p>"),
    ],
)
def test_another_server_s_text_names_no_instance(
    service: Metadata, path: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The instance stays unknown, with a line, and is read again until all of it is valid."""
    reader = poller(service)
    service.put(path, text)
    with caplog.at_level(logging.WARNING):
        assert set(reader.read(0.0)) == set(Item)
        assert reader.instance is None
        assert f"for {path}, which has another form" in caplog.records[0].message
        service.put(path, Metadata()._texts[path])
        reader.read(5.0)
    assert reader.instance == Instance(INSTANCE, "eu-west-1a", "spot")


@pytest.mark.parametrize("zone", ["us-gov-west-1b", "us-west-2-lax-1a", "ap-southeast-2c"])
def test_zones_of_all_kinds_are_known(service: Metadata, zone: str) -> None:
    """Of governments, of cities, of far regions."""
    service.put("meta-data/placement/availability-zone", zone)
    reader = poller(service)
    reader.read(0.0)
    assert reader.instance
    assert reader.instance.zone == zone


def test_a_page_is_no_token(service: Metadata, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is made with it."""
    monkeypatch.setattr(service, "_give_token", lambda _ttl: (200, "<html>\n<p>Sign in</p>\n"))
    with pytest.raises(NoResponse, match="gives no token"):
        Imds(service.url, 60).get(ID)
    assert service.count(ID) == 0


def test_a_service_without_responses_gets_one_request_a_reading(service: Metadata) -> None:
    """Readings back off with jitter, but not far: the notice may be short."""
    reader = poller(service)
    service.fail(500, 1000)
    waits = []
    for now in range(50):
        assert reader.read(float(now)) == {}
        waits.append(reader.seconds_to_next())
    assert len(service.requests) == 50
    assert all(2.5 <= wait <= 5.0 * LONGEST_WAIT for wait in waits)
    assert max(waits) > 10.0
    assert len(set(waits)) > 25


def test_a_service_that_recovers_is_read_again(
    service: Metadata, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning when it stops responding, however long that lasts; one when it is back."""
    reader = poller(service)
    service.stop()
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 5.0, 10.0):
            assert reader.read(now) == {}
        assert len(caplog.records) == 1
        service.start()
        assert set(reader.read(15.0)) == set(Item)
    assert len(caplog.records) == 2
    assert reader.seconds_to_next() == 5.0
