"""The choice of the client for a call."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, create_autospec

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoRegionError,
    ParamValidationError,
)
from botocore.stub import Stubber

from garcon import client
from garcon.decider import DeciderWorker
from tests.garcon.fakes import FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # new clients for each test

ENDPOINT = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has configured and built nothing, with an environment of its own."""
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
    """A real client, as a flow may have one."""
    return boto3.client(
        "swf",
        region_name="us-east-2",
        endpoint_url=ENDPOINT,
        aws_access_key_id="own id",
        aws_secret_access_key="own secret",  # noqa: S106 - not a real one
        config=Config(**config),
    )


def settings_of(found: Any) -> Any:
    """The configuration of a client."""
    return found.meta.config


def test_polls_are_waited_for_and_never_sent_twice() -> None:
    """SWF may give a task to a poll that was given up, and the task would be lost."""
    settings = settings_of(client.polling())
    assert settings.read_timeout == 75
    assert settings.retries["total_max_attempts"] == 1
    assert settings.max_pool_connections >= 50


def test_other_calls_are_retried_as_usual() -> None:
    """The other client has boto3's standard retries."""
    settings = settings_of(client.calling())
    assert settings.retries == {"mode": "standard", "total_max_attempts": 5}


def test_without_configuration_boto3_s_own_chain_decides() -> None:
    """The region comes from the environment, and each client is built once."""
    assert client.polling().meta.region_name == "eu-west-1"
    assert client.polling() is client.polling()
    assert client.calling() is client.calling()


def test_the_command_line_wins_over_the_flow_s_client() -> None:
    """``configure`` sets the SWF of the process, whatever client the flow has."""
    client.configure(region="ap-south-1", endpoint_url=ENDPOINT)
    for found in (client.polling(own()), client.calling(own()), client.calling(MagicMock())):
        assert (found.meta.region_name, found.meta.endpoint_url) == ("ap-south-1", ENDPOINT)


def test_the_flow_s_client_is_used_for_calls() -> None:
    """It is used with the user's own settings."""
    mine = own()
    assert client.calling(mine) is mine


def test_only_the_connections_of_the_flow_s_client_are_replaced_for_polls() -> None:
    """They wait for a long poll; region, endpoint, credentials and hooks are the client's own."""
    mine: Any = own()
    derived: Any = client.polling(mine)
    assert derived is not mine
    assert (derived.meta.region_name, derived.meta.endpoint_url) == ("us-east-2", ENDPOINT)
    assert derived._get_credentials().access_key == "own id"
    assert derived.meta.events is mine.meta.events
    assert derived._endpoint.http_session._timeout.read_timeout == 75
    assert mine._endpoint.http_session._timeout.read_timeout == 60
    assert client.polling(mine) is derived


TASK = {
    "taskToken": "t",
    "startedEventId": 1,
    "activityId": "a-1",
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "activityType": {"name": "a", "version": "1.0"},
}
"""The response of a poll that brought a task."""


def test_a_stub_of_the_flow_s_client_answers_polls() -> None:
    """Also one that is activated after the first poll: no request reaches the network."""
    mine = own()
    client.polling(mine)
    with Stubber(mine) as stub:
        stub.add_response("poll_for_activity_task", TASK)
        answer = client.polling(mine).poll_for_activity_task(domain="d", taskList={"name": "l"})
    assert answer["taskToken"] == "t"
    stub.assert_no_pending_responses()


def test_hooks_of_the_flow_s_client_see_polls() -> None:
    """Headers, tracing and signing are put on a client by its events."""
    mine = own()
    client.polling(mine)
    seen: list[Any] = []

    def answer(request: Any, **_: Any) -> Any:
        seen.append(request.headers["X-Amz-Target"])
        return AWSResponse(
            request.url, 200, HTTPHeaders(), MagicMock(stream=lambda **_: iter([b"{}"]))
        )

    mine.meta.events.register("before-send.swf", answer)
    client.polling(mine).poll_for_decision_task(domain="d", taskList={"name": "l"})
    assert seen == [b"SimpleWorkflowService.PollForDecisionTask"]


def test_a_patched_client_polls_by_itself() -> None:
    """A test that replaces a method of its client expects the poll there."""
    mine: Any = own()
    client.polling(mine)
    mine.poll_for_activity_task = MagicMock(return_value={})
    assert client.polling(mine) is mine


@pytest.mark.parametrize("make", [lambda one: MagicMock(spec=one), create_autospec])
def test_mocks_with_the_spec_of_a_client_are_used_as_they_are(make: Any) -> None:
    """They pass ``isinstance``, and have none of a client's settings."""
    fake = make(own())
    assert client.polling(fake) is fake
    assert client.where(fake) == ""


def test_a_client_that_fits_polling_is_used_as_it_is() -> None:
    """A suitable client of the user, stubbed or not, is the one that polls."""
    mine = own(read_timeout=90, retries={"total_max_attempts": 1})
    assert client.polling(mine) is mine


@pytest.mark.parametrize("fake", [MagicMock(), FakeSwf()])
def test_fakes_are_used_as_they_are(fake: Any) -> None:
    """Users' tests pass objects that are not boto3 clients."""
    assert client.polling(fake) is fake
    assert client.calling(fake) is fake


def test_a_test_s_client_is_used_for_everything_within_its_block() -> None:
    """It wins over the flow's own client and over ``configure`` until the block ends."""
    client.configure(region="ap-south-1")
    fake = FakeSwf()
    with client.use(fake):
        used: list[Any] = [client.polling(), client.calling(own())]
        assert used == [fake, fake]
    assert client.calling().meta.region_name == "ap-south-1"


class Sent(Exception):
    """A request was about to be sent."""


def test_every_request_has_the_user_agent() -> None:
    """Polls and other calls name garcon and its version."""

    def catch(request: Any, **_: Any) -> None:
        raise Sent(request.headers["User-Agent"])

    for made in (client.polling(), client.calling()):
        made.meta.events.register_first("before-send.swf", catch)
        with pytest.raises(Sent, match=r"garcon/.* Botocore/.* Python/"):
            made.list_domains(registrationStatus="REGISTERED")


class Throttled:
    """The body of a throttled answer, in the form of urllib3."""

    def stream(self) -> Iterator[bytes]:
        yield b'{"__type": "com.amazon.coral.availability#ThrottlingException"}'


def test_a_throttled_poll_is_one_request_and_names_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of botocore's retries nothing is left in the client for polls, and all in the other."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    attempts: list[str | None] = []

    def answer(request: Any, **_: Any) -> Any:
        attempts.append(request.headers.get("amz-sdk-request"))
        return AWSResponse(request.url, 400, HTTPHeaders(), Throttled())

    clients: list[Any] = [client.polling(), client.calling()]
    for made in clients:
        made.meta.events.register_first("before-send.swf", answer)
        with pytest.raises(ClientError, match="ThrottlingException"):
            made.count_open_workflow_executions(domain="d", startTimeFilter={"oldestDate": 0})
    assert attempts[0] is None
    assert len(attempts) == 1 + 5
    assert b"attempt=5" in attempts[-1]  # type: ignore[operator] # botocore gives bytes


def test_a_poll_without_a_domain_is_refused_before_it_is_sent() -> None:
    """The error says what is wrong, and no request leaves."""
    with pytest.raises(ParamValidationError, match="domain"):
        client.polling().poll_for_activity_task(domain="", taskList={"name": "list"})


def test_warm_builds_all_clients() -> None:
    """Afterwards no client has to be built, neither the process's nor those for the flow's."""
    mine = own()
    client.warm(mine)
    client.warm()
    built = {**client._state.process}
    assert built.keys() == {"polling", "calling"}
    assert mine in client._state.derived


def test_warm_reports_a_missing_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised before the fork, and can be explained."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(NoRegionError) as caught:
        client.warm()
    assert "--region" in client.explain(caught.value, "making an SWF client").sentence


def test_explain_names_the_endpoint() -> None:
    """The explanation has the endpoint and region of the client."""
    error = refusal("AccessDeniedException")
    assert f"{ENDPOINT} (us-east-2)" in client.explain(error, "polling", own()).sentence
    client.warm()
    assert "(eu-west-1)" in client.explain(error, "polling").sentence
    assert " at " not in client.explain(error, "polling", MagicMock()).sentence


def test_warm_sends_nothing_and_leaves_no_handlers() -> None:
    """The rehearsal needs no network and no credentials, and later calls are really sent."""
    client.configure(endpoint_url=ENDPOINT)
    client.warm()
    with pytest.raises(EndpointConnectionError):
        client.polling().poll_for_activity_task(domain="d", taskList={"name": "t"})


def test_a_warm_client_imports_nothing_at_its_first_call() -> None:
    """Late imports of botocore are made before a fork, once for all children."""
    script = (
        "import sys; from garcon import client;"
        f"client.configure(region='us-east-1', endpoint_url='{ENDPOINT}'); client.warm();"
        "from botocore.exceptions import EndpointConnectionError; before = set(sys.modules)\n"
        "try: client.polling().poll_for_activity_task(domain='d', taskList={'name': 't'})\n"
        "except EndpointConnectionError: print(sorted(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_a_loop_polls_once_with_the_flow_s_client_too() -> None:
    """Its retries would wait where the loop waits, and send the poll again."""
    flows = own(retries={"mode": "legacy"})
    sent = []

    def break_off(request: Any, **_: Any) -> Any:
        sent.append(request)
        raise ConnectionClosedError(endpoint_url=ENDPOINT)

    flows.meta.events.register("before-send.swf", break_off)
    served = flow(flows, a=make("a"))
    activity = served.a
    activity.client = flows
    for poll in (activity.poll_once, DeciderWorker(served, register=False).poll_once):
        with pytest.raises(ConnectionClosedError):
            poll()
    assert len(sent) == 2


def test_a_poll_whose_connection_breaks_was_sent_once() -> None:
    """No second request comes on a new connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client.configure(endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=drop_one, args=(server,))
        thread.start()
        with pytest.raises(ConnectionClosedError):
            client.polling().poll_for_activity_task(domain="d", taskList={"name": "l"})
        thread.join(timeout=10)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):  # no second connection came
            server.accept()


def drop_one(server: socket.socket) -> None:
    """Accept one request and close the connection."""
    server.settimeout(10)
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)


def test_no_session_of_botocore_is_made_before_its_first_use() -> None:
    """A mock of AWS that starts after the import, such as moto, affects our clients."""
    client.configure()
    assert "session" not in vars(client._state)
    client.calling()
    assert "session" in vars(client._state)
