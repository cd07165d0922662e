"""AWS's JSON 1.0 protocol, as bytes: which operation was asked for, and how answers are written.

The X-Amz-Target header names the operation, behind the service's name or its long name. Who sends
the long one sends other content types too, so the content type is not looked at. A success is a 200
with the body as JSON, an operation without a result an empty 200. A refusal is a 400 whose `__type`
carries the code behind a namespace, as the service sends it; SDKs read what follows the "#".
"""

import json
from dataclasses import dataclass

from garcon.local.engine import Answer, Fault

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "SimpleWorkflowService."
LONG_PREFIX = f"com.amazonaws.swf.service.model.{TARGET_PREFIX}"
"""As in the developer guide ("Using JSON with Amazon SWF"), and as sent by boto 2."""

LARGEST_REQUEST = 1024 * 1024
"""Bytes of a request's body: the service's quota of 1 MB, which counts headers too; ours does not,
so that a request at the edge is refused by the service only."""

MODEL_NAMESPACE = "com.amazonaws.swf.base.model"
NAMESPACES = {
    "ValidationException": "com.amazon.coral.validate",
    "ThrottlingException": "com.amazon.coral.availability",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
    "RequestEntityTooLarge": "com.amazon.coral.service",
    "InternalFailure": "com.amazon.coral.service",
}
"""Codes that every service of AWS has; the others are SWF's own."""

STATUS = {"InternalFailure": 500, "RequestEntityTooLarge": 413}
"""HTTP statuses other than 400."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response: its status and its body."""

    status: int
    body: bytes


def operation_of(target: str) -> str:
    """The operation that an X-Amz-Target header names.

    Raises:
        Fault: UnknownOperationException if it names none of SWF.
    """
    name = target.removeprefix(LONG_PREFIX).removeprefix(TARGET_PREFIX)
    if name == target:
        told = f"is {target!r}" if target else "is missing"
        wanted = f"a call of SWF says for instance {TARGET_PREFIX}ListDomains"
        raise Fault("UnknownOperationException", f"The header X-Amz-Target {told}; {wanted}")
    return name


def check_size(body: bytes) -> None:
    """Refuse a body beyond the service's quota.

    Raises:
        Fault: RequestEntityTooLarge.
    """
    if len(body) > LARGEST_REQUEST:
        told = f"The request has more than {LARGEST_REQUEST} bytes"
        raise Fault("RequestEntityTooLarge", told)


def success(answer: Answer) -> Reply:
    """How an answer is sent."""
    body = json.dumps(answer.body, separators=(",", ":")).encode() if answer.body else b""
    return Reply(200, body)


def refusal(fault: Fault) -> Reply:
    """How a refused call is answered."""
    namespace = NAMESPACES.get(fault.code, MODEL_NAMESPACE)
    told = {"__type": f"{namespace}#{fault.code}", "message": fault.message}
    return Reply(STATUS.get(fault.code, 400), json.dumps(told).encode())
