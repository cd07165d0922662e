"""The process's SWF clients: one to poll with, one for every other call.

Rules:

1. What the command line says (``configure``) wins over a flow's own client; without it a flow's own
   client is used, and without that boto3's own chain decides.
2. A poll is sent once and waited for longer than SWF holds it. A poll that botocore gives up and
   sends again stays open at SWF, which may hand it a task that nobody will do.
3. Every other call is retried by botocore in the usual way.
4. Clients are built once and may be built before a fork (``warm``); their first use comes after it.
   ``warm`` also walks through a call that is answered before it is sent: what botocore imports,
   compiles and caches at its first call is then done once, and shared by all children.
5. A fake or mock client is used as it is, for both.
"""

import functools
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config

from garcon import __version__, trouble
from garcon.trouble import ERRORS, Trouble

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

__all__ = [
    "ERRORS",
    "Trouble",
    "calling",
    "configure",
    "explain",
    "of_service",
    "polling",
    "use",
    "warm",
    "where",
]

POLL_READ_TIMEOUT = 75  # seconds; SWF holds a poll for 60 and may answer some seconds late
CONNECT_TIMEOUT = 10  # seconds; a host that does not answer by then is not there
CONNECTIONS = 50  # one for each activity thread and its tasks; unused ones cost nothing

_USER_AGENT = (
    f"garcon/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}"
)
"""Fixed: botocore puts its own together anew four times in a poll and an answer. That is 5% of what
an activity costs that does nothing."""

_COMMON = Config(
    connect_timeout=CONNECT_TIMEOUT,
    max_pool_connections=CONNECTIONS,
    tcp_keepalive=True,  # a silent long poll is what firewalls drop first
    user_agent=_USER_AGENT,
)
_ONCE = Config(
    read_timeout=POLL_READ_TIMEOUT, retries={"mode": "standard", "total_max_attempts": 1}
)
POLLING = _COMMON.merge(_ONCE)
CALLING = _COMMON.merge(Config(retries={"mode": "standard", "total_max_attempts": 5}))


@dataclass(frozen=True)
class _Choice:
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


class _State:
    """What this process chose and built."""

    def __init__(self, choice: _Choice, given: Any = None) -> None:
        self.choice = choice
        self.given = given
        self.process: dict[str, SWFClient] = {}
        self.derived: WeakKeyDictionary[Any, SWFClient] = WeakKeyDictionary()
        self.lock = threading.Lock()

    @functools.cached_property
    def session(self) -> botocore.session.Session:
        """Made at its first use: what a test does to botocore after this import counts for it."""
        return botocore.session.Session(profile=self.choice.profile)


_state = _State(_Choice())


def configure(
    *, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> None:
    """Say where this process's SWF is; wins over a flow's own client. All ``None`` takes it back.

    Args:
        region: AWS region.
        profile: Profile of the AWS configuration files.
        endpoint_url: Address of another SWF, such as a local one.
    """
    global _state  # noqa: PLW0603 - the process's one choice, replaced as a whole
    _state = _State(_Choice(region, profile, endpoint_url))


@contextmanager
def use(client: Any) -> Iterator[None]:
    """Within the block, let every call of this process go through ``client``; for tests.

    It wins over ``configure`` and over a flow's own client.
    """
    global _state  # noqa: PLW0603 - as in configure
    before, _state = _state, _State(_Choice(), client)
    try:
        yield
    finally:
        _state = before


def warm(*own: Any) -> None:
    """Build the clients now, without any network: before a fork, for all children.

    Args:
        own: The clients that the flow brought, if it did; without any, the process's are built.

    Raises:
        botocore.exceptions.BotoCoreError: No region, unknown profile: see ``explain``.
    """
    for client in own or (None,):
        _rehearse(polling(client))
        _rehearse(calling(client))


def polling(own: Any = None) -> "SWFClient":
    """The client to poll with: waits 75 s, never sends a poll twice.

    Args:
        own: The client of a flow or activity.
    """
    if own is None or _is_chosen():
        return _of_process("polling", POLLING)
    if not isinstance(own, BaseClient) or _fits_polling(own.meta.config):
        return own  # type: ignore[no-any-return]  # a user's client may be of any class
    with _state.lock:
        if own not in _state.derived:
            _state.derived[own] = _derive(own)
        return _state.derived[own]


def calling(own: Any = None) -> "SWFClient":
    """The client for every call but polls.

    Args:
        own: The client of a flow or activity.
    """
    if own is None or _is_chosen():
        return _of_process("calling", CALLING)
    return own  # type: ignore[no-any-return]  # a user's client may be of any class


def of_service(name: str) -> Any:
    """A new client of another service of AWS, with the profile and region chosen for SWF.

    Its endpoint is its own: that of SWF is not asked for anything else.

    Args:
        name: botocore's name of the service, such as ``s3``.

    Raises:
        botocore.exceptions.BotoCoreError: No region, unknown profile: see ``explain``.
    """
    return _state.session.create_client(name, region_name=_state.choice.region)


def where(own: Any = None) -> str:
    """The endpoint and region that calls go to, in words; empty if no client tells."""
    process = _state.given or _state.process.get("calling")
    client = process if own is None or _is_chosen() else own
    if not isinstance(client, BaseClient):
        return ""
    return f"{client.meta.endpoint_url} ({client.meta.region_name})"


def explain(error: BaseException, doing: str, own: Any = None, *, again: bool = True) -> Trouble:
    """What a failed call means to the person who must act.

    Args:
        error: What the call raised.
        doing: What was attempted, in the form "polling the task list a of the domain b".
        own: The client of the flow or activity, if it has one.
        again: Whether what passes is tried again by whoever tells; not if it is raised to a caller.
    """
    return trouble.explain(error, doing, where(own), again=again)


def _is_chosen() -> bool:
    return _state.given is not None or _state.choice != _Choice()


def _of_process(kind: str, config: Config) -> "SWFClient":
    if _state.given is not None:
        return _state.given  # type: ignore[no-any-return]  # a test's client may be of any class
    with _state.lock:
        if kind not in _state.process:
            choice = _state.choice
            # boto3's clients are botocore's. Its session adds nothing to them but an import that
            # costs as much as all of botocore.
            _state.process[kind] = _create(
                _state.session,
                region_name=choice.region,
                endpoint_url=choice.endpoint_url,
                config=config,
            )
        return _state.process[kind]


def _fits_polling(config: Any) -> bool:
    once = (config.retries or {}).get("total_max_attempts") == 1
    return bool(once and config.read_timeout >= POLL_READ_TIMEOUT)


class _SameCredentials:
    """Credential provider that hands on another client's credentials, refreshable ones too."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials


def _derive(own: BaseClient) -> "SWFClient":
    """A polling client with the region, endpoint, settings and credentials of ``own``.

    The credentials are the one thing that a client does not offer publicly, and the only private
    name of botocore in this package. To go without, give the flow a client that fits polling.
    """
    session = botocore.session.Session()
    session.register_component("credential_provider", _SameCredentials(own._get_credentials()))  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    return _create(
        session,
        region_name=own.meta.region_name,
        endpoint_url=own.meta.endpoint_url,
        config=own.meta.config.merge(POLLING),
    )


def _create(session: botocore.session.Session, **options: Any) -> "SWFClient":
    return cast("SWFClient", session.create_client("swf", **options))


class _Nothing:
    """The body of an answer that says nothing, as urllib3 would give it."""

    def stream(self) -> Iterator[bytes]:
        yield b"{}"


def _answer_unsent(request: Any, **_: Any) -> Any:
    return AWSResponse(request.url, 200, HTTPHeaders(), _Nothing())


def _sign_nothing(**_: Any) -> Any:
    return UNSIGNED  # signing may renew credentials over the network


def _rehearse(client: Any) -> None:
    """Walk through the calls of a worker's loop, up to the network and back, without it."""
    if not isinstance(client, BaseClient):
        return
    "localhost".encode("idna")  # what a first connection imports
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
