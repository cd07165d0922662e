"""Permits: which workers of a task list poll, and which are parked.

Rules:

1. A worker of a list with permits polls only with one. It boots *parked*: ready, forked, waiting
   for a permit on its channel. A poll that brings no task ends the permit.
2. There are as many permits as the list's limit says (``poll_limit``). A worker keeps its permit
   over its task, so that it polls again at once: under load permits cost no message.
3. A permit is needed where a worker is idle. So a parked worker gets that of a worker that has a
   task. The busy one finds that in its crash record when it ends its task, and parks.
4. A permit that is withdrawn too late is no loss: the worker has begun another poll, ``Done`` says
   so, and the next end of a task or poll puts it right. What a worker says of itself counts.
5. Parked workers of the active generation come before those of retiring ones; among equals the one
   that was parked last, for its memory and its connection are warm.
6. The canaries of a candidate always poll, beside the limit: they have to prove themselves. On a
   list that takes no more polls they try every few seconds.
7. A worker that was asked to leave or killed has no permit. In a backoff no worker gets one.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage
from supervisor.core.state import ListPermits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supervisor.core.generation import Worker
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import PollEnd


# --- facts ----------------------------------------------------------------------------------------


def note_parked(worker: Worker, end: PollEnd, turn: Turn) -> None:
    """A worker waits for a permit; its last poll, if it had one, ended so."""
    if own := _permits_of(worker, turn.state):
        _park(worker, own, turn)
        polling = sum(each.stage in (Stage.WAKING, Stage.POLLING) for each in own.workers.values())
        own.limit.note_end(end, polling, turn.now, turn.state.jitter)


def note_task(worker: Worker, turn: Turn) -> None:
    """A worker's poll brought a task; to be called before its stage ends."""
    own = _permits_of(worker, turn.state)
    if own and worker.stage is Stage.POLLING:
        own.limit.note_task(turn.now - worker.since, turn.now)


def note_done(worker: Worker, turn: Turn, *, parked: bool) -> None:
    """A worker has ended its task, and is parked or polls again."""
    if own := _permits_of(worker, turn.state):
        worker.has_permit = not parked
        if parked:
            _park(worker, own, turn)


def _permits_of(worker: Worker, state: State) -> ListPermits | None:
    if worker.slot is None or not worker.needs_permit:
        return None
    task_list = worker.slot.task_list
    if (own := state.permits.get(task_list)) is None:
        own = state.permits[task_list] = ListPermits()
    return own


def _park(worker: Worker, own: ListPermits, turn: Turn) -> None:
    worker.park(turn.now)
    if worker.is_staying:
        own.workers[worker.number] = own.parked[worker.number] = worker


# --- the rule -------------------------------------------------------------------------------------


def give_permits(turn: Turn) -> None:
    """Give the permits of every list to the workers that are to have them."""
    state = turn.state
    for task_list, own in state.permits.items():
        _forget_leavers(own, state)
        if state.active and (bounds := state.active.poll_bounds.get(task_list)):
            own.limit.bound(bounds.least, bounds.most, len(own.workers))
        _give(own, turn)


def _forget_leavers(own: ListPermits, state: State) -> None:
    for number, worker in list(own.workers.items()):
        if number not in state.workers or not worker.is_staying:
            del own.workers[number]
            own.parked.pop(number, None)


def next_deadline(state: State) -> float:
    """Time at which a list's backoff ends."""
    return min((_backoff_end(each) for each in state.permits.values()), default=inf)


def give_after(worker: Worker, turn: Turn) -> float:
    """Give the permits of a worker's list after its message; returns the next deadline of it.

    Under load no worker is parked, and there is nothing to give.
    """
    own = turn.state.permits.get(worker.slot.task_list) if worker.slot else None
    if own is None:
        return inf
    given = _give(own, turn)
    return min((each.late_at for each in given), default=_backoff_end(own))


def _backoff_end(own: ListPermits) -> float:
    return own.limit.waits_until if own.parked else inf


def _give(own: ListPermits, turn: Turn) -> list[Worker]:
    """Give and withdraw permits; returns the workers that got one.

    Without a parked worker no one needs another's permit.
    """
    if not own.parked:
        return []
    holders = [each for each in own.workers.values() if each.has_permit and _counts(each, turn)]
    busy = [each for each in holders if each.stage is Stage.WORKING]
    room = max(0, own.limit.allowed - (len(holders) - len(busy)))
    given: list[Worker] = []
    own.limit.end_waits(turn.now)
    if own.limit.backoff_until == -inf:
        given = list(_next_holders(own, turn, room))
    kept = max(0, room - sum(_counts(each, turn) for each in given))
    for each in _active_first(busy, turn)[kept:]:
        turn.withdraw_permit(each)
    for each in given:
        del own.parked[each.number]
        turn.grant_permit(each)
    return given


def _next_holders(own: ListPermits, turn: Turn, most: int) -> Iterator[Worker]:
    """The parked workers that get a permit: the canaries, and at most so many others."""
    for each in _active_first(reversed(own.parked.values()), turn):
        if not _counts(each, turn):
            if own.limit.extra_from == -inf:
                yield each
        elif most > 0:
            most -= 1
            yield each


def _active_first(workers: Iterable[Worker], turn: Turn) -> list[Worker]:
    return sorted(workers, key=lambda each: each.generation is not turn.state.active)


def _counts(worker: Worker, turn: Turn) -> bool:
    """Whether the limit counts it; canaries poll beside it."""
    return not turn.state.is_candidate(worker.generation)
