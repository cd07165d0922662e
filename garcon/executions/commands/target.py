"""The target of a command: an SWF, a flow and an execution.

The options that choose it may also come from the environment, ``--flow`` as ``GARCON_FLOW`` and so
on; the command line wins.
"""

import argparse
import contextlib
import difflib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from garcon import client as clients
from garcon.executions import flows, recorded_history
from garcon.executions.calls import SwfCalls
from garcon.executions.client import Client
from garcon.executions.commands import option_types
from garcon.executions.errors import NotAFlow, WorkflowError
from garcon.executions.recorded_history import Events
from garcon.executions.values import Execution

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})

ENVIRONMENT = "GARCON_"
"""Prefix of the environment's variables."""

NEARLY = 0.75
"""Resemblance of a mistyped name, from 0 to 1: one or two letters of six."""

OPTIONS: Mapping[str, Callable[[str], str]] = {
    "flow": option_types.text,
    "domain": option_types.text,
    "name": option_types.text,
    "region": option_types.text,
    "profile": option_types.text,
    "endpoint_url": option_types.address,
}
"""Options that the environment may give, with the check of their values."""


class UsageError(WorkflowError):
    """An argument or a variable of the environment is invalid."""


@dataclass(frozen=True, slots=True)
class SourcedHistory:
    """A history and its source.

    Attributes:
        execution: The execution.
        events: Its events.
        from_file: Whether a file was read, and not SWF.
    """

    execution: Execution
    events: Events
    from_file: bool


def add_environment(args: argparse.Namespace) -> None:
    """Take the options that the command line lacks from the environment.

    Raises:
        UsageError: The value of a variable is empty or invalid.
    """
    for option, check in OPTIONS.items():
        variable = f"{ENVIRONMENT}{option.upper()}"
        value = os.environ.get(variable)
        if value is None or getattr(args, option) is not None:
            continue
        try:
            setattr(args, option, check(value))
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"{variable} in the environment: {error}.") from error


def mistyped_variables() -> Iterator[str]:
    """A sentence for each variable of the environment whose name is nearly that of an option."""
    names = {option.upper() for option in OPTIONS}
    for variable in sorted(os.environ):
        name = variable.removeprefix(ENVIRONMENT)
        if name != variable and name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=NEARLY)
            if near:
                yield f"{variable} has no effect. Did you mean {ENVIRONMENT}{near[0]}?"


def flow(args: argparse.Namespace) -> Any:
    """The flow of ``--flow``.

    Raises:
        NotAFlow: It is missing or unknown, or its own code fails; then its traceback is printed.
    """
    if not args.flow:
        raise NotAFlow(f"{args.command_name} needs --flow MODULE[:NAME].")
    _configure(args)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the flow prints is not the answer
            return flows.load(args.flow, args.domain, args.name)
    except WorkflowError:
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise NotAFlow(
            f"The flow {args.flow} cannot be loaded: its own code raised {type(error).__name__}, "
            "see above."
        ) from error


def client(args: argparse.Namespace) -> Client:
    """A client of the flow, or of the domain if no flow is given.

    Raises:
        NotAFlow: Neither is given, or the flow cannot be loaded.
        RequestRefused: No SWF client can be made: no region, unknown profile.
    """
    _configure(args)
    if args.flow:
        of = flow(args)
    elif args.domain:
        of = SimpleNamespace(domain=args.domain, name=args.name)
    else:
        raise NotAFlow(f"{args.command_name} needs --flow MODULE[:NAME], or --domain DOMAIN.")
    _ = SwfCalls(of).client  # raises now, before the command has printed anything
    return Client(of)


def execution(args: argparse.Namespace, of: Client) -> Execution:
    """The run of the workflow id and ``--run-id``.

    Raises:
        NotFound: There is no such run.
    """
    if args.run_id:
        return Execution(args.execution, args.run_id)
    return of.find(args.execution)


def history(args: argparse.Namespace) -> SourcedHistory:
    """An execution and its history, from a file or from SWF.

    Raises:
        NotAHistory: The file does not hold a history.
        NotFound: There is neither such a file nor such an execution.
    """
    path = Path(args.execution)
    if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where an id is too long for a name
        from garcon.executions import history_check  # noqa: PLC0415 - loads SWF's service model

        events = history_check.check(recorded_history.load(path), args.execution)
        run = recorded_history.execution(events) or Execution(path.stem, "unknown")
        return SourcedHistory(run, events, from_file=True)
    if path.suffix == ".json":
        raise WorkflowError(f"There is no file {path}.")
    of = client(args)
    run = execution(args, of)
    return SourcedHistory(run, of.history(run), from_file=False)


def _configure(args: argparse.Namespace) -> None:
    """Point this process at the target's SWF; one on this host takes any credentials."""
    if _host(args.endpoint_url or os.environ.get("AWS_ENDPOINT_URL_SWF") or "") in LOCAL:
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    if args.region or args.profile or args.endpoint_url:
        clients.configure(region=args.region, profile=args.profile, endpoint_url=args.endpoint_url)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # botocore's variable is invalid; making the client will report it
        return None
