"""Loads the user's flow and lists what there is to serve.

Rules of this file:

1. A flow is named ``package.module`` (the module is the flow), ``package.module:object`` or
   ``package.module:Class`` (built with a client, ``--domain`` and ``--name``).
2. It is user code: it may raise, exit or print. Whatever it raises is shown with its own frames;
   those of the machinery that called it help nobody.
3. What SWF would refuse later is refused here, with a sentence: names, missing activities.
"""

from __future__ import annotations

import importlib
import inspect
import os
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError

from garcon import activity, client, decider, limits, usual, validation
from garcon.errors import InvalidFlow
from supervisor import exits, place
from supervisor.messages import Role, TaskList

if TYPE_CHECKING:
    from supervisor.messages import Load, Stickiness


class CannotServe(Exception):
    """The flow cannot be served; the message is for the person who wrote or named it."""

    def __init__(self, why: str, code: int = exits.FLOW) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True)
class Flow:
    """A loaded flow, as the workers need it."""

    target: Any  # the user's module or object
    domain: str
    name: str
    version: str
    activities: dict[str, activity.Activity]  # by task list; without those handled elsewhere

    @property
    def task_lists(self) -> tuple[TaskList, ...]:
        """The decider's list first, then the activities' in the flow's order."""
        prefix = f"{self.name}_"
        return (
            TaskList(self.name, Role.DECIDER, "decider"),
            *(TaskList(each, Role.ACTIVITY, each.removeprefix(prefix)) for each in self.activities),
        )


def load(load: Load) -> Flow:
    """Import and check the flow that ``load`` names; raises ``CannotServe``."""
    place.use(load.place)
    target = _find(load)
    _override(target, load)
    flow = Flow(
        target=target,
        domain=_text(target, "domain", load.flow),
        name=_text(target, "name", load.flow),
        version=usual.version(target),
        activities=_activities(target),
    )
    _check(flow, load)
    _warm(flow)
    return flow


def _warm(flow: Flow) -> None:
    """Build the clients here, once, for all workers; their first use comes after the fork."""
    owners = [*flow.activities.values(), flow.target]
    own = {id(each): each for each in (getattr(owner, "client", None) for owner in owners)}
    try:
        client.warm(*own.values())
    except BotoCoreError as error:
        trouble = client.explain(error, "making an SWF client")
        raise CannotServe(trouble.sentence, exits.USAGE) from error
    except ValueError as error:  # an address that is none
        raise CannotServe(
            f"No SWF client can be made: {error}. Check the region and the endpoint's address.",
            exits.USAGE,
        ) from error


# --- finding it


def _find(load: Load) -> Any:
    module_name, _, attribute = load.flow.partition(":")
    found: Any = _import(module_name)
    for part in filter(None, attribute.split(".")):
        if not hasattr(found, part):
            raise CannotServe(f"--flow {load.flow}: {module_name} has no {attribute!r}.")
        found = getattr(found, part)
    return _build(found, load) if inspect.isclass(found) else found


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise CannotServe(
                f"--flow {name}: there is no module {error.name!r} in {os.getcwd()} or among the"  # noqa: PTH109 - a name for people
                " installed packages. Start in the folder that holds it, or install it."
            ) from error
        raise _failed(f"importing {name}", error) from error
    except (ValueError, TypeError) as error:
        if not name or name.startswith("."):
            raise CannotServe(f"--flow {name!r} is no module name.", exits.USAGE) from error
        raise _failed(f"importing {name}", error) from error
    except BaseException as error:  # user code, sys.exit() included
        raise _failed(f"importing {name}", error) from error


def _build(flow_class: Any, load: Load) -> Any:
    missing = [
        flag for flag, value in (("--domain", load.domain), ("--name", load.name)) if not value
    ]
    if missing:
        raise CannotServe(
            f"--flow {load.flow} is a class: it is built with a client, a domain and a name, so"
            f" give {' and '.join(missing)}.",
            exits.USAGE,
        )
    try:
        return flow_class(client.calling(), load.domain, load.name)
    except BaseException as error:  # user code
        raise _failed(f"building {load.flow}", error) from error


def _failed(doing: str, error: BaseException) -> CannotServe:
    told = traceback.TracebackException.from_exception(error)
    _keep_user_frames(told)
    ended = f"{doing} ended the program" if isinstance(error, SystemExit) else f"{doing} failed"
    return CannotServe(f"The flow cannot be loaded: {ended}.\n{''.join(told.format()).rstrip()}")


def _keep_user_frames(told: traceback.TracebackException) -> None:
    ours = (__file__, "<frozen importlib", importlib.__file__ or "")
    told.stack[:] = [each for each in told.stack if not each.filename.startswith(ours)]
    for inner in (told.__cause__, told.__context__):
        if inner is not None:
            _keep_user_frames(inner)


# --- settings over what the flow says


def _override(target: Any, load: Load) -> None:
    try:
        if load.domain and getattr(target, "domain", None) != load.domain:
            _move(target, load.domain)
        if load.name and getattr(target, "name", None) != load.name:
            _rename(target, load.name)
    except AttributeError as error:
        raise CannotServe(
            f"--domain and --name cannot be put over those of {load.flow}: {error}.", exits.USAGE
        ) from error


def _move(target: Any, domain: str) -> None:
    target.domain = domain
    for each in activity.find_workflow_activities(target):
        each.domain = domain


def _rename(target: Any, name: str) -> None:
    """Rename the flow, and with it the activity types and lists, which begin with its name."""
    old = f"{getattr(target, 'name', '')}_"
    for each in activity.find_workflow_activities(target):
        each.name = f"{name}_{str(each.name).removeprefix(old)}"
        each.task_list = each.name
    target.name = name


# --- what SWF would refuse


def _text(target: Any, attribute: str, flow: str) -> str:
    value = getattr(target, attribute, None)
    if not isinstance(value, str) or not value:
        raise CannotServe(
            f"--flow {flow} has no {attribute!r}: a flow says its SWF domain and its name, as"
            f" {attribute} = '...' in the module or on the object; or give --{attribute}."
        )
    return value


def _activities(target: Any) -> dict[str, activity.Activity]:
    found = activity.find_workflow_activities(target)
    served = [each for each in found if not isinstance(each, activity.ExternalActivity)]
    return {str(each.task_list): each for each in served}


def _check(flow: Flow, load: Load) -> None:
    if not activity.find_workflow_activities(flow.target):
        raise CannotServe(
            f"--flow {load.flow} has no activities: make them with garcon's activity.create(...)"
            " and keep them as attributes of the flow."
        )
    try:
        validation.check(flow.target)
    except InvalidFlow as error:
        raise CannotServe(f"--flow {load.flow}: {error}") from error
    for what, name in (("domain", flow.domain), ("name", flow.name), *_named(flow)):
        if fault := _name_fault(name):
            raise CannotServe(f"SWF refuses the {what} {name!r}: it {fault}.")
    if not callable(getattr(flow.target, "decider", lambda: None)):
        raise CannotServe(f"--flow {load.flow}: its 'decider' is not a function.")


def _named(flow: Flow) -> list[tuple[str, str]]:
    return [("activity name", each) for each in flow.activities]


def _name_fault(name: str) -> str:
    if len(name) > limits.NAME:
        return f"has {len(name)} characters, more than {limits.NAME}"
    if name == "arn":
        return "is the one word that SWF keeps for itself"
    if name != name.strip():
        return "begins or ends with a space"
    found = limits.FORBIDDEN.search(name)
    return f"holds {found.group()!r}" if found else ""


def decider_worker(flow: Flow, stickiness: Stickiness | None = None) -> decider.DeciderWorker:
    """Garcon's decider for this flow; nothing is registered by making it."""
    how = decider.Sticky(**msgspec.structs.asdict(stickiness)) if stickiness else False
    return decider.DeciderWorker(flow.target, register=False, sticky=how)
