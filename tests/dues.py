"""What SWF is due when a worker dies with a task: the judge's own reading of the rules.

It says the same as the core's ``answers``, told the other way round: from what was heard and
wished, without a look at what the core thinks of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.messages import Fail, Role, Serve, Staleness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lives import Life

    Due = Callable[[messages.Answer], bool]


def due_of(life: Life, post: messages.PostMortem | None) -> Due | None:
    """Which answers are right; None if SWF must not be answered at all."""
    assert isinstance(life.job, Serve)
    if life.job.seat.task_list.role is Role.DECIDER:
        return exactly(messages.HandBack())
    if post and post.answer:
        return exactly(post.answer)
    if life.stale is Staleness.GONE:
        return None
    if life.stale is Staleness.CANCEL:
        return lambda answer: isinstance(answer, messages.Cancel)
    if post and not post.begun:
        return _failure("Unbegun: ")
    return _failure("Interrupted: " if life.interrupted else "WorkerDied: ")


def exactly(right: messages.Answer) -> Due:
    """Nothing but this answer."""
    return lambda answer: answer == right


def _failure(prefix: str) -> Due:
    return lambda answer: isinstance(answer, Fail) and answer.reason.startswith(prefix)
