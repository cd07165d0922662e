"""The first zygote is a fork, and every later one a new program: the flow meets no difference."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from supervisor import exit_codes
from tests.processes.harness import Program, Supervisor, local_swf, until
from tests.processes.hosts import is_alive

if TYPE_CHECKING:
    from pathlib import Path

FACTS = """
import json, os, resource, sys, threading

main = sys.modules["__main__"]
status = dict(line.rstrip().split(":", 1) for line in open("/proc/self/status"))
limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
print("FACTS", json.dumps({
    "arguments": [sys.argv, sys.orig_argv, str(sys.flags), sys.warnoptions],
    "main": [main.__name__, main.__spec__.name, main.__file__],
    "path": sys.path,
    # Without 32 and 33, which glibc uses itself and posix_spawn(3) leaves ignored.
    "signals": [int(status[name], 16) & ~(3 << 31) for name in ("SigBlk", "SigIgn", "SigCgt")],
    "descriptors": {
        name: [os.readlink(f"/proc/self/fd/{name}").split(":")[0], os.get_inheritable(int(name))]
        for name in map(str, range(20)) if os.path.exists(f"/proc/self/fd/{name}")
    },
    "input": sys.stdin.read(),
    "streams": [sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stdout.encoding],
    "variables": dict(os.environ),
    "limits": {name: resource.getrlimit(getattr(resource, name)) for name in limits},
    "leads_group": os.getpgrp() == os.getpid(),
    "session": os.getsid(0) == os.getsid(os.getppid()),
    "folder": os.getcwd(),
    "threads": [thread.name for thread in threading.enumerate()],
}), file=sys.stderr, flush=True)
sys.exit("seen")
"""
"""A flow that prints what it sees of its process, and cannot be imported."""


def seen_by_flow(folder: Path, *options: str) -> dict[str, Any]:
    """The process that the flow of this folder sees under a supervisor with these options."""
    argv = ("-m", "supervisor", "--flow", "facts", *options)
    with Program(*argv, PYTHONPATH=str(folder), WATCHDOG_PID="1", LISTEN_PID="1") as supervisor:
        line = supervisor.err.wait_for(lambda each: each.startswith("FACTS "), "facts")
        assert supervisor.wait() == exit_codes.FLOW
    found: dict[str, Any] = json.loads(line.removeprefix("FACTS "))
    return found


@pytest.mark.processes
def test_the_flow_sees_the_process_that_a_new_program_would_be(tmp_path: Path) -> None:
    """``--check`` spawns its zygote as a restart does; the start forks its own."""
    (tmp_path / "facts.py").write_text(FACTS, encoding="utf-8")
    spawned, forked = seen_by_flow(tmp_path, "--check"), seen_by_flow(tmp_path)
    assert forked == spawned
    assert forked["main"][1] == "supervisor.child.zygote"
    assert forked["leads_group"]
    assert "WATCHDOG_PID" not in forked["variables"]
    assert forked["variables"]["PATH"] == os.environ["PATH"]


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_in_the_first_moment_stops_it_as_any_later_one(number: signal.Signals) -> None:
    """It waits while the supervisor imports its modules: exit code 0, and no process is left."""
    with (
        local_swf("--poll-seconds", "1") as endpoint,  # it may poll before the signal comes
        Supervisor("--flow", "tests.processes.flow", "--endpoint-url", endpoint) as supervisor,
    ):
        until(supervisor.below, "the first zygote")
        left = supervisor.below()
        supervisor.signal(number)
        assert supervisor.wait() == 0
        until(lambda: not any(map(is_alive, left)), "the end of the first zygote")
