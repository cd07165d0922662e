"""Flows that are classes: the arguments that their constructors ask for.

Rules:

1. A parameter is known by its name: ``client``, ``domain``, ``name``, ``version`` and the like.
2. A value comes from the command line, else from the class's attribute of that name, else from the
   parameter's default. The version of a class that names none is 1.0.
3. A constructor that does not name its parameters (``*args``, or three of other names) is called as
   by 1.1.1: ``Class(client, domain, name)``.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from garcon.errors import GarconError

_MEANINGS = {
    "client": "client",
    "swf": "client",
    "swf_client": "client",
    "domain": "domain",
    "domain_name": "domain",
    "name": "name",
    "flow_name": "name",
    "workflow_name": "name",
    "version": "version",
}
"""Names of parameters, and what flows mean by them."""

_BY_PLACE = inspect.Parameter.POSITIONAL_ONLY
_RELEASED = inspect.Signature(
    [inspect.Parameter(name, _BY_PLACE) for name in ("client", "domain", "name")]
)


class CannotBuild(GarconError):
    """The constructor of a flow's class asks for something that there is no value for."""


def build(
    flow_class: Any, domain: str | None, name: str | None, make_client: Callable[[], Any]
) -> Any:
    """An object of a flow's class.

    Args:
        flow_class: The class.
        domain: The SWF domain, if it was given.
        name: The flow's name, if it was given.
        make_client: Makes an SWF client; called only if the class asks for one.

    Raises:
        CannotBuild: A required parameter has no value. The sentence begins with a verb.
        Exception: Whatever the class's own code raises.
    """
    signature = _signature(flow_class)
    values = {
        "domain": domain or _own(flow_class, "domain"),
        "name": name or _own(flow_class, "name"),
        "version": _own(flow_class, "version"),
    }
    if "version" in _meanings(_required(signature)):
        values["version"] = values["version"] or "1.0"
    _ensure_complete(_required(signature), values)
    if "client" in _meanings(signature.parameters.values()):
        values["client"] = make_client()
    bound = signature.bind_partial()
    for parameter in signature.parameters:
        if (value := values.get(_MEANINGS.get(parameter, ""))) is not None:
            bound.arguments[parameter] = value
    return flow_class(*bound.args, **bound.kwargs)


def _own(flow_class: Any, attribute: str) -> str | None:
    value = getattr(flow_class, attribute, None)
    return value if isinstance(value, str) else None  # a property belongs to the class's objects


def _signature(flow_class: Any) -> inspect.Signature:
    """The constructor's signature; that of 1.1.1 if it does not name its parameters."""
    try:
        signature = inspect.signature(flow_class)
    except (TypeError, ValueError):  # a class in C
        return _RELEASED
    required = _required(signature)
    kinds = [each.kind for each in signature.parameters.values()]
    is_open = inspect.Parameter.VAR_POSITIONAL in kinds and not _meanings(
        signature.parameters.values()
    )
    has_three = len(required) == len(_RELEASED.parameters) and not _meanings(required)
    return _RELEASED if has_three or (is_open and not required) else signature


def _required(signature: inspect.Signature) -> list[inspect.Parameter]:
    open_kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [each for each in signature.parameters.values() if each.kind not in open_kinds]
    return [each for each in named if each.default is each.empty]


def _meanings(parameters: Iterable[inspect.Parameter]) -> list[str]:
    return [_MEANINGS[each.name] for each in parameters if each.name in _MEANINGS]


def _ensure_complete(required: list[inspect.Parameter], values: dict[str, str | None]) -> None:
    """Name everything that is missing at once."""
    if unknown := [each.name for each in required if each.name not in _MEANINGS]:
        raise CannotBuild(
            f"is a class that asks for {', '.join(unknown)}; it can get a client, a domain, a name "
            "and a version. Give its other parameters defaults, or keep an object of the class in "
            "the module and name that one"
        )
    needed = [each for each in _meanings(required) if each in ("domain", "name")]
    if missing := [f"--{each}" for each in needed if not values[each]]:
        named = " and ".join(f"a {each}" for each in needed)
        raise CannotBuild(f"is a class: it needs {named}; give {' and '.join(missing)}")
