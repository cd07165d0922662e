"""Reasons of failures that no task raised: a worker's death, a result that cannot be sent.

Each is the first word of the reason in an ActivityTaskFailed event, followed by a colon and a
sentence. The supervisor writes them (RespondActivityTaskFailed) for a task whose worker is gone. A
decider reads them with ``prefix_of``, because not every death is the task's fault. The details of
such a failure are a JSON object.
"""

WORKER_DIED = "WorkerDied"
"""The worker died during the task: a crash, a kill, lack of memory, an overdue deadline.

Counts against ``retry`` unless the activity was created with ``restartable=True``: the task may be
half done. ``deaths`` in the details is the number of workers that died with this task.
"""

INTERRUPTED = "Interrupted"
"""The supervisor was stopped, or its drain ran out of time, during the task.

Counts against ``retry`` unless the activity was created with ``restartable=True``: the task had
begun.
"""

NOT_STARTED = "NotStarted"
"""The worker received the task and did not begin it.

Never counts against ``retry``: none of the task's code has run, so another attempt is free.
"""

HOST_UNABLE = "HostUnable"
"""The worker's host cannot begin the task: it lacks a setting, or does not reach the claim store.

Never counts against ``retry``, however often: another host may have it. The next attempt waits
longer each time.
"""

POISON = "Poison"
"""The task has killed as many workers as ``--poison-deaths`` allows.

Final, whatever ``retry`` and ``restartable`` say: it would kill the next worker too.
"""

NOT_SENDABLE = "NotSendable"
"""The result of the task is not a dictionary, not JSON, or too large: it can never be sent.

Final, whatever ``retry`` says: the next attempt would do the work for nothing, too.
"""

PREFIXES = frozenset({WORKER_DIED, INTERRUPTED, NOT_STARTED, HOST_UNABLE, POISON, NOT_SENDABLE})


def prefix_of(reason: str | None) -> str | None:
    """The prefix that a failure's reason begins with; ``None`` for any other reason.

    Args:
        reason: As in an ActivityTaskFailed event, such as ``WorkerDied: killed by SIGKILL``.
    """
    word, colon, _ = (reason or "").partition(":")
    return word if colon and word in PREFIXES else None
