"""The answer that SWF gets for the task of a dead worker.

Rules:

1. An answer that the worker had ready is sent as it is, whatever the worker died of: a finished
   result is never lost, and never becomes a failure.
2. A decision task cannot fail. It is returned, so that SWF gives it out again. If the decision may
   have caused the death, the answer carries the cause: such deaths are counted (``poison``).
3. A task that SWF has closed needs no answer. One that SWF asked to cancel is canceled.
4. Any other task fails. The reason begins with a word that garcon knows: ``NotStarted`` if none of
   the task's code has run, ``Interrupted`` if a drain cut it short, else ``WorkerDied``.
5. The details are JSON, for machines and people. What does not fit is cut: first the worker's last
   lines, oldest first, then its stacks, last first, since they begin with the thread that died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supervisor.core.causes import DeathKind, signal_name
from supervisor.ipc.messages import Cancel, Fail, PostMortem, ReturnTask, Role, Staleness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.generation import Death
    from supervisor.ipc.messages import Answer

WORKER_DIED = "WorkerDied"
INTERRUPTED = "Interrupted"
NOT_STARTED = "NotStarted"
"""The words of ``garcon.history.failure_reasons``, by which a decider knows which deaths count."""

REASON_LENGTH = 256
"""SWF's bound for a failure's reason, in characters (API reference, RespondActivityTaskFailed)."""

DETAILS_LENGTH = 32_768
"""SWF's bound for a failure's details, in characters (same source)."""

_ROOM = 512
"""Characters of the details that the reporter may add: how many workers the task has killed."""

_NOTHING_KNOWN = PostMortem()


def answer_to(death: Death) -> Answer | None:
    """The answer for the task that was in progress; None if SWF needs none."""
    worker, post = death.worker, death.post or _NOTHING_KNOWN
    if worker.slot and worker.slot.task_list.role is Role.DECIDER:
        why = reason(death)
        return ReturnTask(why if why.startswith(WORKER_DIED) else "")
    if post.answer:
        return post.answer
    match worker.stale:
        case Staleness.CLOSED:
            return None
        case Staleness.CANCEL:
            return Cancel(details(death))
        case _:
            return Fail(reason(death), details(death))


def reason(death: Death) -> str:
    """A failure's reason: ``WorkerDied: killed by SIGKILL, out of memory``."""
    killing = death.worker.killing
    if death.post and not death.post.started:
        word = NOT_STARTED
    elif killing and killing.kind is DeathKind.INTERRUPTED:
        word = INTERRUPTED
    else:
        word = WORKER_DIED
    return f"{word}: {_what_happened(death)}"[:REASON_LENGTH]


def _what_happened(death: Death) -> str:
    killing = death.worker.killing
    if killing is None:
        return death.cause.text
    if killing.kind in (DeathKind.INTERRUPTED, DeathKind.TOO_BIG):
        return killing.why
    return f"killed after {killing.at - death.worker.task_since:.0f} s, {killing.why}"


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
        "seconds": round(death.at - death.worker.task_since, 3),
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
