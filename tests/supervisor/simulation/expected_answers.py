"""The answer that SWF is owed when a worker dies with a task, by the checker's own reading.

This restates the core's ``answers`` from events and actions alone, without a look into the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.ipc import messages
from supervisor.ipc.messages import Fail, Role, Serve, Staleness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.supervisor.simulation.worker_observations import ObservedWorker

    IsExpected = Callable[[messages.Answer], bool]


def expected_answer(seen: ObservedWorker, post: messages.PostMortem | None) -> IsExpected | None:
    """The right answers; None if SWF must not be answered."""
    assert isinstance(seen.job, Serve)
    if seen.job.slot.task_list.role is Role.DECIDER:
        started = post is None or post.started
        return _returned("WorkerDied: " if started and not seen.interrupted else "")
    if post and post.answer:
        return _left_behind(post.answer)
    if seen.stale is Staleness.CLOSED:
        return None
    if seen.stale is Staleness.CANCEL:
        return lambda answer: isinstance(answer, messages.Cancel)
    if post and not post.started:
        return _failure("NotStarted: ")
    return _failure("Interrupted: " if seen.interrupted else "WorkerDied: ")


def _left_behind(answer: messages.Answer) -> IsExpected | None:
    """The answer that the worker left; none if another program answers."""
    return None if isinstance(answer, messages.HandOut) else exactly(answer)


def exactly(right: messages.Answer) -> IsExpected:
    """Exactly this answer."""
    return lambda answer: answer == right


def _returned(prefix: str) -> IsExpected:
    """Returned, with the cause of the death if it counts."""
    return lambda answer: (
        isinstance(answer, messages.ReturnTask)
        and answer.death.startswith(prefix)
        and bool(answer.death) == bool(prefix)
    )


def _failure(prefix: str) -> IsExpected:
    return lambda answer: isinstance(answer, Fail) and answer.reason.startswith(prefix)
