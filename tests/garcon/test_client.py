"""Which client a call goes through."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, NoRegionError

from garcon import client
from tests.garcon.fakes import FakeSwf, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINT = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has built and chosen nothing, with an environment of its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    client.configure()
    yield
    client.configure()


def own(**config: Any) -> Any:
    """A real client, as a flow may bring it."""
    return boto3.client(
        "swf",
        region_name="us-east-2",
        endpoint_url=ENDPOINT,
        aws_access_key_id="own id",
        aws_secret_access_key="own secret",  # noqa: S106 - nobody's
        config=Config(**config),
    )


def settings_of(found: Any) -> Any:
    """The configuration of a client."""
    return found.meta.config


def test_polls_are_waited_for_and_never_sent_twice() -> None:
    """A poll given up and sent again may be given a task that nobody does."""
    settings = settings_of(client.polling())
    assert settings.read_timeout == 75
    assert settings.retries["total_max_attempts"] == 1
    assert settings.max_pool_connections >= 50


def test_other_calls_are_retried_as_usual() -> None:
    """The second client has boto3's standard retries."""
    settings = settings_of(client.calling())
    assert settings.retries == {"mode": "standard", "total_max_attempts": 5}


def test_without_a_choice_boto3_s_own_chain_decides() -> None:
    """The region comes from the environment; each client is built once."""
    assert client.polling().meta.region_name == "eu-west-1"
    assert client.polling() is client.polling()
    assert client.calling() is client.calling()


def test_the_command_line_wins_over_the_flow_s_client() -> None:
    """What configure says is where this process's SWF is, whatever the flow brought."""
    client.configure(region="ap-south-1", endpoint_url=ENDPOINT)
    for found in (client.polling(own()), client.calling(own()), client.calling(MagicMock())):
        assert (found.meta.region_name, found.meta.endpoint_url) == ("ap-south-1", ENDPOINT)


def test_the_flow_s_client_is_used_for_calls() -> None:
    """It is the user's own, with the user's own settings."""
    mine = own()
    assert client.calling(mine) is mine


def test_a_polling_client_is_derived_from_the_flow_s() -> None:
    """The same place, settings and credentials; only the poll's own settings differ."""
    mine = own(proxies={"http": "http://proxy"}, retries={"max_attempts": 9})
    derived: Any = client.polling(mine)
    settings = settings_of(derived)
    assert derived is not mine
    assert (derived.meta.region_name, derived.meta.endpoint_url) == ("us-east-2", ENDPOINT)
    assert derived._get_credentials().access_key == "own id"
    assert (settings.read_timeout, settings.retries["total_max_attempts"]) == (75, 1)
    assert settings.proxies == {"http": "http://proxy"}
    assert client.polling(mine) is derived


def test_a_client_that_fits_polling_is_used_as_it_is() -> None:
    """Whoever brings a suitable client, or stubs one, gets it used."""
    mine = own(read_timeout=90, retries={"total_max_attempts": 1})
    assert client.polling(mine) is mine


@pytest.mark.parametrize("fake", [MagicMock(), FakeSwf()])
def test_fakes_are_used_as_they_are(fake: Any) -> None:
    """Users' tests bring clients that are none."""
    assert client.polling(fake) is fake
    assert client.calling(fake) is fake


def test_a_test_s_client_is_used_for_everything_within_its_block() -> None:
    """It wins over the flow's own and over configure; afterwards all is as before."""
    client.configure(region="ap-south-1")
    fake = FakeSwf()
    with client.use(fake):
        used: list[Any] = [client.polling(), client.calling(own())]
        assert used == [fake, fake]
    assert client.calling().meta.region_name == "ap-south-1"


class Sent(Exception):
    """A request was about to be sent."""


def test_swf_is_told_who_calls() -> None:
    """Every request says so, polls as well."""

    def catch(request: Any, **_: Any) -> None:
        raise Sent(request.headers["User-Agent"])

    for made in (client.polling(), client.calling()):
        made.meta.events.register_first("before-send.swf", catch)
        with pytest.raises(Sent, match=r"garcon/.* Botocore/.* Python/"):
            made.list_domains(registrationStatus="REGISTERED")


def test_warm_builds_what_will_be_used() -> None:
    """Afterwards nothing has to be built, neither for the process nor for the flow's client."""
    mine = own()
    client.warm(mine)
    client.warm()
    built = {**client._state.process}
    assert built.keys() == {"polling", "calling"}
    assert mine in client._state.derived


def test_warm_without_a_region_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes before the fork, and can be explained."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(NoRegionError) as caught:
        client.warm()
    assert "--region" in client.explain(caught.value, "making an SWF client").sentence


def test_explain_says_where() -> None:
    """Endpoint and region of the client that was asked."""
    error = refusal("AccessDeniedException")
    assert f"{ENDPOINT} (us-east-2)" in client.explain(error, "polling", own()).sentence
    client.warm()
    assert "(eu-west-1)" in client.explain(error, "polling").sentence
    assert " at " not in client.explain(error, "polling", MagicMock()).sentence


def test_warming_up_sends_nothing_and_leaves_nothing_behind() -> None:
    """The rehearsal reaches no network, needs no credentials, and later calls are sent for real."""
    client.configure(endpoint_url=ENDPOINT)
    client.warm()
    with pytest.raises(EndpointConnectionError):
        client.polling().poll_for_activity_task(domain="d", taskList={"name": "t"})


def test_a_warm_client_imports_nothing_at_its_first_call() -> None:
    """What botocore imports late is imported before a fork, once for all children."""
    script = (
        "import sys; from garcon import client;"
        f"client.configure(region='us-east-1', endpoint_url='{ENDPOINT}'); client.warm();"
        "from botocore.exceptions import EndpointConnectionError; before = set(sys.modules)\n"
        "try: client.polling().poll_for_activity_task(domain='d', taskList={'name': 't'})\n"
        "except EndpointConnectionError: print(sorted(set(sys.modules) - before))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.strip() == "[]"


def test_a_poll_that_breaks_was_sent_once() -> None:
    """On a real connection that the other side drops, botocore does not send it again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client.configure(endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=drop_one, args=(server,))
        thread.start()
        with pytest.raises(ConnectionClosedError):
            client.polling().poll_for_activity_task(domain="d", taskList={"name": "l"})
        thread.join(timeout=10)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):  # nobody came a second time
            server.accept()


def drop_one(server: socket.socket) -> None:
    """Take one request and hang up."""
    server.settimeout(10)
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)


def test_nothing_of_botocore_is_made_before_it_is_needed() -> None:
    """A mock of AWS that is started after the import, as moto is, counts for our clients."""
    client.configure()
    assert "session" not in vars(client._state)
    client.calling()
    assert "session" in vars(client._state)
