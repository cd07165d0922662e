"""Sticky deciders with real threads and in real time, and their leaving."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from garcon import activity
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.local import LocalSWF, Settings
from tests.garcon.decider.sticky_deciders import UNCHECKED, chain, count

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 60  # seconds; reaching it means that something hangs
# A poll ends soon, so that leaving does; the rest is the service's own.
SHORT = Settings(poll_window=1.0)
# A decider that is slow, on a busy machine, loses no task of its own list.
PATIENT = replace(UNCHECKED, schedule_to_start=LIMIT)


def serve(made: DeciderWorker, is_leaving: threading.Event) -> None:
    """The loop of a decider, as in a supervised worker."""
    while not is_leaving.is_set():
        made.run()
    for task in made.leave():
        made.respond(task["taskToken"], made.decide(task))


def threads_of(flow_: Any, made: DeciderWorker, is_leaving: threading.Event) -> Iterator[Any]:
    """The decider's thread and one for each activity."""
    yield threading.Thread(target=serve, args=(made, is_leaving))
    for each in activity.find_workflow_activities(flow_):
        yield threading.Thread(target=work, args=(each, is_leaving))


def work(each: Any, is_leaving: threading.Event) -> None:
    """The loop of an activity."""
    while not is_leaving.is_set():
        each.run()


def test_a_flow_runs_over_both_lists_and_the_decider_leaves() -> None:
    """Tasks come by the private list, and no thread or task is left behind."""
    flow_ = chain(4)
    is_leaving = threading.Event()
    with LocalSWF(SHORT, virtual_time=False) as swf, clients.use(swf.client()):
        made = DeciderWorker(flow_, sticky=PATIENT)
        running = list(threads_of(flow_, made, is_leaving))
        for each in running:
            each.start()
        client: Any = swf.client()
        ids = [f"w{number}" for number in range(3)]
        for name in ids:
            client.start_workflow_execution(
                domain="domain", workflowId=name, workflowType={"name": "flow", "version": "1.0"}
            )
        wait_for(swf, ids)
        is_leaving.set()
        for each in running:
            each.join(LIMIT)
        assert not any(each.is_alive() for each in running)
        histories = [swf.history(name) for name in ids]
    for history in histories:
        assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
        assert count(history, "DecisionTaskTimedOut") == 0


def wait_for(swf: LocalSWF, ids: list[str]) -> None:
    """Wait until all of these have closed; the service notifies at every change."""
    changed = swf._threads._changed
    with changed:
        closed = changed.wait_for(
            lambda: all(swf._threads.service.find(each).status != "OPEN" for each in ids), LIMIT
        )
    assert closed
