"""The end of retired code whose build has no open execution left.

Rules:

1. It holds for a kept release, which the supervisor beside it starts again when an execution needs
   it (``kept_releases``), and not for one that people have started. Without a decider it does not
   hold either: then nothing on this host would find that execution.
2. Now and then a forked job searches the open executions for one of this build
   (``child/jobs/open_search``). ``build_use`` decides what the searches mean.
3. Tasks in progress, owed reports and tasks that were handed out mean that this code is used.
4. When the build has been unused for ``keep_unused`` seconds, the program drains, with exit code 0,
   and tells the other supervisor so. What its last polls bring is still done.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.log_names import duration
from supervisor.ipc.messages import Role, SearchOpen

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import OpenSearched


def note_search(turn: Turn, event: OpenSearched) -> None:
    """Write down what a search has found."""
    state = turn.state
    has_task = any(each.task for each in state.workers.values())
    is_busy = has_task or bool(state.owed_reports or state.handed_out.tasks)
    state.build_use.note_search(
        turn.now,
        state.settings.keep_unused,
        found=event.found or is_busy,
        complete=event.complete,
        tasks=state.tally.count_tasks(),
    )


def end_unused_build(turn: Turn) -> None:
    """Search when it is due, and drain when the build is unused for long enough."""
    state, use = turn.state, turn.state.build_use
    active = _searching(state)
    if active is None:
        use.is_over = use.is_over and state.drain is not None  # else it is old when it counts again
        return
    if use.is_over:
        seconds = turn.now - use.unused_since
        turn.begin_drain(
            f"no execution of build {active.build} has been open for {duration(seconds)}"
        )
        return
    is_due = use.search_at <= turn.now
    if is_due:
        turn.fork(active, SearchOpen())
    if is_due or use.search_at == inf:
        use.plan(turn.now, state.settings.keep_unused, state.jitter)


def next_deadline(state: State) -> float:
    """Time at which the next search is due."""
    return state.build_use.search_at if _searching(state) else inf


def _searching(state: State) -> Generation | None:
    """The generation that searches; ``None`` if none does."""
    active = state.active
    if not state.is_kept or not state.settings.keep_unused or state.drain or state.candidate:
        return None
    if active is None or not active.can_fork or not active.build:
        return None
    decides = any(each.task_list.role is Role.DECIDER for each in active.slots)
    return active if decides else None
