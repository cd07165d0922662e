"""Forked children of users' code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity, runner, task
from garcon.decider.decisions import complete_workflow
from garcon.decider.flow_errors import ErrorsAsDecisions
from garcon.user_code.forks import ParentOnly
from tests.garcon.flows import completed, kinds, make

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND = [
    (lambda: None, 0),
    (lambda: 1 / 0, 1),
    (lambda: exec("raise SystemExit(7)"), 7),  # noqa: S102 - a lambda cannot raise
    (lambda: exec("raise SystemExit('sorry')"), 1),  # noqa: S102 - as above
]


def code_of(pid: int) -> int:
    """The exit code of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(("go_on", "code"), ROUND)
def test_a_child_ends_where_the_block_ends(go_on: Callable[[], Any], code: int) -> None:
    """However a forked child leaves the users' code, it ends there."""
    with ParentOnly("the test"):
        if not (pid := os.fork()):
            go_on()
    assert code_of(pid) == code


class Forker:
    """Forks once, and remembers the child's pid in the parent."""

    def __init__(self) -> None:
        self.pid = -1

    def __call__(self) -> None:
        """Fork; the child raises."""
        self.pid = os.fork()
        if not self.pid:
            raise RuntimeError("only in the child")


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
def test_the_child_of_a_task_answers_nothing(kind: type[runner.BaseRunner]) -> None:
    """The parent's task completes; the child ends without an answer or a report."""
    fork = Forker()
    reported: list[Any] = []

    @task.decorate(timeout=5)
    def work() -> dict[str, Any]:
        fork()
        return {"done": True}

    made = make(
        "fork", None, run=kind(work.fill()), on_exception=lambda *args: reported.append(args)
    )
    execution = activity.ActivityExecution(None, "fork-1", "token", "{}")
    execution.heartbeat = lambda details=None: None  # type: ignore[method-assign]
    assert made.attempt(execution) == completed(done=True)
    assert code_of(fork.pid) == 1
    assert not reported


def test_the_child_of_a_decider_decides_nothing() -> None:
    """The parent's decision stands; the child ends in the decider."""
    fork = Forker()
    decisions: list[Any] = [complete_workflow()]
    reported: list[BaseException] = []
    with ErrorsAsDecisions(decisions, reported.append):
        fork()
    assert kinds(decisions) == ["CompleteWorkflowExecution"]
    assert code_of(fork.pid) == 1
    assert not reported
