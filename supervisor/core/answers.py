"""What SWF is told of a task whose holder died with it.

1. An answer that the worker had ready is given as it is, whatever the worker died of: a finished
   result is never lost, and never becomes a failure.
2. A decision task cannot fail. It is handed back, so that the next decision comes at once.
3. A task that is gone from SWF needs no answer. One whose cancelling was asked for is canceled.
4. Anything else is a failure, whose reason begins with a word that garcon knows: ``Unbegun`` where
   none of the task's code has run, ``Interrupted`` where we had to leave, else ``WorkerDied``.
5. Its details are JSON for machines and people. What does not fit is cut: first the worker's last
   lines, the oldest first, then its stacks, the last first: they begin with the thread that died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supervisor.core.causes import Kind, signal_name
from supervisor.messages import Cancel, Fail, HandBack, PostMortem, Role, Staleness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.worker import Death
    from supervisor.messages import Answer

WORKER_DIED = "WorkerDied"
INTERRUPTED = "Interrupted"
UNBEGUN = "Unbegun"
"""Garcon's words (``garcon.reasons``): a decider tells by them whether a death counts."""

REASON_LENGTH = 256
"""SWF's bound for a failure's reason, in characters (API reference, RespondActivityTaskFailed)."""

DETAILS_LENGTH = 32_768
"""SWF's bound for a failure's details, in characters (same)."""

_ROOM = 512
"""Characters of the details that are left to the reporter: it adds how often which task killed."""

_NOTHING_KNOWN = PostMortem()


def answer_to(death: Death) -> Answer | None:
    """What SWF is to be told of the task in hand; None if nothing."""
    worker, post = death.worker, death.post or _NOTHING_KNOWN
    if worker.seat and worker.seat.task_list.role is Role.DECIDER:
        return HandBack()
    if post.answer:
        return post.answer
    match worker.stale:
        case Staleness.GONE:
            return None
        case Staleness.CANCEL:
            return Cancel(details(death))
        case _:
            return Fail(reason(death), details(death))


def reason(death: Death) -> str:
    """``WorkerDied: killed by SIGKILL, out of memory``: for people and machines."""
    killing = death.worker.killing
    if death.post and not death.post.begun:
        word = UNBEGUN
    elif killing and killing.kind is Kind.INTERRUPTED:
        word = INTERRUPTED
    else:
        word = WORKER_DIED
    return f"{word}: {_what_happened(death)}"[:REASON_LENGTH]


def _what_happened(death: Death) -> str:
    killing = death.worker.killing
    if killing is None:
        return death.cause.text
    if killing.kind in (Kind.INTERRUPTED, Kind.TOO_BIG):
        return killing.why
    return f"killed after {killing.at - death.worker.held_since:.0f} s, {killing.why}"


def details(death: Death) -> str:
    """The facts of a death in JSON, at most ``DETAILS_LENGTH`` characters."""
    post = death.post or _NOTHING_KNOWN
    facts = _facts(death, post)
    # Bytes, of which there are never fewer than characters.
    left = DETAILS_LENGTH - _ROOM - len(msgspec.json.encode(facts))
    stacks = _fitting(post.stacks, left)
    lines = _fitting(reversed(post.last_lines), left - _length(stacks))
    return msgspec.json.encode({**facts, "last_lines": lines[::-1], "stacks": stacks}).decode()


def _facts(death: Death, post: PostMortem) -> dict[str, object]:
    status = death.status
    return {
        "cause": death.cause.kind.value,
        "signal": signal_name(-status) if status is not None and status < 0 else None,
        "exit_status": status if status is not None and status >= 0 else None,
        "core_dumped": post.core_dumped,
        "out_of_memory": post.out_of_memory,
        "host": post.host,
        "pid": post.pid,
        "seconds": round(death.at - death.worker.held_since, 3),
        "peak_memory": post.peak_memory,
        "last_lines": [],
        "stacks": [],
    }


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """As many of the first lines as fit."""
    fitting: list[str] = []
    for line in lines:
        room -= _length([line])
        if room < 0:
            break
        fitting.append(line)
    return fitting


def _length(lines: list[str]) -> int:
    return len(msgspec.json.encode(lines))
