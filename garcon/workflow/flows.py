"""From a flow's name to the flow: ``module``, or ``module:name`` of an object or class in it.

A class is built with a client, a domain and a name, as the documented class flows are. What the
flow's own code raises is left as it is: its traceback is what helps.
"""

import importlib
import inspect
from typing import Any

from garcon import activity
from garcon import client as clients
from garcon.workflow.errors import NotAFlow


def load(text: str, domain: str | None = None, name: str | None = None) -> Any:
    """The flow that a text names.

    Args:
        text: ``package.module`` or ``package.module:name``.
        domain: The domain to use instead of the flow's; needed for a class.
        name: The name to use instead of the flow's; needed for a class.

    Raises:
        NotAFlow: There is no such module or name, or it is no flow.
        Exception: Whatever importing or building it raises.
    """
    module, _, path = text.partition(":")
    found = _import(module, text)
    for part in filter(None, path.split(".")):
        if not hasattr(found, part):
            raise NotAFlow(f"The flow {text} is not there: {module} has no {part!r}.")
        found = getattr(found, part)
    if inspect.isclass(found):
        found = _build(found, text, domain, name)
    else:
        _move(found, domain, name)
    return checked(found, "domain", "name", text=text)


def checked(flow: Any, *members: str, text: str = "") -> Any:
    """The flow, if it has these members.

    Raises:
        NotAFlow: It lacks one.
    """
    for member in members:
        value = getattr(flow, member, None)
        if not isinstance(value, str) or not value:
            raise NotAFlow(
                f"{text or repr(flow)} is no flow: it has no {member!r}. A flow is a module or an "
                "object with the SWF domain and its own name."
            )
    return flow


def _import(module: str, text: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise NotAFlow(
                f"The flow {text} is not there: no module {error.name!r} in this folder or among "
                "the installed packages."
            ) from error
        raise
    except (TypeError, ValueError) as error:
        if module and not module.startswith("."):
            raise
        raise NotAFlow(f"{text!r} names no flow: write module or module:name.") from error


def _build(flow_class: Any, text: str, domain: str | None, name: str | None) -> Any:
    if not (domain and name):
        raise NotAFlow(f"The flow {text} is a class: it needs a domain and a name to be built.")
    return flow_class(clients.calling(), domain, name)


def _move(flow: Any, domain: str | None, name: str | None) -> None:
    """Put the flow in another domain or under another name, its activities too."""
    activities = activity.find_workflow_activities(flow) if domain or name else []
    if domain:
        flow.domain = domain
        for each in activities:
            each.domain = domain
    if name:
        old = f"{getattr(flow, 'name', '')}_"
        for each in activities:
            each.name = each.task_list = f"{name}_{str(each.name).removeprefix(old)}"
        flow.name = name
