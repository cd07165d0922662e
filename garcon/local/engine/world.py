"""Everything the engine remembers, and the four ways a rule may reach beyond its own execution.

- `arm`: something is to happen at a time, unless it is disarmed first.
- `later`: something is to happen to another execution. It happens within the same call, after
  the present execution is done with, as the service delivers between executions; so no rule
  ever works on a half-changed execution.
- `stir`: a task list has a new task or a new poll; they are brought together at the end.
- `wake`: a waiting poll has its answer.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from garcon.local.engine.bucket import Bucket
from garcon.local.engine.entities import (
    Deadline,
    Domain,
    Execution,
    LambdaRun,
    Poll,
    Task,
    TaskKind,
    TaskList,
)
from garcon.local.engine.heap import LazyHeap
from garcon.local.engine.messages import Answer, Body, Counters, Invocation
from garcon.local.engine.settings import Settings


@dataclass(slots=True, eq=False)
class World:
    """The state of one engine.

    Attributes:
        now: the time of the input being worked on, in seconds since the epoch.
        timestamp: the same as the wire has it, with milliseconds.
    """

    settings: Settings
    seed: int
    lambda_available: bool
    now: float = 0.0
    timestamp: float = 0.0
    domains: dict[str, Domain] = field(default_factory=dict)
    runs: dict[str, Execution] = field(default_factory=dict)
    started_tasks: dict[str, Task] = field(default_factory=dict)
    lost_tokens: set[str] = field(default_factory=set)
    lambda_runs: dict[str, tuple[Execution, LambdaRun]] = field(default_factory=dict)
    polls: dict[str, Poll] = field(default_factory=dict)
    deadlines: LazyHeap[Callable[[], None]] = field(default_factory=LazyHeap)
    windows: LazyHeap[Poll] = field(default_factory=LazyHeap)
    expiries: LazyHeap[Execution] = field(default_factory=LazyHeap)
    effects: deque[Callable[[], None]] = field(default_factory=deque)
    doomed: deque[Execution] = field(default_factory=deque)
    stirred: dict[TaskList, None] = field(default_factory=dict)
    wakeups: dict[str, Answer] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    runs_started: int = 0
    runs_closed: int = 0
    polls_made: int = 0

    def reach(self, now: float) -> None:
        """Let it be `now`, unless it is later already."""
        if now > self.now:
            self.now = now
            self.timestamp = round(now, 3)

    def arm(self, after: float, action: Callable[[], None]) -> Deadline | None:
        """Let `action` happen `after` seconds from now; None if that is never."""
        if after == math.inf:
            return None
        return self.deadlines.push(self.now + after, action)

    def disarm(self, deadline: Deadline | None) -> None:
        """Let it not happen; what has happened, or never would, is left alone."""
        if deadline is not None:
            self.deadlines.withdraw(deadline)

    def later(self, effect: Callable[[], None]) -> None:
        """Let `effect` happen once the present execution is done with."""
        self.effects.append(effect)

    def stir(self, task_list: TaskList) -> None:
        """Let tasks and polls of this list be brought together before the call ends."""
        self.stirred[task_list] = None

    def wake(self, poll: Poll, body: Body) -> None:
        """Answer a poll; nobody hears what a ghost is told."""
        if not poll.ghost:
            self.wakeups[poll.poll_id] = Answer(body)

    def end_task(self, token: str) -> None:
        """A started task has ended: its token is stale; a task that never started has none."""
        self.started_tasks.pop(token, None)
        self.lost_tokens.discard(token)

    def task_list(self, domain: Domain, kind: TaskKind, name: str) -> TaskList:
        """The list of this name, made when first spoken of, as in the service."""
        key = (kind, name)
        if key not in domain.task_lists:
            domain.task_lists[key] = TaskList(domain, kind, name)
        return domain.task_lists[key]
