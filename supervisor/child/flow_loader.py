"""Loads the user's flow, checks it, and lists the task lists to serve.

Rules:

1. A flow is named ``package.module`` (the module is the flow), ``package.module:object`` or
   ``package.module:Class`` (built with what its constructor asks for, see ``class_flow``).
2. The flow is user code: it may raise, exit or print. Its errors are shown with the user's own
   frames, without those of the import machinery and of this file.
3. A flow that SWF would refuse later is refused here, in a sentence: invalid names, no activities.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError

from garcon import activity, claims, client, decider
from garcon.activity.renaming import rename
from garcon.aws import limits
from garcon.decider import flow_validation
from garcon.errors import InvalidFlow
from garcon.flow import class_flow, flow_attributes
from garcon.flow.build_id import default_build_id
from garcon.retry import policy_of
from supervisor import exit_codes
from supervisor.child import swf_endpoint
from supervisor.ipc.messages import Role, TaskList
from supervisor.logs import log, tracebacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import Load


class CannotServe(Exception):
    """The flow cannot be served; the message is for its author or the operator."""

    def __init__(self, why: str, code: int = exit_codes.FLOW) -> None:
        super().__init__(why)
        self.code = code


class Flow(msgspec.Struct, frozen=True):
    """A loaded flow, as the workers need it."""

    target: Any  # the user's module or object
    domain: str
    name: str
    version: str
    activities: dict[str, activity.Activity]  # by task list; without those handled elsewhere
    may_register_domain: bool = True
    external_lists: tuple[str, ...] = ()
    build: str = ""  # id of its code; empty if it has no files and --build names none

    @property
    def restart_unset(self) -> tuple[str, ...]:
        """Activities that fail with their worker, and whose author did not say so.

        That is, with ``retry=0``, and neither ``restartable=True`` nor ``False``.
        """
        return tuple(
            name.removeprefix(f"{self.name}_")
            for name, each in self.activities.items()
            if policy_of(each.retry).maximum == 0 and not _sets_restartable(each)
        )

    @property
    def heartbeat_timeouts(self) -> dict[str, float]:
        """Seconds of the heartbeat timeouts, by task list; without those that need a context."""
        found = {name: _heartbeat_timeout(each) for name, each in self.activities.items()}
        return {name: seconds for name, seconds in found.items() if seconds}

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
    swf_endpoint.use(load.swf)
    _use_claims(load.claims)
    try:
        flow = _read(load)
        _warm(flow)
    except CannotServe:
        raise
    except BaseException as error:  # user code: properties, __getattr__, __dir__ and the like
        raise _failed(f"reading {load.flow}", error) from error
    return flow


def _read(load: Load) -> Flow:
    found = _find(load)
    _refuse_patches(load)
    # A mistyped --domain would become a domain, and SWF deletes none.
    named_by_flow = load.domain in (None, getattr(found, "domain", None))
    target = _build(found, load) if inspect.isclass(found) else found
    _override(target, load)
    flow = Flow(
        target=target,
        domain=_text(target, "domain", load.flow),
        name=_text(target, "name", load.flow),
        version=flow_attributes.version(target),
        activities=_activities(target),
        external_lists=_external_lists(target),
        may_register_domain=named_by_flow or load.register_domain or load.swf.local,
        build=load.build or default_build_id(load.flow.partition(":")[0]),
    )
    _check(flow, load)
    return flow


def _use_claims(url: str | None) -> None:
    """Choose the claim store before the import: the flow may choose another one."""
    if url:
        os.environ[claims.ENVIRONMENT] = url
    try:
        claims.store()
    except ValueError as error:
        raise CannotServe(f"--claims: {error}", exit_codes.USAGE) from error


def _warm(flow: Flow) -> None:
    """Build the clients here, once, for all workers; their first use comes after the fork."""
    owners = [*flow.activities.values(), flow.target]
    own = {id(each): each for each in (getattr(owner, "client", None) for owner in owners)}
    try:
        client.warm(*own.values())
    except BotoCoreError as error:
        problem = client.explain(error, "making an SWF client")
        raise CannotServe(problem.sentence, exit_codes.USAGE) from error
    except ValueError as error:  # an invalid endpoint address
        raise CannotServe(
            f"No SWF client can be made: {error}. Check the region and the endpoint's address.",
            exit_codes.USAGE,
        ) from error


# --- finding the flow -----------------------------------------------------------------------------


def _find(load: Load) -> Any:
    module_name, _, attribute = load.flow.partition(":")
    found: Any = _import(module_name)
    for part in filter(None, attribute.split(".")):
        if not hasattr(found, part):
            raise CannotServe(f"--flow {load.flow}: {module_name} has no {attribute!r}.")
        found = getattr(found, part)
    return found


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
            raise CannotServe(f"--flow {name!r} is not a module name.", exit_codes.USAGE) from error
        raise _failed(f"importing {name}", error) from error
    except BaseException as error:  # user code, sys.exit() included
        raise _failed(f"importing {name}", error) from error


def _build(flow_class: Any, load: Load) -> Any:
    try:
        return class_flow.build(flow_class, load.domain, load.name, client.calling)
    except class_flow.CannotBuild as error:
        raise CannotServe(f"--flow {load.flow} {error}.", exit_codes.USAGE) from error
    except BaseException as error:  # user code
        raise _failed(f"building {load.flow}", error) from error


def _failed(doing: str, error: BaseException) -> CannotServe:
    ended = f"{doing} ended the program" if isinstance(error, SystemExit) else f"{doing} failed"
    trace = "".join(f"\n  {line}" for line in tracebacks.lines(error))
    return CannotServe(f"The flow cannot be loaded: {ended}.{trace}")


_PATCHES = (("gevent.monkey", "saved"), ("eventlet.patcher", "already_patched"))
"""Modules that patch the standard library, and the dictionary where each notes what it patched."""


def _refuse_patches(load: Load) -> None:
    for module, patched in _PATCHES:
        if getattr(sys.modules.get(module), patched, None):
            name = module.partition(".")[0]
            raise CannotServe(
                f"--flow {load.flow}: its import has patched the standard library with {name},"
                f" which is not supported: workers are processes, and fork after the import. Leave"
                f" {name}'s monkey-patching out."
            )


def _heartbeat_timeout(served: activity.Activity) -> float | None:
    if served.runner is None:
        return None
    try:
        return activity.ActivityInstance(served).heartbeat_timeout
    except Exception:  # noqa: BLE001 - the user's task lists run here, and may need the context
        log.LOGGER.debug("No heartbeat timeout for %s.", served.name, exc_info=True)
        return None


def _sets_restartable(served: activity.Activity) -> bool:
    """Whether the option was given, or a class of the user's has it."""
    own = (kind for kind in type(served).__mro__ if kind is not activity.Activity)
    return any("restartable" in vars(each) for each in (served, *own))


# --- settings that override the flow --------------------------------------------------------------


def _override(target: Any, load: Load) -> None:
    try:
        rename(target, load.domain, load.name)
    except AttributeError as error:
        raise CannotServe(
            f"--domain and --name cannot override those of {load.flow}: {error}.",
            exit_codes.USAGE,
        ) from error


# --- checks ---------------------------------------------------------------------------------------


def _text(target: Any, attribute: str, flow: str) -> str:
    value = getattr(target, attribute, None)
    if not isinstance(value, str) or not value:
        raise CannotServe(
            f"--flow {flow} has no {attribute!r}. Set {attribute} = '...' in the module or on the"
            f" object, or give --{attribute}."
        )
    return value


def _activities(target: Any) -> dict[str, activity.Activity]:
    found = activity.find_workflow_activities(target)
    served = [each for each in found if not isinstance(each, activity.ExternalActivity)]
    return {str(each.task_list): each for each in served}


def _external_lists(target: Any) -> tuple[str, ...]:
    found = activity.find_workflow_activities(target)
    external = (each for each in found if isinstance(each, activity.ExternalActivity))
    return tuple(str(each.task_list) for each in external)


def _check(flow: Flow, load: Load) -> None:
    if not activity.find_workflow_activities(flow.target):
        raise CannotServe(
            f"--flow {load.flow} has no activities. Make them with garcon's activity.create(...)"
            " and keep them as attributes of the flow."
        )
    try:
        flow_validation.check(flow.target)
    except InvalidFlow as error:
        raise CannotServe(f"--flow {load.flow}: {error}") from error
    for hook in ("on_worker_start", "on_worker_stop"):
        if fault := _hook_fault(flow.target, hook):
            raise CannotServe(f"--flow {load.flow}: its {hook!r} {fault}.")
    for what, name in _names(flow):
        if fault := limits.name_fault(name, limits.VERSION if what == "version" else limits.NAME):
            raise CannotServe(f"SWF refuses the {what} {name!r}: it {fault}.")
    _check_defaults(flow, load)


def _check_defaults(flow: Flow, load: Load) -> None:
    """Refuse tags and a priority with which SWF starts no execution."""
    priority = flow_attributes.priority(flow.target)
    faults = (
        limits.tags_fault(flow_attributes.tags(flow.target)),
        "" if priority is None else limits.priority_fault(priority),
    )
    if any(faults):
        raise CannotServe(f"--flow {load.flow}: {' '.join(filter(None, faults))}")


def _names(flow: Flow) -> Iterator[tuple[str, str]]:
    """The names that SWF gets, each after what it names."""
    yield from (("domain", flow.domain), ("name", flow.name), ("version", flow.version))
    for each in activity.find_workflow_activities(flow.target):
        yield "activity name", str(each.name)
        yield "task list", str(each.task_list)


def _hook_fault(target: Any, name: str) -> str:
    """The fault in a hook of the flow; empty if it has no fault, or there is no such hook."""
    hook = getattr(target, name, None)
    if hook is None:
        return ""
    if not callable(hook) or inspect.iscoroutinefunction(hook):
        return "has to be a plain function without parameters"
    try:
        inspect.signature(hook).bind()
    except TypeError:
        return "is called without arguments, and needs some"
    except ValueError:
        return ""  # its parameters are unknown
    return ""


def decider_worker(
    flow: Flow, sticky: decider.Sticky | None = None, build: decider.Build | None = None
) -> decider.DeciderWorker:
    """Garcon's decider for this flow; it registers nothing."""
    return decider.DeciderWorker(flow.target, register=False, sticky=sticky or False, build=build)
