"""Bodies of the wire against botocore's model of SWF: no unknown, missing or mistyped member.

`check_answer` walks the output shape of an operation, `check_event` one event of a history,
`check_request` the input shape. Each raises AssertionError with every problem found, by path.
The empty result of a poll is the only answer without its required members.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

EMPTY_POLLS = {
    "PollForActivityTask": {"startedEventId": 0},
    "PollForDecisionTask": {"startedEventId": 0, "previousStartedEventId": 0},
}
"""The answers to polls that found nothing."""

COMMON_FAULTS = {
    "InternalFailure",
    "RequestEntityTooLarge",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
}
"""Codes that every service of AWS has; the model has the others, by operation."""

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (float, int),
}
"""The Python types of a model's scalar in a body."""


@cache
def model() -> ServiceModel:
    """The service as botocore knows it."""
    return ServiceModel(Loader().load_service_model("swf", "service-2"), "swf")


def check_answer(operation: str, body: dict[str, Any]) -> None:
    """The body of a successful response has the operation's output shape."""
    if operation in EMPTY_POLLS and not body.get("taskToken"):
        assert body == EMPTY_POLLS[operation]
        return
    shape = model().operation_model(operation).output_shape
    if shape is None:
        assert body == {}
    else:
        _report(operation, shape, body)


def check_fault(operation: str, code: str) -> None:
    """A refusal is one of the operation in the model, or one that every service has."""
    named = {shape.name for shape in model().operation_model(operation).error_shapes}
    assert code in named | COMMON_FAULTS, f"{operation} is never refused with {code}"


def check_request(operation: str, params: dict[str, Any]) -> None:
    """The members of a request have the operation's input shape."""
    shape = model().operation_model(operation).input_shape
    assert shape is not None
    _report(operation, shape, params)


def check_event(event: dict[str, Any]) -> None:
    """An event has the attributes of its type, and no others."""
    _report("event", model().shape_for("HistoryEvent"), event)
    event_type = event["eventType"]
    member = f"{event_type[0].lower()}{event_type[1:]}EventAttributes"
    assert set(event) == {"eventTimestamp", "eventType", "eventId", member}, event


def problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """The problems of a value, one sentence each."""
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        for place, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{place}]")
        yield from _length_problems(shape, value, path)
    else:
        yield from _scalar_problems(shape, value, path)


def _structure_problems(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {value!r}, not an object"
        return
    for name in set(value) - set(shape.members):
        yield f"{path}.{name} is unknown"
    for name in set(shape.required_members) - set(value):
        yield f"{path}.{name} is missing"
    for name in set(value) & set(shape.members):
        yield from problems(shape.members[name], value[name], f"{path}.{name}")


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    allowed = PYTHON_TYPES[shape.type_name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        yield f"{path} is {value!r}, not a {shape.type_name}"
        return
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{path} is {value!r}, not one of {shape.metadata['enum']}"
    if isinstance(value, str):
        yield from _length_problems(shape, value, path)
    elif not shape.metadata.get("min", value) <= value <= shape.metadata.get("max", value):
        yield f"{path} is {value!r}, out of bounds"


def _length_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{path} has {len(value)} elements, more than {shape.metadata['max']}"
    if len(value) < shape.metadata.get("min", 0):
        yield f"{path} has {len(value)} elements, fewer than {shape.metadata['min']}"


def _report(what: str, shape: Shape, value: Any) -> None:
    found = list(problems(shape, value, what))
    assert not found, "\n".join(found)
