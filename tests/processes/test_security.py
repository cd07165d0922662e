"""What a running pool refuses, keeps to itself and leaves behind."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import flow, swf
from tests.processes.harness import Program, Supervisor, local_swf
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOW = ("--flow", "tests.processes.flow")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused as root")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def ended(*argv: str, **variables: str) -> tuple[int, str]:
    """Run the command to its end: exit code and errors."""
    with Program("-m", "supervisor", *argv, **variables) as program:
        return program.wait(), program.err.rest()


@needs_root
@pytest.mark.parametrize("more", [(), ("--check",)])
def test_root_is_refused(endpoint: str, more: tuple[str, ...]) -> None:
    """Exit code 2, and a sentence that says what to do; a check says the same."""
    code, err = ended(*FLOW, "--endpoint-url", endpoint, *more, GARCON_ALLOW_ROOT="false")
    assert code == 2
    assert "would run as root" in err
    assert "--allow-root" in err


@needs_root
def test_root_may_be_allowed_and_may_always_try_it_out() -> None:
    """--allow-root, and --local, whose tasks come from nobody else."""
    assert ended("--check", *FLOW, "--allow-root", GARCON_ALLOW_ROOT="false")[0] == 0
    assert ended("--check", *FLOW, "--local", GARCON_ALLOW_ROOT="false")[0] == 0


SECRET = "geheim-71"  # noqa: S105 - that is its point


@pytest.mark.parametrize("level", ["info", "debug"])
def test_payloads_are_not_logged_or_shown(endpoint: str, tmp_path: Path, level: str) -> None:
    """Neither input nor result is in the log or in a title, at whatever level."""
    secret = tmp_path / SECRET
    secret.mkdir()
    with Supervisor(*FLOW, "--endpoint-url", endpoint, "--log-level", level).ready() as pool:
        trial = Trial(pool, endpoint, secret, "middle")
        trial.open()
        trial.wait_in_middle()
        titles = [" ".join(each.cmdline()) for each in pool.below()]
        trial.middle()
        trial.completes()
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 0
        log = pool.err.rest()
    assert any("working" in each for each in titles)
    assert not [each for each in titles if SECRET in each]
    assert SECRET not in log


def test_payloads_can_be_logged_without_what_looks_like_a_secret(endpoint: str) -> None:
    """--log-payloads shows input and result, and hides the value of a telling name."""
    with Supervisor(*FLOW, "--endpoint-url", endpoint, "--log-payloads").ready() as pool:
        swf.start(endpoint, flow, gate="", then=f"password={SECRET}")
        shown = pool.wait_for_message("Input: ")["message"]
        assert '"then": "password=[redacted]"' in shown
        assert "passed" in pool.wait_for_message("Result: ")["message"]
        assert SECRET not in pool.err.text


def test_a_deeply_nested_input_costs_no_worker(endpoint: str) -> None:
    """It fails its execution with a sentence; the same workers serve the next one."""
    with Supervisor(*FLOW, "--endpoint-url", endpoint).ready() as pool:
        before = {each.pid for each in pool.titled("garcon: decider")}
        deep = swf.start(endpoint, flow, gate="", then="return")
        text = '{"gate": "", "then": "return", "deep": ' + "[" * 16_000 + "]" * 16_000 + "}"
        bad = swf.start(endpoint, flow, {"input": text})
        assert bad.wait_closed() == "WorkflowExecutionFailed"
        assert "nested" in str(bad.history()[-1])
        assert deep.wait_closed() == "WorkflowExecutionCompleted"
        assert before == {each.pid for each in pool.titled("garcon: decider")}


PR_SET_MDWE = 65
"""What systemd asks the kernel for with MemoryDenyWriteExecute= (prctl(2), Linux 6.3)."""

DENIED = f"""
import ctypes, os, sys
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "supervisor", *sys.argv[1:]])
"""


def test_a_pool_works_where_no_memory_can_be_made_executable() -> None:
    """As in the unit; a kernel that cannot deny it is told by the exit code."""
    argv = ("--flow", "examples.coffee", "--local", "--once", "--start", '{"order": "Ann"}')
    with Program("-c", DENIED, *argv) as program:
        code = program.wait()
        if code == 77:
            pytest.skip("this kernel knows no PR_SET_MDWE")
        assert code == 0, program.err.rest()


def test_no_core_is_left_unless_it_is_asked_for(endpoint: str) -> None:
    """The limit that a worker really has: one byte, or all that the host allows."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    for argv, soft in ((), 0 if hard == 0 else 1), (("--core-dumps",), hard):
        with Supervisor(*FLOW, "--endpoint-url", endpoint, *argv).ready() as pool:
            worker = pool.titled("garcon: activity")[0]
            assert worker.rlimit(psutil.RLIMIT_CORE) == (soft, hard)
