"""The meter of a worker: the rows that it adds to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from garcon.aws import usage
from garcon.aws.usage import CallResult
from supervisor.child import worker_meter
from supervisor.child.worker_meter import WorkerMeter
from supervisor.ipc.counter_table import Counters, CounterTable, read
from supervisor.ipc.messages.tallies import BOUNDS, DECISION_BOUNDS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Measured:
    """A meter, and what it has counted."""

    def __init__(self, task_list: str = "") -> None:
        self._memory = bytearray(8192)
        self.table = CounterTable(self._memory)
        self.meter = WorkerMeter(self.table, task_list)

    @property
    def found(self) -> Counters:
        """The counters."""
        return read(bytes(self._memory))


@pytest.fixture
def _no_meter() -> Iterator[None]:
    yield
    usage.meter = None


def test_a_heartbeat_counts_as_a_call_and_for_its_list() -> None:
    """A process without a list, such as a sidecar, has calls only."""
    worker, sidecar = Measured("album_resize"), Measured()
    for each in (worker, sidecar):
        each.meter.note_call("RecordActivityTaskHeartbeat", CallResult.THROTTLED)
        each.meter.note_call("PollForActivityTask", CallResult.ACCEPTED)
    calls = {
        ("calls", "RecordActivityTaskHeartbeat", "throttled"): (1.0,),
        ("calls", "PollForActivityTask", "accepted"): (1.0,),
    }
    assert sidecar.found == calls
    assert worker.found == calls | {("heartbeats", "album_resize", "throttled"): (1.0,)}


@pytest.mark.parametrize("position", [0, 4, len(BOUNDS) - 1])
def test_a_time_at_a_bound_belongs_to_its_class(position: int) -> None:
    """Prometheus' bounds are inclusive; the last number is the sum."""
    measured = Measured()
    measured.meter.note_wait("album_resize", BOUNDS[position])
    measured.meter.note_decision(DECISION_BOUNDS[position])
    for key, bounds in ((("waits", "album_resize"), BOUNDS), (("decisions",), DECISION_BOUNDS)):
        numbers = measured.found[key]
        assert len(numbers) == len(bounds) + 2
        assert numbers[position] == 1.0
        assert numbers[-1] == bounds[position]


def test_events_states_and_claims_have_rows_of_their_own() -> None:
    """A decider without a cache keeps no state, and counts none."""
    measured = Measured()
    measured.meter.note_history(7, is_continued=True)
    measured.meter.note_history(30, is_continued=False)
    measured.meter.note_history(5, is_continued=None)
    measured.meter.note_stored_claim(40_000)
    measured.meter.note_stored_claim(2_000)
    measured.meter.note_fetched_claim(40_000)
    assert measured.found == {
        ("events",): (42.0,),
        ("states", "kept"): (1.0,),
        ("states", "read"): (1.0,),
        ("claims", "stored"): (2.0, 42_000.0),
        ("claims", "fetched"): (1.0, 40_000.0),
    }


@pytest.mark.usefixtures("_no_meter")
def test_a_process_that_a_task_forks_does_not_count() -> None:
    """It would write over what its worker counts."""
    measured = Measured()
    worker_meter.start(measured.table)
    assert usage.meter is not None
    pid = os.fork()
    if pid == 0:
        os._exit(0 if usage.meter is None else 1)
    assert os.waitpid(pid, 0)[1] == 0
