"""Sticky deciding: later decision tasks of an execution come back to the process that knows it.

Rules:

1. With each answer the process gives SWF its private list (RespondDecisionTaskCompleted,
   ``taskList``), always with a schedule-to-start timeout: a process that has gone costs its
   executions that wait once, then SWF uses their own list again. Without a timeout the list would
   be theirs for good.
2. The private list belongs to one process, not to a host: a state is in one process's memory.
   Its name holds a random part, because a pid comes back.
3. On the private list only what is new is asked for (``startAtPreviousStartedEvent``). Whoever gets
   a task there without the state reads the full history (GetWorkflowExecutionHistory).
4. A process that leaves gives the executions in its hands back to their own list.
"""

import os
import random
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from garcon import limits


@dataclass(frozen=True)
class Sticky:
    """How a process sticks to its executions.

    Attributes:
        schedule_to_start: Seconds that a decision task may wait on the private list. A living
            process takes it in milliseconds, so five means that it has gone or hangs.
        executions: How many reduced states are kept. One takes some 2 kB an activity, so 500
            executions of 50 activities take 50 MB.
        check: Events that may be read again to check the reduced states, as a share of those read
            anyway. A long history is checked more seldom than a short one, so that checking costs
            this share and no more, however long executions get. 0 checks nothing.
        dice: A number from 0 up to 1, for who is checked.
    """

    schedule_to_start: float = 5.0
    executions: int = 500
    check: float = 0.05
    dice: Callable[[], float] = random.random

    def checks(self, new: int, total: int) -> bool:
        """Whether to check a state of ``total`` events, of which ``new`` came just now."""
        return total > new and self.dice() < self.check * new / total


def private_list() -> str:
    """A name for this process's own task list; asked after a fork, because it is the process's."""
    host = limits.FORBIDDEN.sub("-", socket.gethostname())
    ending = f"-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    return f"{f'garcon-{host}'[: limits.NAME - len(ending)]}{ending}"
