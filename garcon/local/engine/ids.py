"""Names the service makes up: run ids, task tokens, page tokens.

All are functions of the seed and of what they name, so that the same inputs give the same names.
A task token tells what it stands for, so that a stale one can be answered with the reason; to
clients it is opaque, as in the service. A page token carries where to go on, what it may be used
for and when it was given, so that nothing is stored for a listing that nobody continues.
"""

import base64
import hashlib
import json
from typing import Any, NamedTuple

from garcon.local.engine.entities import TaskKind
from garcon.local.engine.faults import Fault, invalid


def run_id(seed: int, serial: int) -> str:
    """A run id as the service writes it: 46 characters of base64, ending in "="."""
    digest = hashlib.sha256(f"run {seed} {serial}".encode()).digest()
    return "22" + base64.b64encode(digest).decode()


class TaskName(NamedTuple):
    """What a task token stands for; the ids are of its events."""

    kind: TaskKind
    run_id: str
    scheduled_id: int
    started_id: int


def task_token(name: TaskName) -> str:
    """The token that `read_task_token` turns back into `name`."""
    return base64.b64encode("|".join(map(str, name)).encode()).decode()


def read_task_token(token: str) -> TaskName:
    """What a token stands for.

    Raises:
        Fault: ValidationException if no engine made this token.
    """
    try:
        kind, run, scheduled, started = base64.b64decode(token, validate=True).decode().split("|")
        return TaskName(TaskKind(kind), run, int(scheduled), int(started))
    except ValueError as error:
        raise invalid("Invalid token") from error


def page_token(purpose: str, position: Any, now: float) -> str:
    """A token that `read_page_token` accepts for the same purpose until it expires.

    A purpose holds names of any length and script, so the token bears its digest, and the
    position as UTF-8: the model allows a token 2,048 characters.
    """
    text = json.dumps([_digest(purpose), position, now], ensure_ascii=False)
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _digest(purpose: str) -> str:
    return hashlib.sha256(purpose.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_page_token(token: str, purpose: str, now: float, life: float) -> Any:
    """The position that the token was given for.

    Raises:
        Fault: ValidationException if it is of another listing, or older than `life` seconds.
    """
    try:
        made_for, position, made_at = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _foreign() from error
    if made_for != _digest(purpose):
        raise _foreign()
    if now - made_at > life:
        raise invalid("Specified token has exceeded its maximum lifetime")
    return position


def _foreign() -> Fault:
    return invalid("Invalid token: nextPageToken was not given for this request")
