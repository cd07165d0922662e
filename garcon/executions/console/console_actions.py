"""The changes that the console makes: signal, cancel, terminate, redrive, start.

They need the token that the page reads at its start. A page of another origin can read neither the
token nor any answer, so it cannot make a browser send a change.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from garcon.executions import request
from garcon.executions.client import Client
from garcon.executions.errors import InputNotSendable
from garcon.executions.values import Execution

TOKEN_BYTES = 32


class ConsoleActions:
    """The changes in one domain.

    Args:
        client: Executions of the flow, or of its domain.

    Attributes:
        token: What each request has to bring.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self._actions: Mapping[str, Callable[[Mapping[str, str]], str]] = {
            "signal": self._signal,
            "cancel": self._cancel,
            "terminate": self._terminate,
            "start": self._start,
            "redrive": self._redrive,
        }

    def takes(self, token: str) -> bool:
        """Whether a request brought the token."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    def carry_out(self, members: Any) -> dict[str, Any]:
        """Make the change of a request.

        Args:
            members: ``action`` with its name, and the texts that it takes.

        Returns:
            ``done``, a sentence.

        Raises:
            InputNotSendable: The request or its input is invalid.
            NotFound: There is no such open execution.
            RequestRefused: SWF refused the call.
        """
        if not isinstance(members, dict) or not all(isinstance(x, str) for x in members.values()):
            raise InputNotSendable("An action is a JSON object of texts.")
        action = self._actions.get(members.get("action", ""))
        if action is None:
            raise InputNotSendable(f"An action is one of {', '.join(self._actions)}.")
        return {"done": action(members)}

    def _signal(self, members: Mapping[str, str]) -> str:
        run, name = _run(members), _given(members, "name")
        self._client.signal(run, name, _json(members.get("input", "")))
        return f"Sent the signal {name} to {run.workflow_id}."

    def _cancel(self, members: Mapping[str, str]) -> str:
        run = _run(members)
        self._client.cancel(run)
        return f"Asked {run.workflow_id} to cancel; its decider decides."

    def _terminate(self, members: Mapping[str, str]) -> str:
        run = _run(members)
        self._client.terminate(run, members.get("reason") or None)
        return f"Terminated {run.workflow_id}."

    def _redrive(self, members: Mapping[str, str]) -> str:
        run = _run(members)
        self._client.redrive(run, members.get("from") or None)
        return f"{run.workflow_id} goes on in a new run."

    def _start(self, members: Mapping[str, str]) -> str:
        values = _json(members.get("input", ""))
        request.check_object({} if values is None else values, "The input")
        run = self._client.start(values, members.get("id") or None)
        return f"Started {run.workflow_id}."


def _run(members: Mapping[str, str]) -> Execution:
    return Execution(_given(members, "id"), _given(members, "run"))


def _given(members: Mapping[str, str], name: str) -> str:
    if not (value := members.get(name, "")):
        raise InputNotSendable(f"The action needs {name!r}.")
    return value


def _json(text: str) -> Any:
    """The value of an input's text; ``None`` if it is empty."""
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError) as error:
        raise InputNotSendable(f"The input is not JSON ({error}).") from error
