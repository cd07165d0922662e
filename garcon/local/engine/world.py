"""The state of one engine, and the ways in which a rule reaches beyond its own execution.

- `arm`: an action happens at a time, unless it is disarmed first.
- `later`: an action happens to another execution. It runs within the same call, once the present
  execution is finished with, as the service delivers between executions; so no rule works on a
  half-changed execution.
- `enqueue`: a task can be polled for. `match_later`: a task list has a new task or a new poll; the
  two are matched at the end of the call.
- `wake`: a waiting poll has its answer.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from garcon.local.engine.engine_settings import Settings
from garcon.local.engine.entities import (
    Deadline,
    Domain,
    ExecutionRecord,
    LambdaRun,
    PendingPoll,
    Task,
    TaskKind,
    TaskQueue,
    TokenBucket,
)
from garcon.local.engine.messages import Answer, Body, Counters, Invocation, LostTask
from garcon.local.engine.queues import LazyHeap


@dataclass(slots=True, eq=False)
class World:
    """The state of one engine.

    Attributes:
        now: time of the present input, in seconds since the epoch.
        timestamp: the same in the wire's precision, milliseconds.
        region: region of the present call, for ARNs.
    """

    settings: Settings
    seed: int
    lambda_available: bool
    now: float = 0.0
    timestamp: float = 0.0
    region: str = ""
    domains: dict[str, Domain] = field(default_factory=dict)
    runs: dict[str, ExecutionRecord] = field(default_factory=dict)
    started_tasks: dict[str, Task] = field(default_factory=dict)
    lost_tokens: set[str] = field(default_factory=set)
    lambda_runs: dict[str, tuple[ExecutionRecord, LambdaRun]] = field(default_factory=dict)
    polls: dict[str, PendingPoll] = field(default_factory=dict)
    deadlines: LazyHeap[Callable[[], None]] = field(default_factory=LazyHeap)
    windows: LazyHeap[PendingPoll] = field(default_factory=LazyHeap)
    expiries: LazyHeap[ExecutionRecord] = field(default_factory=LazyHeap)
    effects: deque[Callable[[], None]] = field(default_factory=deque)
    full_executions: deque[ExecutionRecord] = field(default_factory=deque)
    unmatched: dict[TaskQueue, None] = field(default_factory=dict)
    wakeups: dict[str, Answer] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)
    lost_tasks: list[LostTask] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    buckets: dict[str, TokenBucket] = field(default_factory=dict)
    runs_started: int = 0
    runs_closed: int = 0
    polls_made: int = 0

    def set_time(self, now: float) -> None:
        """Move the time forward to `now`; an earlier time changes nothing."""
        if now > self.now:
            self.now = now
            self.timestamp = round(now, 3)

    def arm(self, after: float, action: Callable[[], None]) -> Deadline | None:
        """Schedule the action in `after` seconds; None for infinity."""
        if after == math.inf:
            return None
        return self.deadlines.push(self.now + after, action)

    def disarm(self, deadline: Deadline | None) -> None:
        """Cancel a scheduled action; one that has happened, or None, changes nothing."""
        if deadline is not None:
            self.deadlines.withdraw(deadline)

    def later(self, effect: Callable[[], None]) -> None:
        """Run the effect once the present execution is finished with."""
        self.effects.append(effect)

    def enqueue(self, task: Task) -> None:
        """Add a task to its list: the greatest priority first, then the oldest."""
        task.place = task.task_list.tasks.push(-task.priority, task)
        self.match_later(task.task_list)

    def withdraw(self, task: Task) -> None:
        """Remove a task from its list; a task that was polled has left it already."""
        if task.place is not None:
            task.task_list.tasks.withdraw(task.place)

    def match_later(self, task_list: TaskQueue) -> None:
        """Match tasks and polls of this list before the call ends."""
        self.unmatched[task_list] = None

    def wake(self, poll: PendingPoll, body: Body) -> None:
        """Answer a poll; a ghost poller has no connection left to answer on."""
        if not poll.ghost:
            self.wakeups[poll.poll_id] = Answer(body)

    def end_task(self, token: str) -> None:
        """Make the token of a started task stale; a task that never started has none."""
        if task := self.started_tasks.pop(token, None):
            task.task_list.served_at = self.now
        self.lost_tokens.discard(token)

    def task_list(self, domain: Domain, kind: TaskKind, name: str) -> TaskQueue:
        """The list of this name, created at its first use, as in the service."""
        key = (kind, name)
        if key not in domain.task_lists:
            domain.task_lists[key] = TaskQueue(domain, kind, name, self.now)
        return domain.task_lists[key]
