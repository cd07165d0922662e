"""The web UI: the page, its data, and the injection of faults.

    GET    /                     the page (and its style and scripts); HEAD as GET
    GET    /api/state            {"now", "virtual", "executions", "remembered", "lists", "counters",
                                 "faults"}
    GET    /api/history?run=ID   an execution and its events, see `page_json.history`
    GET    /api/faults           the faults in force
    POST   /api/faults           adds a fault, see `fault_injection.InjectedFault`
    DELETE /api/faults           removes all faults

Everything is read from the engine at the request; nothing is stored here.
"""

import json
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from garcon.history import build_notes
from garcon.local.engine.queries import ExecutionSummary
from garcon.local.service.clock import ServiceClock
from garcon.local.service.fault_injection import FaultInjector, read_fault
from garcon.local.service.service import Service
from garcon.page import page_files, page_json
from garcon.page.page_json import ShownExecution

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN_EXECUTIONS = 500
"""Executions in the page's list, the latest started first: more than a person reads, and quick."""

FILES = page_files.files_of("local")


@dataclass(frozen=True, slots=True)
class WebResponse:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes


class WebUI:
    """The page and its data.

    Args:
        service: source of executions, histories and task lists.
        clock: time of the service.
        injector: takes the faults.
    """

    def __init__(self, service: Service, clock: ServiceClock, injector: FaultInjector) -> None:
        self._service = service
        self._clock = clock
        self._injector = injector
        self._routes: dict[tuple[str, str], Callable[[bytes, bytes], WebResponse]] = {
            ("GET", "/api/state"): self._state,
            ("GET", "/api/history"): self._history,
            ("GET", "/api/faults"): self._list_faults,
            ("POST", "/api/faults"): self._add_fault,
            ("DELETE", "/api/faults"): self._remove_faults,
        }

    def answer(self, method: str, path: str, query: bytes, body: bytes) -> WebResponse:
        """The response to one request; for HEAD the server leaves the body out."""
        method = "GET" if method == "HEAD" else method
        if method == "GET" and path in FILES:
            body_of_file, content_type = page_files.content(FILES[path])
            return WebResponse(200, content_type, body_of_file)
        route = self._routes.get((method, path))
        return route(query, body) if route else _text(404, f"Not found: {method} {path}.")

    def _state(self, _query: bytes, _body: bytes) -> WebResponse:
        engine = self._service.engine
        counters = engine.counters
        executions = islice(engine.executions(), SHOWN_EXECUTIONS)
        return _json(
            {
                "now": self._clock.now(),
                "virtual": self._clock.virtual,
                "executions": page_json.listed([_shown(each) for each in executions]),
                "remembered": engine.remembered,
                "lists": [asdict(task_list) for task_list in engine.task_lists()],
                "counters": {
                    "calls": counters.calls.total(),
                    "throttled": counters.throttled.total(),
                    "timeouts": counters.timeouts.total(),
                    "ghosts": counters.ghosts,
                },
                "faults": self._faults(),
            }
        )

    def _history(self, query: bytes, _body: bytes) -> WebResponse:
        run_id = parse_qs(query.decode("latin-1")).get("run", [""])[0]
        try:
            execution = self._service.execution(run_id)
        except LookupError as error:
            return _text(404, str(error))
        events = self._service.engine.history(run_id)
        note = build_notes.latest(reversed(events))
        decided_by = f"build {note.build}" if note and note.build else ""
        shown = _shown(execution)
        return _json(page_json.history(shown, events, self._clock.now(), decided_by=decided_by))

    def _list_faults(self, _query: bytes, _body: bytes) -> WebResponse:
        return _json(self._faults())

    def _add_fault(self, _query: bytes, body: bytes) -> WebResponse:
        try:
            self._injector.add(read_fault(body))
        except ValueError as error:
            return _text(400, f"The fault is invalid: {error}.")
        return _json(self._faults())

    def _remove_faults(self, _query: bytes, _body: bytes) -> WebResponse:
        self._injector.clear()
        return _json(self._faults())

    def _faults(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._injector.faults]


def _shown(execution: ExecutionSummary) -> ShownExecution:
    return ShownExecution(**asdict(execution))


def _json(value: Any) -> WebResponse:
    return WebResponse(200, "application/json", json.dumps(value).encode())


def _text(status: int, sentence: str) -> WebResponse:
    return WebResponse(status, "text/plain; charset=utf-8", sentence.encode())
