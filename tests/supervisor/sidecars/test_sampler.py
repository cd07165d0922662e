"""Samples of open executions, against a local SWF."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from garcon import client
from garcon.local import LocalSWF
from supervisor.child.worker_meter import WorkerMeter
from supervisor.ipc import messages
from supervisor.ipc.counter_table import CounterTable, read
from supervisor.sidecars.sampler import Sampler
from tests.garcon.decider.build_fleet import Fleet
from tests.garcon.decider.test_builds import custom
from tests.garcon.fakes import THROTTLED, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEK = datetime.now(UTC) + timedelta(days=7)


class Sampled:
    """A sampler of a fleet's executions, and what it has found."""

    def __init__(self, fleet: Fleet, size: int = 50, hosts: int = 1) -> None:
        self._memory = bytearray(4096)
        order = messages.RunSidecar(
            "sampler",
            messages.SwfEndpoint(),
            messages.LogSettings("info", "text"),
            domain=fleet.domain,
            flow_name=fleet.name,
            hosts=hosts,
        )
        settings = messages.SampleSettings(size, interval=300.0, waiting=600.0, quiet=3600.0)
        meter = WorkerMeter(CounterTable(self._memory))
        self._fleet = fleet
        self.sampler = Sampler(order, settings, meter, lambda: WEEK)

    def look(self) -> dict[str, float]:
        """The counts after one more round."""
        with client.use(self._fleet.client):
            self.pauses = list(self.sampler.round())
        return {label: number for (_, label), (number,) in read(bytes(self._memory)).items()}


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Deciders of one build."""
    with LocalSWF() as swf:
        yield Fleet(swf, {"a": custom("x"), "b": custom("y")})


def test_executions_without_a_worker_are_waiting_and_quiet(fleet: Fleet) -> None:
    """A decision task that no decider takes for a week counts for both."""
    fleet.deploy("a")
    fleet.start()
    found = Sampled(fleet).look()
    assert (found["open"], found["looked at"]) == (1, 1)
    assert (found["waiting"], found["quiet"], found["stuck"]) == (1, 1, 0)


def test_stuck_executions_are_found(fleet: Fleet) -> None:
    """By the note of the latest answer, as in ``garcon list --stuck``."""
    fleet.deploy("a")
    fleet.start()
    fleet.work()
    fleet.deploy("b")
    fleet.work().after(7_200)
    assert Sampled(fleet).look()["stuck"] == 1


@pytest.mark.parametrize(("size", "hosts", "looks"), [(2, 1, 2), (4, 4, 1), (50, 1, 3)])
def test_hosts_share_the_sample(fleet: Fleet, size: int, hosts: int, looks: int) -> None:
    """Each looks at its part, at most at all there are; its calls are spread over the interval."""
    fleet.deploy("a")
    for number in range(3):
        fleet.client.start_workflow_execution(
            domain=fleet.domain,
            workflowId=f"more-{number}",
            workflowType={"name": fleet.name, "version": "1.0"},
            input="{}",
        )
    sampled = Sampled(fleet, size, hosts)
    assert sampled.look()["looked at"] == looks
    assert len(sampled.pauses) == looks + 1
    assert sum(sampled.pauses) >= 299.0


def test_a_refused_call_ends_the_round(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings of the round before stay."""
    fleet.deploy("a")
    fleet.start()
    sampled = Sampled(fleet)
    before = sampled.look()

    def refuse(**_: object) -> None:
        raise refusal(THROTTLED)

    monkeypatch.setattr(fleet.client, "count_open_workflow_executions", refuse)
    assert sampled.look() == before
    assert len(sampled.pauses) == 1
