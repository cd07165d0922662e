"""A supervisor whose standard streams are closed, full, or not read."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.processes import swf
from tests.processes.harness import LIMIT, ROOT, environment, local_swf, until
from tests.processes.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOW = """
from garcon import activity, runner, task

domain, name = "shop", "orders"

@task.decorate(timeout=20)
def work():
    print("printed", flush=True)
    return {"done": True}

make = activity.create(domain, name)(name="make", run=runner.Sync(work.fill()))
"""

FLOOD = """
import logging, sys
from garcon import activity, runner, task

domain, name = "shop", "orders"
sys.stderr.write("imported\\n" * 20_000)

@task.decorate(timeout=60)
def work():
    print("o" * 200_000)
    print("e" * 200_000, file=sys.stderr)
    for number in range(2_000):
        logging.getLogger("shop").warning("line %s of a task", number)
    return {"done": True}

make = activity.create(domain, name)(name="make", run=runner.Sync(work.fill()))
"""
"""An import and tasks that print more than a pipe takes."""

COMMAND = (sys.executable, "-m", "supervisor", "--flow", "printing", "--local")


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The environment of a supervisor that finds the flow ``printing``."""
    (tmp_path / "printing.py").write_text(FLOW)
    return environment(PYTHONPATH=str(tmp_path))


@pytest.mark.parametrize(
    "redirections", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full"], ids=["closed", "full"]
)
def test_once_needs_no_standard_streams(redirections: str, variables: dict[str, str]) -> None:
    """The execution completes, and the exit code says so, though nothing can be printed."""
    line = f'exec "$@" {redirections}'
    words = ("sh", "-c", line, "sh", *COMMAND, "--once", "--start", "{}")
    done = subprocess.run(words, cwd=ROOT, env=variables, timeout=LIMIT, check=False)
    assert done.returncode == 0


def test_an_answer_that_cannot_be_written_is_one_sentence(variables: dict[str, str]) -> None:
    """``--check`` to a full disk fails, and not as an internal error."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--check"],
            cwd=ROOT,
            env=variables,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT,
            check=False,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "supervisor: The answer could not be written: No space left on device.\n"
    )


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a full pipe that is not read."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)


def is_ready(operator: Operator) -> bool:
    """Whether the supervisor answers, and all its workers poll."""
    code, out, _ = operator.run("status", "--json")
    lists = json.loads(out)["lists"] if code == 0 else []
    return bool(lists) and all(each["ready"] == each["desired"] for each in lists)


def test_a_log_without_a_reader_does_not_stop_the_supervisor(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """It starts, answers commands and drains by TERM as ever."""
    operator = Operator(tmp_path, "")
    with full_pipe() as writer:
        started = subprocess.Popen(
            [*COMMAND, "--control", operator.path], cwd=ROOT, env=variables, stderr=writer
        )
        os.close(writer)
        try:
            until(lambda: is_ready(operator), "a ready pool")
            started.send_signal(signal.SIGTERM)
            assert started.wait(LIMIT) == 0
        finally:
            started.kill()
            started.wait(LIMIT)


def test_tasks_whose_output_is_not_read_complete(tmp_path: Path, variables: dict[str, str]) -> None:
    """Neither import, workers, sidecars nor the supervisor wait for the reader; TERM drains."""
    (tmp_path / "printing.py").write_text(FLOOD)
    with local_swf("--poll-seconds", "1") as endpoint, full_pipe() as writer:
        command = (*COMMAND[:-1], "--endpoint-url", endpoint, "--start", "{}", "--workers", "3")
        started = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=writer, stderr=writer)
        os.close(writer)
        try:
            shop = SimpleNamespace(domain="shop", name="orders", version="1.0")
            swf.wait_registered(endpoint, shop)
            executions = [swf.start(endpoint, shop) for _ in range(5)]
            closed = {each.wait_closed() for each in executions}
            started.send_signal(signal.SIGTERM)
            assert started.wait(LIMIT) == 0
        finally:
            started.kill()
            started.wait(LIMIT)
    assert closed == {"WorkflowExecutionCompleted"}
