"""State of the worker's process that its tasks change."""

from __future__ import annotations

import decimal
import gc
import io
import locale
import logging
import os
import resource
import signal
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.child.process_state import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HARD_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

CHANGES: list[tuple[str, Callable[[], Any]]] = [
    ("the handler of SIGTERM", lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
    ("the handler of SIGINT", lambda: signal.signal(signal.SIGINT, lambda *_: None)),
    ("the handler of SIGCHLD", lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)),
    ("an interval timer", lambda: signal.setitimer(signal.ITIMER_REAL, 60)),
    ("the signal mask", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})),
    ("the current folder", lambda: os.chdir("/")),
    ("the umask", lambda: os.umask(0o007)),
    ("the locale", lambda: locale.setlocale(locale.LC_CTYPE, "C")),
    ("os.environ", lambda: os.environ.update(SOUP="hot")),
    ("os.environ", lambda: os.environ.pop("PATH")),
    ("warnings.filters", lambda: warnings.simplefilter("ignore")),
    ("the decimal context", lambda: setattr(decimal.getcontext(), "prec", 3)),
    ("sys.stdout", lambda: setattr(sys, "stdout", None)),
    ("sys.stderr", lambda: setattr(sys, "stderr", None)),
    ("the recursion limit", lambda: sys.setrecursionlimit(5000)),
    ("the switch interval", lambda: sys.setswitchinterval(0.5)),
    ("the default timeout of sockets", lambda: socket.setdefaulttimeout(0.1)),
    ("the garbage collector", gc.disable),
    ("descriptor 1", lambda: os.close(1)),
    ("descriptor 2", lambda: os.dup2(0, 2)),
    ("the limit NOFILE", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, HARD_LIMIT))),
    ("the handlers of the root logger", lambda: logging.root.handlers.pop(0)),
    ("logging.disable", lambda: logging.disable(logging.CRITICAL)),
]


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """A process without the timer of the test runner, put back whatever the test does."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    old = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    before = ProcessState()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # tests of shutdown leave it ignored
    yield
    before.restore("the test")
    locale.setlocale(locale.LC_ALL, old)


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_change_is_put_back_and_named(
    name: str, change: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The next task finds the state as it was, and the log names activity and state, once."""
    state = ProcessState()
    for _ in range(2):
        change()
        assert state.restore("the activity shop_charge") == ""
    (record,) = caplog.records
    begin = f"The activity shop_charge changed {name}, which belongs to the whole process."
    assert record.getMessage() == f"{begin} It is put back after each task."
    caplog.clear()
    assert state.restore("the activity shop_charge") == ""
    assert not caplog.records


def test_a_closed_stream_asks_for_a_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next task that prints would fail."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    state = ProcessState()
    sys.stdout.close()
    assert state.restore("the activity shop_charge").endswith("changed sys.stdout for good")


def test_a_connection_with_the_number_of_a_stream_asks_for_a_replacement() -> None:
    """Output of the process would be sent to its peer."""
    state = ProcessState()
    kept = os.dup(1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), 1)
        reason = state.restore("the activity shop_charge")
        os.dup2(kept, 1)
        os.close(kept)
    assert reason.endswith("changed descriptor 1 for good")


def test_a_removed_folder_asks_for_a_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that cannot be put back is a reason to leave."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    state = ProcessState()
    os.chdir("/")
    home.rmdir()
    reason = state.restore("the activity shop_charge")
    assert reason == "the activity shop_charge changed the current folder for good"


def test_filters_of_an_import_stay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A library that a task imports sets up its filters for the whole process."""
    state = ProcessState()
    monkeypatch.setitem(sys.modules, "a_new_library", sys)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert state.restore("the activity shop_charge") == ""
        assert warnings.filters[0][0] == "ignore"
    assert not caplog.records


def test_comparing_is_cheap() -> None:
    """It costs every task, so it is some dozens of calls: 20 µs on an idle host."""
    state, events = ProcessState(), list[str]()
    sys.setprofile(lambda _frame, event, _argument: events.append(event))
    try:
        state.restore("the activity shop_charge")
    finally:
        sys.setprofile(None)
    assert 0 < events.count("call") + events.count("c_call") < 160
