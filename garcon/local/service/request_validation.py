"""Validation of requests by botocore's model of SWF, with the messages of the service.

- A member of the wrong JSON type is a SerializationException, at the first one found.
- A missing, too long, too short or unlisted value is a ValidationException that names them all.
- null is the same as nothing; members that are not in the model are dropped.
- Rules that are not in the model, such as the characters of a name, are in the engine.

The checks are built once per process: a request then costs a walk over its members.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from garcon.local.engine import Fault
from garcon.payload import safe_json

Params: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[[Any, str, list[str]], Any]
"""Takes a value, its path and the list of problems so far; returns the cleaned value."""

SHOWN_CHARACTERS = 200
"""Characters of an invalid value in the message: enough to recognise it in a log line."""

SCALARS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "String"),
    "integer": ((int,), "Integer"),
    "long": ((int,), "Long"),
    "boolean": ((bool,), "Boolean"),
    "timestamp": ((int, float), "Date"),
}
"""The JSON types of each scalar of the model, and its name in the service's messages."""

JSON_WORDS: Mapping[type, str] = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    bool: "TRUE_VALUE or FALSE_VALUE",
}


def read_request(operation: str, body: bytes) -> Params:
    """The members of a request's body, checked and cleaned.

    Raises:
        Fault: UnknownOperationException, SerializationException or ValidationException.
    """
    check = checks().get(operation)
    if check is None:
        raise Fault("UnknownOperationException", f"Unknown operation: {operation}")
    try:
        value = safe_json.loads_strictly((body or b"{}").decode())
    except ValueError as error:
        raise _unreadable(f"The body is not JSON: {error}") from error
    problems: list[str] = []
    params: Params = check(value, "", problems)
    if problems:
        raise Fault("ValidationException", _sentence(problems))
    return params


@cache
def checks() -> Mapping[str, Check]:
    """The check of each operation's input."""
    model = ServiceModel(Loader().load_service_model("swf", "service-2"), "swf")
    inputs = {name: model.operation_model(name).input_shape for name in model.operation_names}
    return {name: _check(shape) for name, shape in inputs.items() if shape is not None}


def _check(shape: Shape) -> Check:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    return _scalar(shape)


def _structure(shape: StructureShape) -> Check:
    members = {name: _check(member) for name, member in shape.members.items()}
    required = frozenset(shape.required_members)

    def check(value: Any, path: str, problems: list[str]) -> Params:
        if not isinstance(value, dict):
            raise _unreadable(_mistyped(value, shape.name))
        prefix = f"{path}." if path else ""
        clean = {
            name: members[name](member, prefix + name, problems)
            for name, member in value.items()
            if member is not None and name in members
        }
        missing = sorted(required - clean.keys())
        problems += [_problem(None, prefix + name, "Member must not be null") for name in missing]
        return clean

    return check


def _list(shape: ListShape) -> Check:
    check_item = _check(shape.member)
    measure = _measure(shape)

    def check(value: Any, path: str, problems: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise _unreadable(_mistyped(value, "List"))
        measure(value, path, problems)
        return [
            check_item(item, f"{path}.{place}.member", problems)
            for place, item in enumerate(value, start=1)
        ]

    return check


def _scalar(shape: Shape) -> Check:
    types, word = SCALARS[shape.type_name]
    allowed = shape.metadata.get("enum")
    measure = _measure(shape) if shape.type_name == "string" else _compare(shape)

    def check(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise _unreadable(_mistyped(value, word))
        if allowed and value not in allowed:
            rule = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            problems.append(_problem(value, path, rule))
        measure(value, path, problems)
        return value

    return check


def _measure(shape: Shape) -> Check:
    return _bounded(shape, len, "length")


def _compare(shape: Shape) -> Check:
    return _bounded(shape, lambda value: value, "value")


def _bounded(shape: Shape, size: Callable[[Any], Any], word: str) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str, problems: list[str]) -> None:
        if least is not None and size(value) < least:
            rule = f"Member must have {word} greater than or equal to {least}"
            problems.append(_problem(value, path, rule))
        if most is not None and size(value) > most:
            rule = f"Member must have {word} less than or equal to {most}"
            problems.append(_problem(value, path, rule))

    return check


def _mistyped(value: Any, word: str) -> str:
    if isinstance(value, dict | list):
        return "Start of structure or list found where not expected."
    return f"{JSON_WORDS.get(type(value), 'NULL')} can not be converted to a {word}"


def _problem(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:SHOWN_CHARACTERS]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _sentence(problems: list[str]) -> str:
    noun = "error" if len(problems) == 1 else "errors"
    return f"{len(problems)} validation {noun} detected: {'; '.join(problems)}"


def _unreadable(message: str) -> Fault:
    return Fault("SerializationException", message)
