"""Outages of SWF: workers stay, log little, try seldom, and come back."""

from __future__ import annotations

import math
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from garcon import activity
from supervisor.child.poll_backoff import BACKOFF
from supervisor.core.pools.poll_limit import PROBES
from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, parsed, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKERS = 4  # a list; with fewer, as many lines as processes could be two racing ones
ACTIVITIES = activity.find_workflow_activities(flow)


class Gateway:
    """An address in front of an SWF that can be closed and opened, and counts connections."""

    def __init__(self, endpoint: str) -> None:
        self.behind = endpoint
        host, port = endpoint.removeprefix("http://").split(":")
        self._behind = (host, int(port))
        self._door = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.knocks = 0
        self._open = True
        self._pipes: set[socket.socket] = set()
        self._lock = threading.Lock()  # no connection gets through beside one of the changes
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """No connection gets through, and open ones are cut off."""
        with self._lock:
            self._open = False
            self.knocks = 0
            for each in self._pipes:
                _shut(each)

    def open(self) -> None:
        """Connections get through."""
        self._open = True

    def lead_to(self, endpoint: str) -> None:
        """Another server is behind it from now on; open connections are cut off."""
        host, port = endpoint.removeprefix("http://").split(":")
        with self._lock:
            self._behind = (host, int(port))
            for each in self._pipes:
                _shut(each)

    def _serve(self) -> None:
        while True:
            try:
                visitor = self._door.accept()[0]
            except OSError:
                return
            with self._lock:
                self.knocks += 1
                if self._open:
                    self._connect(visitor)
                else:
                    visitor.close()

    def _connect(self, visitor: socket.socket) -> None:
        behind = socket.create_connection(self._behind)
        self._pipes |= {visitor, behind}
        for source, sink in ((visitor, behind), (behind, visitor)):
            threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._door)
        self._door.close()
        for each in list(self._pipes):
            _shut(each)
            each.close()


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # its peer was quicker


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
    except OSError:
        pass
    _shut(sink)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """In front of a local SWF."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url, Gateway(url) as opened:
        yield opened


def pool_at(url: str, *more: str) -> Supervisor:
    """A pool of several workers a list, at full strength."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", url, "--workers", str(WORKERS))
    return Supervisor(*argv, *more).ready()


def logged_polls(pool: Supervisor) -> list[str]:
    """Drain the pool; the log lines about polls."""
    pool.signal(signal.SIGTERM)
    assert pool.wait() == 0
    told = [str(parsed(line).get("message")) for line in pool.err.rest().splitlines()]
    return [each for each in told if "olling" in each]


def most_tries(seconds: float, longest: float = math.inf) -> float:
    """The most attempts of a worker in so many seconds: waits double, and are half at least."""
    return 2 + math.log2(1 + seconds / (BACKOFF.first / 2)) + seconds / (longest / 2)


def most_lines(lists: int) -> int:
    """The most lines about the beginning of an outage of so many lists, or about its end.

    One each; two processes that meet it at the same instant may both write it (``OutageLog``).
    """
    return 2 * lists


def test_workers_stay_log_little_try_seldom_and_come_back(gateway: Gateway) -> None:
    """No worker is lost; a line a task list when it begins and one when it ends; no spinning."""
    with pool_at(gateway.url, "--polls", "all") as pool:
        workers = pool.titled("garcon: activity") + pool.titled("garcon: decider")
        began = time.monotonic()
        gateway.close()
        until(lambda: len(pool.titled("backing off")) == len(workers), "all are backing off")
        until(lambda: gateway.knocks >= 3 * len(workers), "three tries each")
        assert gateway.knocks <= len(workers) * most_tries(time.monotonic() - began)
        gateway.open()
        until(lambda: len(pool.titled("polling")) == len(workers), "all are polling")
        execution = swf.start(gateway.url, flow, gate="", then="return")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        assert all(each.is_running() for each in workers)
        said = logged_polls(pool)
    lists = len({each.task_list for each in ACTIVITIES}) + 1
    ends = [each for each in said if "recovered after" in each]
    assert lists <= len(said) - len(ends) <= most_lines(lists)
    assert len(ends) <= most_lines(lists)


def test_with_permits_one_worker_a_list_probes(gateway: Gateway) -> None:
    """The others stay parked; the lines are the same; work goes on after it."""
    with pool_at(gateway.url) as pool:
        workers = pool.titled("garcon: activity")
        probers = len(ACTIVITIES) + 1  # the decider is the last
        began = time.monotonic()
        gateway.close()
        until(lambda: gateway.knocks >= 5 * probers, "five tries each")
        assert gateway.knocks <= probers * most_tries(time.monotonic() - began, PROBES.cap)
        gateway.open()
        execution = swf.start(gateway.url, flow, gate="", then="return")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        polling = len(pool.titled("garcon: activity", "polling"))
        assert polling <= 2 * len(ACTIVITIES)
        assert all(each.is_running() for each in workers)
        said = logged_polls(pool)
    ends = [each for each in said if "recovered after" in each]
    assert probers <= len(said) - len(ends) <= most_lines(probers)
    assert len(ends) <= most_lines(probers)


def test_throttled_polls_end_no_worker_and_log_little(gateway: Gateway) -> None:
    """A pool whose every poll is throttled backs off, and works on when that is over."""
    faults = swf.Faults(gateway.behind)
    with pool_at(gateway.url, "--polls", "all") as pool:
        workers = pool.titled("garcon: activity")
        faults.wait_until_struck("throttle", "PollForActivityTask")
        until(lambda: len(pool.titled("backing off")) == len(workers), "all are backing off")
        faults.withdraw()
        until(lambda: len(pool.titled("garcon: activity", "polling")) == len(workers), "polls")
        assert all(each.is_running() for each in workers)
        assert len(logged_polls(pool)) <= 2 * most_lines(len(ACTIVITIES))


def test_a_result_waits_for_swf_to_come_back(gateway: Gateway, tmp_path: Path) -> None:
    """A result of meanwhile is delivered once SWF answers, and not as a failure."""
    with pool_at(gateway.url) as pool:
        trial = Trial(pool, gateway.behind, tmp_path, "return")
        worker = trial.worker()
        gateway.close()
        trial.open()
        pool.wait_for_message("Next attempt in")
        gateway.open()
        kinds = trial.completes()
        assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1
        assert worker.is_running()
