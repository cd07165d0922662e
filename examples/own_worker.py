"""A worker of one's own instead of the supervisor: a sticky decider, and activities in threads.

The decider sticks to its executions: their decision tasks come back to this process, which reads
only what is new. When it leaves, it gives them back. Run it, and end it with Ctrl-C::

    python -m examples.own_worker
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from examples import coffee
from garcon import activity
from garcon.decider import DeciderWorker, Sticky

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_MEMORY = Sticky(executions=100)  # kept in mind; 500 if nothing is said


def decide(flow: Any, is_over: Callable[[], bool]) -> None:
    """Decide until it is over, and leave in good order; that takes up to a minute."""
    decider = DeciderWorker(flow, sticky=LEAST_MEMORY)
    while not is_over():
        decider.run()
    for task in decider.leave():
        decider.respond(task["taskToken"], decider.decide(task))


def work(each: activity.Activity, is_over: Callable[[], bool]) -> None:
    """Do the tasks of one activity until it is over."""
    while not is_over():
        each.run()


def serve(flow: Any, is_over: Callable[[], bool]) -> None:
    """Decide in this thread, and work in one for each activity."""
    activities = activity.find_workflow_activities(flow)
    threads = [threading.Thread(target=work, args=(each, is_over)) for each in activities]
    for each in threads:
        each.start()
    decide(flow, is_over)
    for each in threads:
        each.join()


if __name__ == "__main__":
    over = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: over.set())
    serve(coffee, over.is_set)
