"""A launched process loses no signal, and its last lines of standard error are kept."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from supervisor.child import launch, worker
from supervisor.child.shutdown import Shutdown
from supervisor.ipc import channel, crash_record, messages

if TYPE_CHECKING:
    import pytest


REQUESTED = 42
"""Exit code of a process whose job finds a shutdown request."""


class _EarlyTerm:
    """A channel whose every message is followed by SIGTERM at once."""

    def __init__(self, inner: channel.Channel) -> None:
        self._inner = inner

    def send(self, message: messages.ChannelMessage) -> None:
        """Send, and be terminated."""
        self._inner.send(message)
        os.kill(os.getpid(), signal.SIGTERM)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def last_code(end: channel.Channel) -> int:
    """Launch a job whose exit code shows whether a shutdown was requested."""
    fork = messages.Fork(7, 1, messages.Register(types=False))
    record = crash_record.CrashRecord(crash_record.make())
    vars(launch)["_do_job"] = lambda _context, _fork, shutdown, _record: (
        REQUESTED if shutdown.requested and os.getpgrp() == os.getpid() else 1
    )
    nothing: Any = None
    early: Any = _EarlyTerm(end)
    return launch.run(nothing, fork, early, record)


def test_written_text_is_noted_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints, log lines of earlier handlers, and attributes reach the stream unchanged."""
    stream, noted = io.StringIO(), list[str]()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(logging.root, "handlers", [handler])
    launch.tee_stderr(noted.append)
    print("printed", file=sys.stderr)  # noqa: T201 - the print is under test
    logging.getLogger("task").warning("logged")
    assert "".join(noted) == stream.getvalue() == "printed\nlogged\n"
    assert sys.stderr.isatty() is False


def test_a_signal_in_the_first_moment_is_not_lost() -> None:
    """TERM that arrives with the announcement of the pid requests a shutdown, not a death."""
    ours, theirs = channel.pair()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # inherited from the zygote
        os._exit(last_code(theirs))
    theirs.close()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    announced = ours.receive()
    ours.close()
    assert announced == messages.Forked(7, child)
    assert code == REQUESTED


def test_what_a_task_prints_loses_its_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, and in the last lines that are kept for a death."""
    noted: list[str] = []
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # restored after the test
    launch.tee_stderr(noted.append)
    print("password=geheim", file=sys.stderr)  # noqa: T201 - the print is under test
    print("the password:", "geheim", file=sys.stderr)  # noqa: T201 - several writes
    print("token=geheim", end="", file=sys.stderr, flush=True)  # noqa: T201 - no end of line
    assert "geheim" not in "".join(noted)
    shown = "password=[redacted]\nthe password: [redacted]\ntoken=[redacted]"
    assert "".join(noted) == capsys.readouterr().err == shown


def test_a_stream_that_a_task_has_closed_takes_no_worker_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Log lines are still noted for a death."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    noted: list[str] = []
    launch.tee_stderr(noted.append)
    sys.stderr.close()
    print("last words", file=sys.stderr, flush=True)  # noqa: T201 - the print is under test
    assert "".join(noted) == "last words\n"


def test_a_print_without_an_end_of_line_appears_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that dies in the middle of a line leaves it, unless it may hold a secret."""
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # restored after the test
    noted: list[str] = []
    launch.tee_stderr(noted.append)
    sys.stderr.write("charging the c")
    assert "".join(noted) == "charging the c"
    sys.stderr.write("ard\n")
    assert "".join(noted) == capsys.readouterr().err == "charging the card\n"


def test_the_hooks_of_a_flow_surround_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first poll, and at the orderly end; TERM is handled whatever a hook installs."""
    calls: list[str] = []

    def start() -> None:
        calls.append("start")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    class Loop:
        def __init__(self, *_: Any) -> None:
            calls.append(f"loop, TERM handled: {callable(signal.getsignal(signal.SIGTERM))}")

        def run(self) -> int:
            calls.append("run")
            return 0

    target = SimpleNamespace(on_worker_start=start, on_worker_stop=lambda: calls.append("stop"))
    context: Any = SimpleNamespace(
        flow=SimpleNamespace(target=target), start_tracing=lambda: calls.append("traced")
    )
    monkeypatch.setattr(worker, "TaskLoop", Loop)
    slot = messages.Slot(messages.TaskList("shop_make", messages.Role.ACTIVITY), 0)
    nothing: Any = None
    ours, theirs = channel.pair()
    with contextlib.closing(ours), contextlib.closing(theirs), Shutdown(theirs) as shutdown:
        fork = messages.Fork(7, 1, messages.Serve(slot))
        assert launch._do_job(context, fork, shutdown, nothing) == 0
    assert calls == ["start", "traced", "loop, TERM handled: True", "run", "stop"]
