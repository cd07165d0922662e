"""Workers of your own, without the supervisor: a sticky decider, and activities in threads.

A sticky decider gets the decision tasks of its executions back, and reads only the new events of
each. Before it exits it returns the tasks that it still has.

Run it on a local SWF, each command in a terminal of its own (``docs/local.md`` has the
variables to export)::

    python -m garcon.local
    python -m examples.own_worker
    python -m garcon start --flow examples.coffee '{"order": "Ann"}' --wait

and end it with Ctrl-C.
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

STICKY = Sticky(executions=100)  # executions kept in memory; the default is 500


def decide(decider: DeciderWorker, should_stop: Callable[[], bool]) -> None:
    """Decide until asked to stop, then return what is left; the last poll takes up to a minute."""
    while not should_stop():
        decider.run()
    for task in decider.leave():
        decider.respond(task["taskToken"], decider.decide(task))


def work(served: activity.Activity, should_stop: Callable[[], bool]) -> None:
    """Execute the tasks of one activity until asked to stop."""
    while not should_stop():
        served.run()


def serve(flow: Any, should_stop: Callable[[], bool]) -> None:
    """Decide in this thread, and work in a thread for each activity."""
    decider = DeciderWorker(flow, sticky=STICKY)  # registers what the activities poll for
    activities = activity.find_workflow_activities(flow)
    threads = [threading.Thread(target=work, args=(each, should_stop)) for each in activities]
    for thread in threads:
        thread.start()
    decide(decider, should_stop)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    serve(coffee, stop.is_set)
