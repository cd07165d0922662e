"""Deciders that stick to their executions, as the supervisor runs them."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from garcon.executions import listing
from supervisor.ipc.spool import SUFFIX
from tests.garcon.local.wire import pollers
from tests.processes import steps, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import pass_gate
from tests.processes.witness import before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.processes.witness import Witness

POLL = "PollForDecisionTask"
OWN = "garcon-"
"""The beginning of the names of private lists."""

LONG = "600"
"""Seconds that a task may wait on a private list: longer than any test lasts."""

UNKNOWN = {
    "RespondDecisionTaskCompleted": {"taskList", "taskListScheduleToStartTimeout"},
    POLL: {"startAtPreviousStartedEvent", "reverseOrder"},
}
"""The members that a service without private lists does not know."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF whose polls are long enough to be open when a test kills a poller.

    It hands no task to a killed poller: the pool cannot influence what SWF does there.
    """
    with local_swf("--poll-seconds", "8", "--no-ghosts") as url:
        yield url


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A FIFO at which a step, or a decision, waits."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def serving(endpoint: str, *argv: str, **variables: str) -> Supervisor:
    """A supervisor of the steps, at full strength; no state is checked by chance, and no decision
    is given up by a decider that is slow.
    """
    own = ("--flow", "tests.processes.steps", "--endpoint-url", endpoint)
    sticky = {"GARCON_STICKY_CHECK_RATIO": "0", "GARCON_STICKY_SCHEDULE_TO_START": LONG}
    return Supervisor(*own, *argv, **sticky, **variables).ready()


def wait_for_look(witness: Witness) -> None:
    """Wait until the decider has looked for stuck executions: there are none yet to read."""

    def has_looked() -> bool:
        return any(
            each.request.get("maximumPageSize") == listing.LARGEST_PAGE
            and "executionInfos" in each.answer  # until then, what begins may still be in it
            for each in witness.of("ListOpenWorkflowExecutions")
        )

    until(has_looked, "the look at the start")


def decider_of(pool: Supervisor) -> psutil.Process:
    """The one decider."""
    found: list[psutil.Process] = until(lambda: pool.titled("garcon: decider steps"), "a decider")
    (decider,) = found
    return decider


def polls_of(pid: int, endpoint: str) -> list[str]:
    """The labels of the polls that wait for a process; a label has its identity."""
    return [each for each in pollers(endpoint) if f":{pid}:" in each]


def lists_of(execution: swf.Execution) -> list[str]:
    """The task lists that its decisions were scheduled on."""
    return [
        each["decisionTaskScheduledEventAttributes"]["taskList"]["name"]
        for each in execution.history()
        if each["eventType"] == "DecisionTaskScheduled"
    ]


def own_lists_of(execution: swf.Execution) -> set[str]:
    """Those of them that were one process's own."""
    return {each for each in lists_of(execution) if each.startswith(OWN)}


def timeouts_of(execution: swf.Execution) -> list[str]:
    """The timeout types of its decision tasks."""
    return [
        each["decisionTaskTimedOutEventAttributes"]["timeoutType"]
        for each in execution.history()
        if each["eventType"] == "DecisionTaskTimedOut"
    ]


# --- it is used -----------------------------------------------------------------------------------


def test_deciders_are_shown_only_what_is_new(endpoint: str) -> None:
    """After the first, decision tasks come by the decider's own list, each with the events since
    the one before (and those of the same millisecond); no history is read.
    """
    with before(endpoint) as witness, serving(witness.url):
        wait_for_look(witness)
        execution = swf.start(endpoint, steps, steps=20)
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        # In the order of the tasks: both polls may have been begun in any order.
        first, *later = sorted(witness.tasks(POLL), key=lambda each: each.answer["startedEventId"])
        read = witness.of("GetWorkflowExecutionHistory")
    assert first.task_list == "steps"
    assert {each.task_list for each in later} == own_lists_of(execution)
    assert len(own_lists_of(execution)) == 1
    known = first.answer["startedEventId"]
    for each in later:
        assert each.answer["previousStartedEventId"] == known
        known = each.answer["startedEventId"]
    assert sum(len(each.answer["events"]) for each in later) < 2 * len(execution.history())
    assert read == []


def test_without_sticky_there_is_one_list(endpoint: str) -> None:
    """``--no-sticky``: no decider polls a list of its own but its build's; no answer names one."""
    with before(endpoint) as witness, serving(witness.url, "--no-sticky"):
        execution = swf.start(endpoint, steps, steps=4)
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        polls, answers = witness.of(POLL), witness.of("RespondDecisionTaskCompleted")
    assert {each.task_list.partition("@")[0] for each in polls} == {"steps"}
    assert set(lists_of(execution)) == {"steps"}
    asked = {name for each in (*polls, *answers) for name in each.request}
    answer = {"taskToken", "decisions", "executionContext"}
    assert asked == {"domain", "taskList", "identity", *answer}


def test_a_service_that_does_not_know_private_lists_is_served(endpoint: str) -> None:
    """All tasks come by the flow's list with the whole history, and the workflow completes."""
    with before(endpoint, UNKNOWN) as witness, serving(witness.url):
        execution = swf.start(endpoint, steps, steps=6)
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        assert any(each.task_list.startswith(OWN) for each in witness.of(POLL))
    assert set(lists_of(execution)) == {"steps"}


def test_an_activity_costs_two_calls_and_its_decision_two(endpoint: str) -> None:
    """Counted at the service, polls that brought nothing left aside: no page is fetched twice, no
    history read. A heartbeat is sent only by who begins late, as on a slow machine.
    """
    many = 10
    with before(endpoint) as witness, serving(witness.url):
        wait_for_look(witness)
        assert swf.start(endpoint, steps, steps=many).wait_closed() == "WorkflowExecutionCompleted"
        counts = witness.counts()
    others = ("Register", "Describe", "List", "RecordActivityTaskHeartbeat")
    assert {name: count for name, count in counts.items() if not name.startswith(others)} == {
        POLL: many + 1,
        "RespondDecisionTaskCompleted": many + 1,
        "PollForActivityTask": many,
        "RespondActivityTaskCompleted": many,
    }


# --- a decider dies -------------------------------------------------------------------------------


def test_a_killed_decider_costs_no_wait_on_its_list(endpoint: str, gate: Path) -> None:
    """Killed between two decisions: its replacement polls the same list and reads the history."""
    with serving(endpoint) as pool:
        execution = swf.start(endpoint, steps, steps=8, hold=3, at=str(gate))
        execution.wait_for("ActivityTaskStarted", 4)
        dead = decider_of(pool)
        until(lambda: polls_of(dead.pid, endpoint), "its poll")
        dead.kill()
        pool.wait_for("worker_died")
        # SWF may give a decision to a poll whose end it has not noticed yet.
        until(lambda: not polls_of(dead.pid, endpoint), "the end of its polls")
        pass_gate(gate)
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
    assert timeouts_of(execution) == []
    assert lists_of(execution).count("steps") == 1
    assert len(own_lists_of(execution)) == 1


def test_a_killed_supervisor_costs_no_wait_on_its_deciders_lists(
    endpoint: str, gate: Path, tmp_path: Path
) -> None:
    """With a spool: the deciders of its successor poll the same lists."""
    spool = {"GARCON_SPOOL": str(tmp_path / "spool")}
    with (
        serving(endpoint, "--workers", "0", **spool) as deciding,
        serving(endpoint, "--deciders", "0"),
    ):
        execution = swf.start(endpoint, steps, steps=8, hold=3, at=str(gate))
        execution.wait_for("ActivityTaskStarted", 4)
        below = deciding.below()
        deciding.signal(signal.SIGKILL)
        for each in below:
            each.kill()
        deciding.wait()
        # SWF may give a decision to a poll whose end it has not noticed yet.
        until(lambda: not any(polls_of(each.pid, endpoint) for each in below), "no polls of theirs")
        with serving(endpoint, "--workers", "0", **spool):
            pass_gate(gate)
            assert execution.wait_closed() == "WorkflowExecutionCompleted"
    assert timeouts_of(execution) == []
    assert len(own_lists_of(execution)) == 1


def test_a_drained_supervisor_costs_no_wait_on_its_deciders_lists(
    endpoint: str, gate: Path, tmp_path: Path
) -> None:
    """An execution without a decision in the drain still names the list of a decider that left."""
    spool = {"GARCON_SPOOL": str(tmp_path / "spool")}
    with (
        serving(endpoint, "--workers", "0", **spool) as deciding,
        serving(endpoint, "--deciders", "0"),
    ):
        execution = swf.start(endpoint, steps, steps=8, hold=3, at=str(gate))
        execution.wait_for("ActivityTaskStarted", 4)
        deciding.signal(signal.SIGTERM)
        assert deciding.wait() == 0
        with serving(endpoint, "--workers", "0", **spool):
            pass_gate(gate)
            assert execution.wait_closed() == "WorkflowExecutionCompleted"
    assert timeouts_of(execution) == []


def test_a_decider_killed_in_mid_decision_costs_nothing(endpoint: str, gate: Path) -> None:
    """Its task is returned to the flow's own list, where the next decider finds it at once."""
    thinks = Path(f"{gate}.thinks")
    with serving(endpoint):
        execution = swf.start(endpoint, steps, steps=6, think=2, at=str(gate))
        first = until(lambda: thinks.exists() and thinks.read_text(), "a decision")
        psutil.Process(int(first)).kill()
        until(lambda: thinks.read_text() not in {"", first}, "another decision")
        Path(f"{gate}.open").touch()
        pass_gate(gate)
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
    assert timeouts_of(execution) == []
    assert len(own_lists_of(execution)) == 1  # the replacement has taken it over


def test_a_decision_that_waits_in_a_killed_decider_is_returned(
    endpoint: str, gate: Path, tmp_path: Path
) -> None:
    """While one is at the gate, another came by the second poll: both are decided anew at once."""
    thinks, spool = Path(f"{gate}.thinks"), tmp_path / "spool"
    with serving(endpoint, GARCON_SPOOL=str(spool)) as pool:
        first = swf.start(endpoint, steps, steps=4, think=1, at=str(gate))
        pid = int(until(lambda: thinks.exists() and thinks.read_text(), "a decision"))
        second = swf.start(endpoint, steps, steps=2)
        second.wait_for("DecisionTaskStarted")
        # Started at SWF is not yet received: the decider has a file for each that it has.
        until(lambda: len(list(spool.glob(f"[!.]*{SUFFIX}"))) == 2, "both are in the decider")
        Path(f"{gate}.open").touch()
        psutil.Process(pid).kill()
        told = pool.wait_for("worker_died", pid=pid)["message"]
        assert f"of workflow {first.workflow_id}, is returned to SWF." in told
        assert f"of workflow {second.workflow_id} waited in it and is returned to SWF." in told
        for each in (first, second):
            assert each.wait_closed() == "WorkflowExecutionCompleted"
            assert timeouts_of(each) == []


# --- a decider leaves -----------------------------------------------------------------------------


def test_a_rolling_restart_gives_executions_back(endpoint: str) -> None:
    """A task of the old decider's private list is answered with the flow's list, so that the new
    one goes on at once; of several executions none waits for a timeout of ten minutes.
    """
    with serving(endpoint, GARCON_MIN_UPTIME="0.1") as pool:
        old = decider_of(pool)
        executions = [swf.start(endpoint, steps, steps=5000, pause=0.1) for _ in range(3)]
        for each in executions:
            each.wait_for("ActivityTaskCompleted", 2)
        pool.signal(signal.SIGHUP)
        for each in executions:
            until(partial(moved, each), f"a decision of the new decider on {each.workflow_id}")
        until(lambda: not old.is_running(), "the old decider's end")
        assert [timeouts_of(each) for each in executions] == [[], [], []]


def moved(execution: swf.Execution) -> bool:
    """Whether its decisions have come by the own lists of two deciders."""
    return len(own_lists_of(execution)) > 1


def asked_to_leave(pool: Supervisor) -> None:
    """Ask the pool to drain; when this returns, its decider has been asked."""
    pool.signal(signal.SIGTERM)
    pool.wait_for("draining")
    decider_of(pool).send_signal(signal.SIGTERM)  # ours is on its way before any task can be


def test_a_drain_gives_executions_back(endpoint: str, gate: Path) -> None:
    """The pool that decided has left; the next pool finds the decision at once."""
    with (
        before(endpoint) as witness,
        serving(witness.url, "--workers", "0") as deciding,
        serving(endpoint, "--deciders", "0"),
    ):
        execution = swf.start(endpoint, steps, steps=6, hold=3, at=str(gate))
        execution.wait_for("ActivityTaskStarted", 4)
        witness.hold(POLL)
        pass_gate(gate)
        until(lambda: witness.held, "a decision on its way to the decider")
        asked_to_leave(deciding)
        witness.release()
        assert deciding.wait() == 0
        assert lists_of(execution)[-1] == "steps"
        with serving(endpoint, "--workers", "0"):
            assert execution.wait_closed() == "WorkflowExecutionCompleted"
    assert timeouts_of(execution) == []


def test_what_the_last_polls_bring_is_decided(endpoint: str, gate: Path) -> None:
    """A decider that leaves has two polls open; a task that comes by each is answered."""
    with before(endpoint) as witness, serving(witness.url) as pool:
        begun = swf.start(endpoint, steps, steps=3, hold=1, at=str(gate))
        begun.wait_for("ActivityTaskStarted", 2)
        witness.hold(POLL)
        late = swf.start(endpoint, steps, steps=2)
        pass_gate(gate)
        until(lambda: len(witness.held) == 2, "a decision by each poll, on its way")
        assert len({each.task_list for each in witness.held}) == 2
        asked_to_leave(pool)
        witness.release()
        late.wait_for("DecisionTaskCompleted")
        begun.wait_for("DecisionTaskCompleted", 3)
        assert pool.wait() == 0
    assert timeouts_of(late) == timeouts_of(begun) == []
