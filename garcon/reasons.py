"""Reasons of failures that no task raised: how a worker's death reads in the history.

Each is the first word of the reason in an ActivityTaskFailed event, followed by a colon and a
sentence. The supervisor writes them (RespondActivityTaskFailed) where a task's worker is gone; a
decider reads them, with ``prefix_of``, because not every death is the task's fault. The details of
such a failure are a JSON object.
"""

WORKER_DIED = "WorkerDied"
"""The worker died while it did the task: a crash, a kill, no memory left, too late.

Counts against ``retry``, unless the activity was created with ``restartable=True``: nobody knows
how much of the task was done. The details tell ``deaths``, how often the task's workers have died.
"""

INTERRUPTED = "Interrupted"
"""The task was cut short by people: its supervisor was told to stop, or to drain within a time.

Counts against ``retry``, unless the activity was created with ``restartable=True``: the task had
begun.
"""

UNBEGUN = "Unbegun"
"""The worker died with the task in hand, and had not begun it.

Never counts against ``retry``: none of the task's code has run, so to run it again is free.
"""

POISON = "Poison"
"""The task has killed its worker as often as is allowed (``--poison-deaths``).

Final, whatever is left of ``retry`` and whether ``restartable`` or not: it would kill the next one.
"""

PREFIXES = frozenset({WORKER_DIED, INTERRUPTED, UNBEGUN, POISON})


def prefix_of(reason: str | None) -> str | None:
    """Which of the prefixes a failure's reason begins with; ``None`` for a reason of another kind.

    Args:
        reason: As in an ActivityTaskFailed event, such as ``WorkerDied: killed by SIGKILL``.
    """
    word, colon, _ = (reason or "").partition(":")
    return word if colon and word in PREFIXES else None
