"""The console's requests: the page, its data, and the actions.

    GET  /                the page, its style and scripts
    GET  /api/console     {"domain", "place", "target", "flow", "token"}: what the page is about
    GET  /api/executions  ?where=KEY=VALUE&started=&ties=  a page of the list
    GET  /api/count       ?where=KEY=VALUE                 the number of executions
    GET  /api/stuck       ?where=KEY=VALUE                 open executions that do not go on
    GET  /api/history     ?id=&run=&started=               an execution, see `page_json.history`
    GET  /api/lists       ?id=&run=                        task lists in which its tasks wait
    GET  /api/domain-lists                         task lists of the domain, with waiting counts
    GET  /api/claim       ?claim=&characters=              the text of a claim
    POST /api/actions     with the header x-garcon-token, see `console_actions`

A failure is {"error": sentence}. All under /api/ needs the key of the console's address: other
users of this machine can connect to it, too, and the calls have the credentials of the user who
started it.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from garcon import claims
from garcon.executions.console.console_actions import ConsoleActions
from garcon.executions.console.console_reads import ConsoleReads, Cursor
from garcon.executions.errors import InputNotSendable, NotFound, RequestRefused, WorkflowError
from garcon.executions.recorded_history import LATEST
from garcon.executions.values import Execution
from garcon.page import own_origin, page_files

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

FILES = page_files.files_of("console", "actions.js", "answers.js", "command_dialog.js")

LARGEST_ACTION = 2**20  # bytes of a request; SWF takes 32,768 characters of input

NO_KEY = "Open the address that `python -m garcon ui` printed: it has the key of this console."

Answer: TypeAlias = Callable[["Request"], Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of the page.

    Attributes:
        domain: The domain.
        place: The endpoint and its region.
        target: The options of ``python -m garcon`` that choose them.
        flow: The name of the flow, if one was chosen.
    """

    domain: str
    place: str
    target: tuple[str, ...]
    flow: str


def application(
    subject: Subject, reads: ConsoleReads, actions: ConsoleActions | None, key: str
) -> "ASGIApp":
    """The ASGI application.

    Args:
        subject: What the page is about.
        reads: Answers the page's questions.
        actions: Makes changes; ``None`` if they are not allowed.
        key: What the address has to bring, as ``/?key=...``; a cookie keeps it.
    """
    routes = ConsoleRoutes(subject, reads, actions)
    answers: dict[str, Answer] = {
        "console": routes.console,
        "executions": routes.executions,
        "count": lambda asked: reads.count(asked.query_params.getlist("where")),
        "stuck": lambda asked: reads.stuck(asked.query_params.getlist("where")),
        "history": routes.history,
        "lists": lambda asked: reads.task_lists(_run(asked)),
        "domain-lists": lambda _: reads.domain_lists(),
        "claim": routes.claim,
    }
    return OwnPageOnly(
        Starlette(
            routes=[
                *(Route(path, _file) for path in FILES),
                *(Route(f"/api/{name}", _json(answer)) for name, answer in answers.items()),
                Route("/api/actions", routes.act, methods=["POST"]),
            ]
        ),
        key,
    )


class OwnPageOnly:
    """Refuses requests of other machines, pages and users; adds the headers that bind a browser."""

    def __init__(self, app: "ASGIApp", key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = ((name.encode(), value.encode()) for name, value in page_files.SAFETY_HEADERS)
                message["headers"] = [*message["headers"], *own]
            await send(message)

        answer = self._own_answer(HTTPConnection(scope), scope)
        await (answer or self._app)(scope, receive, send_safely)

    def _own_answer(self, asked: HTTPConnection, scope: "Scope") -> Response | None:
        """A refusal, or the cookie for the key; ``None`` to serve the request."""
        if refused := own_origin.refusal(scope, own_port=scope["method"] == "POST"):
            return PlainTextResponse(refused, 403)
        # The port is a part of the name, because a browser sends cookies to all ports of a host.
        cookie = f"garcon-console-{scope['server'][1]}"
        if scope["path"] == "/" and self._is_key(asked.query_params.get("key", "")):
            opened = RedirectResponse("/", 303)
            opened.set_cookie(cookie, self._key, httponly=True, samesite="strict")
            return opened
        if scope["path"].startswith("/api/") and not self._is_key(asked.cookies.get(cookie, "")):
            return JSONResponse({"error": NO_KEY}, 403)
        return None

    def _is_key(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._key.encode())


class ConsoleRoutes:
    """The answers that need more than a call of ``ConsoleReads``."""

    def __init__(
        self, subject: Subject, reads: ConsoleReads, actions: ConsoleActions | None
    ) -> None:
        self._subject = subject
        self._reads = reads
        self._actions = actions

    def console(self, _: "Request") -> dict[str, Any]:
        """The subject of the page, and the token for changes."""
        return {
            "domain": self._subject.domain,
            "place": self._subject.place,
            "target": self._subject.target,
            "flow": self._subject.flow,
            "token": self._actions.token if self._actions else None,
        }

    def executions(self, asked: "Request") -> dict[str, Any]:
        """A page of the list."""
        started = _seconds(asked, "started")
        ties = int(_seconds(asked, "ties") or 0)
        after = None if started is None else Cursor(started, ties)
        return self._reads.executions(asked.query_params.getlist("where"), after)

    def history(self, asked: "Request") -> dict[str, Any]:
        """An execution and its history."""
        return self._reads.history(_run(asked), _seconds(asked, "started"))

    def claim(self, asked: "Request") -> dict[str, Any]:
        """The text of a claim."""
        try:
            return {"text": claims.get({claims.CLAIM: asked.query_params.get("claim", "")})}
        except claims.ClaimNotFound as error:
            raise NotFound(str(error)) from error
        except claims.ClaimStoreUnavailable as error:
            raise RequestRefused(str(error), transient=True) from error

    async def act(self, asked: "Request") -> Response:
        """Make a change."""
        if self._actions is None:
            sentence = "This console makes no changes: start it with --allow-actions."
            return JSONResponse({"error": sentence}, 403)
        if not self._actions.takes(asked.headers.get("x-garcon-token", "")):
            return JSONResponse({"error": "The token is not this console's: load the page."}, 403)
        if int(asked.headers.get("content-length") or LARGEST_ACTION + 1) > LARGEST_ACTION:
            return JSONResponse({"error": "The action is too large."}, 413)
        try:
            members = await asked.json()
            done = await run_in_threadpool(self._actions.carry_out, members)
            return JSONResponse(done)
        except (JSONDecodeError, UnicodeDecodeError, RecursionError):
            return JSONResponse({"error": "An action is a JSON object of texts."}, 400)
        except WorkflowError as error:
            return _failure(error)


def _file(asked: "Request") -> Response:
    body, content_type = page_files.content(FILES[asked.url.path])
    return Response(body, headers={"content-type": content_type})


def _json(answer: Answer) -> Callable[["Request"], Response]:
    def respond(asked: "Request") -> Response:
        try:
            return JSONResponse(answer(asked))
        except WorkflowError as error:
            return _failure(error)

    return respond


def _failure(error: WorkflowError) -> Response:
    if isinstance(error, NotFound):
        status = 404
    elif isinstance(error, RequestRefused):
        status = 503 if error.transient else 502
    else:
        status = 400
    return JSONResponse({"error": str(error)}, status)


def _run(asked: "Request") -> Execution:
    run = Execution(asked.query_params.get("id", ""), asked.query_params.get("run", ""))
    if not (run.workflow_id and run.run_id):
        raise InputNotSendable("An execution has 'id' and 'run'.")
    return run


def _seconds(asked: "Request", name: str) -> float | None:
    text = asked.query_params.get(name)
    if not text:
        return None
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) < LATEST:
            return seconds
    raise InputNotSendable(f"{name!r} is a number of seconds, not {text!r}.")
