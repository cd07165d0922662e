"""The commands that speak to a running pool, each with what it prints and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.processes import flow, swf
from tests.processes.harness import local_swf, until
from tests.processes.operator import Operator
from tests.processes.trial import Trial, let_pass

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 80


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


# --- looking --------------------------------------------------------------------------------------


def test_status_and_tasks_show_who_does_what(endpoint: str, tmp_path: Path) -> None:
    """Pids are the kernel's, the task in progress has its ids, no token; 80 columns are enough."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        trial = Trial(pool, endpoint, tmp_path, "return")
        worker = trial.worker()
        trial.wait_alone()
        below = {each.pid for each in pool.settled()}
        status = operator.ask("status")
        (busy,) = [each for each in status["workers"] if each["pid"] == worker.pid]
        assert (busy["stage"], busy["generation"]) == ("working", 1)
        assert busy["task"]["workflow_id"] == trial.execution.workflow_id
        assert busy["task"]["token"] == ""
        assert busy["memory_unique"] > 1 << 20
        assert {each["pid"] for each in status["workers"]} < below
        (held,) = operator.ask("tasks")["tasks"]
        assert (held["pid"], held["activity_id"]) == (worker.pid, "gates_gate-1")
        for text in (operator.do("status"), operator.do("tasks")):
            assert trial.execution.workflow_id in text
            assert str(worker.pid) in text
            assert max(len(line) for line in text.splitlines()) <= WIDTH
        trial.open()
        trial.completes()


def test_status_shows_deaths(endpoint: str, tmp_path: Path) -> None:
    """A slot whose worker died shows how often, and of what."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        title = "garcon: activity gates gates_gate polling"  # once it has its permit
        until(lambda: pool.titled(title), "a poller")[0].kill()
        pool.wait_for("worker_died")
        text = until(
            lambda: "gates_gate/0: 1 death" in (shown := operator.do("status")) and shown,
            "a new worker",
        )
        assert "gates_gate/0: 1 death; last: killed by SIGKILL" in text
        assert operator.ask("status")["deaths"] == {"killed": 1}


def test_stacks_show_where_a_worker_is(endpoint: str, tmp_path: Path) -> None:
    """In mid-task the task's own function is among the lines, as often as one asks."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        trial = Trial(pool, endpoint, tmp_path, "return")
        pid = str(trial.worker().pid)
        for _ in range(3):
            text = operator.do("stacks", pid)
            assert text.count("in wait_at_gate") == 1
        assert any("in wait_at_gate" in each for each in operator.ask("stacks", pid)["stacks"])
        trial.worker().suspend()
        code, _, err = operator.run("stacks", pid)
        assert (code, "it may be stopped" in err) == (1, True)
        trial.worker().resume()
        code, _, err = operator.run("stacks", str(pool.pid))
        assert (code, "No worker of this supervisor has pid" in err) == (1, True)
        trial.open()
        trial.completes()


def test_logs_show_recent_entries_and_follow_new_ones(endpoint: str, tmp_path: Path) -> None:
    """The recent entries come first; with -f the new ones follow, until the supervisor ends."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        assert "workers of generation 1 are ready." in operator.do("logs")
        with operator.begin("logs", "-f", "--json") as logs:
            logs.out.wait_for(lambda line: '"full_strength"' in line, "a note of before")
            operator.do("scale", "gate=2")
            line = logs.out.wait_for(lambda line: '"scaled"' in line, "a note of now")
            assert json.loads(line)["workers"] == 2
            pool.signal(signal.SIGTERM)
            assert pool.wait() == 0
            logs.out.wait_for(lambda line: '"drain_report"' in line, "the last note")
            assert logs.wait() == 0


# --- sizes ----------------------------------------------------------------------------------------


def counted(operator: Operator) -> dict[str, int]:
    """Ready workers of each list."""
    lists = operator.ask("status")["lists"]
    return {each["task_list"]["short_name"] or "decider": each["ready"] for each in lists}


def test_scale_changes_sizes_of_lists(endpoint: str, tmp_path: Path) -> None:
    """To a number, by a number, several together; an invalid size is a sentence and exit code 1."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        text = operator.do("scale", "gate=3", "end=+1")
        assert "gates_gate is scaled from 1 to 3 workers: requested by uid" in text
        pool.wait_for("full_strength", workers=8)
        assert counted(operator) == {"decider": 1, "gate": 3, "told": 1, "brief": 1, "end": 2}
        operator.do("scale", "gate=-2", "end=0")
        until(lambda: len(pool.titled("garcon: activity gates gates_gate ")) == 1, "one is left")
        until(lambda: not pool.titled("garcon: activity gates gates_end "), "no process is left")
        for words, code, why in [
            (["strange=1"], 1, "the flow has no such task list; it has: "),
            (["gate=1001"], 1, "can have 0 to 1000 workers"),
            (["gate"], 2, "gate: expected LIST=N"),
        ]:
            assert operator.run("scale", *words)[0] == code
            assert why in operator.run("scale", *words)[2]


def test_a_worker_is_recycled_by_its_pid(endpoint: str, tmp_path: Path) -> None:
    """Another worker takes its place, and it is not a death; a pid of no worker is refused."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        old = pool.titled("garcon: activity gates gates_gate ")[0]
        assert "leaves once its replacement is ready" in operator.do("recycle", str(old.pid))
        pool.wait_for("worker_recycled")
        until(lambda: not old.is_running(), "the old worker has left")
        until(lambda: counted(operator)["gate"] == 1, "the new worker is ready")
        assert operator.ask("status")["deaths"] == {}
        code, _, why = operator.run("recycle", str(pool.pid))
        assert (code, "No worker of this supervisor has pid" in why) == (1, True)


def test_signals_change_all_activity_lists_by_one(endpoint: str, tmp_path: Path) -> None:
    """TTIN starts a worker more for each, TTOU ends one; the decider stays alone."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        pool.signal(signal.SIGTTIN)
        pool.wait_for("full_strength", workers=9)
        assert counted(operator) == {"decider": 1, "gate": 2, "told": 2, "brief": 2, "end": 2}
        pool.signal(signal.SIGTTOU)
        until(lambda: len(pool.titled("garcon: activity ")) == 4, "four activity workers")
        assert len(pool.titled("garcon: decider ")) == 1


# --- quiet and resume -----------------------------------------------------------------------------


def test_no_task_is_lost_by_quiet_and_resume(tmp_path: Path) -> None:
    """Not even at an SWF that hands tasks to pollers that are gone: each is begun once."""
    with local_swf("--poll-seconds", "1") as endpoint:
        operator = Operator(tmp_path, endpoint, "--workers", "3", "--deciders", "2")
        with operator.pool() as pool:
            executions = []
            for _ in range(5):
                executions += [swf.start(endpoint, flow, gate="", then="") for _ in range(6)]
                operator.do("quiet", "--wait")
                assert not pool.titled("garcon: activity ")
                executions += [swf.start(endpoint, flow, gate="", then="") for _ in range(2)]
                operator.do("resume")
            for each in executions:
                assert each.wait_closed() == "WorkflowExecutionCompleted"
                kinds = each.kinds()
                assert (
                    kinds.count("ActivityTaskStarted") == kinds.count("ActivityTaskCompleted") == 2
                )
                assert not lost(each)


def lost(execution: swf.Execution) -> list[dict[str, Any]]:
    """The events of tasks that SWF had handed to a poller and that timed out.

    A decision that waited for a sticky decider that is gone was handed to no poller.
    """
    ends = [each for each in execution.history() if each["eventType"].endswith("TaskTimedOut")]
    attributes = "decisionTaskTimedOutEventAttributes"
    return [each for each in ends if each.get(attributes, {}).get("startedEventId", 1)]


def test_drain_of_a_list_finishes_its_task_in_progress(endpoint: str, tmp_path: Path) -> None:
    """It waits for the task; what is scheduled meanwhile waits for the list to be resumed."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        trial = Trial(pool, endpoint, tmp_path, "return")
        trial.worker()
        with operator.begin("drain", "gate", "--wait") as drain:
            pool.wait_for("quiet")
            operator.do("status")  # answered after the worker was asked to leave
            waiting = swf.start(endpoint, flow, gate="", then="")
            waiting.wait_for("ActivityTaskScheduled")
            assert drain.process.poll() is None
            trial.open()
            assert drain.wait() == 0
        trial.completes()
        assert "ActivityTaskStarted" not in waiting.kinds()
        assert "quiet" in operator.do("status")
        assert operator.run("quiet", "gate")[0] == 1
        operator.do("resume", "gate")
        assert waiting.wait_closed() == "WorkflowExecutionCompleted"
        assert operator.run("resume")[2] == "supervisor: No task list is quiet."


# --- restart --------------------------------------------------------------------------------------


GOOD = """
from garcon import activity, runner
domain, name = "shop", "orders"
make = activity.create(domain, name)(name="make", run=runner.Sync(lambda context, activity: None))
"""


def test_restart_waits_for_the_outcome(endpoint: str, tmp_path: Path) -> None:
    """0 when the new code serves all slots, 1 with the report when it was stopped."""
    (tmp_path / "mine.py").write_text(GOOD)
    quick = {"GARCON_MIN_UPTIME": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    operator = Operator(tmp_path, endpoint, flow="mine", PYTHONPATH=str(tmp_path), **quick)
    with operator.pool():
        assert operator.do("restart", "--wait") == "All 2 workers of generation 2 are ready."
        (tmp_path / "mine.py").write_text("def (:\n")
        code, out, _ = operator.run("restart", "--wait")
        assert code == 1
        assert "Generation 3 failed at the import gate." in out
        assert "SyntaxError" in out
        assert operator.ask("status")["deploy"]["outcome"] == "failed"
        (tmp_path / "mine.py").write_text(GOOD)
        assert "The restart begins now" in operator.do("restart")
        operator.do("quiet", "--wait")
        told = json.loads(operator.run("restart", "--wait", "--json")[1])
        assert told["ok"]


def test_settings_that_cannot_be_read_refuse_a_restart(endpoint: str, tmp_path: Path) -> None:
    """The sentence about the file is the command's."""
    settings = tmp_path / "garcon.toml"
    settings.write_text("workers = 1\n")
    operator = Operator(tmp_path, endpoint, "--config", str(settings))
    with operator.pool():
        settings.write_text("workers = many\n")
        code, _, err = operator.run("restart")
        assert code == 1
        assert err.startswith("supervisor: No restart: ")
        assert str(settings) in err


# --- the end --------------------------------------------------------------------------------------


def test_drain_waits_and_reports(endpoint: str, tmp_path: Path) -> None:
    """The task in progress is finished first; then the report is printed; exit code 0."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool:
        trial = Trial(pool, endpoint, tmp_path, "return")
        trial.worker()
        with operator.begin("drain", "--wait") as drain:
            pool.wait_for("draining")
            code, _, err = operator.run("drain")
            assert (code, "The supervisor is already draining" in err) == (1, True)
            trial.open()
            assert drain.wait() == 0
            text = drain.out.rest()
        assert pool.wait() == 0
        finished = f"activity gates_gate-1 of workflow {trial.execution.workflow_id}, after"
        assert f"  finished        {finished} " in text
        report = pool.wait_for("drain_report")
        assert (report["finished"], report["code"]) == (report["tasks"], 0)
        assert not Path(operator.path).exists()


@pytest.mark.parametrize("how", ["timeout", "signal", "stop"])
def test_what_is_abandoned_is_reported_at_once(endpoint: str, tmp_path: Path, how: str) -> None:
    """At the drain's limit, by a second signal or by ``stop``: SWF gets ``Interrupted`` at once."""
    limit = ("--drain-timeout", "2") if how == "timeout" else ()
    operator = Operator(tmp_path, endpoint, *limit)
    with operator.pool() as pool:
        trial = Trial(pool, endpoint, tmp_path, "return")
        trial.worker()
        if how == "stop":
            assert "1 abandoned" in " ".join(operator.do("stop", "--wait").split())
        else:
            pool.signal(signal.SIGTERM)
            pool.wait_for("draining")
        if how == "signal":
            pool.stop_by_signals()
        report = pool.wait_for("drain_report")
        assert (report["abandoned"], report["code"]) == (1, 1)
        assert pool.wait() == 1
        assert trial.failure()[0].startswith("Interrupted: ")


# --- the socket -----------------------------------------------------------------------------------


def test_two_supervisors_do_not_share_a_socket(endpoint: str, tmp_path: Path) -> None:
    """The second ends with a sentence and exit code 2; after kill -9 of the first it may begin."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as first:
        mode = Path(operator.path).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        with operator.starting() as second:
            assert second.wait() == 2
            assert "Another supervisor listens at" in second.err.rest()
        assert operator.ask("status")["pid"] == first.pid
        first.signal(signal.SIGKILL)
        first.wait()
        with operator.pool() as third:
            assert operator.ask("status")["pid"] == third.pid


def test_a_missing_supervisor_is_one_sentence(tmp_path: Path, endpoint: str) -> None:
    """With exit code 2, as for usage."""
    operator = Operator(tmp_path, endpoint)
    code, out, err = operator.run("status")
    assert (code, out) == (2, "")
    assert err.startswith(f"supervisor: No supervisor answers at {operator.path}: ")


def test_clients_that_do_not_read_delay_no_other(endpoint: str, tmp_path: Path) -> None:
    """Nonsense, floods and silence cost the pool nothing: work is done, commands are answered."""
    operator = Operator(tmp_path, endpoint)
    with operator.pool() as pool, contextlib.ExitStack() as clients:
        for _ in range(20):
            clients.enter_context(closing(operator.connect()))
        slow = clients.enter_context(closing(operator.connect()))
        slow.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
        with contextlib.suppress(BlockingIOError):  # no one reads
            while True:
                slow.send(b'{"v": 1, "request": "status"}\n' * 100)
        with closing(operator.connect()) as rude:
            rude.sendall(b"GET / HTTP/1.1\r\n")
            assert b"Not a valid request" in rude.recv(4096)
        execution = swf.start(endpoint, flow, gate="", then="")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        assert operator.ask("status")["pid"] == pool.pid
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 0


# --- by the backlog -------------------------------------------------------------------------------


def test_a_pool_follows_its_backlog(endpoint: str, tmp_path: Path) -> None:
    """It grows to its most for tasks that wait, and shrinks again when they are done."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    operator = Operator(
        tmp_path, endpoint, "--scale", "gate=1..3", "--scale-interval", "0.3", "--deciders", "2"
    )
    with operator.pool() as pool:
        held = [swf.start(endpoint, flow, gate=str(gate), then="") for _ in range(6)]
        pool.wait_for("scaled", task_list="gates_gate", workers=3)
        until(lambda: len(pool.titled("working", "gates_gate-1")) == 3, "three at work")
        pool.titled("garcon: backlog ")[0].kill()
        pool.wait_for("sidecar_lost")
        until(lambda: all(let_pass(gate, each) for each in held), "all six have completed")
        pool.wait_for("scaled", task_list="gates_gate", workers=1)
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 0
