"""Real workers with permits: an idle list has one poll, and each task finds a worker."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from garcon import activity
from tests.processes import flow, swf, witness
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import let_pass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

    from tests.processes.witness import Witness

WORKERS = 12
LIST = "gates_gate"
LISTS = {each.task_list for each in activity.find_workflow_activities(flow)}
POLL = "PollForActivityTask"


@pytest.fixture
def observed() -> Iterator[Witness]:
    """A local SWF whose polls last a second, and all calls to it."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url, witness.before(url) as seen:
        yield seen


def pool_at(observed: Witness, *more: str) -> Supervisor:
    """A pool of a dozen workers for one activity, and one for each other."""
    argv = ["--flow", "tests.processes.flow", "--endpoint-url", observed.url]
    return Supervisor(*argv, "--pool", f"gate={WORKERS}", *more).ready()


def polls(observed: Witness) -> list[witness.Call]:
    """The polls of the list so far."""
    return [each for each in observed.of(POLL) if each.task_list == LIST]


def count_open(observed: Witness) -> int:
    """The polls of the list that SWF has not answered."""
    return sum(not each.answer for each in polls(observed))


def pollers(observed: Witness) -> set[int]:
    """The processes whose polls of the list SWF has not answered, be they alive or not."""
    return {
        int(each.request["identity"].split(":")[1]) for each in polls(observed) if not each.answer
    }


def the_poller(pool: Supervisor) -> psutil.Process:
    """The worker of the list that polls."""
    return until(lambda: pool.titled(LIST, "polling"), "a poller")[0]  # type: ignore[no-any-return]


def serves(observed: Witness) -> bool:
    """Whether an execution completes."""
    execution = swf.start(observed.url, flow, gate="", then="return")
    return execution.wait_closed() == "WorkflowExecutionCompleted"


def test_an_idle_list_has_one_poll_at_a_time(observed: Witness) -> None:
    """One empty poll follows the other, from whichever worker; all workers count as ready."""
    with pool_at(observed) as pool:
        most = 0

        def several() -> bool:
            nonlocal most
            most = max(most, count_open(observed))
            return len(polls(observed)) >= 6

        until(several, "six polls")
        assert most == 1
        # Two change their titles one after the other.
        until(lambda: len(pool.titled(LIST, "parked")) >= WORKERS - 1, "all but one parked")
        assert serves(observed)


def test_without_permits_every_idle_worker_polls(observed: Witness) -> None:
    """With ``--polls all`` each of them has a poll open."""
    with pool_at(observed, "--polls", "all") as pool:
        until(lambda: count_open(observed) == WORKERS, "a poll of each worker")
        assert pool.titled("parked") == []


def test_a_burst_finds_every_worker(observed: Witness, tmp_path: Path) -> None:
    """As many tasks as workers are in progress side by side; then the list is idle again."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with pool_at(observed) as pool:
        runs = [swf.start(observed.url, flow, gate=str(gate), then="") for _ in range(WORKERS)]
        until(lambda: len(pool.titled(LIST, "working")) == WORKERS, "all workers at work")
        until(lambda: len(_tries(gate)) == WORKERS, "all tasks at the gate")
        # Again and again: a task has noted its attempt a moment before it waits.
        until(lambda: all(let_pass(gate, each) for each in runs), "all have completed")
        until(lambda: len(pool.titled(LIST, "parked")) == WORKERS - 1, "all but one parked")
    assert len(set(_tries(gate))) == WORKERS


def _tries(gate: Path) -> list[str]:
    tries = gate.with_name("gate.tries")
    return tries.read_text().splitlines() if tries.exists() else []


def test_the_death_of_the_poller_wakes_another(observed: Witness) -> None:
    """Killed again and again, the list goes on with one poll, and serves."""
    with pool_at(observed) as pool:
        dead: set[int] = set()
        for _ in range(4):
            pid = until(lambda: pollers(observed) - dead, "an open poll").pop()
            os.kill(pid, signal.SIGKILL)
            pool.wait_for("worker_died", pid=pid)
            dead.add(pid)
        # The witness does not end the poll of a dead worker, which would take the task.
        until(lambda: not pollers(observed) & dead, "the ends of the polls of the dead")
        until(lambda: count_open(observed) == 1, "one poll")
        assert serves(observed)


def test_a_drain_waits_for_the_polls_that_are_open(observed: Witness) -> None:
    """The parked workers leave without a poll; a poller may begin its next one as TERM comes."""
    with pool_at(observed) as pool:
        the_poller(pool)
        pool.signal(signal.SIGTERM)
        until(lambda: pool.titled("parked") == [], "no parked worker")
        begun = len(polls(observed))
        assert pool.wait() == 0
        assert len(polls(observed)) - begun <= 1


def test_a_deploy_replaces_parked_workers_and_pollers_alike(observed: Witness) -> None:
    """The new code has one poller a list, and the old one ends with its last poll."""
    with pool_at(observed) as pool:
        before = {each.pid for each in pool.titled(LIST)}
        pool.signal(signal.SIGHUP)
        pool.wait_for("generation_active", generation=2)
        pool.wait_for("full_strength", generation=2)
        until(lambda: not before & {each.pid for each in pool.titled(LIST)}, "the old ones gone")
        until(lambda: len(pool.titled(LIST, "parked")) == WORKERS - 1, "all but one parked")
        assert serves(observed)
