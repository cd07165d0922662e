"""boto3 clients whose requests never leave the process.

botocore lets a handler answer a request before it is sent; ours passes it to the service and
returns an HTTP response. So all of boto3 is real but the network: parameters are checked, requests
signed, errors raised by code. Only the events of a history are not parsed, see `_AnswerParser`. The
endpoint is a name that cannot exist: a client that was built from one of these and lost the handler
fails instead of reaching AWS.
"""

import io
import threading
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.utils import parse_timestamp

from garcon.aws import isolation, service_data
from garcon.local.service.protocol import CONTENT_TYPE, Reply

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

ENDPOINT = "http://swf.in-this-process.invalid"

CONFIG = Config(
    # One attempt: a poll ends by the clock of the service, and the test must see the faults that it
    # injected. The timeout is that of garcon's polling clients.
    retries={"mode": "standard", "total_max_attempts": 1},
    read_timeout=75,
)

TIMES = 10_000
"""Times of events that are kept as botocore gives them: a decider reads its history again and
again, and to find the time zone's offset takes longer than all else of an event."""

_time = lru_cache(TIMES)(parse_timestamp)

_building = threading.Lock()  # a boto3 session is not thread-safe


def make_client(
    answer: Callable[[str, bytes, str], Reply], config: Config | None, **options: Any
) -> "SWFClient":
    """A boto3 client for SWF.

    Args:
        answer: takes the header X-Amz-Target, the body and the header Authorization of a request;
            raises botocore's errors of a broken connection.
        config: merged over ours.
        options: options of `boto3.session.Session.client`.
    """

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target = _header(request, "X-Amz-Target")
        authorization = _header(request, "Authorization")
        return _response(request.url, answer(target, _body(request), authorization))

    settings: dict[str, Any] = {
        "endpoint_url": ENDPOINT,
        "region_name": isolation.REGION,
        **isolation.CREDENTIALS,
        "config": CONFIG.merge(config) if config else CONFIG,
        **options,
    }
    with _building:
        client: SWFClient = _session().client("swf", **settings)
        service_data.share_caches(client)
        service_data.compute_once(client)
    # The stubs type a handler as one without a result.
    client.meta.events.register("before-send.swf", send)  # type: ignore[arg-type]
    return client


@cache
def _session() -> boto3.session.Session:
    """One session for all clients: most of a client's cost is to read botocore's model of SWF."""
    # A test must not depend on the machine's configuration, by file or environment.
    session = isolation.session()
    session.register_component("response_parser_factory", _ParserFactory())
    return boto3.session.Session(botocore_session=session)


class _ParserFactory(ResponseParserFactory):
    """Makes botocore's parsers, and ours for SWF's protocol."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a client's answers."""
        if protocol_name == "json":
            return _AnswerParser(timestamp_parser=_time)
        return super().create_parser(protocol_name)


class _AnswerParser(JSONParser):
    """Takes the events of histories as they came, but for their times.

    botocore walks through every member of an event, by the model: for long histories most of the
    time of a decision, and events of our service have the members of the model and no others. The
    method is private: under another name in a botocore to come, events are only slower.
    """

    def _handle_structure(self, shape: Any, value: Any) -> Any:
        if shape.name != "HistoryEvent" or not isinstance(value, dict):
            return super()._handle_structure(shape, value)  # type: ignore[misc]  # private
        return value | {"eventTimestamp": _time(value["eventTimestamp"])}


def _header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers.get(name, "")
    return value if isinstance(value, str) else value.decode()


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]  # SWF's are never streams


class _Raw(io.BytesIO):
    """A body in the form that botocore reads."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of the body, in one piece."""
        yield self.read()


def _response(url: str, reply: Reply) -> AWSResponse:
    headers = HTTPHeaders()
    headers["Content-Type"] = CONTENT_TYPE
    return AWSResponse(url, reply.status, headers, _Raw(reply.body))
