"""The command that serves the console: ui."""

import argparse
import secrets
import socket
from pathlib import Path

from garcon import client as clients
from garcon.executions.calls import SwfCalls
from garcon.executions.commands import target
from garcon.executions.commands.output import Output
from garcon.executions.console.call_pace import CallPace
from garcon.executions.console.closed_histories import ClosedHistories, default_path
from garcon.executions.console.console_actions import ConsoleActions
from garcon.executions.console.console_reads import ConsoleReads

ADDRESS = "127.0.0.1"
KEY_BYTES = 16
STOP_SECONDS = 2  # for requests in progress; a call to SWF takes less


def ui(args: argparse.Namespace, out: Output) -> int:
    """``ui``: serve the console until INT or TERM."""
    client = target.client(args)
    try:
        import uvicorn  # noqa: PLC0415 - of the extra 'http'

        from garcon.executions.console.console_app import (  # noqa: PLC0415 - same
            Subject,
            application,
        )
    except ModuleNotFoundError as error:
        raise target.UsageError(
            f"The console needs {error.name}: pip install 'garcon[http]'."
        ) from error
    with _listening(args.port) as listening:
        domain, place = client.flow.domain, clients.where(getattr(client.flow, "client", None))
        subject = Subject(domain, place, _target(args), getattr(client.flow, "name", None) or "")
        CallPace().install(SwfCalls(client.flow).client)
        path = Path(args.cache) if args.cache else default_path()
        reads = ConsoleReads(client.flow, ClosedHistories(path, place, domain))
        actions = ConsoleActions(client) if args.allow_actions else None
        key = secrets.token_urlsafe(KEY_BYTES)
        app = application(subject, reads, actions, key)
        url = f"http://{ADDRESS}:{listening.getsockname()[1]}/?key={key}"
        about = f"Executions of {domain} at {place}: {url}"
        out.answer({"url": url, "domain": domain}, about)
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", timeout_graceful_shutdown=STOP_SECONDS
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _listening(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise target.UsageError(
            f"The console cannot listen on {ADDRESS}:{port}: {error.strerror}. "
            "Choose another --port; 0 takes a free one."
        ) from error
    return listening


def _target(args: argparse.Namespace) -> tuple[str, ...]:
    """The options that choose the target, for the commands that the page shows."""
    given = ((name, getattr(args, name)) for name in target.OPTIONS)
    return tuple(
        part
        for name, value in given
        if value
        for part in (f"--{name.replace('_', '-')}", str(value))
    )
