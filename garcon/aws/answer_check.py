"""Detects answers that are not SWF's: a sign-in page, a proxy's message, another web server.

botocore takes such an answer with status 200 for a result without members, so an activity's result
would count as accepted, and a poll as empty.

Rules:

1. SWF answers with status 200 and a JSON object, or nothing where the operation has no result. It
   never redirects. Its errors are JSON objects, too.
2. The members that the service model requires are there and of its types, at any depth; only an
   empty poll has no members. An object that holds none of the operation's members is another
   server's. Of an event's attributes the types are checked, but none is required: stand-ins leave
   some out.
3. The content type is not checked: stand-ins for SWF answer their JSON objects under any.
4. Everything else is a transient error, like a 502: the next attempt may reach SWF.
"""

import json
from datetime import datetime
from typing import Annotated, Any
from weakref import WeakSet

import msgspec
from botocore.client import BaseClient
from botocore.parsers import ResponseParserError

from garcon.aws import usage
from garcon.errors import GarconError

OK = 200
REDIRECT = 300
CLIENT_ERROR = 400
SERVER_ERROR = 500

UNDECLARED: dict[str, tuple[str, ...]] = {"StartWorkflowExecution": ("runId",)}
"""Members that SWF always sends, although its model does not require them."""

POLLS = frozenset({"PollForActivityTask", "PollForDecisionTask"})

LATEST = 253_000_000_000
"""Seconds of the latest time that botocore reads, which fails on later ones: the year 9987."""

_TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int | float,
    "long": int | float,
    "timestamp": Annotated[float, msgspec.Meta(ge=0, le=LATEST)] | datetime,
}
"""Types of JSON values by the type's name in the model."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])

_checked: WeakSet[BaseClient] = WeakSet()


class NotSwf(GarconError, ResponseParserError):
    """The answer to a call is not one of SWF's; the message says what it is instead."""


def install(client: BaseClient) -> None:
    """Check all answers that this client receives from now on; only once for each client."""
    if client not in _checked:
        events: Any = client.meta.events
        events.register("before-parse.swf", _check, unique_id="garcon-answer-check")
        _checked.add(client)


def _check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    status, body = response_dict["status_code"], response_dict["body"]
    if status < REDIRECT and _is_whole(operation_model, body):
        return
    fault = _find_fault(operation_model, body) if status < REDIRECT else _find_error(status, body)
    if fault:
        usage.note_failed(operation_model.name)
        kind = response_dict["headers"].get("content-type", "no content type")
        raise NotSwf(
            f"the answer is not one of SWF's: {fault} (status {status}, {kind}, {len(body)} bytes)."
            " A proxy, a sign-in page or another server may have answered; check the endpoint"
        )


def _is_whole(operation: Any, body: bytes) -> bool:
    """Whether it is, at a glance, the answer of a success, as nearly all are."""
    output = operation.output_shape
    if output is None:
        return body in (b"", b"{}")
    has_marks = output.required_members and operation.name not in UNDECLARED
    # The decoder does not read the names of unknown members, which may not be text at all.
    return bool(has_marks) and body.isascii() and _has_right_types(output, body)


def _find_error(status: int, body: bytes) -> str:
    """The fault in the answer of an error; empty if there is none."""
    if status < CLIENT_ERROR:
        return "it is a redirect"
    if not body or (status >= SERVER_ERROR and _is_prose(body)):
        return ""  # transient by its status, and botocore reads the text as its message
    members = _parse(body)
    if members is None:
        return "it is not a JSON object"
    return "" if members.get("__type", b"null")[:1] in b'"n' else "__type is not a text"


def _is_prose(body: bytes) -> bool:
    """Whether it is text other than JSON, such as the page of a gateway."""
    try:
        json.loads(body.decode())
    except (UnicodeDecodeError, RecursionError):
        return False
    except ValueError:
        return True
    return False


def _find_fault(operation: Any, body: bytes) -> str:
    """The fault in the answer of a success; empty if there is none."""
    output, name = operation.output_shape, operation.name
    optional = output is None or name in POLLS
    if not body:
        return "" if optional else "it is empty"
    members = _parse(body)
    if members is None:
        return "it is not a JSON object"
    declared = output.members if output else {}
    if members and not members.keys() & declared.keys():
        return "it has none of the operation's members"
    if name in POLLS and members.get("taskToken", b'""') in (b'""', b"null"):
        return ""
    for member in (*(output.required_members if output else ()), *UNDECLARED.get(name, ())):
        if members.get(member, b"null") == b"null":
            return f"{member} is missing"
    return _find_wrong_type(output, body) if output else ""


def _has_right_types(output: Any, body: bytes) -> bool:
    try:
        _answer_type(output.name, output).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _find_wrong_type(output: Any, body: bytes) -> str:
    """The fault in a member at any depth; empty if there is none.

    botocore's parser would raise errors of its own, or return values of other types.
    """
    if _has_right_types(output, body):
        return ""
    try:
        msgspec.convert(_load(body), _answer_type(output.name, output).type)
    except (msgspec.MsgspecError, RecursionError) as error:
        return str(error)
    return ""


def _answer_type(name: str, shape: Any) -> msgspec.json.Decoder[Any]:
    # By name: each client has a model of its own, and all models are alike.
    if name not in _decoders:
        _decoders[name] = msgspec.json.Decoder(_type_of(shape))
    return _decoders[name]


_decoders: dict[str, msgspec.json.Decoder[Any]] = {}


def _type_of(shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            required = () if shape.name.endswith("Attributes") else shape.required_members
            fields: list[Any] = [
                (name, _type_of(each)) if name in required else (name, _type_of(each) | None, None)
                for name, each in shape.members.items()
            ]
            return msgspec.defstruct(shape.name, fields, kw_only=True)
        case "list":
            return list[_type_of(shape.member)]  # type: ignore[misc] # made at run time
        case other:
            return _TYPES[other]


def _parse(body: bytes) -> dict[str, bytes] | None:
    """The members of a JSON object with their JSON; None if the text is anything else."""
    try:
        return {name: bytes(value) for name, value in _members.decode(body).items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(body)


def _parse_leniently(body: bytes) -> dict[str, bytes] | None:
    """As botocore reads JSON, which takes halves of surrogate pairs, too."""
    try:
        found = _load(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {name: json.dumps(value).encode() for name, value in found.items()}


def _load(body: bytes) -> Any:
    return json.loads(body.decode(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
