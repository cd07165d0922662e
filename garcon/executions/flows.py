"""Loading of flows by name: ``module``, or ``module:name`` for an object or class in it.

A class is called with what its constructor asks for, see ``class_flow``. An exception of the flow's
own code passes through unchanged, because its traceback shows the cause.
"""

import importlib
import inspect
from typing import Any

from garcon import client as clients
from garcon.activity.renaming import rename
from garcon.executions.errors import NotAFlow
from garcon.flow import class_flow


def load(text: str, domain: str | None = None, name: str | None = None) -> Any:
    """The flow that a text names.

    Args:
        text: ``package.module`` or ``package.module:name``.
        domain: SWF domain, instead of the flow's own.
        name: Name of the flow, instead of its own.

    Raises:
        NotAFlow: The module or the name does not exist, or is not a flow.
        Exception: Any exception of the flow's own code.
    """
    module, _, path = text.partition(":")
    found = _import(module, text)
    for part in filter(None, path.split(".")):
        if not hasattr(found, part):
            raise NotAFlow(f"There is no flow {text}: the module {module} has no {part!r}.")
        found = getattr(found, part)
    if inspect.isclass(found):
        found = _build(found, text, domain, name)
    rename(found, domain, name)
    return check(found, "domain", "name", text=text)


def check(flow: Any, *members: str, text: str = "") -> Any:
    """The flow itself, if it has these members.

    Raises:
        NotAFlow: One of them is missing.
    """
    for member in members:
        value = getattr(flow, member, None)
        if not isinstance(value, str) or not value:
            raise NotAFlow(
                f"{text or repr(flow)} is not a flow: it has no {member!r}. A flow is a module or "
                "an object with 'domain' (the SWF domain) and 'name'."
            )
    return flow


def _import(module: str, text: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise NotAFlow(
                f"There is no flow {text}: no module {error.name!r} in this folder or among the "
                "installed packages."
            ) from error
        raise
    except (TypeError, ValueError) as error:
        if module and not module.startswith("."):
            raise
        raise NotAFlow(f"{text!r} is not the name of a flow: use MODULE or MODULE:NAME.") from error


def _build(flow_class: Any, text: str, domain: str | None, name: str | None) -> Any:
    try:
        return class_flow.build(flow_class, domain, name, clients.calling)
    except class_flow.CannotBuild as error:
        raise NotAFlow(f"The flow {text} {error}.") from error
