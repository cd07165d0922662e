"""Where a command works: which SWF, which flow, which execution."""

import argparse
import os
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from garcon import client as clients
from garcon.workflow import flows, history
from garcon.workflow.client import Client
from garcon.workflow.errors import NotAFlow, Refused, WorkflowError
from garcon.workflow.history import Events
from garcon.workflow.values import Execution

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def flow(said: argparse.Namespace) -> Any:
    """The flow of ``--flow``.

    Raises:
        NotAFlow: It is not given, not there, or its own code fails; then its traceback is shown.
    """
    if not said.flow:
        raise NotAFlow(f"Which flow? {said.name_of_command} needs --flow MODULE[:NAME].")
    _use(said)
    try:
        return flows.load(said.flow, said.domain, said.name)
    except WorkflowError:
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise NotAFlow(
            f"The flow {said.flow} cannot be loaded: its own code raised {type(error).__name__}, "
            "see above."
        ) from error


def client(said: argparse.Namespace) -> Client:
    """A client of the flow, or of the domain if no flow is given.

    Raises:
        NotAFlow: Neither is given, or the flow cannot be loaded.
        Refused: No client can be made: no region, unknown profile.
    """
    _use(said)
    if said.flow:
        target = flow(said)
    elif said.domain:
        target = SimpleNamespace(domain=said.domain, name=said.name)
    else:
        raise NotAFlow("In which domain? Give --flow MODULE[:NAME], or --domain.")
    try:
        clients.calling(getattr(target, "client", None))
    except clients.ERRORS as error:
        raise Refused(
            clients.explain(error, "making an SWF client").sentence, passing=False
        ) from error
    except ValueError as error:
        raise Refused(f"No SWF client can be made: {error}.", passing=False) from error
    return Client(target)


def execution(said: argparse.Namespace, of: Client) -> Execution:
    """The run that is meant.

    Raises:
        NotFound: There is none.
    """
    if said.run_id:
        return Execution(said.execution, said.run_id)
    return of.find(said.execution)


def told(said: argparse.Namespace) -> tuple[Execution, Events]:
    """An execution and its history, from a file or from SWF.

    Raises:
        NotAHistory: The file holds none.
        NotFound: There is neither such a file nor such an execution.
    """
    path = Path(said.execution)
    if path.is_file():
        events = history.load(path)
        return history.execution(events) or Execution(path.stem, "unknown"), events
    if path.suffix == ".json":
        raise WorkflowError(f"There is no file {path}.")
    of = client(said)
    run = execution(said, of)
    return run, of.history(run)


def _use(said: argparse.Namespace) -> None:
    """Point the process at the SWF that is meant; one on this host takes any credentials."""
    url = said.endpoint_url or os.environ.get("AWS_ENDPOINT_URL_SWF") or ""
    if urlsplit(url).hostname in LOCAL:
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    if said.region or said.profile or said.endpoint_url:
        clients.configure(region=said.region, profile=said.profile, endpoint_url=said.endpoint_url)
