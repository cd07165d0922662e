"""AWS's JSON 1.0 protocol, as bytes: the operation and region of a request, the form of an answer.

- The X-Amz-Target header names the operation, behind the service's name or its long name. Clients
  that send the long name also send other content types, so the content type is not checked.
- The Authorization header has the region in its credential scope; the signature is not checked.
- A success is a 200 with the body as JSON, an operation without a result an empty 200. A refusal
  is a 400 whose `__type` has the code behind a namespace, as in the service; SDKs read the text
  after the "#".
"""

import json
import re
from dataclasses import dataclass

from garcon.local.engine import Answer, Fault

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "SimpleWorkflowService."
LONG_PREFIX = f"com.amazonaws.swf.service.model.{TARGET_PREFIX}"
"""As in the developer guide ("Using JSON with Amazon SWF"), and as sent by boto 2."""

CREDENTIAL_SCOPE = re.compile(r"Credential=[^/,\s]*/[0-9]{8}/([a-z0-9-]{1,64})/")
"""The region in an Authorization header of signature version 4."""

LARGEST_REQUEST = 1024 * 1024
"""Bytes in a request's body: the service's quota of 1 MB. The service counts headers too and this
limit does not, so that a request at the edge is refused by the service only."""

MODEL_NAMESPACE = "com.amazonaws.swf.base.model"
NAMESPACES = {
    "ValidationException": "com.amazon.coral.validate",
    "ThrottlingException": "com.amazon.coral.availability",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
    "RequestEntityTooLarge": "com.amazon.coral.service",
    "InternalFailure": "com.amazon.coral.service",
}
"""Namespaces of the codes that every AWS service has; the other codes are SWF's own."""

STATUS = {"InternalFailure": 500, "RequestEntityTooLarge": 413}
"""HTTP statuses other than 400."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response: its status and its body."""

    status: int
    body: bytes


def operation_of(target: str) -> str:
    """The operation in an X-Amz-Target header.

    Raises:
        Fault: UnknownOperationException if the header is not one of SWF.
    """
    name = target.removeprefix(LONG_PREFIX).removeprefix(TARGET_PREFIX)
    if name == target:
        problem = f"is {target!r}" if target else "is missing"
        example = f"SWF calls send for instance {TARGET_PREFIX}ListDomains"
        raise Fault("UnknownOperationException", f"The header X-Amz-Target {problem}; {example}")
    return name


def region_of(authorization: str) -> str:
    """The region in an Authorization header, empty without one."""
    scope = CREDENTIAL_SCOPE.search(authorization)
    return scope[1] if scope else ""


def check_size(body: bytes) -> None:
    """Refuse a body beyond the service's quota.

    Raises:
        Fault: RequestEntityTooLarge.
    """
    if len(body) > LARGEST_REQUEST:
        message = f"The request has more than {LARGEST_REQUEST} bytes"
        raise Fault("RequestEntityTooLarge", message)


def success(answer: Answer) -> Reply:
    """The response for an answer."""
    body = json.dumps(answer.body, separators=(",", ":")).encode() if answer.body else b""
    return Reply(200, body)


def refusal(fault: Fault) -> Reply:
    """The response for a refused call."""
    namespace = NAMESPACES.get(fault.code, MODEL_NAMESPACE)
    body = {"__type": f"{namespace}#{fault.code}", "message": fault.message}
    return Reply(STATUS.get(fault.code, 400), json.dumps(body).encode())
