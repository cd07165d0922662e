"""The service over HTTP on 127.0.0.1, by uvicorn.

uvicorn speaks HTTP and nothing here does. Two things it does not offer are added: an ASGI
extension that resets a connection (for ordered faults), and an end without delay (waiting polls
are answered empty, half requests are dropped, signals end the program with 0 rather than by the
signal).
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

from garcon.local.app import ABORT, App
from garcon.local.clock import Clock, VirtualClock, WallClock
from garcon.local.exchange import Exchange
from garcon.local.injection import Injector
from garcon.local.options import Options
from garcon.local.service import Service
from garcon.local.site import Site

__all__ = ["Options", "Running", "serve"]

KEEP_ALIVE = 3600
"""Seconds an idle connection is kept. Clients keep theirs open and reuse them; a connection that
the server closes at that moment is an error that no test asked for."""

FAREWELL = 2
"""Seconds that requests in hand have at the end; milliseconds are enough."""

BACKLOG = 4096
"""Connections that may wait to be accepted: a thousand pollers may come at once."""


def serve(
    options: Options | None = None,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM; in another thread than the main one, until the process ends.

    Args:
        options: how; the defaults of `Options` if not given.
        on_ready: told the endpoint, for instance "http://127.0.0.1:4566", when it can be used.

    Raises:
        OSError: the port is taken.
        JournalError: the state file cannot be continued from.
    """
    with Running(options or Options()) as running:
        on_ready(running.endpoint)
        running.run()


@dataclass
class Running:
    """A server: its socket is open from the start, so clients may connect before it runs.

    Attributes:
        options: how it serves.
        clock: whose time it serves by; the wall's, or a virtual one, as the options say.
        seed: what run ids and the chance of faults are made from.
    """

    options: Options
    clock: Clock | None = None
    seed: int = field(init=False)
    _listening: socket.socket = field(init=False)
    _server: "Server" = field(init=False)

    def __post_init__(self) -> None:
        """Open the port, and read the state file if there is one."""
        options = self.options
        self._listening = _listen(options.port)
        try:
            state = Service(options.settings(), seed=options.seed, state=options.state)
        except BaseException:
            self._listening.close()
            raise
        self.seed = state.seed
        clock = self.clock or _clock(state.latest, virtual=options.virtual_time)
        self._server = Server(Exchange(state, clock), Injector(state.seed))

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def run(self) -> None:
        """Serve until told to stop."""
        self._server.run([self._listening])

    def stop(self) -> None:
        """Tell it to stop, from any thread; waiting polls are answered empty."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()


class Server(uvicorn.Server):
    """uvicorn with our end."""

    def __init__(self, exchange: Exchange, injector: Injector) -> None:
        self._exchange = exchange
        site = Site(exchange.service, exchange.clock, injector)
        super().__init__(_config(App(exchange, injector, site)))

    async def on_tick(self, counter: int) -> bool:
        """Whether to end, asked ten times a second: too if nothing can be kept any longer."""
        return await super().on_tick(counter) or self._exchange.failure is not None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the polls first: uvicorn waits for requests in hand."""
        self._exchange.end_polls()
        await super().shutdown(sockets)
        self._exchange.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but the signal is not raised again: ending when told is a success."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        for each in before:
            signal.signal(each, self.handle_exit)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


class Resettable(HttpToolsProtocol):
    """uvicorn's protocol with an ASGI extension that resets the connection."""

    def on_message_begin(self) -> None:
        """Called by the parser when a request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self._reset}  # type: ignore[dict-item]  # a callable is no dict

    def shutdown(self) -> None:
        """The server ends: a request of which there is more to come is not waited for."""
        if self.cycle and self.cycle.more_body:
            self.transport.close()
        super().shutdown()

    def _reset(self) -> None:
        if self.transport.is_closing():
            return  # the client went first
        # Closing with a linger of 0 s sends a reset rather than an orderly end.
        its_socket = self.transport.get_extra_info("socket")
        its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Resettable,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FAREWELL,
        backlog=BACKLOG,
    )


def _clock(latest: float, *, virtual: bool) -> Clock:
    """The wall's time, or one that begins there; never earlier than what has been."""
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
