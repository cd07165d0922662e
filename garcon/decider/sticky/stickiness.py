"""The settings of sticky deciders, and the private list by which decision tasks come back.

Rules:

1. Each answer gives SWF the process's private list (RespondDecisionTaskCompleted, ``taskList``),
   always with a schedule-to-start timeout: when the process has gone, each of its executions waits
   once, then SWF uses its own list again. Without a timeout the private list would stay for good.
2. The private list belongs to one process, not to a host: a state is in one process's memory. Its
   name has a random part, because pids are reused. When that process is dead, another may take the
   list over: then its executions do not wait, and their histories are read once in full.
3. A poll of the private list requests only new events (``startAtPreviousStartedEvent``). For a task
   without a kept state the full history is read (GetWorkflowExecutionHistory).
4. A process that leaves gives the executions it answers back to their own list.
"""

import os
import random
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from garcon.aws import limits


@dataclass(frozen=True)
class Sticky:
    """The settings of a sticky decider.

    Attributes:
        schedule_to_start: Seconds that a decision task may wait on the private list. A living
            process takes it within milliseconds, so a longer wait means that the process has gone
            or hangs.
        executions: The number of states that are kept. One takes some 2 kB for each activity, so
            500 executions of 50 activities take 50 MB.
        check: The share of events that may be read again to check kept states, from 0 (no checks).
            Long histories are checked less often than short ones, so that checks cost this share
            however long executions get.
        dice: A number from 0 up to 1, to choose the states to check.
        private_list: Name of the private list; one is made if not given. Two living processes on
            one list would read histories that the other one knows.
        takes_over: Whether a process that is dead now had this list.
    """

    schedule_to_start: float = 5.0
    executions: int = 500
    check: float = 0.05
    dice: Callable[[], float] = random.random
    private_list: str | None = None
    takes_over: bool = False

    def checks(self, new: int, total: int) -> bool:
        """Whether to check a state of ``total`` events, of which ``new`` are new."""
        return total > new and self.dice() < self.check * new / total


def private_list(owner: str | None = None, host: str = "") -> str:
    """A name for a private list.

    Args:
        owner: Tells it from all others; if not given, this process, so not before a fork.
        host: The owner's host; this one if not given.
    """
    host = limits.FORBIDDEN.sub("-", host or socket.gethostname())
    ending = f"-{owner or f'{os.getpid()}-{uuid.uuid4().hex[:12]}'}"
    return f"{f'garcon-{host}'[: limits.NAME - len(ending)]}{ending}"
