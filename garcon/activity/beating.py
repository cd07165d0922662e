"""Signs of life in the background: a thread that beats while the work of a task goes on.

Rules:

1. It beats at a third of the heartbeat timeout: one beat may be lost to a throttle or a reset, and
   the next is still in time. A task that is done by then costs no call.
2. It begins and ends with the task. The answer waits for it, but not for a beat that hangs in the
   network: what such a beat still brings is nobody's business any more.
3. Nothing that goes wrong in it fails the work. What SWF says is kept with the task, and the task's
   own next heartbeat raises it.
4. The child of a fork has no such thread, and leaves its parent's alone.
5. A task that never lets other threads run starves it. So SWF sees that hang, as it should.
"""

import contextvars
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from garcon import runner
from garcon.activity.execution import ActivityExecution, nobody

SHARE = 3  # beats in a heartbeat timeout; see rule 1
HANGING = 5.0  # seconds that a beat may hold up the answer; a healthy one takes milliseconds


class Bell(Protocol):
    """Rung when the work is over; a ``threading.Event``, in tests one whose waits pass at once."""

    def wait(self, timeout: float) -> bool:
        """Whether it was rung within so many seconds."""

    def set(self) -> None:
        """Ring."""


@contextmanager
def beating(execution: ActivityExecution, bell: Bell) -> Iterator[None]:
    """Within the block SWF hears that the task is alive.

    Args:
        execution: The task in hand; its ``heartbeat_timeout`` says how often.
        bell: A fresh one.
    """
    process, thread = os.getpid(), _started(execution, bell)
    try:
        yield
    finally:
        if os.getpid() == process:
            bell.set()
            _end(thread, execution)


def _started(execution: ActivityExecution, bell: Bell) -> threading.Thread | None:
    # The thread's logger is that of the execution, as in the thread that does the work.
    current = contextvars.copy_context()
    thread = threading.Thread(
        target=current.run,
        args=(_beat, execution, bell),
        name=f"heartbeats of {execution.activity_id}",
        daemon=True,  # one that hangs in the network does not keep the process
    )
    try:
        thread.start()
    except RuntimeError as error:  # the machine has no thread left
        execution.logger.warning("No heartbeats of %s: %s.", execution.activity_id, error)
        return None
    return thread


def _end(thread: threading.Thread | None, execution: ActivityExecution) -> None:
    if thread is None:
        return
    thread.join(HANGING)
    if thread.is_alive():
        execution.on_stale = nobody


def _beat(execution: ActivityExecution, bell: Bell) -> None:
    every = (execution.heartbeat_timeout or runner.DEFAULT_TASK_HEARTBEAT) / SHARE
    while not bell.wait(every):
        try:
            if not execution.beat():
                return
        except Exception:
            execution.logger.exception("A heartbeat of %s failed.", execution.activity_id)
