"""boto3 clients whose requests never leave the process.

botocore lets a handler answer a request before it is sent; ours passes it to the service and
returns an HTTP response. So all of boto3 is real but the network: parameters are checked, requests
signed, errors raised by code. The endpoint is a name that cannot exist: a client that was built
from one of these and lost the handler fails instead of reaching AWS.
"""

import io
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

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
    return boto3.session.Session(botocore_session=isolation.session())


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
