"""AWS's JSON 1.0 protocol, as bytes: which operation was asked for, and how answers are written.

The X-Amz-Target header names the operation. A success is a 200 with the body as JSON, an
operation without a result an empty 200. A refusal is a 400 whose `__type` carries the code behind
a namespace, as the service sends it; SDKs read what follows the "#".
"""

import json
from dataclasses import dataclass

from garcon.local.engine import Answer, Fault

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "SimpleWorkflowService."

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
    if not target.startswith(TARGET_PREFIX):
        raise Fault("UnknownOperationException", f"The header X-Amz-Target is {target!r}")
    return target.removeprefix(TARGET_PREFIX)


def check_size(body: bytes) -> None:
    """Refuse a body beyond the service's quota.

    Raises:
        Fault: RequestEntityTooLarge.
    """
    if len(body) > LARGEST_REQUEST:
        told = f"The request has {len(body)} bytes, more than {LARGEST_REQUEST}"
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
