"""boto3 clients whose requests never leave the process.

botocore lets a handler answer a request before it is sent; ours hands it to the service and gives
back an HTTP response. So everything of boto3 is real (parameters checked, requests signed, errors
raised by code) but the network. The endpoint is a name that cannot exist: a client that was built
from one of these, and lost the handler, fails instead of reaching AWS.
"""

import io
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from garcon.local.protocol import CONTENT_TYPE, Reply

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

ENDPOINT = "http://swf.in-this-process.invalid"

CONFIG = Config(
    # A poll is answered by the clock of the service, and a fault that a test ordered is the test's
    # to see: so one attempt. The time is what garcon asks of a client that polls.
    retries={"mode": "standard", "total_max_attempts": 1},
    read_timeout=75,
)

# Nothing of the machine's own configuration, by file or environment: a test must not depend on it.
_ISOLATED: dict[str, tuple[None, None, str | None, None]] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

_building = threading.Lock()  # a session is not made for threads


def make_client(
    answer: Callable[[str, bytes], Reply], config: Config | None, **options: Any
) -> "SWFClient":
    """A boto3 client for SWF.

    Args:
        answer: takes the X-Amz-Target header and the body of a request; raises what a broken
            connection raises.
        config: merged over ours.
        options: of `boto3.session.Session.client`.
    """

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        text = target if isinstance(target, str) else target.decode()
        return _response(request.url, answer(text, _body(request)))

    settings: dict[str, Any] = {
        "endpoint_url": ENDPOINT,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
        "config": CONFIG.merge(config) if config else CONFIG,
        **options,
    }
    with _building:
        client: SWFClient = _session().client("swf", **settings)
    # The stubs take a handler for one that answers nothing.
    client.meta.events.register("before-send.swf", send)  # type: ignore[arg-type]
    return client


@cache
def _session() -> boto3.session.Session:
    """One for all clients: reading botocore's model of SWF is most of the cost of a client."""
    session = botocore.session.Session(session_vars=_ISOLATED)
    return boto3.session.Session(botocore_session=session)


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]  # SWF's are never streams


class _Raw(io.BytesIO):
    """The body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of it, in one piece."""
        yield self.read()


def _response(url: str, reply: Reply) -> AWSResponse:
    headers = HTTPHeaders()
    headers["Content-Type"] = CONTENT_TYPE
    return AWSResponse(url, reply.status, headers, _Raw(reply.body))
