"""The quick reader of botocore's data."""

from __future__ import annotations

import gc
import json
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import Loader
from urllib3 import PoolManager

from garcon.aws import isolation, service_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DATA = (
    "endpoints",
    "partitions",
    "sdk-default-configuration",
    "swf/2012-01-25/service-2",
    "swf/2012-01-25/endpoint-rule-set-1",
)


@pytest.fixture
def session() -> botocore.session.Session:
    """A session that reads quickly."""
    return service_data.read_quickly(isolation.session())


@pytest.mark.parametrize("name", DATA)
def test_same_data_in_the_same_order(name: str, session: botocore.session.Session) -> None:
    """The data are those that botocore reads itself, and their order, too."""
    ours, theirs = session.get_component("data_loader").load_data(name), Loader().load_data(name)
    assert json.dumps(ours) == json.dumps(theirs)


def test_only_swf_is_known(session: botocore.session.Session) -> None:
    """No folder of another service is looked into."""
    assert session.get_component("data_loader").list_available_services("service-2") == ["swf"]


def test_folder_of_the_configuration_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model in a folder of AWS_DATA_PATH is found before botocore's own."""
    model = tmp_path / "swf/2099-01-01/service-2.json"
    model.parent.mkdir(parents=True)
    model.write_text('{"metadata": {"protocol": "own"}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    reading = service_data.read_quickly(botocore.session.Session())
    loader = reading.get_component("data_loader")
    assert loader.load_service_model("swf", "service-2")["metadata"] == {"protocol": "own"}


def test_absent_data_raise_as_before(session: botocore.session.Session) -> None:
    """Data that no folder has is the error that callers of botocore expect."""
    with pytest.raises(botocore.exceptions.DataNotFoundError):
        session.get_component("data_loader").load_data("swf/2012-01-25/absent")


def answered(sent: list[str]) -> Callable[..., AWSResponse]:
    """A handler that answers every request, and notes its address and the user agent."""

    class Body:
        def stream(self) -> Iterator[bytes]:
            yield b"{}"

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(f"{request.url} {request.headers['User-Agent']}")
        return AWSResponse(request.url, 200, HTTPHeaders(), Body())

    return answer


NAMED = Config(user_agent="shop/1.0")
"""A user agent of one's own: botocore's names the features that a call uses."""


@pytest.mark.parametrize(
    ("region", "config"),
    [
        ("us-east-1", Config()),
        ("cn-north-1", Config(use_fips_endpoint=True)),
        ("us-gov-west-1", Config(use_dualstack_endpoint=True)),
    ],
)
def test_endpoint_and_user_agent_are_computed_once(
    region: str, config: Config, session: botocore.session.Session
) -> None:
    """The first call computes them; all calls go where botocore sends them itself, as it says."""
    sent: list[str] = []
    resolved: list[object] = []
    for makes_once in (False, True):
        options: dict[str, Any] = {"region_name": region, **isolation.CREDENTIALS}
        client: Any = session.create_client("swf", config=config.merge(NAMED), **options)
        client.meta.events.register_first("before-send.swf", answered(sent))
        client.meta.events.register(
            "before-endpoint-resolution.swf", lambda **_: resolved.append(1)
        )
        if makes_once:
            resolved.clear()
            service_data.compute_once(client)
        client.poll_for_activity_task(domain="shop", taskList={"name": "make"})
        client.respond_activity_task_completed(taskToken="token")
    assert len(set(sent)) == 1
    assert len(sent) == 4
    assert len(resolved) == 1


def test_clients_share_what_is_read_of_the_model(session: botocore.session.Session) -> None:
    """Shapes and names of events are read once; the handlers of each client stay its own."""
    sent: list[str] = []
    clients: list[Any] = []
    for _ in range(2):
        options: dict[str, Any] = {"region_name": "us-east-1", **isolation.CREDENTIALS}
        client: Any = session.create_client("swf", **options)
        client.meta.events.register_first("before-send.swf", answered(sent))
        service_data.share_caches(client)
        clients.append(client)
    one, other = clients
    other.meta.events.register("before-call.swf", lambda **_: pytest.fail("of the other client"))
    one.poll_for_activity_task(domain="shop", taskList={"name": "make"})
    assert len(sent) == 1
    assert one.meta.service_model is other.meta.service_model
    assert "before-send.swf" in other.meta.events._alias_name_cache


def test_a_client_without_private_members_is_left_as_it_is() -> None:
    """A later botocore may keep them elsewhere: then each call is as slow as before."""
    client: Any = SimpleNamespace(meta=SimpleNamespace(events=SimpleNamespace()))
    for change in (service_data.compute_once, service_data.share_caches):
        change(client)
    assert client == SimpleNamespace(meta=SimpleNamespace(events=SimpleNamespace()))


@pytest.fixture
def client(local_swf_endpoint: str, session: botocore.session.Session) -> Any:
    """A client of a local SWF that has made no call yet."""
    options: dict[str, Any] = {"region_name": "us-east-1", **isolation.CREDENTIALS}
    made = session.create_client("swf", endpoint_url=local_swf_endpoint, **options)
    service_data.compute_once(made)
    return made


def test_the_connections_of_a_dropped_manager_are_closed(client: Any) -> None:
    """At once, and not when the garbage collector comes by."""
    client.list_domains(registrationStatus="REGISTERED")
    connections = client._endpoint.http_session
    kept = weakref.ref(connections._manager)
    gc.disable()
    try:
        connections._manager = None
        assert kept() is None
    finally:
        gc.enable()


def test_a_closed_client_leaves_a_pool_that_a_call_holds(
    local_swf_endpoint: str, client: Any
) -> None:
    """A long poll may hold the old one for a minute; the next call opens connections of its own."""
    manager = client._endpoint.http_session._manager
    url = f"{local_swf_endpoint}/"
    held = manager.connection_from_url(url)
    client.close()
    assert manager.connection_from_url(url) is not held
    client.list_domains(registrationStatus="REGISTERED")


def test_the_pool_is_found_once_and_again_after_it_was_closed(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All calls of a client have one URL; a client that was closed opens new connections."""
    found: list[str] = []
    find = PoolManager.connection_from_host

    def note(manager: PoolManager, host: str, **named: Any) -> Any:
        found.append(host)
        return find(manager, host, **named)

    monkeypatch.setattr(PoolManager, "connection_from_host", note)
    for _ in range(2):
        client.list_domains(registrationStatus="REGISTERED")
    assert len(found) == 1
    client.close()
    client.list_domains(registrationStatus="REGISTERED")
    assert len(found) == 2
