"""The service over HTTP on 127.0.0.1, by uvicorn.

uvicorn handles HTTP. Two features are added: an ASGI extension that resets a connection (for
injected faults), and a stop without delay (waiting polls are answered empty, incomplete requests
are dropped, and after a signal the program ends with 0 rather than by the signal).
"""

import contextlib
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from garcon.local.http.app import ABORT, App
from garcon.local.http.async_service import AsyncService
from garcon.local.http.web_ui import WebUI
from garcon.local.server_options import ServerOptions
from garcon.local.service.clock import ServiceClock, VirtualClock, WallClock
from garcon.local.service.fault_injection import FaultInjector
from garcon.local.service.service import Service

__all__ = ["LocalServer", "ServerOptions", "serve"]

KEEP_ALIVE = 3600
"""Seconds an idle connection is kept. Clients keep theirs open and reuse them; a connection that
the server closes at that moment would be an error that no test injected."""

STOP_TIMEOUT = 2
"""Seconds that requests in progress have at the stop; they need milliseconds."""

BACKLOG = 4096
"""Connections that may wait to be accepted: a thousand pollers may connect at once."""


def serve(
    options: ServerOptions | None = None,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM; outside the main thread, until the process ends.

    Args:
        options: the options of the server; the defaults of `ServerOptions` without them.
        on_ready: called with the endpoint, for instance "http://127.0.0.1:4566", once clients can
            connect.

    Raises:
        OSError: the port is in use.
        JournalError: the state file cannot be continued.
    """
    with LocalServer(options or ServerOptions()) as running:
        on_ready(running.endpoint)
        running.run()


@dataclass
class LocalServer:
    """A server; its socket is open from the start, so clients may connect before `run`.

    Attributes:
        options: the options of the server.
        clock: the time of the service; by default the one in the options.
        seed: source of run ids and of the chance of faults.
    """

    options: ServerOptions
    clock: ServiceClock | None = None
    seed: int = field(init=False)
    _listening: socket.socket = field(init=False)
    _service: AsyncService = field(init=False)
    _server: "Server" = field(init=False)

    def __post_init__(self) -> None:
        """Open the port, and read the state file if there is one."""
        options = self.options
        self._listening = _listen(options.port)
        try:
            service = Service(options.settings(), seed=options.seed, state=options.state)
        except BaseException:
            self._listening.close()
            raise
        self.seed = service.seed
        clock = self.clock or _clock(service.latest, virtual=options.virtual_time)
        self._service = AsyncService(service, clock)
        self._server = Server(self._service, FaultInjector(self.seed))

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def run(self) -> None:
        """Serve until stopped."""
        self._server.run([self._listening])

    def stop(self) -> None:
        """Stop the server, from any thread; waiting polls are answered empty."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._service.close()


class Server(uvicorn.Server):
    """uvicorn's server with a stop that answers the waiting polls."""

    def __init__(self, service: AsyncService, injector: FaultInjector) -> None:
        self._service = service
        web_ui = WebUI(service.service, service.clock, injector)
        super().__init__(_config(App(service, injector, web_ui)))

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop, checked ten times a second: also if inputs can no longer be kept."""
        return await super().on_tick(counter) or self._service.failure is not None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the polls first: uvicorn waits for requests in progress."""
        self._service.end_polls()
        await super().shutdown(sockets)
        self._service.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but the signal is not raised again: a requested stop is a success."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class ResettableProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an ASGI extension that resets the connection."""

    def on_message_begin(self) -> None:
        """Called by the parser when a request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self._reset}  # type: ignore[dict-item]  # a callable is no dict

    def shutdown(self) -> None:
        """Stop, and do not wait for the rest of an incomplete request."""
        if self.cycle and self.cycle.more_body:
            self.transport.close()
        super().shutdown()

    def _reset(self) -> None:
        if self.transport.is_closing():
            return  # the client closed it first
        # Closing with a linger of 0 s sends a reset rather than an orderly end.
        its_socket = self.transport.get_extra_info("socket")
        its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ResettableProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=STOP_TIMEOUT,
        backlog=BACKLOG,
    )


def _clock(latest: float, *, virtual: bool) -> ServiceClock:
    """The wall's time or a virtual one from now on; never earlier than the latest input."""
    wall = WallClock(latest)
    return VirtualClock(wall.now()) if virtual else wall


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
