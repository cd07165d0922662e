"""A pool of real processes against a local SWF: it starts, stays alive, drains and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.hosts import is_alive
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOW = ("--flow", "tests.processes.flow")


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short.

    It hands no task to a poller that was killed: the pool cannot influence what SWF does there.
    """
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def gate(tmp_path: Path) -> str:
    """A FIFO at which a task waits."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return str(path)


def open_gate(path: str) -> None:
    """Let the task pass that waits at the gate."""
    os.close(os.open(path, os.O_WRONLY))


def pool(endpoint: str, *argv: str) -> Supervisor:
    """A supervisor of the test flow at this endpoint."""
    return Supervisor(*FLOW, "--endpoint-url", endpoint, *argv)


def ready(supervisor: Supervisor) -> None:
    """Wait until every slot is served."""
    supervisor.wait_for("full_strength")


def test_a_worker_shares_what_was_imported(endpoint: str, tmp_path: Path) -> None:
    """The collector leaves alone what the zygote has made, and works in the worker."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        trial = Trial(supervisor, endpoint, tmp_path, "collector")
        trial.open()
        trial.execution.wait_for("ActivityTaskCompleted")
        frozen, works = (tmp_path / "gate.collector").read_text().split()
        assert int(frozen) > 50_000
        assert works == "True"


def test_term_drains_and_leaves_no_process(endpoint: str, gate: str) -> None:
    """On TERM the task in progress is finished and reported; exit code 0, no process is left."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        execution = swf.start(endpoint, flow, gate=gate, then="return")
        execution.wait_for("ActivityTaskStarted")
        left = supervisor.below()
        supervisor.signal(signal.SIGTERM)
        supervisor.wait_for("draining")
        open_gate(gate)
        assert supervisor.wait() == 0
        assert execution.wait_for("ActivityTaskCompleted")
        until(lambda: not any(map(is_alive, left)), "no process is left")


def test_a_second_signal_stops_now(endpoint: str, tmp_path: Path) -> None:
    """With a task in progress a second TERM ends the pool at once, with exit code 1."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        Trial(supervisor, endpoint, tmp_path, "return").worker()  # SWF knows it before the pool
        left = supervisor.below()
        supervisor.signal(signal.SIGTERM)
        supervisor.wait_for("draining")
        supervisor.stop_by_signals()
        assert supervisor.wait() == 1
        until(lambda: not any(map(is_alive, left)), "no process is left")


def test_a_signal_sent_twice_at_once_is_one_request(endpoint: str, gate: str) -> None:
    """The task in progress is finished, as after one TERM: ``timeout`` sends two."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        execution = swf.start(endpoint, flow, gate=gate, then="return")
        execution.wait_for("ActivityTaskStarted")
        supervisor.signal(signal.SIGSTOP)  # it meets both at once, however long this test takes
        supervisor.signal(signal.SIGTERM)
        supervisor.signal(signal.SIGINT)
        supervisor.signal(signal.SIGCONT)
        supervisor.wait_for("signal_repeated")
        open_gate(gate)
        assert supervisor.wait() == 0
        assert execution.wait_for("ActivityTaskCompleted")


SPARED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPROF, signal.SIGIO)


def test_signals_without_a_meaning_end_no_process(endpoint: str) -> None:
    """The supervisor logs them, and neither its zygote nor a worker dies of them."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        below = supervisor.settled()
        for number in SPARED:
            for each in below:
                each.send_signal(number)
            supervisor.signal(number)
            supervisor.wait_for_message(f"{number.name} has no meaning here")
        assert supervisor.below() == below
        supervisor.signal(signal.SIGQUIT)
        assert supervisor.wait() == 0


BLOCKS = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Blocked(Supervisor):
    """A supervisor whose launcher has blocked every signal."""

    def command(self, *argv: str) -> list[str]:
        """A program that blocks them, and becomes the supervisor."""
        return [sys.executable, "-c", BLOCKS, *argv]


def test_signals_that_the_launcher_blocked_arrive(endpoint: str) -> None:
    """TERM drains a supervisor whose mask was inherited, and its workers receive theirs."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
    with Blocked(*argv) as supervisor:
        ready(supervisor)
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0


def test_drain_timeout_bounds_a_drain(endpoint: str, tmp_path: Path) -> None:
    """A task in progress at --drain-timeout is abandoned, with exit code 1."""
    with pool(endpoint, "--drain-timeout", "1.5") as supervisor:
        ready(supervisor)
        Trial(supervisor, endpoint, tmp_path, "return").worker()
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 1


def test_an_idle_pool_drains_when_its_polls_end(endpoint: str) -> None:
    """No worker is killed in a poll: the polls end by themselves, then the pool exits 0."""
    with pool(endpoint, "--workers", "3", "--deciders", "2") as supervisor:
        ready(supervisor)
        supervisor.signal(signal.SIGINT)
        assert supervisor.wait() == 0
        assert "SIGKILL" not in supervisor.err.rest()


@pytest.mark.parametrize("role", ["decider", "activity"])
def test_a_killed_worker_is_replaced(endpoint: str, role: str) -> None:
    """After kill -9 of a worker its slot is filled again, and work goes on."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        # A worker is ready before it has its permit to poll.
        victim = until(lambda: supervisor.titled(f"garcon: {role} ", "polling"), "a poller")[0]
        victim.kill()
        assert "SIGKILL" in supervisor.wait_for("worker_died", pid=victim.pid)["message"]
        execution = swf.start(endpoint, flow, gate="", then="return")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_killed_in_mid_task_takes_the_tasks_children_along(
    endpoint: str, tmp_path: Path, number: signal.Signals
) -> None:
    """A process that a task started in its worker's process group does not outlive the worker."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        trial = Trial(supervisor, endpoint, tmp_path, "child middle")
        trial.open()
        child = psutil.Process(trial.child())
        trial.worker().send_signal(number)
        supervisor.wait_for("worker_died")
        until(lambda: not child.is_running(), "the task's child is gone")


def test_workers_go_on_without_their_zygote(endpoint: str, tmp_path: Path) -> None:
    """After kill -9 of the zygote the workers serve on, until a new zygote takes over."""
    with Supervisor(*FLOW, "--endpoint-url", endpoint, GARCON_MIN_UPTIME="1") as supervisor:
        ready(supervisor)
        trial = Trial(supervisor, endpoint, tmp_path, "return")
        worker = trial.worker()
        supervisor.titled("garcon: zygote")[0].kill()
        supervisor.wait_for("zygote_lost")
        trial.open()
        assert trial.completes()["ActivityTaskStarted"] == 1
        assert trial.pids() == [worker.pid]
        supervisor.wait_for("generation_active", generation=2)
        assert not [line for line in supervisor.err.seen if "worker_died" in line]
        until(lambda: supervisor.titled("garcon: zygote", "generation 2"), "a new zygote")


def test_nothing_outlives_a_killed_supervisor_but_a_task_in_progress(
    endpoint: str, gate: str
) -> None:
    """After kill -9 of the supervisor the idle end their poll, the busy their task, and leave."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        execution = swf.start(endpoint, flow, gate=gate, then="return")
        execution.wait_for("ActivityTaskStarted")
        busy = until(lambda: supervisor.titled("working gate"), "a busy worker")[0]
        idle = [each for each in supervisor.below() if each.pid != busy.pid]
        supervisor.signal(signal.SIGKILL)
        supervisor.wait()
        until(lambda: not any(each.is_running() for each in idle), "the idle are gone")
        assert busy.is_running()
        open_gate(gate)
        execution.wait_for("ActivityTaskCompleted")
        until(lambda: not busy.is_running(), "the busy one is gone")


def test_titles_show_who_does_what(endpoint: str, gate: str) -> None:
    """``ps`` shows role, flow, task list, state and what is worked on."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        execution = swf.start(endpoint, flow, gate=gate, then="return")
        execution.wait_for("ActivityTaskStarted")
        wanted = {
            "garcon: decider gates gates polling",
            "garcon: activity gates gates_end polling",
            f"garcon: activity gates gates_gate working gates_gate-1 of {execution.workflow_id}",
            "garcon: zygote gates generation 1",
        }
        until(lambda: wanted <= titles(supervisor), f"the titles {wanted}")
        supervisor.signal(signal.SIGTERM)
        supervisor.wait_for("draining")
        open_gate(gate)
        assert supervisor.wait() == 0


def titles(supervisor: Supervisor) -> set[str]:
    """The titles of the processes below it."""
    found = set()
    for each in supervisor.below():
        with contextlib.suppress(psutil.NoSuchProcess):
            found.add(" ".join(each.cmdline()).strip())
    return found


def test_the_history_names_the_worker(endpoint: str) -> None:
    """The identity in the history has host, pid and role of the worker, and its build."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        pids = {each.pid for each in supervisor.titled("garcon: activity gates gates_gate")}
        execution = swf.start(endpoint, flow, gate="", then="return")
        event = execution.wait_for("ActivityTaskStarted")[0]
        identity = event["activityTaskStartedEventAttributes"]["identity"]
        host, pid, role, build = identity.rsplit(":", 3)
        assert (host, len(build)) == (os.uname().nodename, 12)
        assert int(pid) in pids
        assert role == "activity"


def test_a_tasks_log_lines_carry_the_facts(endpoint: str, gate: str) -> None:
    """A line that a task logs has generation, slot, list, workflow, run and activity beside it."""
    with pool(endpoint) as supervisor:
        ready(supervisor)
        execution = swf.start(endpoint, flow, gate=gate, then="return")
        line = supervisor.wait_for_message("at the gate")
        assert line["generation"] == 1
        assert line["slot"] == "gates_gate/0"
        assert line["task_list"] == "gates_gate"
        assert line["workflow_id"] == execution.workflow_id
        assert line["run_id"] == execution.run_id
        assert line["activity_id"] == "gates_gate-1"
        assert line["logger"] == f"garcon.tests.{execution.workflow_id}.{execution.run_id}"
        open_gate(gate)


def test_pools_have_the_sizes_asked_for(endpoint: str) -> None:
    """--workers holds for each activity list, --pool for one, --deciders for the decider's."""
    with pool(endpoint, "--workers", "3", "--pool", "end=1", "--deciders", "2") as supervisor:
        ready(supervisor)
        expected = {"activity gates gates_gate": 3, "activity gates gates_end": 1, "decider": 2}
        found = until(lambda: counted(supervisor, *expected) == expected, f"{expected}")
        assert found


def counted(supervisor: Supervisor, *titles: str) -> dict[str, int]:
    """The number of processes below it by title."""
    return {title: len(supervisor.titled(f"garcon: {title} ")) for title in titles}
