"""Security of a running pool: what it refuses, keeps to itself and leaves behind."""

from __future__ import annotations

import os
import pwd
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import flow, swf
from tests.processes.harness import ROOT, Program, Supervisor, local_swf
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOW = ("--flow", "tests.processes.flow")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def ended(*argv: str, **variables: str) -> tuple[int, str]:
    """Run the command to its end: exit code and errors."""
    with Program("-m", "supervisor", *argv, **variables) as program:
        return program.wait(), program.err.rest()


WARNING = "run as root. Give --user NAME"
NOWHERE = "http://127.0.0.1:1"


@needs_root
def test_root_is_warned_and_may_always_check_and_try() -> None:
    """One warning for tasks that would run as root; none with --check and --local."""
    with Program("-m", "supervisor", *FLOW, "--endpoint-url", NOWHERE) as program:
        program.err.wait_for(lambda line: WARNING in line, "warning")
    for more in (("--check",), ("--local", "--once", "--start", "{}")):
        code, err = ended(*FLOW, *more)
        assert code == 0
        assert WARNING not in err


def is_for_all() -> bool:
    """Whether every user may run this interpreter, unlike one in root's home."""
    real = Path(sys.executable).resolve()
    paths = (real, *real.parents, *Path(sys.executable).parents, *ROOT.parents)
    return all(each.stat().st_mode & 0o001 for each in paths)


@needs_root
@pytest.mark.skipif(not is_for_all(), reason="this interpreter is not for other users")
def test_root_is_given_up_for_a_user(endpoint: str, tmp_path: Path) -> None:
    """Every process is the user's, without root's groups; so are the socket and the spool."""
    account = pwd.getpwnam("nobody")
    tmp_path.chmod(0o755)
    for each in (tmp_path.parent, tmp_path.parent.parent):
        each.chmod(0o755)
    control, folder = tmp_path / "control.sock", tmp_path / "spool"
    argv = ("--user", "nobody", "--control", str(control), "--spool", str(folder))
    with Supervisor(*FLOW, "--endpoint-url", endpoint, *argv).ready() as supervisor:
        processes = [psutil.Process(supervisor.pid), *supervisor.below()]
        assert {tuple(each.uids()) for each in processes} == {(account.pw_uid,) * 3}
        assert {tuple(each.gids()) for each in processes} == {(account.pw_gid,) * 3}
        status = Path(f"/proc/{supervisor.pid}/status").read_text()
        (groups,) = (line for line in status.splitlines() if line.startswith("Groups:"))
        assert "0" not in groups.split()[1:]
        assert {control.stat().st_uid, folder.stat().st_uid} == {account.pw_uid}


def test_a_user_who_is_not_there_is_a_usage_error(endpoint: str) -> None:
    """Exit code 2 and one sentence."""
    code, err = ended(*FLOW, "--endpoint-url", endpoint, "--user", "no-such-user")
    assert code == 2
    assert "this host has no such user" in err


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
    """--log-payloads shows input and result, and hides the value of a name like password."""
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
"""The request of MemoryDenyWriteExecute= to the kernel (prctl(2), Linux 6.3)."""

DENIED = f"""
import ctypes, os, sys
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "supervisor", *sys.argv[1:]])
"""


def test_a_pool_works_where_no_memory_can_be_made_executable() -> None:
    """As in the unit; the exit code shows a kernel that cannot deny it."""
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
