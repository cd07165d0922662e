"""The process of the monitor: it listens, serves, and ends with its channel.

It asks the supervisor only when it is asked itself, so an idle supervisor is not woken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from supervisor import sidecars
from supervisor.config.setting_types import HttpAddress
from supervisor.ipc import messages
from supervisor.logs import log
from supervisor.sidecars.monitor.pool_actions import PoolActions
from supervisor.sidecars.monitor.routes import application
from supervisor.sidecars.observation import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from supervisor.ipc.channel import Channel

BACKLOG = 128
"""Connections that may wait to be accepted: browsers and scrapers, not workers."""

STOP_SECONDS = 1
"""Seconds that requests in progress have at the end; pages that are open live are cut off."""


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Serve until the supervisor asks this process to end, or is gone."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its end is not worth a line
    address = HttpAddress.parse(order.http)
    try:
        listener = listen(address)
    except OSError as error:
        log.LOGGER.error(
            "Metrics and health are not served: %s: %s. Give --http another address, or end the"
            " program that listens there.",
            address,
            error.strerror or error,
        )
        raise SystemExit(1) from None
    with listener:
        where = address if address.path else HttpAddress.parse(_bound(listener))
        with _allowed_actions(order) as actions:
            log.LOGGER.info("Serving metrics and health at %s.", _url(where))
            channel.send(messages.SidecarReady(order.name))
            served = application(Source(order.control, order.flow_name), where, actions)
            asyncio.run(_serve(channel, served, listener))


@contextlib.contextmanager
def _allowed_actions(order: messages.RunSidecar) -> Iterator[PoolActions | None]:
    """The changes that the page may make, with a key that is gone at the end."""
    actions = _published_actions(order) if order.http_actions else None
    # uvicorn sends SIGTERM again when it has stopped: by default it would end the process here.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield actions
    finally:
        if actions:
            with contextlib.suppress(OSError):  # it is no longer valid
                actions.withdraw_key()


def _published_actions(order: messages.RunSidecar) -> PoolActions | None:
    actions = PoolActions(order.control)
    try:
        actions.publish_key()
    except OSError as error:
        log.LOGGER.error(
            "The page changes nothing, because its key cannot be written to %s: %s. Give --control"
            " a path in a folder of the supervisor's user.",
            actions.key_file,
            error.strerror or error,
        )
        return None
    log.LOGGER.info("The page changes the pool for those who have the key in %s.", actions.key_file)
    return actions


def listen(address: HttpAddress) -> socket.socket:
    """A listening socket. Raises ``OSError``."""
    if not address.path:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        if Path(address.path).is_socket():  # of a monitor before this one
            Path(address.path).unlink()
    listener.bind(address.path)
    os.chmod(address.path, 0o660)  # noqa: PTH101 - a group may scrape; others may not
    listener.listen(BACKLOG)
    return listener


def _bound(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _url(address: HttpAddress) -> str:
    return str(address) if address.path else f"http://{address}"


async def _serve(channel: Channel, served: ASGIApp, listener: socket.socket) -> None:
    config = uvicorn.Config(
        served,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)

    def on_packet() -> None:
        if channel.receive() is None:
            asyncio.get_running_loop().remove_reader(channel.fileno())
            server.should_exit = True

    asyncio.get_running_loop().add_reader(channel.fileno(), on_packet)
    await server.serve(sockets=[listener])


if __name__ == "__main__":
    sidecars.run_sidecar(main)
