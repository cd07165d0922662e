"""What is served beside SWF: the page, what it shows, and the orders of faults.

    GET    /                     the page (and its style and scripts); HEAD is taken for GET
    GET    /api/state            {"now", "virtual", "executions", "remembered", "lists", "counters",
                                 "faults"}
    GET    /api/history?run=ID   {"execution", "events"}, the events as on the wire
    GET    /api/faults           the orders in force
    POST   /api/faults           one more order, see `injection.Injected`
    DELETE /api/faults           withdraws all orders

Everything is read from the engine when asked; nothing is stored here.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from garcon.local.clock import Clock
from garcon.local.injection import Injector, read_order
from garcon.local.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN_EXECUTIONS = 500
"""Executions in the page's list, the latest started first: more than a person reads, and quick."""

SAFETY = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    ),
)
"""Headers of every page: what workflows hold may be anybody's text, so the browser runs and loads
only what comes from here."""

SCRIPTS = ("page.js", "element.js", "story.js", "timeline.js")

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{f"/{name}": (name, "text/javascript; charset=utf-8") for name in SCRIPTS},
}


@dataclass(frozen=True, slots=True)
class Page:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = SAFETY


class Site:
    """The page and its data.

    Args:
        service: what is shown.
        clock: the time shown.
        injector: takes the orders.
    """

    def __init__(self, service: Service, clock: Clock, injector: Injector) -> None:
        self._service = service
        self._clock = clock
        self._injector = injector
        self._routes: dict[tuple[str, str], Callable[[bytes, bytes], Page]] = {
            ("GET", "/api/state"): self._state,
            ("GET", "/api/history"): self._history,
            ("GET", "/api/faults"): self._faults,
            ("POST", "/api/faults"): self._order,
            ("DELETE", "/api/faults"): self._withdraw,
        }

    def answer(self, method: str, path: str, query: bytes, body: bytes) -> Page:
        """The response to one request; the server leaves the body out where HEAD was asked."""
        method = "GET" if method == "HEAD" else method
        if method == "GET" and path in FILES:
            return _file(*FILES[path])
        route = self._routes.get((method, path))
        return route(query, body) if route else _text(404, f"There is nothing at {method} {path}.")

    def _state(self, _query: bytes, _body: bytes) -> Page:
        engine = self._service.engine
        counters = engine.counters
        return _json(
            {
                "now": self._clock.now(),
                "virtual": self._clock.virtual,
                "executions": [
                    asdict(each) for each in islice(engine.executions(), SHOWN_EXECUTIONS)
                ],
                "remembered": engine.remembered,
                "lists": [asdict(each) for each in engine.task_lists()],
                "counters": {
                    "calls": counters.calls.total(),
                    "throttled": counters.throttled.total(),
                    "timeouts": counters.timeouts.total(),
                    "ghosts": counters.ghosts,
                },
                "faults": self._orders(),
            }
        )

    def _history(self, query: bytes, _body: bytes) -> Page:
        run_id = parse_qs(query.decode()).get("run", [""])[0]
        try:
            execution = self._service.execution(run_id)
        except LookupError as error:
            return _text(404, str(error))
        return _json(
            {"execution": asdict(execution), "events": self._service.engine.history(run_id)}
        )

    def _faults(self, _query: bytes, _body: bytes) -> Page:
        return _json(self._orders())

    def _order(self, _query: bytes, body: bytes) -> Page:
        try:
            self._injector.add(read_order(body))
        except ValueError as error:
            return _text(400, f"This order cannot be carried out: {error}.")
        return _json(self._orders())

    def _withdraw(self, _query: bytes, _body: bytes) -> Page:
        self._injector.clear()
        return _json(self._orders())

    def _orders(self) -> list[dict[str, Any]]:
        return [asdict(order) for order in self._injector.orders]


@cache
def _file(name: str, content_type: str) -> Page:
    return Page(200, content_type, files("garcon.local").joinpath("page", name).read_bytes())


def _json(value: Any) -> Page:
    return Page(200, "application/json", json.dumps(value).encode())


def _text(status: int, sentence: str) -> Page:
    return Page(status, "text/plain; charset=utf-8", sentence.encode())
