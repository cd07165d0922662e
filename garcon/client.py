"""The process's SWF clients: one for polls, one for every other call.

Rules:

1. The command line's choice (``configure``) wins over a flow's own client. Without it the flow's
   own client is used; without that, boto3's configuration chain decides.
2. A poll is sent once, with a read timeout longer than SWF holds a poll. A poll that botocore gives
   up and sends again stays open at SWF, which may give it a task, which is lost.
3. Every other call is retried by botocore in its standard mode.
4. Clients are built once and may be built before a fork (``warm``); they are first used after it.
   ``warm`` also rehearses calls that are answered before they are sent, so that botocore's imports
   and caches of a first call are made once and shared by all children.
5. A fake or mock client is used as it is, for both.
6. Every client of botocore, a flow's own too, has its answers checked: one that is not SWF's is a
   transient error (see ``answer_check``). Its calls are counted if the process counts (``usage``).
"""

import copy
import functools
import logging
import platform
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import botocore.session
import msgspec
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config

from garcon.aws import (
    answer_check,
    aws_errors,
    fail_fast,
    isolation,
    one_send,
    service_data,
    usage,
)
from garcon.aws.aws_errors import ERRORS, Explanation
from garcon.aws.single_attempt import single_attempt, take_out_retries
from garcon.log import LOGGER_PREFIX
from garcon.version import VERSION

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

__all__ = [
    "ERRORS",
    "Explanation",
    "calling",
    "configure",
    "explain",
    "of_service",
    "polling",
    "polling_once",
    "use",
    "warm",
    "where",
    "without_reconnecting",
]

POLL_READ_TIMEOUT = 75  # seconds; SWF holds a poll for 60 and may respond some seconds late
CONNECT_TIMEOUT = 10  # seconds; a reachable host responds sooner
CONNECTIONS = 50  # one for each activity thread and its tasks; unused ones cost nothing

_USER_AGENT = f"garcon/{VERSION} Botocore/{botocore.__version__} Python/{platform.python_version()}"
"""Fixed: botocore would build its own four times for a poll and an answer, which is 5% of the CPU
time of an empty activity."""

_LOGGER = logging.getLogger(LOGGER_PREFIX)
_COMMON = Config(
    connect_timeout=CONNECT_TIMEOUT,
    max_pool_connections=CONNECTIONS,
    tcp_keepalive=True,  # firewalls drop silent connections, and a long poll is silent
    user_agent=_USER_AGENT,
)
_ONCE = Config(
    read_timeout=POLL_READ_TIMEOUT, retries={"mode": "standard", "total_max_attempts": 1}
)
POLLING = _COMMON.merge(_ONCE)
CALLING = _COMMON.merge(Config(retries={"mode": "standard", "total_max_attempts": 5}))


class _Choice(msgspec.Struct, frozen=True):
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    isolated: bool = False


class _ClientState:
    """The choice of this process, and the clients built for it."""

    def __init__(self, choice: _Choice, given: Any = None) -> None:
        self.choice = choice
        self.given = given
        self.process: dict[str, SWFClient] = {}
        self.derived: WeakKeyDictionary[Any, SWFClient] = WeakKeyDictionary()
        self.lock = threading.Lock()

    @functools.cached_property
    def session(self) -> botocore.session.Session:
        """Made at its first use, so that a test may patch botocore after this import."""
        if self.choice.isolated:
            return service_data.read_quickly(isolation.session())
        variables = fail_fast.session_variables()
        session = botocore.session.Session(variables, profile=self.choice.profile)
        return service_data.read_quickly(session)


_state = _ClientState(_Choice())


def configure(
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    isolated: bool = False,
) -> None:
    """Choose the SWF of this process; it wins over a flow's own client. All ``None`` undoes that.

    Args:
        region: AWS region.
        profile: Profile of the AWS configuration files.
        endpoint_url: URL of another SWF endpoint, such as a local one.
        isolated: Whether SWF is local and needs nothing of the machine: its AWS variables,
            configuration files and proxies are not read.
    """
    global _state  # noqa: PLW0603 - the process's one choice, replaced as a whole
    _state = _ClientState(_Choice(region, profile, endpoint_url, isolated))


@contextmanager
def use(client: Any) -> Iterator[None]:
    """Send every call of this process through ``client`` within the block; for tests.

    It wins over ``configure`` and over a flow's own client.
    """
    global _state  # noqa: PLW0603 - as in configure
    before, _state = _state, _ClientState(_Choice(), client)
    try:
        yield
    finally:
        _state = before


def warm(*own: Any) -> None:
    """Build the clients without network traffic: before a fork, for all children.

    Args:
        own: The flow's own clients; without any, the process's are built.

    Raises:
        botocore.exceptions.BotoCoreError: No region, or unknown profile.
    """
    for client in own or (None,):
        _rehearse(polling(client))
        _rehearse(calling(client))


def polling(own: Any = None) -> "SWFClient":
    """The client for polls: waits 75 s for the response.

    A flow's own client polls as it is if it is a stub or a mock, has patched methods, or waits long
    enough. Of any other only the connections are replaced, by some that wait longer: stubs, event
    hooks, credentials and retries stay its own, also those that it gets later; but a loop that
    waits by its own rule sends a poll once (``polling_once``).

    Args:
        own: The client of the flow or activity, if it has one.
    """
    if own is None or _is_chosen():
        return _of_process("polling", POLLING)
    if not _is_botocore(own) or _is_patched(own) or _waits_long(own.meta.config):
        return _checked(own)
    with _state.lock:
        if own not in _state.derived:
            _state.derived[own] = _with_long_polls(_checked(own))
        return _state.derived[own]


def polling_once(own: Any = None) -> AbstractContextManager[None]:
    """Within the block, botocore attempts a poll once: the loop around it waits by its own rule.

    The process's client never polls twice; this is for a flow's own, with its retries.

    Args:
        own: The client of the flow or activity, if it has one.
    """
    return nullcontext() if own is None or _is_chosen() else single_attempt(polling(own))


def calling(own: Any = None) -> "SWFClient":
    """The client for every call other than polls.

    Args:
        own: The client of the flow or activity, if it has one.
    """
    if own is None or _is_chosen():
        return _of_process("calling", CALLING)
    return _checked(own)


def without_reconnecting(own: Any = None) -> AbstractContextManager[None]:
    """Within the block, a call that ``calling`` sends and that gets no connection fails at once.

    Args:
        own: The client of the flow or activity, if it has one.
    """
    client = calling(own)
    return fail_fast.one_connection_attempt(client) if _is_botocore(client) else nullcontext()


def of_service(name: str) -> Any:
    """A new client of another AWS service, with the profile and region chosen for SWF.

    It uses the service's own endpoint, not the one chosen for SWF.

    Args:
        name: botocore's name of the service, such as ``s3``.

    Raises:
        botocore.exceptions.BotoCoreError: No region, or unknown profile.
    """
    # Isolation is for the local SWF: a claim store on S3 is a real one, with its real credentials.
    session = botocore.session.Session(profile=_state.choice.profile)
    return session.create_client(name, region_name=_state.choice.region)


def where(own: Any = None) -> str:
    """The endpoint and region that calls go to, for messages; empty for a fake client."""
    process = _state.given or _state.process.get("calling")
    client = process if own is None or _is_chosen() else own
    if client is None or not _is_botocore(client):
        return ""
    return f"{client.meta.endpoint_url} ({client.meta.region_name})"


def explain(error: BaseException, doing: str, own: Any = None) -> Explanation:
    """Explain a failed call: what failed, where, why, and what to do.

    Args:
        error: The exception of the call.
        doing: What was attempted, in the form "polling the task list a of the domain b".
        own: The client of the flow or activity, if it has one.
    """
    return aws_errors.explain(error, doing, where(own))


def _is_chosen() -> bool:
    return _state.given is not None or _state.choice != _Choice()


def _of_process(kind: str, config: Config) -> "SWFClient":
    if _state.given is not None:
        return _checked(_state.given)
    if made := _state.process.get(kind):
        return made
    with _state.lock:
        if kind not in _state.process:
            choice = _state.choice
            # boto3's clients are botocore's; importing boto3 costs as much as all of botocore.
            isolated: dict[str, Any] = {}
            if choice.isolated:
                isolated = {"region_name": choice.region or isolation.REGION}
                isolated |= isolation.CREDENTIALS | {"config": config.merge(isolation.NO_PROXY)}
            options = {
                "region_name": choice.region,
                "endpoint_url": choice.endpoint_url,
                "config": config,
                **isolated,
            }
            made = _create(_state.session, **options)
            if config is POLLING:
                take_out_retries(made)
            _state.process[kind] = made
        return _state.process[kind]


def _is_botocore(client: Any) -> bool:
    """Whether it is a real client: a mock with a client's ``spec`` passes ``isinstance``, too."""
    return issubclass(type(client), BaseClient)


def _is_patched(client: BaseClient) -> bool:
    """Whether methods of this one client were replaced, as tests do."""
    return any(hasattr(type(client), name) for name in vars(client))


def _waits_long(config: Any) -> bool:
    """Whether the client waits for the end of a long poll."""
    return bool(config.read_timeout >= POLL_READ_TIMEOUT)


def _with_long_polls(own: BaseClient) -> "SWFClient":
    """The same client with connections that wait longer.

    botocore offers no other way: a client's timeout is fixed with its endpoint, and a client that
    is made anew would lack the stubs, hooks and credentials that were put on this one.
    """
    _LOGGER.info(
        "The flow's SWF client waits %g s for a response, and a long poll takes up to 60 s: its "
        "polls wait %g s. Give it read_timeout=%g to avoid this.",
        getattr(own.meta.config, "read_timeout", 60),
        POLL_READ_TIMEOUT,
        POLL_READ_TIMEOUT,
    )
    patient = _create(
        isolation.session(),
        region_name=own.meta.region_name,
        endpoint_url=own.meta.endpoint_url,
        config=own.meta.config.merge(Config(read_timeout=POLL_READ_TIMEOUT)),
        **isolation.CREDENTIALS,
    )
    endpoint = copy.copy(own._endpoint)  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    endpoint.http_session = patient._endpoint.http_session  # type: ignore[attr-defined]  # noqa: SLF001
    same: Any = type(own).__new__(type(own))
    same.__dict__.update(own.__dict__, _endpoint=endpoint)
    return cast("SWFClient", same)


def _create(session: botocore.session.Session, **options: Any) -> "SWFClient":
    client = session.create_client("swf", **options)
    service_data.compute_once(client)
    one_send.install(client)
    return _checked(client)


def _checked(client: Any) -> "SWFClient":
    """The client, its answers checked and its calls counted if it is botocore's; of any class."""
    if _is_botocore(client):
        answer_check.install(client)
        usage.install(client)
    return cast("SWFClient", client)


class _Nothing:
    """An empty response body, in the form of urllib3."""

    def stream(self) -> Iterator[bytes]:
        yield b"{}"


def _answer_unsent(request: Any, **_: Any) -> Any:
    return AWSResponse(request.url, 200, HTTPHeaders(), _Nothing())


def _sign_nothing(**_: Any) -> Any:
    return UNSIGNED  # signing may renew credentials over the network


def _rehearse(client: Any) -> None:
    """Do the calls of a worker's loop, answered before they reach the network."""
    if not _is_botocore(client):
        return
    "localhost".encode("idna")  # imports the codec that a first connection needs
    events: Any = client.meta.events
    events.register_first("before-send.swf", _answer_unsent)
    events.register_first("choose-signer.swf", _sign_nothing)
    where = {"domain": "rehearsal", "taskList": {"name": "rehearsal"}}
    swf: Any = client
    try:
        swf.poll_for_activity_task(**where)
        swf.poll_for_decision_task(**where)
        swf.respond_activity_task_completed(taskToken="rehearsal", result="")
        swf.respond_decision_task_completed(taskToken="rehearsal", decisions=[])
    finally:
        events.unregister("before-send.swf", _answer_unsent)
        events.unregister("choose-signer.swf", _sign_nothing)
